#!/bin/sh
# Claim      csvkit makes a date of a column that holds nothing but the names of weekdays, or `today`: csvsort, which
#            only sorts, writes `0001-01-08` for `monday`, and csvsql makes a DATE column of it. Status 0, no message,
#            and the word is gone. One other word in the column, and it stays text.
# Version    csvkit 1.0.7, agate 1.6.3 (Debian 12)
# Good guess A date needs digits; and a tool that sorts writes the fields that it read.
# Matters    The day types of a schedule, the states of a door or of a sensor: whoever puts csvkit between an extract
#            and a database stores dates of the year 1, and whether it does depends on the other rows of the file.
#            `--no-inference` keeps the words.
. "$(dirname "$0")/support.sh"

debian csvkit 1.0.7-1
for package in python3-csvkit=1.0.7-1 python3-agate=1.6.3-2 python3-agatedbf=0.2.2-2 \
  python3-agateexcel=0.2.5-2 python3-agatesql=0.5.8-2 python3-babel=2.10.3-1 \
  python-babel-localedata=2.10.3-1 python3-dbfread=2.0.7-5 python3-et-xmlfile=1.0.1-2.1 \
  python3-greenlet=2.0.2-1 python3-isodate=0.6.1-1 python3-jdcal=1.0-1.3 python3-leather=0.3.4-2 \
  python3-olefile=0.46-3 python3-openpyxl=3.0.9-1 python3-parsedatetime=2.6-3 python3-pytimeparse=1.1.5-3 \
  python3-six=1.16.0-4 python3-slugify=4.0.0-2 python3-sqlalchemy=1.4.46+ds1-1 python3-tz=2022.7.1-4 \
  python3-unidecode=1.3.6-1 python3-xlrd=1.2.0-3; do
  debian "${package%%=*}" "${package#*=}" >>"$work/packages"
done
say "and $(wc -l <"$work/packages") packages that it needs"
if [ -d "$work/root/usr/lib/python3/dist-packages" ]; then
  PYTHONPATH="$work/root/usr/lib/python3/dist-packages"
  export PYTHONPATH
fi

printf 'stop,day\n1001,monday\n1002,friday\n' >"$work/days.csv"
printf 'stop,day\n1001,monday\n1002,friday\n1003,holiday\n' >"$work/mixed.csv"
csvsort -c stop "$work/days.csv" >"$work/days.out"
csvsort -c stop "$work/mixed.csv" >"$work/mixed.out"
type=$(csvsql -i sqlite "$work/days.csv" 2>"$work/err" | grep 'day ') || cannot "csvsql: $(tail -1 "$work/err")"
say "csvsort of monday, friday:          $(cut -d, -f2 "$work/days.out" | tail -n +2 | paste -sd' ')"
say "csvsort of monday, friday, holiday: $(cut -d, -f2 "$work/mixed.out" | tail -n +2 | paste -sd' ')"
say "csvsql's column: $(printf %s "$type" | tr -d '\t,')"

verdict test "$(cut -d, -f2 "$work/days.out" | paste -sd' ') $(cut -d, -f2 "$work/mixed.out" | paste -sd' ')" = \
  "day 0001-01-08 0001-01-05 day monday friday holiday"
