#!/bin/sh
# Claim      pouchdb-server gives every database the instance_start_time of the server. It stays when a
#            database is deleted and made again, while the documents are gone.
# Version    pouchdb-server 4.2.0 (npm), --in-memory
# Good guess It speaks CouchDB's protocol, where instance_start_time tells one instance of a database from
#            the next (CouchDB 3.5 gives a new one), and replicators compare it for just that.
# Matters    A test against pouchdb-server of "was my database deleted and made again under me?" fails
#            with a correct client, or passes with a wrong one: such a test wants a real CouchDB.
. "$(dirname "$0")/support.sh"
npm_packages pouchdb-server@4.2.0

cd "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
start node node_modules/pouchdb-server/bin/pouchdb-server --in-memory --host 127.0.0.1 --port "$port" \
  >server.log 2>&1
await "pouchdb-server" curl -sf "$url/"
ask() { curl -sS -H 'Content-Type: application/json' -X "$@"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

ask PUT "$url/feed" >/dev/null
ask PUT "$url/feed/row" -d '{"n": 1}' >/dev/null
before=$(ask GET "$url/feed" | field instance_start_time)
say "first:  $(ask GET "$url/feed" | field doc_count) document,  instance_start_time $before"
ask DELETE "$url/feed" >/dev/null
ask PUT "$url/feed" >/dev/null
after=$(ask GET "$url/feed" | field instance_start_time)
say "second: $(ask GET "$url/feed" | field doc_count) documents, instance_start_time $after"
verdict test "$before $(ask GET "$url/feed" | field doc_count)" = "$after 0"
