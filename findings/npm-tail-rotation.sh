#!/bin/sh
# Claim      The package tail goes on in a rotated log at the place where it was in the old file: if the new
#            file is longer than that when it is opened, a second after the rename, its first lines, as many
#            bytes as the old file had, never come. No error, no event.
# Version    tail 2.2.6 (npm), with the options that it comes with (follow: true)
# Good guess "follow" is what tail -F does: the new file of that name is read from its start.
# Matters    A quiet log that is rotated by time and then becomes busy loses its first lines each time, and
#            a test with a long old file and a short new one does not show it.
. "$(dirname "$0")/support.sh"
npm_packages tail@2.2.6

cd "$work"
cat >follow.js <<'END'
const { Tail } = require('tail');
const fs = require('fs');
const log = process.cwd() + '/app.log';
fs.writeFileSync(log, '');
const came = [];
const line = (number) => `line ${number}`;
const tail = new Tail(log);
tail.on('error', (error) => console.log('error', error));
tail.on('line', (text) => {
  came.push(text);
  if (text === line(110)) {
    // Its last line has come: all that it takes for the old log is read.
    fs.renameSync(log, log + '.1');
    for (let number = 201; number <= 240; ++number) fs.appendFileSync(log, line(number) + '\n');
    // Appended until one of them is seen, so that nothing depends on how long a second is here.
    const more = setInterval(() => fs.appendFileSync(log, line(300) + '\n'), 100);
    tail.on('line', (next) => {
      if (next !== line(300)) return;
      clearInterval(more);
      const missing = [];
      for (let number = 201; number <= 240; ++number) {
        if (!came.includes(line(number))) missing.push(number);
      }
      console.log('missing:', missing.join(' '));
      process.exit(0);
    });
  }
});
for (let number = 101; number <= 110; ++number) fs.appendFileSync(log, line(number) + '\n');
END
timeout 60 node follow.js >seen || cannot "no line came behind the rotation"
cat seen
# Ten lines were in the old file, so ten are missing of the new one.
verdict test "$(cat seen)" = "missing: 201 202 203 204 205 206 207 208 209 210"
