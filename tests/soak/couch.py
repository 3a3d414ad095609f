"""A CouchDB that says yes to everything and keeps nothing, and that can be away for a while."""
import http.server
import json
import re
import threading
import urllib.parse

REVISION = "1-0123456789abcdef0123456789abcdef"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        if self.path == "/":
            return self.answer(200, {"couchdb": "Welcome", "version": "3.5.0"})
        if self.path.count("/") == 1:
            return self.answer(200, {"db_name": "soak", "instance_start_time": "1700000000", "doc_count": 0})
        return self.answer(404, {"error": "not_found", "reason": "missing"})

    def do_PUT(self):
        self.body()
        self.answer(201, {"ok": True, "id": urllib.parse.unquote(self.path.rsplit("/", 1)[1]), "rev": REVISION})

    def do_POST(self):
        text = self.body().decode()
        if "_bulk_docs" in self.path:
            ids = re.findall(r'\{"_id":"([^"]*)"', text)
            return self.answer(201, [{"ok": True, "id": name, "rev": REVISION} for name in ids])
        ids = re.findall(r'"id":"([^"]*)"', text)
        return self.answer(200, {"results": [{"id": name, "docs": [{"ok": {"_id": name, "_rev": REVISION}}]}
                                             for name in ids]})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port):
        self.open = set()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request, address):
        self.open.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, address):
        pass  # a client that is gone


class Couch:
    def __init__(self):
        self.server = Server(0)
        self.port = self.server.server_port
        self.run()

    def run(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def begin(self):
        if self.server is None:
            self.server = Server(self.port)
            self.run()

    def end(self):
        """From now on nobody listens there."""
        server, self.server = self.server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        for connection in list(server.open):
            connection.close()
