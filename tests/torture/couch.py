"""A small, fast server that keeps to CouchDB's rules for what Caravel asks of it, with documents in
memory, and that misbehaves on request.

Rules: docs.couchdb.org, "/{db}/_bulk_docs", "_all_docs", "_bulk_get", "/{db}/{docid}"."""
import collections
import gzip
import json
import re
import socketserver
import threading
import time
import urllib.parse


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.name = kind_of(method, path)


def kind_of(method, path):
    """What a request is for: bulk, ask, database, document."""
    inner = path.split("?")[0].strip("/").split("/", 1)
    if len(inner) == 1:
        return "server" if not inner[0] else "database"
    if inner[1] == "_bulk_docs":
        return "bulk"
    if inner[1].startswith(("_all_docs", "_bulk_get")):
        return "ask"
    return "document"


class Reply:
    def __init__(self, status, body, headers=()):
        self.status, self.headers = status, list(headers)
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def data(self):
        reason = {200: "OK", 201: "Created", 202: "Accepted"}.get(self.status, "Other")
        head = [f"HTTP/1.1 {self.status} {reason}", *self.headers,
                f"Content-Length: {len(self.body)}", "Content-Type: application/json"]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


class Couch:
    """`misbehave(request, answer)`: None, or what is sent in the place of the honest reply: bytes
    (then the connection is closed), or a Reply. `answer()` carries the request out, and gives the
    honest reply."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()
        couch = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                try:
                    while couch.serve_one(self.rfile, self.wfile):
                        pass
                except (OSError, ValueError):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self):
        with self.lock:
            self.documents = {}
            self.requests = 0
            self.asked = collections.Counter()
            self.misbehave = None
            self.rows_are_attached = False
            self.revisions = 0
            self.born = str(int(time.time() * 1e6))
            self.fresh_id = 0

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve_one(self, rfile, wfile):
        line = rfile.readline(65536)
        if not line:
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while True:
            header = rfile.readline(65536)
            if header in (b"\r\n", b"\n", b""):
                break
            name, value = header.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        body = rfile.read(size)
        if len(body) < size:
            return False  # whoever sent it was killed on the way
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = Request(method, path, headers, body)
        with self.lock:
            self.requests += 1
            self.asked[request.name] += 1
            misbehave = self.misbehave
        reply = misbehave(request, lambda: self.answer(request)) if misbehave else None
        if reply is None:
            reply = self.answer(request)
        if isinstance(reply, Reply):
            wfile.write(reply.data() if method != "HEAD" else reply.data().split(b"\r\n\r\n")[0] + b"\r\n\r\n")
            return True
        if callable(reply):
            reply(wfile)
        else:
            wfile.write(reply)
        return False

    def answer(self, request):
        path, _, query = request.path.partition("?")
        inner = path.strip("/").split("/", 1)
        with self.lock:
            if not inner[0]:
                return Reply(200, {"couchdb": "Welcome", "version": "3.5.0"})
            if len(inner) == 1:
                if request.method == "PUT":
                    return Reply(412, {"error": "file_exists", "reason": "exists"})
                return Reply(200, {"db_name": inner[0], "doc_count": len(self.documents),
                                   "instance_start_time": self.born, "update_seq": "1-x"})
            if inner[1] == "_bulk_docs":
                return Reply(201, [self.store(document) for document in self.parse(request.body)["docs"]])
            if inner[1] == "_bulk_get":
                return self.bulk_get(self.parse(request.body)["docs"])
            if inner[1].startswith("_all_docs"):
                return self.all_docs(request, query)
            document_id = urllib.parse.unquote(inner[1])
            if request.method == "PUT":
                return self.put(request, document_id)
            found = self.documents.get(document_id)
            if found is None:
                return Reply(404, {"error": "not_found", "reason": "missing"})
            return Reply(200, self.dumped(found))

    @staticmethod
    def parse(body):
        return json.loads(body, parse_float=Number, parse_int=Number)

    @staticmethod
    def dumped(value):
        return NumberEncoder().encode(value).encode()

    def store(self, document):
        document_id = document["_id"]
        found = self.documents.get(document_id)
        revision = document.get("_rev", "")
        if (found["_rev"] if found else "") != revision:
            return {"id": document_id, "error": "conflict", "reason": "Document update conflict."}
        self.revisions += 1
        document["_rev"] = f"{self.revisions}-{self.revisions:032x}"
        self.documents[document_id] = document
        return {"ok": True, "id": document_id, "rev": document["_rev"]}

    def bulk_get(self, wanted):
        results = []
        for entry in wanted:
            found = self.documents.get(entry["id"])
            doc = {"ok": found} if found else {"error": {
                "id": entry["id"], "rev": "undefined", "error": "not_found", "reason": "missing"}}
            results.append({"id": entry["id"], "docs": [doc]})
        return Reply(200, self.dumped({"results": results}))

    def all_docs(self, request, query):
        options = urllib.parse.parse_qs(query)
        with_documents = options.get("include_docs") == ["true"]
        rows = []
        if request.method == "POST" and request.body:
            for key in self.parse(request.body)["keys"]:
                found = self.documents.get(key)
                rows.append({"key": key, "error": "not_found"} if found is None else
                            self.row(key, found, with_documents))
        else:
            start = json.loads(options.get("startkey", ['""'])[0])
            end = json.loads(options.get("endkey", ['"\\uffff"'])[0])
            limit = int(options.get("limit", ["1000000"])[0])
            skip = int(options.get("skip", ["0"])[0])
            keys = sorted(key for key in self.documents if start <= key <= end)
            rows = [self.row(key, self.documents[key], with_documents) for key in keys[skip:skip + limit]]
        return Reply(200, self.dumped({"total_rows": len(self.documents), "offset": 0, "rows": rows}))

    @staticmethod
    def row(key, found, with_documents):
        row = {"id": key, "key": key, "value": {"rev": found["_rev"]}}
        if with_documents:
            row["doc"] = found
        return row

    def put(self, request, document_id):
        text = request.body
        attached = None
        related = re.match(r'multipart/related;.*boundary="?([^";]+)', request.headers.get("content-type", ""))
        if related:
            parts = text.split(b"--" + related[1].encode())
            text = parts[1].split(b"\r\n\r\n", 1)[1]
            attached = parts[2].split(b"\r\n\r\n", 1)[1][:-2]
        document = self.parse(text)
        document["_id"] = document_id
        entry = self.store(document)
        if "error" in entry:
            return Reply(409, entry)
        if attached is not None:
            document["_attachment"] = attached.decode("utf-8", "replace")
        return Reply(201, entry)

    def rows_of(self, feed):
        """Counter of CSV records, by the content of the row documents."""
        import host
        if self.rows_are_attached:
            return self.attached_rows_of(feed)
        columns = ("Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid,"
                   "Route,Direction,Stop").split(",")
        with self.lock:
            rows = [document for document in self.documents.values()
                    if document.get("doc_type") == "Row" and document["caravel"]["feed"] == feed]
        return collections.Counter(host.csv_record([row.get(name) for name in columns]) for row in rows)

    def attached_rows_of(self, feed):
        """The same of attached CSV files: a row that two extracts have is in both."""
        with self.lock:
            texts = [document.get("_attachment", "") for key, document in self.documents.items()
                     if key.startswith(f"feed:{feed}:")]
        return collections.Counter({record for text in texts for record in text.splitlines()[1:]})

    def feed_documents(self):
        with self.lock:
            return {key for key in self.documents if key.startswith("feed:")}


class Number(str):
    """A number with the digits that it came with."""


class NumberEncoder(json.JSONEncoder):
    """Numbers go out with the digits that they came with."""

    def encode(self, o):
        if isinstance(o, Number):
            return str(o)
        if isinstance(o, dict):
            return "{" + ",".join(json.dumps(str(key)) + ":" + self.encode(value)
                                  for key, value in o.items()) + "}"
        if isinstance(o, (list, tuple)):
            return "[" + ",".join(self.encode(value) for value in o) + "]"
        return json.dumps(o)
