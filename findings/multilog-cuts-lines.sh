#!/bin/sh
# Claim      multilog and svlogd cut a long line in two at a rotation (multilog from 2,500 bytes on, svlogd
#            from 1,900, of the lengths tried). The first half ends one file, without a line end, and the
#            rest begins the next. Both files are marked as complete (.s), nothing is escaped.
# Version    multilog of daemontools 0.76, svlogd of runit 2.1.2 (Debian 12), default sizes
# Good guess They are line loggers: they put a time before each line and pick lines by patterns. So a
#            rotated file holds whole lines.
# Matters    JSON lines and stack traces are often that long. Who loads such files one by one gets two
#            broken records a rotation; the files must be joined before they are split into lines.
. "$(dirname "$0")/support.sh"
debian daemontools 1:0.76-8.1
debian runit 2.1.2-54

# 100 lines of 4,000 bytes and a line end: four rotations at the default size of a file.
awk 'BEGIN { for (i = 0; i < 100; i++) { line = sprintf("{\"n\": %d, \"text\": \"", i)
  while (length(line) < 3998) line = line "."
  print line "\"}" } }' >"$work/input"
mkdir "$work/svlogd"
printf 's99999\nn100\n' >"$work/svlogd/config"
multilog n100 "$work/multilog" <"$work/input"
svlogd "$work/svlogd" <"$work/input"

# The files of a folder, oldest first: `current` is the last one.
files() { find "$work/$1" -name '@*.s' | sort; find "$work/$1" -name current; }

result=
for logger in multilog svlogd; do
  rotated=$(find "$work/$logger" -name '@*.s' | wc -l)
  cut=0
  for file in $(find "$work/$logger" -name '@*.s'); do
    [ -z "$(tail -c 1 "$file")" ] || cut=$((cut + 1))
  done
  files "$logger" | xargs cat | cmp -s - "$work/input" && joined=whole || joined=damaged
  say "$logger: $rotated rotated files, $cut of them end within a line; joined they are $joined"
  [ "$cut" -gt 0 ] && [ "$joined" = whole ] && result="$result cut"
done
verdict test "$result" = " cut cut"
