#!/bin/sh
# Claim      With `maxsize`, winston's File transport never writes to its `filename` again after the first
#            rotation: app.log keeps the oldest lines for ever, and the newest are in app1.log, app2.log …
#            With `tailable: true` it is the other way round.
# Version    winston 3.19.0 (npm)
# Good guess `filename: "app.log"` is where the log is; what is full is moved away and gets a number, as with
#            logrotate, log4j and Python's handlers.
# Matters    Whoever tails app.log, or looks into it for the last lines, sees what was logged before the first
#            rotation and nothing since, while the program goes on. No error tells of it.
. "$(dirname "$0")/support.sh"
npm_packages winston@3.19.0

cat >"$work/write.js" <<'END'
const winston = require("winston");
const options = { dirname: process.argv[2], filename: "app.log", maxsize: 1000, maxFiles: 10 };
if (process.argv[2] === "tailable") options.tailable = true;
const transport = new winston.transports.File(options);
const log = winston.createLogger({ format: winston.format.printf(entry => entry.message),
                                   transports: [transport] });
(async () => {
  for (let i = 1; i <= 44; i++) {  // 10 lines of 100 bytes fill a file
    log.info(`line ${i} `.padEnd(99, "."));
    await new Promise(done => setTimeout(done, 5));
  }
  await new Promise(done => { transport.on("finish", done); log.end(); });
})();
END
cd "$work"
for folder in default tailable; do
  mkdir $folder
  node write.js $folder
  for file in $(find $folder -name 'app*.log' | sort); do
    say "$file: lines $(awk '{ print $2 }' "$file" | sed -n '1p;$p' | paste -sd-)"
  done
done
verdict sh -c 'grep -q "^line 1 " default/app.log && ! grep -q "^line 44 " default/app.log &&
               grep -q "^line 44 " tailable/app.log && ! grep -q "^line 1 " tailable/app.log'
