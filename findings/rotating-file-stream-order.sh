#!/bin/sh
# Claim      With `maxFiles` (or `maxSize`), rotating-file-stream gives the numbers of files that it has
#            deleted to new ones: within a minute ...-01-app.log can be newer than ...-02-app.log.
# Version    rotating-file-stream 3.2.10 (npm), default file names
# Good guess YYYYMMDD-HHMM-NN-app.log is a date and a counter, so names in their order are in the
#            order of time. (They are, as long as nothing is deleted.)
# Matters    Who reads rotated files by name, `cat *-app.log` included, gets the lines out of order; who
#            remembers "read up to ...-03" never reads the ...-01 that comes after it.
. "$(dirname "$0")/support.sh"
npm_packages rotating-file-stream@3.2.10

cat >"$work/write.js" <<'END'
const { createStream } = require("rotating-file-stream");
(async () => {
  const stream = createStream("app.log", { path: "logs", size: "1K", maxFiles: 2 });
  for (let i = 0; i < 48; i++) {  // 11 lines of 100 bytes fill a file: four rotations
    await new Promise(done => stream.write(`line ${i} `.padEnd(99, ".") + "\n", done));
  }
  await new Promise(done => stream.end(done));
})();
END
# All rotations must fall into one minute, since the minute is a part of the names.
await "a minute with time left" sh -c 'second=$(date +%S); test "${second#0}" -lt 50'
(cd "$work" && mkdir logs && node write.js)
first=
for file in "$work"/logs/*-app.log; do
  say "$(basename "$file"): lines $(awk '{ print $2 }' "$file" | sed -n '1p;$p' | paste -sd-)"
  first="$first $(awk '{ print $2; exit }' "$file")"
done
# shellcheck disable=SC2086
set -- $first
verdict test "$1" -gt "$2"
