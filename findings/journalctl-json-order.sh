#!/bin/sh
# Claim      `journalctl -o json` writes the members of the same entry in another order at each call, so
#            two exports of one journal differ in nearly every line. Those of `-o export` are the same.
# Version    systemd 252.39-1~deb12u2 (Debian 12)
# Good guess What is written out of an unchanged file, by the same program, is the same each time: the
#            fields have an order in the file, and -o export keeps it.
# Matters    Who tells lines that he has by their text, or by a digest of it, takes every entry of an
#            overlapping export for a new one. Tell entries by __CURSOR, or ship with -o export.
. "$(dirname "$0")/support.sh"
version=252.39-1~deb12u2
debian systemd $version
debian libmicrohttpd12 0.9.75-6
debian systemd-journal-remote $version
LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}:/usr/lib/$(machine_name)-linux-gnu/systemd:/lib/systemd"
export LD_LIBRARY_PATH

# A journal of 50 entries with ten fields each; systemd-journal-remote makes it from the export format.
for number in $(seq 50); do
  printf '__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\n' \
    $((1331286480000000 + number)) $((1000 + number)) 1
  for field in A B C D E F G H; do printf 'FIELD_%s=%d\n' "$field" "$number"; done
  printf 'MESSAGE=entry %d\n\n' "$number"
done >"$work/export"
systemd-journal-remote -o "$work/some.journal" "$work/export" 2>"$work/errors" ||
  cannot "$(tail -1 "$work/errors")"

for call in 1 2; do
  for form in json export; do
    journalctl --file "$work/some.journal" -o $form >"$work/$form$call"
  done
done
# Lines of the first call that the second one wrote differently; what is left when members are sorted.
same() { cmp -s "$work/$1" "$work/$2" && echo the same || echo different; }
sorted() { python3 -c '
import json, sys
for line in sys.stdin:
    print(json.dumps(json.loads(line), sort_keys=True))' <"$work/$1" >"$work/$1.sorted"; }
sorted json1
sorted json2
differ=$(paste -d '\n' "$work/json1" "$work/json2" | awk 'NR % 2 { first = $0; next } $0 != first { n++ } END { print n + 0 }')
say "-o json, two calls: $differ of 50 lines differ"
say "the same with their members sorted: $(same json1.sorted json2.sorted)"
say "-o export, two calls: $(same export1 export2)"
verdict test "$((differ > 25)) $(same json1.sorted json2.sorted) $(same export1 export2)" = "1 the same the same"
