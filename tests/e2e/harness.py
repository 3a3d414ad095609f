"""What the end-to-end tests stand on: one loading host in a temporary folder, driven from outside as a
user would drive it. Nothing here looks into the program."""
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

CARAVEL = os.environ["CARAVEL_BINARY"]
SOURCE = os.environ["CARAVEL_SOURCE_DIR"]
SAMPLE = os.path.join(SOURCE, "tests/data/sample/hrt-sample-2012-03-09.log")
# Seconds; only a failure takes that long. A sanitizer on a busy machine needs more.
PATIENCE = int(os.environ.get("CARAVEL_PATIENCE", "180"))


def wait_for(what, condition):
    """Asks again and again until `condition()` is true: no event tells of changes in other processes."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.01)


def location(second, vehicle="V.1.100", day="03/09"):
    """One good spysocket line; `second` of the day makes it different from others."""
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return (f"{clock} {day} {vehicle} H.0.0 MT_LOCATION Lat/Lon:367751738166/-76091438594 [Valid] "
            "Adher:3 [Valid] Odom:2668 [Valid] DGPS:On FOM:2\n")


def time_slices(pid):
    """How often the main thread of a process was given a processor: it grows as long as that works or asks."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[2])


class Host:
    """A loading host: configuration, spool, ledger, SQLite store, and a watcher that may be killed."""

    def __init__(self, folder, feed="", stores="", store="local", feeds=""):
        self.folder = folder
        self.config = os.path.join(folder, "caravel.yaml")
        self.watcher = None
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("spool: spool\nstate: state\n"
                       "stores:\n  local: {type: sqlite, path: rows.db}\n" + stores +
                       f"feeds:\n  hrt:\n    match: '*.log'\n    format: spysocket\n    store: {store}\n"
                       + feed + feeds)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, *arguments, wrapper=(), expect=None, stdin=None):
        done = subprocess.run([*wrapper, CARAVEL, "--config", self.config, *arguments],
                              capture_output=True, text=True, timeout=300, input=stdin, check=False,
                              cwd=self.folder)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"caravel {' '.join(arguments)}: exit code {done.returncode} instead "
                                 f"of {expect}\n{done.stdout}{done.stderr}")
        return done

    def start(self):
        log = open(self.path("watch.log"), "ab")
        mark = log.tell()
        self.watcher = subprocess.Popen([CARAVEL, "watch", "--config", self.config], stderr=log,
                                        cwd=self.folder)
        log.close()
        wait_for("the watcher", lambda: b"watching" in self.log_bytes()[mark:] or
                 self.watcher.poll() is not None)
        if self.watcher.poll() is not None:
            raise AssertionError("the watcher ended:\n" + self.log())

    def log_bytes(self):
        with open(self.path("watch.log"), "rb") as file:
            return file.read()

    def log(self):
        return self.log_bytes().decode("utf-8", "replace")

    def stop(self):
        """SIGTERM; the exit code must be 0."""
        self.watcher.send_signal(signal.SIGTERM)
        code = self.watcher.wait(PATIENCE)
        self.watcher = None
        if code != 0:
            raise AssertionError(f"the watcher's exit code is {code}\n" + self.log())

    def kill(self):
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher.wait()
            self.watcher = None

    def drop(self, content, name):
        """Writes in place and closes, as scp does."""
        data = content.encode() if isinstance(content, str) else content
        with open(self.path("spool/drop", name), "wb") as file:
            file.write(data)

    def status(self):
        return json.loads(self.run("status", "--json", expect=0).stdout)

    def extracts(self, feed="hrt"):
        """How many extracts are in which state."""
        for status in self.status()["feeds"]:
            if status.get("name", status.get("feed")) == feed:
                return status["extracts"]
        raise AssertionError("status names no such feed")

    def wait_until_ended(self, count):
        """Until `count` extracts are done or failed, and their files put away."""
        def ended():
            states = self.extracts()
            return states["done"] + states["failed"] == count and not self.in_work()
        wait_for(f"{count} extracts to end", ended)

    def in_work(self):
        return [path for path in glob.glob(self.path("spool/work/*/*"))]

    def done(self):
        return sorted(os.path.basename(path)
                      for path in glob.glob(self.path("spool/done/*/*/*/*")))

    def captured(self, feed="hrt"):
        return sorted(os.path.basename(path)
                      for path in glob.glob(self.path(f"spool/capture/{feed}/done/*/*/*/*")))

    def rows(self, query="select count(*) from hrt"):
        with sqlite3.connect(f"file:{self.path('rows.db')}?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()

    def count(self):
        return self.rows()[0][0]


class Couch:
    """A real server with CouchDB's API: pouchdb-server, data in memory, on a free loopback port.
    $CARAVEL_COUCH_URL (http://user:password@host:port) names another."""

    def __init__(self, port=None):
        self.folder = tempfile.mkdtemp(prefix="caravel-couch-")
        self.port = port or free_port()
        self.process = None

    def start(self):
        modules = os.environ.get("CARAVEL_NODE_MODULES", os.path.join(SOURCE, "node_modules"))
        program = os.path.join(modules, ".bin/pouchdb-server")
        if not os.path.exists(program):
            raise AssertionError("pouchdb-server is not installed: run scripts/setup")
        self.process = subprocess.Popen([program, "--in-memory", "--port", str(self.port),
                                         "--host", "127.0.0.1"], cwd=self.folder,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("pouchdb-server", self.answers)

    def answers(self):
        try:
            return self.get("/")
        except OSError:
            return None

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body and json.dumps(body),
                               {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def attachment(self, document, name, database="feed"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", f"/{database}/{document}/{name}")
            return connection.getresponse().read()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def documents(self, database="feed"):
        answer = self.get(f"/{database}/_all_docs?include_docs=true")
        return [row["doc"] for row in answer.get("rows", [])]

    def rows(self, database="feed"):
        return [doc for doc in self.documents(database) if doc.get("doc_type") == "Row"]

    def yaml(self, name="couch", **more):
        settings = {"type": "couchdb", "url": f"http://127.0.0.1:{self.port}", "database": "feed", **more}
        return f"  {name}: {{" + ", ".join(f"{key}: {value}" for key, value in settings.items()) + "}\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class HostTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caravel-e2e-")
        self.hosts = []

    def tearDown(self):
        for host in self.hosts:
            host.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def host(self, **settings):
        folder = os.path.join(self.folder, f"host{len(self.hosts)}")
        os.mkdir(folder)
        host = Host(folder, **settings)
        self.hosts.append(host)
        return host

    def assert_counts_add_up(self, host):
        for feed in host.status()["feeds"]:
            counts = feed["lines"] if isinstance(feed.get("lines"), dict) else feed["counts"]
            self.assertEqual(counts["lines"], counts["stored"] + counts["already_there"] +
                             counts["dropped"] + counts["rejected"] + counts.get("failed", 0))


def main():
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
