#!/bin/sh
# Claim      collectd's csv plugin puts a value into the file of the day on which it is WRITTEN, whatever
#            the value's own time.
# Version    collectd-core 5.12.0-14 (Debian 12)
# Good guess gauge-x-2012-03-09 holds the values of that day, and they are nowhere else.
# Matters    Values that come late (a network that was down, a replay, the seconds around midnight) lie in
#            the file of another day. A loader must take the time from the line and not the day from the
#            name, and must not stop at a day's end.
. "$(dirname "$0")/support.sh"
debian collectd-core 5.12.0-14
plugins=/usr/lib/collectd
types=/usr/share/collectd/types.db
[ -d "$work/root" ] && plugins=$work/root$plugins types=$work/root$types

cat >"$work/collectd.conf" <<END
Hostname "host"
FQDNLookup false
BaseDir "$work"
PIDFile "$work/pid"
PluginDir "$plugins"
TypesDB "$types"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "$work/log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "$work/socket"
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "$work/csv"
</Plugin>
END
start collectd -f -C "$work/collectd.conf" 2>"$work/errors"
await "collectd" test -S "$work/socket"
python3 - "$work/socket" <<'END'
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
stream = connection.makefile("rw")
time = 1331286480  # 2012-03-09
stream.write(f"PUTVAL host/bus/gauge-speed interval=10 {time}:{time % 100}\n")
stream.flush()
print(f"{time}: collectd answers", stream.readline().strip())
END
written() { cat "$work"/csv/host/bus/gauge-speed-* | grep -q "$1"; }
before=$(date +%F)  # the day may end between this and the next look at it
await "the value" written 1331286480
file=$(basename "$(find "$work/csv" -type f)")
say "the value of 2012-03-09 is in: $file"
verdict test "$file" = "gauge-speed-$before" -o "$file" = "gauge-speed-$(date +%F)"
