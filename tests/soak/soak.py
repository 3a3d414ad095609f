"""Days of operation of a capture host and a loading host, as fast as it goes. See scripts/soak.

    soak.py HOURS TIMES

An agent follows an access log and sends to the drop directory of a watcher, which loads it into a CouchDB;
other extracts are dropped by hand and loaded into SQLite, some of them with lines that are none, some with
nothing else. Meanwhile logs rotate, the CouchDB is away, the disk is full, programs are told to reload, are
stopped, and killed. Samples are taken every simulated hour. At the end, with nothing open any more, each line
that was written must be in the ledger once, and the page and the metrics must say what the ledger says.
"""
import http.client
import json
import os
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from couch import Couch
from processes import CARAVEL, TAIL, Clock, Program, wait_for

HOURS, TIMES = float(sys.argv[1]), int(sys.argv[2])
DISK = 96 << 20  # bytes
CONFIG = """spool: spool
state: state
stores:
  local: {{type: sqlite, path: rows.db}}
  couch: {{type: couchdb, url: "http://127.0.0.1:{port}", database: soak, timeout: 30m}}
feeds:
  bus: {{drop: bus, format: spysocket, store: local, settle: 1s, keep_done: 6h, keep_rejects: 6h, keep_failed: 6h}}
  web: {{drop: web, format: nginx, store: couch, settle: 1s, keep_done: 6h, match: "access.log*.log"}}
max_failed_size: 1MiB
min_free: 4MiB
fold_after: 48h
remember: 48h
serve: {{listen: "127.0.0.1:{serve}"}}
"""


def bus_line(minute, number):
    return (f"{minute // 60 % 24:02}:{minute % 60:02}:{number % 60:02} 03/09 V.1.{minute * 60 + number} H.0.0 MT_LOCATION "
            "Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 [Valid] Odom:2668 [Valid] DGPS:On FOM:2\n")


class Soak:
    def __init__(self, folder):
        self.folder = folder
        self.couch = Couch()
        self.clock = Clock(TIMES)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.written = {"bus": 0, "web": 0}
        self.samples, self.events = [], {}
        for name in ("spool", "spool/bus", "spool/web"):
            os.mkdir(self.path(name))
        os.mkdir(self.host("logs"))
        with open(self.path("caravel.yaml"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(port=self.couch.port, serve=self.port))
        self.watch = self.program("watch", CARAVEL, "watch", "--config", self.path("caravel.yaml"))
        self.serve = self.program("serve", CARAVEL, "serve", "--config", self.path("caravel.yaml"))
        # It is static: its time is ours. Its sender is a rename within the disk.
        self.tail = Program("tail", [TAIL, "--outbox", self.host("outbox"), "--state", self.host("tail.state"),
                                     "--interval", "200ms", "--grace", "500ms", "--keep-sent", "0s", "--from", "start",
                                     "--max-outbox", "16MiB", "--send",
                                     f'cp {{}} {self.path("spool/web")}/.sent.tmp && '
                                     f'mv {self.path("spool/web")}/.sent.tmp {self.path("spool/web")}/$(basename {{}})',
                                     self.host("logs/access.log")], None, self.log("tail"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def host(self, *parts):
        """Of the capture host, which has a disk of its own."""
        return os.path.join(os.path.dirname(self.folder), *parts)

    def log(self, name):
        return self.host(f"{name}.log")

    def program(self, name, *arguments):
        return Program(name, list(arguments), self.clock, self.log(name))

    def caravel(self, *arguments):
        return subprocess.run([CARAVEL, "--config", self.path("caravel.yaml"), *arguments], capture_output=True,
                              text=True, check=False, env=self.clock.environment())

    def count(self, event):
        self.events[event] = self.events.get(event, 0) + 1

    # -- What happens ------------------------------------------------------------------------------------------

    def write_log(self, minute):
        at = self.clock.now().strftime("%d/%b/%Y:%H:%M:%S +0000")
        text = "".join(f'10.0.0.{n} - - [{at}] "GET /{minute}/{n} HTTP/1.1" 200 {n} "-" "soak"\n' for n in range(20))
        with open(self.host("logs/access.log"), "a", encoding="ascii") as file:
            file.write(text)
        self.written["web"] += 20

    def drop(self, minute, lines):
        name = f"bus-{minute:06}-2026-03-09.log"
        try:
            with open(self.path("spool/bus", f".{name}"), "w", encoding="ascii") as file:
                file.write("".join(lines))
        except OSError:  # the disk is full, for senders too
            if os.path.exists(self.path("spool/bus", f".{name}")):
                os.unlink(self.path("spool/bus", f".{name}"))
            self.count("drops that found no room")
            return
        self.clock.stamp(self.path("spool/bus", f".{name}"))
        os.rename(self.path("spool/bus", f".{name}"), self.path("spool/bus", name))
        self.written["bus"] += len(lines)

    def rotate(self):
        for number in range(3, 0, -1):
            if os.path.exists(self.host(f"logs/access.log.{number}")):
                os.rename(self.host(f"logs/access.log.{number}"), self.host(f"logs/access.log.{number + 1}"))
        os.rename(self.host("logs/access.log"), self.host("logs/access.log.1"))
        self.count("rotations")

    def fill(self):
        free = os.statvfs(self.folder)
        with open(self.path("ballast"), "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - (1 << 20), 1))
        self.count("full disks")

    def empty(self):
        if os.path.exists(self.path("ballast")):
            os.unlink(self.path("ballast"))

    def settle(self):
        """An administrator's round: what failed goes in again, and is then settled."""
        self.caravel("retry", "--all")
        self.caravel("ack", "--all", "--why", "soak")
        self.count("retry and ack")

    def restart(self, program, kill):
        program.kill() if kill else program.stop()
        program.start()
        self.count(("kills of " if kill else "restarts of ") + program.name)

    def look(self):
        """As Prometheus and people do."""
        for path in ("/metrics", "/", "/status.json", "/readyz"):
            try:
                self.get(path)
            except OSError:
                self.count("requests in vain")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def minute(self, minute):
        """One simulated minute. Each thing has its own period, so that by and by all of them meet."""
        self.write_log(minute)
        if minute % 5 == 0:
            lines = [bus_line(minute, number) for number in range(100)]
            if minute % 60 == 25:
                lines[7] = "no line of this log\n"
            if minute % 420 == 110:
                lines = [f"{number} is none at all\n" for number in range(100)]
            self.drop(minute, lines)
            self.look()
        periods = ((61, 13, self.rotate), (360, 90, self.couch.end), (360, 110, self.couch.begin),
                   (720, 500, self.fill), (720, 512, self.empty), (300, 200, self.settle),
                   (125, 60, self.watch.hang_up), (250, 77, self.serve.hang_up), (245, 31, self.tail.hang_up),
                   (310, 150, lambda: self.restart(self.watch, False)), (430, 222, lambda: self.restart(self.watch, True)),
                   (610, 333, lambda: self.restart(self.serve, False)), (510, 444, lambda: self.restart(self.tail, True)))
        for period, phase, action in periods:
            if minute % period == phase:
                action()
                if action == self.couch.end:
                    self.count("outages")
                if getattr(action, "__name__", "") == "hang_up":
                    self.count("reloads")
        if minute % 60 == 59:
            self.sample()
        for program in (self.watch, self.serve, self.tail):
            if not program.is_alive():
                raise AssertionError(f"{program.name} is gone; see {program.log}")

    # -- What is measured --------------------------------------------------------------------------------------

    def size(self, *parts):
        """Bytes of a file or of all below a folder."""
        top = os.path.join(self.folder, *parts)
        if os.path.isfile(top):
            return os.path.getsize(top)
        return sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(top)
                   for name in names if os.path.exists(os.path.join(place, name)))

    def sample(self):
        sample = {"hour": round(self.clock.hours(), 1), "ledger": self.size("state/ledger.db"), "spool": self.size("spool"),
                  "outbox": self.size("../outbox"), "state": self.size("../tail.state")}
        for program in (self.watch, self.serve, self.tail):
            sample.update({f"{program.name} {what}": value for what, value in program.figures().items()})
        self.samples.append(sample)
        print(json.dumps(sample), flush=True)

    # -- The run, and its end ----------------------------------------------------------------------------------

    def run(self):
        for program in (self.tail, self.watch, self.serve):
            program.start()
        wait_for("serve", lambda: "serving at" in open(self.log("serve"), encoding="utf-8").read())
        self.write_log(0)
        for minute in range(int(HOURS * 60)):
            ahead = minute / 60 - self.clock.hours()
            if ahead > 0:
                time.sleep(ahead * 3600 / TIMES)
            self.minute(minute)

    def is_quiet(self):
        """Nothing waits anywhere, and all that was written has come."""
        sums = self.ledger()
        return not sums["open"] and not self.waiting() and all(
            sums[feed]["lines"] >= lines for feed, lines in self.written.items())

    def ledger(self):
        """By feed the sums of all that ended, from the database itself; and how many have not."""
        with sqlite3.connect(f"file:{self.path('state/ledger.db')}?mode=ro", uri=True, timeout=30) as database:
            columns = "lines, stored, already_there, dropped, rejected, failed"
            out = {feed: dict.fromkeys(columns.split(", "), 0) for feed in self.written}
            for table, where in (("extracts", "state in ('done', 'failed')"), ("daily", "1")):
                for feed, *values in database.execute(
                        f"select feed, {', '.join(f'sum({c})' for c in columns.split(', '))} from {table} "
                        f"where {where} group by feed"):
                    for name, value in zip(columns.split(", "), values):
                        out[feed][name] += value
            out["open"] = database.execute("select count(*) from extracts where state not in ('done', 'failed')").fetchone()[0]
            # What was put in again counts once more: its lines are those of two extracts.
            for feed, lines in database.execute("select feed, sum(lines) from extracts where settled = 'retried' group by feed"):
                out[feed]["retried"] = lines
        return out

    def finish(self):
        self.couch.begin()
        self.empty()
        # The agent's time is ours: what it has still to send takes as long as it takes.
        wait_for("the rest to be loaded", self.is_quiet, patience=600)
        self.settle()
        wait_for("what went in again", lambda: not self.ledger()["open"])
        self.sample()

    def waiting(self):
        """Files that nobody has claimed yet, and lines that nobody has cut yet."""
        drops = [name for feed in ("bus", "web") for name in os.listdir(self.path("spool", feed)) if not name.startswith(".")]
        return drops or [name for name in os.listdir(self.host("outbox")) if name.endswith(".log")]

    def judge(self):
        wrong = []
        for name in self.samples[0]:
            values = [sample[name] for sample in self.samples]
            early = values[len(values) // 6:len(values) // 2] or values
            late = values[-len(values) // 3:]
            allowed = {"memory": (1.25, 2048), "descriptors": (1.25, 8), "threads": (1.0, 1)}.get(name.split()[-1])
            if allowed is None:
                continue
            if statistics.median(late) > statistics.median(early) * allowed[0] + allowed[1]:
                wrong.append(f"{name} grew: {statistics.median(early)} -> {statistics.median(late)}")
        sums = self.ledger()
        metrics, status = self.get("/metrics"), json.loads(self.get("/status.json"))
        page = self.get("/")
        for feed in self.written:
            said = next(entry for entry in status["feeds"] if entry["name"] == feed)["counts"]
            for outcome in ("stored", "already_there", "dropped", "rejected", "failed"):
                metric = re.search(rf'^caravel_lines_total\{{feed="{feed}",outcome="{outcome}"\}} (\S+)$', metrics, re.MULTILINE)
                if not sums[feed][outcome] == said[outcome] == float(metric[1]):
                    wrong.append(f"{feed} {outcome}: ledger {sums[feed][outcome]}, status {said[outcome]}, metrics {metric[1]}")
            if f"{sums[feed]['stored']:,}" not in page and str(sums[feed]["stored"]) not in page:
                wrong.append(f"the page does not say {sums[feed]['stored']} stored lines of {feed}")
            again = sums[feed].get("retried", 0) + self.again(feed)
            if not self.written[feed] <= sums[feed]["lines"] <= self.written[feed] + again:
                wrong.append(f"{feed}: {self.written[feed]} lines were written, {sums[feed]['lines']} are in the ledger")
        with sqlite3.connect(f"file:{self.path('rows.db')}?mode=ro", uri=True) as database:
            rows = database.execute("select count(*) from bus").fetchone()[0]
        if rows != sums["bus"]["stored"]:
            wrong.append(f"{rows} rows of bus, {sums['bus']['stored']} lines stored")
        return wrong, sums

    def again(self, feed):
        """Lines of extracts that came twice: put in again after rejects, or by a sender that was killed."""
        with sqlite3.connect(f"file:{self.path('state/ledger.db')}?mode=ro", uri=True) as database:
            return database.execute(
                "select coalesce(sum(lines * (n - 1)), 0) from (select max(lines) as lines, count(*) as n from (select sha256, lines, "
                "feed from extracts union all select sha256, lines, feed from remembered) where feed = ? group by sha256)",
                (feed,)).fetchone()[0]


def main():
    folder = tempfile.mkdtemp(prefix="caravel-soak-")
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], check=True)
    soak = Soak(disk)
    try:
        soak.run()
        soak.finish()
        wrong, sums = soak.judge()
    except AssertionError:
        print(soak.waiting(), soak.caravel("status").stdout)
        raise
    finally:
        for program in (soak.tail, soak.watch, soak.serve):
            if program.is_alive():
                program.kill()
    print(json.dumps({"hours": HOURS, "events": soak.events, "written": soak.written, "ledger": sums}, indent=1))
    for name in soak.samples[0]:
        values = [sample[name] for sample in soak.samples]
        print(f"{name:20} first {values[0]:>10} median {statistics.median(values):>12} most {max(values):>10} last {values[-1]:>10}")
    for text in wrong:
        print("WRONG " + text)
    print("all is as it must be" if not wrong else f"{len(wrong)} wrong; logs are in {folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
