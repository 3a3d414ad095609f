#!/bin/sh
# Claim      A GGA sentence holds a time of day and no date. gps and nmea-simple both return a full date for it all
#            the same: that of today. A recorded drive gets today's date, and two dates if it is read over
#            midnight (UTC); even right behind an RMC sentence, which has the date.
# Version    gps 0.7.1, nmea-simple 3.3.0 (npm)
# Good guess What a sentence does not say is left open (a time of day, or null), or comes from the last sentence that
#            said it.
# Matters    Positions of vehicles that are logged as NMEA and loaded later stand in the database under the day on
#            which they were loaded. Take the date from RMC or ZDA, or from the logger's own stamp.
. "$(dirname "$0")/support.sh"
npm_packages gps@0.7.1 nmea-simple@3.3.0

cat >"$work/read.js" <<'END'
const GPS = require("gps");
const { parseNmeaSentence } = require("nmea-simple");
// A sentence ends in the exclusive or of its bytes.
const sentence = text =>
  `$${text}*${[...text].reduce((sum, c) => sum ^ c.charCodeAt(0), 0).toString(16).toUpperCase().padStart(2, "0")}`;
const rmc = sentence("GPRMC,120000.00,A,4832.3914,N,00903.5500,E,2.28,275,090312,,,A");
const gga = sentence("GPGGA,120001.00,4832.3915,N,00903.5501,E,1,04,7.8,498.6,M,48.0,M,,");
const day = time => new Date(time).toISOString().slice(0, 10);
const gps = new GPS();
const days = [];
gps.on("data", data => days.push(day(data.time)));
gps.update(rmc);
gps.update(gga);
console.log("gps", ...days);
console.log("nmea-simple", ...[rmc, gga].map(text => {
  const { datetime, time } = parseNmeaSentence(text);
  return day(datetime ?? time);
}));
END
cd "$work"
before=$(date -u +%F)
node read.js >days
after=$(date -u +%F)
say "days of an RMC sentence of 2012-03-09 and of a GGA sentence one second later, read on $before:"
cat days
verdict sh -c 'test "$(sort days)" = "$(printf "%s\n" "gps 2012-03-09 '"$before"'" "nmea-simple 2012-03-09 '"$before"'")" ||
               test "'"$before"'" != "'"$after"'"'
