#!/bin/sh
# Claim      `sadf -d`, whose output is meant for databases, writes a record of four fields where the host was started
#            again: interval -1, and `LINUX-RESTART`, a tab and the number of processors in the column that is CPU,
#            IFACE or DEV otherwise. Behind it the header comes once more, as a comment.
# Version    sysstat 12.6.1 (Debian 12)
# Good guess Each record of a report has the columns of its header, which stands once, at the top; what is no sample
#            is left out, as `sadf -j` puts it into a list of its own.
# Matters    A loader that counts fields stops at the first reboot of a host, or takes `LINUX-RESTART` for a processor.
. "$(dirname "$0")/support.sh"

debian sysstat 12.6.1-1
sadc=$work/root/usr/lib/sysstat/sadc
[ -x "$sadc" ] || sadc=/usr/lib/sysstat/sadc
# Two samples; the mark that a service of sysstat writes at each boot; two samples.
"$sadc" 1 2 "$work/day"
"$sadc" "$work/day"
"$sadc" 1 2 "$work/day"

sadf -d "$work/day" -- -u >"$work/out"
say "sadf -d DAY -- -u:"
sed 's/^/  /' "$work/out"
say "fields of each line: $(awk -F';' '{ print NF }' "$work/out" | paste -sd' ')"

verdict test "$(awk -F';' '{ print NF }' "$work/out" | paste -sd' ') $(grep -c '^#' "$work/out")" = "10 10 4 10 10 2"
