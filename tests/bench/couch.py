"""A CouchDB-compatible server: one of ours in memory, or the one of $CARAVEL_COUCH_URL."""
import base64
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.parse

from anchors import ROOT
from figures import Missing, Wrong


class Couch:
    def __init__(self, folder):
        self.folder = folder
        self.child = None
        url = os.environ.get("CARAVEL_COUCH_URL")
        self.database = f"caravel-bench-{os.getpid()}"
        if not url:
            url = self.start(os.path.join(folder, "couch"))
        parts = urllib.parse.urlsplit(url)
        self.scheme, self.host, self.port = parts.scheme, parts.hostname, parts.port
        self.user, self.password = parts.username or "", parts.password or ""
        for _ in range(600):
            try:
                version = self.request("GET", "/").get("version", "")
                self.name = "pouchdb-server" if self.child else f"CouchDB {version}"
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise Wrong(f"no answer from {self.host}:{self.port}")

    def start(self, data):
        program = os.path.join(ROOT, "node_modules/.bin/pouchdb-server")
        if not os.path.exists(program):
            raise Missing("no node_modules/.bin/pouchdb-server (scripts/setup), no $CARAVEL_COUCH_URL")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        os.mkdir(data)
        self.child = subprocess.Popen(
            [program, "--in-memory", "--port", str(port), "--host", "127.0.0.1",
             "--no-stdout-logs", "--config", os.path.join(data, "config.json")],
            cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return f"http://127.0.0.1:{port}"

    def connection(self):
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=60)

    def headers(self):
        if not self.user:
            return {}
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": "Basic " + token}

    def request(self, method, path):
        connection = self.connection()
        connection.request(method, path, headers=self.headers())
        reply = connection.getresponse().read()
        connection.close()
        return json.loads(reply)

    def fresh(self):
        self.request("DELETE", "/" + self.database)
        self.request("PUT", "/" + self.database)

    def rows(self):
        """How many row documents of the feed hrt there are."""
        page = self.request("GET", f"/{self.database}/_all_docs?startkey=%22hrt:%22&endkey=%22hrt%3B%22")
        return len(page["rows"])

    def store(self):
        lines = f"type: couchdb, url: '{self.scheme}://{self.host}:{self.port}', database: {self.database}"
        if self.user:
            path = os.path.join(self.folder, "couch.password")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(self.password + "\n")
            lines += f", user: '{self.user}', password_file: '{path}'"
        return "{" + lines + "}"

    def close(self):
        self.request("DELETE", "/" + self.database)
        if self.child:
            self.child.terminate()
            self.child.wait()


class CouchFeeds:
    """Reads the continuous _changes feed, with documents: when is the feed document of an extract there?"""

    def __init__(self, couch):
        self.connection = couch.connection()
        self.connection.request("GET", f"/{couch.database}/_changes?feed=continuous&since=now&heartbeat=5000"
                                "&include_docs=true", headers=couch.headers())
        self.reply = self.connection.getresponse()

    def wait_for(self, name, deadline):
        while time.monotonic() < deadline:
            line = self.reply.readline().strip()
            if line and json.loads(line).get("doc", {}).get("name") == name:
                return True
        return False

    def close(self):
        self.connection.close()
