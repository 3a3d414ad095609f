#!/bin/sh
# Claim      gpsdecode moves each recording from before the last leap second (1 January 2017) by 1024 weeks: a sentence
#            of 9 March 2012 comes out as 24 October 2031. No message, and status 0. What is newer keeps its date.
# Version    gpsd 3.22 (Debian 12)
# Good guess An NMEA sentence says day, month and year ("090312"); only the century is missing. The week number that
#            runs over every 1024 weeks is a matter of the receivers' binary messages.
# Matters    Recordings of a fleet are decoded years later. Rows then lie in the future, where neither a range of days
#            nor a check against the schedule finds them. Load the sentences, with the date that they have.
. "$(dirname "$0")/support.sh"

debian libusb-1.0-0 2:1.0.26-1
debian libdbus-1-3 1.14.10-1~deb12u1
debian libbluetooth3 5.66-1+deb12u2
debian libgps28 3.22-4.1+deb12u1
debian gpsd-clients 3.22-4.1+deb12u1
debian gpsd-tools 3.22-4.1+deb12u1

# sentences DDMMYY: two fixes, a second apart, with their checksums.
sentences() {
  for second in 00 01; do
    for body in "GPRMC,0948$second.00,A,5230.0000,N,01325.0000,E,0.0,0.0,$1,,,A" \
      "GPGGA,0948$second.00,5230.0000,N,01325.0000,E,1,08,1.0,5.0,M,45.0,M,,"; do
      sum=0
      for byte in $(printf %s "$body" | od -An -v -t u1); do sum=$((sum ^ byte)); done
      printf '$%s*%02X\r\n' "$body" "$sum"
    done
  done
}

decoded() { sentences "$1" | gpsdecode | sed -n 's/.*"TPV".*"time":"\([^T"]*\)T.*/\1/p' | head -1; }

seen=
for date in 090312 301216 020117 090326; do
  day=$(decoded "$date")
  say "a sentence of the day $date (ddmmyy): gpsdecode says $day"
  seen="$seen $day"
done

verdict test "$seen" = " 2031-10-24 2036-08-15 2017-01-02 2026-03-09"
