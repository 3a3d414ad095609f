#!/bin/sh
# Claim      fflate's gunzipSync and decompressSync, given a .gz of several members, return the beginning
#            of the FIRST member, cut (within a line, too) to the size of the LAST one. No error.
# Version    fflate 0.8.3 (npm)
# Good guess RFC 1952, 2.2: a gzip file is a series of members, and unpacks to all of them joined, as
#            gzip, zlib and pako do. At worst a library would return the whole first member, or throw.
# Matters    `cat a.gz b.gz`, `gzip >>all.gz`, bgzip and log rotation make such files. A browser page
#            that unpacks one with fflate shows part of it, and its last line may be a wrong value.
. "$(dirname "$0")/support.sh"
npm_packages fflate@0.8.3

cd "$work"
for i in $(seq 1000); do say "speed $((i * 1000))"; done >first
for i in $(seq 9); do say "late $i"; done >second
gzip -nc first >both.gz
gzip -nc second >>both.gz
gzip -dc both.gz >expected
cat >unpack.js <<'END'
const fs = require("fs");
const { gunzipSync } = require("fflate");
fs.writeFileSync("unpacked", gunzipSync(fs.readFileSync("both.gz")));
END
node unpack.js
size() { wc -c <"$1" | tr -d ' '; }
say "first member: $(size first) bytes, second: $(size second), gzip -dc: $(size expected)"
say "fflate: $(size unpacked) bytes; its last line: '$(tail -1 unpacked)', of '$(sed -n 6p first)'"
head -c "$(size second)" first >beginning
verdict cmp -s unpacked beginning
