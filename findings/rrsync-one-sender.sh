#!/bin/sh
# Claim      rrsync lets in one sender at a time for each directory. A second one does not wait: it fails
#            at once with exit status 12, whatever files it brings. With -no-lock both get in.
# Version    rsync 3.5.0+ds1-0+deb12u1 (Debian 12, security)
# Good guess rrsync only narrows down what an SSH key may do. Two rsync into one directory are fine
#            without it (each writes to a temporary name of its own), so they are fine with it.
# Matters    Several hosts that drop their logs under one key or account: one slow transfer, and all
#            other hosts fail for as long as it lasts, with "error in rsync protocol data stream".
. "$(dirname "$0")/support.sh"
debian rsync 3.5.0+ds1-0+deb12u1
rrsync=$(command -v rrsync) || cannot "there is no rrsync"
[ -x /usr/bin/rsync ] || cannot "rrsync wants /usr/bin/rsync"

mkdir "$work/drop"
say "a line" >"$work/app.log"
# In the place of ssh: what sshd does for a key with command="rrsync ...".
cat >"$work/ssh" <<END
#!/bin/sh
shift
SSH_ORIGINAL_COMMAND="\$*" exec "$rrsync" -wo \$RRSYNC_OPTIONS "$work/drop"
END
chmod +x "$work/ssh"

# The first sender: its server has greeted (4 bytes) and waits for the file list.
mkfifo "$work/silence"
exec 3<>"$work/silence"
SSH_ORIGINAL_COMMAND="rsync --server -e.LsfxCIvu . ." start "$rrsync" -wo "$work/drop" \
  <"$work/silence" >"$work/greeting"
first=$pid
await "the first sender to be let in" test -s "$work/greeting"

# send OPTIONS: exit status of the second sender, with these options of rrsync.
send() {
  RRSYNC_OPTIONS=$1 rsync -e "$work/ssh" "$work/app.log" host:. 2>"$work/errors" && status=0 || status=$?
  say "second sender ${1:-without an option}: exit status $status $(head -1 "$work/errors")"
}
send ""
refused=$status
send "-no-lock"
unlocked=$status
kill "$first"
wait "$first" 2>/dev/null || :
exec 3>&-
send ""
verdict test "$refused $unlocked $status" = "12 0 0"
