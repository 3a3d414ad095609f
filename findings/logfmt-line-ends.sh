#!/bin/sh
# Claim      logfmt writes a value with a line end as it is, without quotes: one record becomes two lines, and what
#            stood behind the line end reads as keys of a record of its own. Blanks, quotes and equals signs are
#            quoted. Reading back loses backslashes as well: "\t" in quotes comes out as t.
# Version    logfmt 1.4.0 (npm)
# Good guess A record is a line, so a line end is escaped (\n), as Go's logfmt library does.
# Matters    A stack trace breaks into lines that no program meant, and their first words read as keys. Escape line
#            ends before they come to the library.
. "$(dirname "$0")/support.sh"
npm_packages logfmt@1.4.0

cat >"$work/write.js" <<'END'
const logfmt = require("logfmt");
console.log(logfmt.stringify({ message: "a=b c", path: "two words", level: "error" }));
console.log(logfmt.stringify({ message: "disk\nfull", level: "error" }));
END
cd "$work"
node write.js >records
cat records
say "two records, $(wc -l <records) lines"
node -e 'require("readline").createInterface({ input: process.stdin }).on("line", line =>
           console.log(JSON.stringify(require("logfmt").parse(line))))' <records >read
cat read
tab=$(node -e 'console.log(require("logfmt").parse(String.raw`message="a\tb"`).message)')
say "message=\"a\\tb\" is read as: $tab"
verdict sh -c 'test "$(wc -l <records)" = 3 && test "$(tail -2 read)" = "$(printf "%s\n" \
                 "{\"message\":\"disk\"}" "{\"full\":true,\"level\":\"error\"}")" && test "'"$tab"'" = atb'
