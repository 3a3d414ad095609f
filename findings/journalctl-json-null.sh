#!/bin/sh
# Claim      `journalctl -o json` writes `"MESSAGE":null` for a message of 4,088 bytes or more: the limit
#            of 4,096 counts "MESSAGE=" too. `-o export` has all of it, and so has `-o json --all`.
# Version    systemd 252.39-1~deb12u2 (Debian 12)
# Good guess A machine-readable export is complete. "Shortened" and "--all" are matters of the screen,
#            where a long line ends in an ellipsis.
# Matters    The longest messages, which are the stack traces, arrive as null: a loader that takes null for
#            "no value" stores an empty row without complaint. Ship with `-o export` or add --all.
. "$(dirname "$0")/support.sh"
version=252.39-1~deb12u2
debian systemd $version
debian libmicrohttpd12 0.9.75-6
debian systemd-journal-remote $version
LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}:/usr/lib/$(machine_name)-linux-gnu/systemd:/lib/systemd"
export LD_LIBRARY_PATH

# A journal with messages of known lengths; systemd-journal-remote makes it from the export format.
for length in 10 4087 4088 60000; do
  printf '__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\nLENGTH=%d\nMESSAGE=%s\n\n' \
    $((1331286480000000 + length)) $((1000 + length)) 1 "$length" "$(head -c "$length" /dev/zero | tr '\0' x)"
done >"$work/export"
systemd-journal-remote -o "$work/some.journal" "$work/export" 2>"$work/errors" ||
  cannot "$(tail -1 "$work/errors")"

# Per message: the length that was written, and what came out.
show() {
  journalctl --file "$work/some.journal" "$@" | python3 -c '
import json, sys
for entry in map(json.loads, sys.stdin):
    message = entry["MESSAGE"]
    print(entry["LENGTH"], "null" if message is None else len(message))'
}
show -o json >"$work/json"
show -o json --all >"$work/all"
say "written, -o json:        $(paste -sd, "$work/json")"
say "written, -o json --all:  $(paste -sd, "$work/all")"
say "-o export, longest line: $(journalctl --file "$work/some.journal" -o export | awk '{ print length($0) }' | sort -n | tail -1)"
verdict test "$(paste -sd, "$work/json") $(paste -sd, "$work/all")" = \
  "10 10,4087 4087,4088 null,60000 null 10 10,4087 4087,4088 4088,60000 60000"
