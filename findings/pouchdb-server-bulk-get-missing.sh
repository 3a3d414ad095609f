#!/bin/sh
# Claim      To _bulk_get, pouchdb-server answers alike for a document that was deleted and for one that
#            never was: an entry with neither `ok` nor `error`.
# Version    pouchdb-server 4.2.0 (npm), --in-memory
# Good guess In CouchDB's protocol each entry of `docs` is {"ok": …} or {"error": …}: not_found with the
#            reason "missing" for one that never was; a deleted one is an `ok` with "_deleted". _all_docs
#            of the same server does tell the two apart.
# Matters    A client that looks at `error` takes the entry for a document without fields, and one that
#            wants to know whether a row was deleted or lost gets no answer. Ask _all_docs for those ids.
. "$(dirname "$0")/support.sh"
npm_packages pouchdb-server@4.2.0

cd "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
start node node_modules/pouchdb-server/bin/pouchdb-server --in-memory --host 127.0.0.1 --port "$port" \
  >server.log 2>&1
await "pouchdb-server" curl -sf "$url/"
ask() { curl -sS -H 'Content-Type: application/json' -X "$@"; }
entries() {
  python3 -c 'import json, sys
for result in json.load(sys.stdin)["results"]:
    print(result["id"], json.dumps(result["docs"], sort_keys=True))'
}

ask PUT "$url/feed" >/dev/null
ask PUT "$url/feed/deleted" -d '{"n": 1}' >rev.json
rev=$(python3 -c 'import json; print(json.load(open("rev.json"))["rev"])')
ask DELETE "$url/feed/deleted?rev=$rev" >/dev/null
ask POST "$url/feed/_bulk_get" -d '{"docs": [{"id": "deleted"}, {"id": "never"}]}' | entries >said
say "_bulk_get:"
cat said
say "_all_docs:"
ask POST "$url/feed/_all_docs" -d '{"keys": ["deleted", "never"]}'
verdict test "$(sed 's/^[a-z]* //' said | sort | uniq -c | sed 's/^ *//')" = '2 [{}]'
