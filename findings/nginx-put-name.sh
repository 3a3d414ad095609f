#!/bin/sh
# Claim      nginx's PUT (dav_methods) moves the body into its place by a rename only if client_body_temp_path
#            is on the same file system. Else it writes it, in the target folder, under the visible name
#            NAME.NNNNNNNNNN, closes that, and renames it then.
# Version    nginx 1.22.1-9+deb12u11 (Debian 12)
# Good guess Either the final name is written in place, or the temporary name is hidden and elsewhere: the
#            manual says "first written to a temporary file, and then the file is renamed".
# Matters    A program that takes whatever is closed in that folder takes app.log.0000000001, half copied
#            names included, and nginx then fails to rename. Match *.log, not * or app.log*, or keep
#            client_body_temp_path on the file system of the folder.
. "$(dirname "$0")/support.sh"
debian nginx-common 1.22.1-9+deb12u11
debian nginx 1.22.1-9+deb12u11
debian libinotifytools0 3.22.6.0-4
debian inotify-tools 3.22.6.0-4
other=$(mktemp -d /dev/shm/finding.XXXXXX) || cannot "there is no /dev/shm"
trap 'clean_up; rm -rf "$other"' EXIT
[ "$(stat -c %d "$other")" != "$(stat -c %d "$work")" ] || cannot "$work and /dev/shm are one file system"

# put NAME TEMPORARY: uploads into a folder of its own, bodies going to TEMPORARY first.
put() {
  folder=$work/$1
  mkdir -p "$folder/drop" "$folder/temporary"
  cat >"$folder/nginx.conf" <<END
daemon off;
master_process off;
pid $folder/pid;
error_log $folder/errors;
events {}
http {
  access_log off;
  client_body_temp_path $2;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  server {
    listen unix:$folder/socket;
    root $folder/drop;
    location / { dav_methods PUT; client_max_body_size 0; }
  }
}
END
  start nginx -e "$folder/errors" -c "$folder/nginx.conf"
  start inotifywait -m -e create,close_write,moved_to --format '%e %f' "$folder/drop" >"$folder/events" 2>"$folder/watch"
  await "the watch" grep -q "Watches established" "$folder/watch"
  await "nginx" test -S "$folder/socket"
  head -c 300000 /dev/zero | curl -sS -T - --unix-socket "$folder/socket" http://localhost/app.log
  await "the final name" grep -q "MOVED_TO app.log$" "$folder/events"
  say "$1: $(paste -sd, "$folder/events")"
}
put same-file-system "$work/same-file-system/temporary"
put other-file-system "$other"
verdict sh -c '! grep -q CREATE "$1/same-file-system/events" &&
  grep -qE "^CLOSE_WRITE.* app\.log\.[0-9]{10}$" "$1/other-file-system/events"' - "$work"
