#!/bin/sh
# Claim      `cronolog --symlink=LINK TEMPLATE` sets LINK once, to its first file, and never moves it
#            again. Only together with --prev-symlink does LINK follow the file that is written.
# Version    cronolog 1.6.2+rpk-3 (Debian 12)
# Good guess The manual: "maintain a symbolic link from NAME to the current log file". So LINK leads to
#            the newest file after every rotation.
# Matters    Whoever tails LINK sees the first hour or day of the log and then nothing, without any
#            error: lines still come, rotation still works, only the link is old.
. "$(dirname "$0")/support.sh"
debian cronolog 1.6.2+rpk-3

# One second more than needed: cronolog asks time(2), which lags behind the clock of date by a tick.
later_than() { test "$(date +%s)" -gt "$(($1 + 1))"; }

# run FOLDER OPTION...: three lines, each in a second of its own and so in a file of its own.
run() {
  folder=$1
  shift
  mkdir "$folder"
  mkfifo "$folder.pipe"
  exec 3<>"$folder.pipe"  # for reading too: opening it for writing would wait for cronolog
  start cronolog --symlink="$folder/current" "$@" "$folder/app.%H%M%S.log" <"$folder.pipe"
  for line in first second third; do
    say "$line" >&3
    await "'$line' in a file" grep -qrx "$line" "$folder"
    second=$(date +%s)  # only now: cronolog may have taken the line in a later one
    await "a later second" later_than "$second"
  done
  exec 3>&-
  kill "$pid"
  wait "$pid" 2>/dev/null || :
  say "$(find "$folder" -name 'app.*' | wc -l) files; 'current' leads to the one with: $(cat "$folder/current")"
}

run "$work/alone"
run "$work/both" --prev-symlink="$work/both/previous"
verdict test "$(cat "$work/alone/current") $(cat "$work/both/current")" = "first third"
