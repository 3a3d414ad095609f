#!/bin/sh
# Claim      lnav's column `log_time` is not the time in the line. A line that is older than the one before it gets
#            the time of that one; what stands in the line is in a hidden column, `log_actual_time`, which
#            `SELECT *` does not return.
# Version    lnav 0.11.1 (Debian 12)
# Good guess `log_time` is what was parsed; lnav sorts by it, if anything.
# Matters    Web servers log when a request ends under the time at which it began, so slow requests are always out of
#            order. Whoever exports `SELECT * FROM access_log` to a database has wrong times for just these, and
#            nothing tells which.
. "$(dirname "$0")/support.sh"
debian lnav 0.11.1-3

cd "$work"
mkdir home
line() { printf '10.0.0.1 - - [10/Mar/2012:10:00:%s +0000] "GET %s HTTP/1.1" 200 10 "-" "-"\n' "$1" "$2"; }
{ line 05 /quick; line 01 /slow; line 06 /next; } >access.log
HOME=$work/home TERM=xterm lnav -n -c ';SELECT * FROM access_log' -c ":write-csv-to all.csv" access.log >/dev/null 2>&1 ||
  cannot "lnav ended with an error"
HOME=$work/home TERM=xterm lnav -n -c ';SELECT log_time, log_actual_time, cs_uri_stem FROM access_log' \
  -c ":write-csv-to both.csv" access.log >/dev/null 2>&1
say "SELECT *: $(head -1 all.csv)"
cat both.csv
verdict sh -c 'grep -q "10:00:05.000,.*10:00:01.000,/slow" both.csv && ! head -1 all.csv | grep -q log_actual_time'
