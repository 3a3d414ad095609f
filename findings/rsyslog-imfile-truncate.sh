#!/bin/sh
# Claim      rsyslog's imfile, with the settings that it comes with, reads nothing of a log that was copied and
#            truncated until the log is longer than it was before: the lines up to there never come, no message
#            says so, and the first line that does come lacks its beginning.
# Version    rsyslog 8.2302.0 (Debian 12), imfile in its inotify mode
# Good guess A file that is shorter than what was read of it was truncated: it is read from its start, as
#            tail -F does. The parameter reopenOnTruncate ("experimental", off) says that it is not.
# Matters    Who moves from imfile to another agent finds in the store what was missing for years; who writes
#            one takes the case for granted. logrotate's copytruncate is what programs are given that cannot
#            open their log anew.
. "$(dirname "$0")/support.sh"
debian libestr0 0.1.11-1
debian libfastjson4 1.2304.0-1
debian rsyslog 8.2302.0-1+deb12u2

cd "$work"
modules=/usr/lib/$(machine_name)-linux-gnu/rsyslog
[ -d "$modules" ] || modules=$work/root$modules
mkdir state
cat >rsyslog.conf <<END
global(workDirectory="$work/state")
module(load="imfile")
input(type="imfile" file="$work/app.log" tag="app:")
template(name="line" type="string" string="%msg%\n")
action(type="omfile" file="$work/out" template="line")
END
came() { test "$(wc -l <out)" -ge "$1"; }
lines() {
  for number in $(seq "$1" "$2"); do say "line $number of the log"; done
}

: >out
for number in $(seq 101 121); do say "before, $number"; done >app.log  # 21 lines, 252 bytes
start rsyslogd -n -M "$modules" -f rsyslog.conf -i "$work/pid" 2>said
await "the first 21 lines" came 21
cp app.log app.log.1
: >app.log
for number in $(seq 122 139); do  # one by one: each append is an event
  lines "$number" "$number" >>app.log
  sleep 0.05
done
lines 140 145 >>app.log
await "the last line" grep -qx 'line 145 of the log' out
say "what came of the 24 lines behind the truncation:"
tail -n +22 out
say "said on stderr: $(wc -c <said) bytes"
# 252 bytes are twelve lines of 20 bytes, and twelve bytes of the thirteenth.
verdict test "$(tail -n +22 out | wc -l),$(sed -n 22p out),$(wc -c <said)" = "12,the log,0"
