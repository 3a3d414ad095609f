"""What is attacked on a capture host: caravel-tail, and caravel capture, over a log that grows and is
rotated while they run. A scenario is a list of steps; the next one is taken whenever the program has
nothing to do, be it before a crash or after it."""
import collections
import glob
import hashlib
import os
import shutil
import subprocess

import content
from host import compare
from injection import Injected
from scenarios import Scenario
from verdict import Verdict

CONFIG = """spool: spool
state: state
stores:
  local: {{type: sqlite, path: rows.db, batch_rows: 25}}
  couch: {{type: couchdb, url: "http://127.0.0.1:{port}", database: feed, batch_rows: 25, timeout: 2s}}
min_free: 0
feeds:
  hrt: {{format: spysocket, store: {store}, settle: 1ms}}
"""


class LogScenario(Scenario):
    """The log has some lines at the start; then come appends, rotations, half lines."""
    weight = 0.5           # it takes seconds
    quiet_ms = 350
    kept_by_others = ("logs", "remote")  # the application's, and the other host's disk
    config = CONFIG

    def make_extracts(self):
        self.day = f"{content.today():%m/%d}"
        parts = [self.lines(0, 40), self.lines(40, 60), self.lines(60, 75), self.lines(75, 90),
                 self.lines(90, 130), self.lines(130, 140)]
        half = len(parts[3]) // 2
        self.start_of_log = parts[0]
        self.steps = [
            lambda log: append(log, parts[1]),
            rotate,
            lambda log: append(log, parts[2]),
            lambda log: append(log, parts[3][:half]),
            lambda log: append(log, parts[3][half:]),
            rotate,
            lambda log: append(log, parts[4]),
            copy_and_truncate,
            lambda log: append(log, parts[5]),
        ]
        return [content.Extract("hrt", "app.log", b"".join(parts), year=content.today().year)]

    def lines(self, first, last):
        return content.lines(range(first, last), "V.7.1", rubbish_every=17, day=self.day)

    def log(self, host):
        return host.path("logs/app.log")

    def prepare(self, host):
        for folder in ("logs", "remote"):
            os.makedirs(host.path(folder))
        with open(self.log(host), "wb") as file:
            file.write(self.start_of_log)

    def open(self, folder):
        host = super().open(folder)
        host.steps = list(self.steps)
        return host

    @staticmethod
    def has_looked(host):
        return any(os.path.exists(host.path(*place)) for place in (("state", "state"), ("state", "capture", "hrt")))

    def attack(self, host, options, on_quiet=None, on_tick=None, limit=60, tick=1.0):
        waits = [0]

        def step_or_end(run):
            waits[0] += 1
            # What is rotated before the first look is not read: docs/tail.md.
            if waits[0] < 40 and not self.has_looked(host):
                return
            if host.steps:
                host.steps.pop(0)(self.log(host))
            else:
                (on_quiet or Injected.terminate)(run)
        return super().attack(host, options, step_or_end, on_tick, limit, tick)

    def recover(self, host):
        """It is started again, and the application goes on."""
        ending = self.attack(host, [])
        # Told to end before it could listen, it died of that.
        if (ending.how, ending.code) not in (("exited", 0), ("signaled", 15)):
            return f"after the restart: {ending.how} {ending.code}"
        return None


class Tail(LogScenario):
    kind = "tail"
    stores = ("none",)

    def status(self, host):
        return None

    def command_line(self, host):
        return self.agent(host, "--interval", "100ms", "--grace", "100ms")

    def agent(self, host, *options):
        return [self.tools.agent, "--outbox", host.path("outbox"), "--state", host.path("state/state"),
                "--from", "start", "--max-bytes", "2kB", "--host", "here", *options, "--send",
                'f={}; n=${f##*/}; cp "$f" remote/.part-$n && mv remote/.part-$n "remote/$n"', self.log(host)]

    def recover(self, host):
        problem = super().recover(host)
        if problem is None:
            with open(host.messages, "ab") as out:
                # The run before it may have been told to end before it read anything. With the default
                # grace, a file behind one that was just rotated is left for a later pass.
                done = subprocess.run(self.agent(host, "--once", "--grace", "100ms"), cwd=host.folder, stderr=out, timeout=60,
                                      check=False)
            if done.returncode != 0:
                problem = f"--once ends with {done.returncode}"
        return problem

    def compare(self, host):
        verdict = Verdict()
        found = collections.Counter()
        for path in sorted(glob.glob(host.path("remote/*.log"))):
            with open(path, "rb") as file:
                data = file.read()
            found.update(data.splitlines(True))
            self.check_manifest(verdict, path, data)
        expected = collections.Counter(self.extracts[0].content.splitlines(True))
        lost, more = expected - found, found - expected
        doubled = {line: count for line, count in more.items() if line in expected}
        verdict.add("lost", sum(lost.values()), f"{sum(lost.values())} lines, such as {min(lost, default=b'')}")
        verdict.add("doubled", sum(doubled.values()), f"{len(doubled)} lines, such as {min(doubled, default=b'')}")
        verdict.add("invented", len(more) - len(doubled), f"{[line for line in more if line not in expected][:2]}")
        left = [path for path in host.files_below("outbox") if os.path.basename(path).startswith(".")]
        if not host.temporaries_may_stay:
            verdict.add("other", len(left), f"left behind: {left[:3]}")
        return verdict

    @staticmethod
    def check_manifest(verdict, path, data):
        try:
            with open(path + ".manifest", encoding="ascii") as file:
                manifest = dict(line.rstrip("\n").split("=", 1) for line in file)
        except FileNotFoundError:
            verdict.add("lost", 1, f"no manifest came with {os.path.basename(path)}")
            return
        agrees = (manifest["sha256"] == hashlib.sha256(data).hexdigest() and
                  int(manifest["bytes"]) == len(data) and int(manifest["lines"]) == data.count(b"\n"))
        verdict.add("invented", not agrees, f"{os.path.basename(path)} is not what its manifest says")


class Capture(LogScenario):
    kind = "capture"
    exact = False

    def command_line(self, host):
        return [*host.command("capture", "--interval", "100ms", "--grace", "100ms", "--max-bytes", "2kB",
                              "--host", "here"), self.log(host)]

    def recover(self, host):
        problem = super().recover(host)
        if problem is None:
            done = subprocess.run([*host.command("capture", "--once", "--grace", "100ms", "--host", "here"),
                                   self.log(host)],
                                  cwd=host.folder, stderr=subprocess.DEVNULL, timeout=60, check=False)
            if done.returncode not in (0, 3):
                problem = f"--once ends with {done.returncode}"
        return problem or host.what_is_open()

    def compare(self, host):
        return compare(self.truth, host, self.exact, self.drops,
                       self.couch, files=False, feed_documents=False)


def append(log, data):
    with open(log, "ab") as file:
        file.write(data)


def shift(log):
    for number in range(8, 0, -1):
        if os.path.exists(f"{log}.{number}"):
            os.rename(f"{log}.{number}", f"{log}.{number + 1}")


def rotate(log):
    shift(log)
    os.rename(log, log + ".1")
    with open(log, "xb"):
        pass


def copy_and_truncate(log):
    shift(log)
    shutil.copy2(log, log + ".1")
    os.truncate(log, 0)


ALL = (Tail, Capture)
