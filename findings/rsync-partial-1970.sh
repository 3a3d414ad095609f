#!/bin/sh
# Claim      rsync -t --partial that is broken off renames what has come to the final name and gives it a
#            time of 1970-01-01. (Without -t it has the time of its last write.)
# Version    rsync 3.5.0+ds1-0+deb12u1 (Debian 12, security)
# Good guess -t keeps times: the half file has the time of its source, or that of its last write.
# Matters    A half file that looks finished, and is older than everything: "delete what is older than
#            30 days" removes it, "files newer than" never sees it, and a program that takes the year of
#            its lines from the file's time puts them into 1970.
. "$(dirname "$0")/support.sh"
debian rsync 3.5.0+ds1-0+deb12u1

mkdir "$work/drop"
head -c 8000000 /dev/zero >"$work/app.log"
has_begun() { [ -n "$(find "$work/drop" -name '.app.log.*' -size +0)" ]; }
start rsync -t --partial --bwlimit=500 "$work/app.log" "$work/drop/" 2>"$work/errors"
await "the first bytes" has_begun
kill "$pid"
wait "$pid" 2>/dev/null || :
await "the final name" test -e "$work/drop/app.log"
seconds=$(stat -c %Y "$work/drop/app.log")
say "app.log: $(stat -c %s "$work/drop/app.log") of 8000000 bytes, modified $(date -u -d "@$seconds" +%FT%TZ)"
verdict test "$seconds" -eq 0
