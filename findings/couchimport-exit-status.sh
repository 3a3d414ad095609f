#!/bin/sh
# Claim      couchimport ends with exit status 0 and the words "Import complete" when nothing was imported:
#            into a database that does not exist, and of rows that the server refused.
# Version    couchimport 1.6.5 (npm), against pouchdb-server 4.2.0 (npm), --in-memory
# Good guess An importer that a script calls ends with another status than 0 if rows are missing; that no
#            row at all could be stored is an error.
# Matters    Who loads from cron and removes the file after status 0 loses it. The only trace is a line on
#            stderr: look for "totalfailed":0 in the last one.
. "$(dirname "$0")/support.sh"
npm_packages couchimport@1.6.5 pouchdb-server@4.2.0

cd "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
start node node_modules/pouchdb-server/bin/pouchdb-server --in-memory --host 127.0.0.1 --port "$port" \
  >server.log 2>&1
await "pouchdb-server" curl -sf "$url/"
curl -sS -X PUT "$url/feed" >/dev/null
curl -sS -X PUT -H 'Content-Type: application/json' "$url/feed/a1" -d '{"n": "0"}' >/dev/null

printf '_id,n\na1,1\na2,2\n' >rows.csv
# import DATABASE: how it ended, and the counts that it names.
import() {
  status=0
  node node_modules/.bin/couchimport --url "$url" --db "$1" --delimiter , <rows.csv >import.log 2>&1 ||
    status=$?
  complete=$(grep -c 'Import complete' import.log || :)
  say "$1: status $status, complete $complete, $(grep -o '"total":[0-9]*,"totalfailed":[0-9]*' import.log)"
}
import nowhere >seen
import feed >>seen
cat seen
cat >expected <<'END'
nowhere: status 0, complete 1, "total":0,"totalfailed":2
feed: status 0, complete 1, "total":1,"totalfailed":1
END
verdict cmp -s seen expected
