#!/bin/sh
# Claim      If a log was rotated twice between two looks of logtail2, neither the rest of the file that it had
#            read nor the file in between is ever shown, though both lie there under logrotate's usual names.
#            Nothing is said, and the exit status is 0. The same happens after each rotation to names with a
#            date, for as long as an old LOG.1 lies beside them.
# Version    logtail 1.4.2+deb12u1 (Debian 12)
# Good guess It remembers the inode and has rules for rotated files (savelog, logrotate, dateext), so it finds
#            the file by that inode among them.
# Matters    logcheck reads logs with it once an hour: a flood of lines, which is when a size limit rotates a
#            log twice, is what it does not see. The rules propose one name, and only that one is compared.
. "$(dirname "$0")/support.sh"
debian logtail 1.4.2+deb12u1

cd "$work"
# It looks for its rules in /usr/share: where it is only unpacked, a copy looks beside itself.
rules=/usr/share/logtail/detectrotate
logtail=$(command -v logtail2)
if [ ! -d "$rules" ]; then
  sed "s|$rules|$work/root$rules|" "$logtail" >logtail2
  logtail=$work/logtail2
fi
look() {
  status=0
  perl "$logtail" -f app.log -o offset 2>said || status=$?
}

say "first" >app.log
look >/dev/null
say "second" >>app.log && mv app.log app.log.1
say "third" >app.log && mv app.log.1 app.log.2 && mv app.log app.log.1
say "fourth" >app.log
look >twice
say "rotated twice: shows $(tr '\n' ' ' <twice)and not the two lines of app.log.2 and app.log.1 before;" \
  "status $status, $(wc -c <said) bytes on stderr"

mkdir dated && cd dated
say "of last year" >app.log.1
say "first" >app.log
look >/dev/null
say "second" >>app.log && mv app.log app.log-20260301
say "third" >app.log
look >dated
say "rotated once, by date: shows $(tr '\n' ' ' <dated); status $status, $(wc -c <said) bytes on stderr"
verdict test "$(cat ../twice),$(cat dated)" = fourth,third
