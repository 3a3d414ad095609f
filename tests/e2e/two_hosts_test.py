"""Two hosts and a bad line between them: growing, rotating logs on one, the drop directory, the
watcher and a CouchDB-compatible server on the other; real sftp, scp and rsync through a real sshd.
Connections are cut in the middle of transfers, the line goes down, every process is killed with -9.
At the end the store holds the lines of the logs, each once.

$CARAVEL_SEED repeats a run as far as a machine can, $CARAVEL_SECONDS makes the trouble last longer."""
import collections
import datetime
import glob
import os
import random
import subprocess
import time
import unittest

import harness
import ssh_server
from harness import SOURCE, wait_for

TAIL = os.environ["CARAVEL_TAIL_BINARY"]
SECONDS = float(os.environ.get("CARAVEL_SECONDS", 15))
ENOUGH_CUTS = 4  # in the middle of a transfer, before the trouble may end
TODAY = datetime.date.today()  # a manifest says which year a day without one is in


def size_of(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0  # it went its way meanwhile


class Line:
    """The capture host, the loading host, and the line between them: two network namespaces, or two
    loopback addresses where none can be made (then the line never goes down)."""

    def __init__(self):
        self.holders = []
        self.real = all(self.hold() for _ in range(2)) and self.connect()
        # A slow line, where the kernel can: transfers then take long enough to be cut.
        _ = self.real and self.do("tc", "qdisc", "add", "dev", "line0", "root", "tbf",
                                  "rate", "3mbit", "burst", "16kb", "latency", "300ms", host=0)
        if not self.real:
            self.remove()
        self.capture, self.loading = (
            (self.within(0), self.within(1)) if self.real else ([], []))
        self.loading_address = "192.0.2.2" if self.real else "127.0.0.2"

    def hold(self):
        """A namespace lives as long as a process in it."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 1000"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.holders.append(holder)
        with holder.stdout as ready:
            return ready.read(1) == b"\n"

    def within(self, host):
        return ["nsenter", "--net", "--target", str(self.holders[host].pid), "--"]

    def connect(self):
        first, second = (str(holder.pid) for holder in self.holders)
        return self.do("ip", "link", "add", "line0", "netns", first, "type", "veth",
                       "peer", "name", "line0", "netns", second) and all(
            self.do("ip", "address", "add", f"192.0.2.{host + 1}/30", "dev", "line0", host=host) and
            self.do("ip", "link", "set", "line0", "up", host=host) for host in range(2))

    def do(self, *command, host=None):
        try:
            return subprocess.run([*(self.within(host) if host is not None else ()), *command],
                                  stderr=subprocess.DEVNULL, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def heal(self):
        """Up, and as fast as it can be."""
        if self.real:
            self.set("up")
            self.do("tc", "qdisc", "del", "dev", "line0", "root", host=0)

    def set(self, state):
        return self.real and self.do("ip", "link", "set", "line0", state, host=0)

    def remove(self):
        for holder in self.holders:
            holder.kill()
            holder.wait()
        self.holders = []


class Log:
    """A growing log on the capture host, the agent that follows it, and what it ever held."""

    def __init__(self, folder, name, make, commands, environment, within, chance):
        self.name = name
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, f"{name}.log")
        self.make = make
        self.expected = collections.Counter()
        self.chance = chance
        self.number = 0
        self.rotations = 0
        self.rest = b""
        self.arguments = [*within, TAIL, "--outbox", self.outbox(), "--host", "capture", "--from", "start",
                          "--state", os.path.join(self.folder, "state/state"), "--interval", "500ms",
                          "--max-bytes", "64kB", "--grace", "0s", "--send-timeout", "15s"]
        self.commands = commands
        self.environment = {**os.environ, **environment}
        self.agent = None

    def outbox(self, *parts):
        return os.path.join(self.folder, "outbox", *parts)

    def write(self, data):
        with open(self.path, "ab") as file:
            file.write(data)

    def grow(self, least=1):
        """Appends some lines; the last one may be cut in its middle until the next call."""
        lines = []
        for _ in range(self.chance.randrange(least, least + 100)):
            line, row = self.make(self.number, first=not lines and not os.path.exists(self.path))
            self.number += 1
            self.expected[row] += 1
            lines.append(line)
        data = self.rest + "".join(lines).encode()
        keep = self.chance.randrange(100) if self.chance.random() < 0.5 else 0
        self.write(data[:len(data) - keep])
        self.rest = data[len(data) - keep:]

    def end_line(self):
        self.write(self.rest)
        self.rest = b""

    def rotate(self):
        if os.path.exists(self.path):
            self.end_line()
            self.rotations += 1
            os.rename(self.path, f"{self.path}-{self.rotations:08}")

    def start(self, *more):
        with open(os.path.join(self.folder, "agent.log"), "ab") as said:
            command = self.commands[0] if "--once" in more else self.chance.choice(self.commands)
            self.agent = subprocess.Popen([*self.arguments, "--send", command, *more, self.path],
                                          stderr=said, env=self.environment)

    def is_known(self):
        return os.path.exists(os.path.join(self.folder, "state/state"))

    def kill(self):
        """Kills the agent with -9; its send command goes on."""
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait()
            self.agent = None

    def extracts(self, where=""):
        return [path for path in glob.glob(self.outbox(where, "*.log"))]


def vehicle_line(vehicle, shift):
    """Makes lines that all differ, in the order of their times."""
    day = TODAY.strftime("%m/%d")

    def make(number, first):
        line = harness.location(shift + number // 3, f"V.{vehicle}.{number % 3}", day)
        return line, tuple(line.split()[:3:2])
    return make


def access_line(log, chance):
    """Makes lines of which many are equal, so that only their places tell them apart. The first line of
    each file differs from those of all other files."""
    def make(number, first):
        text = f"{log}/first/{number}" if first else f"{log}/{chance.randrange(20)}"
        return (f'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /{text} HTTP/1.1" 200 5 "-" "-"\n',
                f"GET /{text} HTTP/1.1")
    return make


@unittest.skipIf(ssh_server.missing(), f"not here: {ssh_server.missing()}")
class TwoHosts(harness.HostTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("CARAVEL_SEED", random.randrange(10**6)))
        self.chance = random.Random(self.seed)
        self.line = Line()
        self.addCleanup(self.line.remove)
        print(f"CARAVEL_SEED = {self.seed},",
              "two network namespaces" if self.line.real else "two loopback addresses", flush=True)
        self.couch = harness.Couch()
        self.addCleanup(self.couch.remove)
        self.couch.start()
        self.sshd = ssh_server.Sshd(os.path.join(self.folder, "ssh"), self.line.loading_address,
                                    port=2222 if self.line.real else None, within=self.line.loading)
        self.addCleanup(self.sshd.stop)
        self.sshd.start()
        common = "    settle: 200ms\n    manifest_wait: 4s\n"
        self.host_ = self.host(
            stores=self.couch.yaml(), store="couch", feed=common,
            feeds="  web:\n    drop: web\n    match: '*.log'\n    format: nginx\n    store: couch\n" + common)
        os.makedirs(self.host_.path("spool/web"))
        self.logs = self.make_logs()
        self.addCleanup(lambda: [log.kill() for log in self.logs])
        self.host_.start()
        self.cuts = collections.Counter()  # transfers cut in their middle
        self.deeds = collections.Counter()

    def make_logs(self):
        """Two senders that rename when a file is whole, two that write in place."""
        options = " ".join(self.sshd.options)
        drop, web = (f"{self.sshd.host}:{self.host_.path('spool', name)}" for name in ("drop", "web"))
        small = "-B 4096 -R 4"  # requests, so that a file grows in small steps
        batch = f"printf 'put \"%s\" \"%s/\"\\n' {{}} {web.split(':')[1]} | sftp -q -b -"
        send = f"{SOURCE}/scripts/send"
        senders = {
            "bus-scp": (vehicle_line(1, 0), f"-l 2000 {small} {options}", [f"{send}-scp {drop} {{}}"]),
            "bus-plain": (vehicle_line(2, 5), "", [f"scp -q {options} {{}} {drop}/",
                                                   f"scp -q -l 1200 -X buffer=4096 {options} {{}} {drop}/"]),
            "web-rsync": (access_line("rsync", self.chance), options, [
                f"{send}-rsync {web} {{}}",
                f"rsync --times --whole-file --bwlimit=100 --rsh='ssh {options}' {{}} {web}/"]),
            "web-sftp": (access_line("sftp", self.chance), "",
                         [f"{batch} -l 2000 {small} {options} {self.sshd.host} >/dev/null"]),
        }
        return [Log(self.folder, name, make, commands, {"CARAVEL_SSH_OPTIONS": option},
                    self.line.capture, self.chance)
                for name, (make, option, commands) in senders.items()]

    def on_the_way(self):
        """The logs of which the loading host has a part of an extract: a transfer is under way."""
        whole = {os.path.basename(path): (size_of(path), log) for log in self.logs for path in log.extracts()}
        logs = set()
        for drop in ("drop", "web"):
            for name in os.listdir(self.host_.path("spool", drop)):
                # .NAME.part of send-scp, .NAME.XXXXXX of rsync, NAME of the others. rsync writes only
                # now and then.
                hidden = name.startswith(".")
                size, log = whole.get(name[1:].rpartition(".")[0] if hidden else name, (0, None))
                if (-1 if hidden else 0) < size_of(self.host_.path("spool", drop, name)) < size:
                    logs.add(log)
        return logs

    # The kinds of trouble. After each, everything runs, or is being started again.

    def cut_sessions(self):
        for log in self.logs:
            if len(log.extracts()) < 2:
                log.grow(500)
        # A new agent tries at once, also if the old one was waiting after failures.
        log = self.chance.choice(self.logs)
        log.kill()
        log.start()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            logs = self.on_the_way()
            if logs and self.sshd.cut():
                self.cuts.update(os.path.basename(log.folder) for log in logs)
                return
            time.sleep(0.005)

    def kill_one_on_the_loading_host(self):
        ssh_server.kill_below(self.sshd.process.pid,
                              lambda found: self.chance.sample(found, min(1, len(found))))

    def kill_one_sender(self):
        log = self.chance.choice(self.logs)
        ssh_server.kill_below(log.agent.pid, lambda found: self.chance.sample(found, min(1, len(found))))

    def kill_agent(self):
        log = self.chance.choice(self.logs)
        log.kill()
        if self.chance.random() < 0.5:
            log.rotate()
            log.grow()
        log.start()

    def kill_watcher(self):
        self.host_.kill()
        time.sleep(self.chance.uniform(0, 0.5))
        self.host_.start()

    def kill_sshd(self):
        """The listener alone; its sessions are cut or go on."""
        if self.chance.random() < 0.5:
            self.sshd.stop()
        else:
            self.sshd.process.kill()
            self.sshd.process.wait()
        self.sshd.start()

    def line_falters(self):
        if self.line.set("down"):
            time.sleep(self.chance.uniform(0.1, 0.8))
            self.line.set("up")

    def line_breaks(self):
        """Longer than either end has patience."""
        if self.line.set("down"):
            for _ in range(6):
                self.chance.choice(self.logs).grow()
                time.sleep(0.8)
            self.line.set("up")

    def trouble(self):
        deeds = ([self.cut_sessions] * 6 + [self.kill_one_on_the_loading_host] * 2 +
                 [self.kill_one_sender] * 3 + [self.kill_agent] * 4 + [self.kill_watcher] * 4 +
                 [self.kill_sshd] + [self.line_falters] * 2)
        begin = time.monotonic()
        once = [self.line_breaks]
        while True:
            passed = time.monotonic() - begin
            if passed > SECONDS and (self.cuts.total() >= ENOUGH_CUTS or passed > 2 * SECONDS):
                return
            for log in self.chance.sample(self.logs, 2):
                if len(log.extracts()) < 6:
                    log.grow()
                if self.chance.random() < 0.15:
                    log.rotate()
            deed = once.pop() if once and passed > SECONDS / 2 else self.chance.choice(deeds)
            self.deeds[deed.__name__] += 1
            deed()
            time.sleep(self.chance.uniform(0, 0.4))

    def send_the_rest(self):
        self.line.heal()
        for log in self.logs:
            log.kill()
            log.end_line()
        waiting = list(self.logs)
        deadline = time.monotonic() + 2 * harness.PATIENCE
        while waiting:
            for log in waiting:
                log.start("--once")
            codes = {log: log.agent.wait(2 * harness.PATIENCE) for log in waiting}
            waiting = [log for log in waiting if codes[log] != 0 or log.extracts()]
            if waiting and time.monotonic() > deadline:
                with open(os.path.join(waiting[0].folder, "agent.log"), encoding="utf-8") as said:
                    self.fail(f"{waiting[0].path} is not sent: {said.read()[-2000:]}")

    def settled(self):
        """Whether no extract is under way on the loading host. A broken transfer ends after its wait."""
        left = [name for drop in ("drop", "web") for name in os.listdir(self.host_.path("spool", drop))
                if not name.startswith(".")]
        return not left and not self.host_.in_work() and all(
            count == 0 for feed in self.host_.status()["feeds"]
            for state, count in feed["extracts"].items() if state not in ("done", "failed"))

    def resend(self):
        """Sends failed extracts again, as an administrator does who reads `caravel status`. They are few: a
        sender that writes in place, left running by a killed agent, can truncate what the next agent
        has sent; a sender that renames cannot."""
        done = {name.partition("~")[0] for name in self.host_.done()}
        missing = {extract["name"] for extract in self.host_.status()["failed"]} - done
        for name in sorted(missing):
            log = next(log for log in self.logs if name.startswith(log.name))
            self.assertIn(log.name, ("bus-plain", "web-sftp"))
            run, sequence = name.split(".")[-3:-1]
            print(f"sent again: {name}", flush=True)
            subprocess.run([TAIL, "--outbox", log.outbox(), "--resend", f"{run}:{sequence}"], check=True)
        if missing:
            self.send_the_rest()
            wait_for("the loading host to be through", self.settled)

    def test_every_line_of_the_logs_is_stored_once(self):
        begin = time.monotonic()
        for log in self.logs:
            log.grow()
            log.start()
        for log in self.logs:
            # What is rotated before the agent's first look is not read.
            wait_for("the agent's first look", log.is_known)
        self.trouble()
        troubled = time.monotonic() - begin
        self.send_the_rest()
        sent = time.monotonic() - begin
        wait_for("the loading host to be through", self.settled)
        self.resend()
        rows = self.couch.rows()
        print(f"{len(rows)} rows of {sum(log.rotations + 1 for log in self.logs)} log files; "
              f"{troubled:.0f} s of {dict(self.deeds)}; cut in the middle: {dict(self.cuts)}; "
              f"all sent after {sent:.0f} s, all done after {time.monotonic() - begin:.0f} s")
        self.check_rows(rows)
        self.check_status(rows)

    def check_rows(self, rows):
        self.assertEqual(len({row["_id"] for row in rows}), len(rows))
        stored = collections.Counter(
            (row["Time"], row["Vehicle"]) if row["caravel"]["feed"] == "hrt" else row["Request"]
            for row in rows)
        expected = sum((log.expected for log in self.logs), collections.Counter())
        self.assertEqual((expected - stored, stored - expected), ({}, {}), "missing, and too many")
        # A row without a year of its own has that of the manifest's time.
        self.assertEqual({row["Date"] for row in rows if row["caravel"]["feed"] == "hrt"},
                         {TODAY.isoformat()})

    def check_status(self, rows):
        self.assert_counts_add_up(self.host_)
        status = self.host_.status()
        for source in status["sources"]:
            self.assertEqual(source["gaps"], [], source)
        sent = [os.path.basename(path) for log in self.logs for path in log.extracts("sent")]
        self.assertEqual(sum(source["last_sequence"] for source in status["sources"]), len(sent))
        self.assertEqual(status["manifests_without_extract"], [])
        by_feed = collections.Counter(row["caravel"]["feed"] for row in rows)
        for feed in status["feeds"]:
            counts = feed["counts"]
            self.assertEqual(counts["rejected"] + counts["dropped"] + counts["differs"], 0, counts)
            self.assertGreaterEqual(counts["stored"], by_feed[feed["name"]])
        # Only broken transfers failed, and of each a good one was loaded.
        self.assertEqual([extract for extract in status["failed"] if "broken transfer" not in extract["why"]],
                         [])
        self.assertEqual({extract["name"] for extract in status["failed"]} - set(sent), set())
        done = {name.partition("~")[0] for name in self.host_.done()}
        self.assertEqual(set(sent) - done, set())
        if self.line.real:
            self.assertGreaterEqual(self.cuts.total(), ENOUGH_CUTS)


if __name__ == "__main__":
    harness.main()
