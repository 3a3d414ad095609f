#!/bin/sh
# Claim      rotatelogs -n (a ring of files, by size) does not go on where it was after a restart. It looks at
#            the first file only; if that is full, it empties the second one and writes there. So each restart
#            removes what was written since the one before, while files of the ring were never used.
# Version    rotatelogs of apache2-utils 2.4.71 (Debian 12)
# Good guess The manual says that a ring of files is used in turn and that the oldest is overwritten: a new
#            process appends to the newest file, or takes the next one.
# Matters    `apachectl graceful` restarts it. Whoever reads the files once a day finds lines missing that no
#            rotation took; an agent that reads all the time sees a file shrink and begin again. Use names with
#            a time, and remove old files by another program.
. "$(dirname "$0")/support.sh"
debian apache2-utils 2.4.71-1~deb12u1

cd "$work"
# rotatelogs looks at the size of its file once for each read from the pipe, so the lines come one by one.
write() {
  for number in "$@"; do
    printf 'line %s ..............................\n' "$number"
    sleep 0.2
  done
}
contents() {
  for file in app app.1 app.2 app.3; do
    [ ! -e "$file" ] || say "  $file: $(sed 's/line \([0-9]*\).*/\1/' "$file" | tr '\n' ' ')"
  done
}

write 1 2 3 4 5 6 7 | rotatelogs -n 4 app 100B
say "seven lines by the first process:"
contents
write 8 | rotatelogs -n 4 app 100B
say "line 8 by the second:"
contents
write 9 | rotatelogs -n 4 app 100B
say "line 9 by the third:"
contents
say "left of 9 lines: $(cat app* | wc -l)"
verdict test "$(cat app.1)" = "$(write 9)"
