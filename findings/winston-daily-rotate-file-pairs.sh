#!/bin/sh
# Claim      With `zippedArchive` and `maxSize`, winston-daily-rotate-file counts from the beginning again
#            when the program starts again on the same day. app.log.1 then lies beside an app.log.1.gz
#            with other lines, and is never compressed, because that name is taken.
# Version    winston-daily-rotate-file 5.0.0, winston 3.19.0 (npm)
# Good guess Without zippedArchive the count goes on where it stopped, so it does with it. And X beside
#            X.gz is one file before and after it was compressed, as with logrotate and gzip.
# Matters    Tools that skip X.gz because they have read X, or the reverse, lose lines; gunzip asks
#            whether it may overwrite X. And the disk fills faster than "compressed" promises.
. "$(dirname "$0")/support.sh"
npm_packages winston@3.19.0 winston-daily-rotate-file@5.0.0

cat >"$work/write.js" <<'END'
const winston = require("winston");
require("winston-daily-rotate-file");
const run = process.argv[2];
let archiving = 0;  // files whose compression has begun and not ended
(async () => {
  const transport = new winston.transports.DailyRotateFile({
    dirname: "logs", filename: "app.log", datePattern: "YYYY", maxSize: "1k", zippedArchive: true });
  transport.on("rotate", old => { if (!require("fs").existsSync(old + ".gz")) archiving++; });
  transport.on("archive", () => archiving--);
  const log = winston.createLogger({ format: winston.format.printf(entry => entry.message),
                                     transports: [transport] });
  for (let i = 0; i < 30; i++) {  // 11 lines of 100 bytes fill a file
    log.info(`run ${run} line ${i} `.padEnd(99, "."));
    await new Promise(done => setImmediate(done));
  }
  await new Promise(done => { transport.on("finish", done); log.end(); });
  while (archiving > 0) await new Promise(done => setTimeout(done, 10));
})();
END
(cd "$work" && node write.js 1 && node write.js 2)
cd "$work/logs"
for file in *; do
  case $file in *.gz) text=$(gzip -dc "$file") ;; *) text=$(cat "$file") ;; esac
  say "$file: $(say "$text" | head -1 | tr -d .) to $(say "$text" | tail -1 | tr -d .)"
done
name=$(find . -name '*.1.gz' | sed -n 's/^\(.*\.1\)\.gz$/\1/p')
verdict sh -c 'test -f "$1" && ! gzip -dc "$1.gz" | cmp -s - "$1"' - "$name"
