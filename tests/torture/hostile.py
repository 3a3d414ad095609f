"""Everything hostile at once, for as long as is asked: the drop directory of one feed, its manifests, its
store, and an agent whose logs are torn about; while honest extracts of other feeds go through.

Their usual delay, from the rename into the drop directory to the file in done/, is measured first, in the
same run, while the feeds under attack get as many files, all honest."""
import datetime
import glob
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import content
import files
import store_modes
from couch import Couch
from host import Host, compare_rows
from verdict import Verdict, look_for_reports

CONFIG = """spool: spool
state: state
min_free: 0
max_unpacked: 16MiB
stores:
  local: {{type: sqlite, path: rows.db}}
  couch: {{type: couchdb, url: "http://127.0.0.1:{honest}", database: feed, timeout: 5s}}
  bad: {{type: couchdb, url: "http://127.0.0.1:{bad}", database: feed, timeout: 2s}}
feeds:
  quiet: {{match: '*.log', drop: quiet, format: spysocket, store: local}}
  calm: {{match: '*.log', drop: calm, format: spysocket, store: couch}}
  hrt: {{match: '*.log', drop: drop, format: spysocket, store: bad, manifest_wait: 2s}}
  torn: {{match: '*.log', drop: torn, format: auto, store: local, manifest_wait: 2s}}
"""
FILES_A_SECOND = 8
HONEST = ("quiet", "calm")


class Hostile:
    def __init__(self, tools, folder, seed, minutes):
        self.tools, self.seed = tools, seed
        self.chance = random.Random(f"{seed}:hostile")
        self.measure = max(20.0, min(120.0, minutes * 60 * 0.2))
        self.attack_time = max(20.0, minutes * 60 - self.measure)
        self.honest, self.bad = Couch(), Couch()
        self.host = Host(tools, os.path.join(folder, "hostile"))
        os.mkdir(self.host.folder)
        self.host.write_config(CONFIG.format(honest=self.honest.port, bad=self.bad.port))
        for name in (*HONEST, "drop", "torn"):
            os.makedirs(self.host.path("spool", name))
        self.attacking = threading.Event()
        self.over = threading.Event()
        self.sent = []            # honest extracts
        self.tried = dict.fromkeys(("files", "replies", "logs"), 0)
        self.number = 0

    # Honest traffic, and how long it takes.

    def honest_extract(self, feed):
        self.number += 1
        first = self.number * 50 % 80000
        extract = content.Extract(feed, f"n{self.number:06}-2012-03-09.log",
                                  content.lines(range(first, first + 50), f"V.{feed}.{self.number // 1600}"))
        self.sent.append(extract)
        return extract

    def delay_of(self, extract):
        """Seconds from the rename to the file in done/; None if it took a minute."""
        begun = time.monotonic()
        self.host.drop(extract, f"spool/{extract.feed}")
        while time.monotonic() - begun < 60:
            today = datetime.datetime.now(datetime.timezone.utc)
            if os.path.exists(self.host.path("spool/done", f"{today:%Y/%m/%d}", extract.name)):
                return time.monotonic() - begun
            time.sleep(0.001)
        return None

    def delays_for(self, seconds):
        until = time.monotonic() + seconds
        delays = []
        while time.monotonic() < until:
            delays.append(self.delay_of(self.honest_extract(self.chance.choice(HONEST))))
            time.sleep(self.chance.uniform(0.05, 0.3))
        return delays

    # The attackers: each a thread that is honest until the attack begins.

    def bring_files(self):
        chance = random.Random(f"{self.seed}:files")
        number = 0
        while not self.over.wait(1 / FILES_A_SECOND):
            number += 1
            drop = self.host.path("spool/drop")
            if not self.attacking.is_set():
                data = content.lines(range(number * 40 % 80000, number * 40 % 80000 + 40), f"V.9.{number // 2000}")
                self.host.drop(content.Extract("hrt", f"h{number}-2012-03-09.log", data))
                continue
            self.tried["files"] += 1
            try:
                files.put(chance, drop, number)
                self.meddle(chance, drop)
            except OSError:
                pass  # the watcher was quicker
            if number % 200 == 0:
                self.tidy()

    def meddle(self, chance, drop):
        """With what lies there, or is claimed already, by a descriptor that was open before."""
        names = os.listdir(os.fsencode(drop))
        if not names or chance.random() < 0.7:
            return
        path = os.path.join(os.fsencode(drop), chance.choice(names))
        if os.path.isdir(path) or not os.path.isfile(path):
            return
        what = chance.randrange(4)
        if what == 0:
            with open(path, "ab") as file:
                os.rename(path, path + b".log")
                file.write(b"more\n" * 10)
        elif what == 1:
            os.truncate(path, chance.randrange(100))
        elif what == 2:
            os.unlink(path)
        else:
            os.rename(path, os.path.join(os.fsencode(drop), b"moved%d.log" % chance.randrange(50)))

    def tidy(self):
        """As an administrator would: the disk of this machine is not what is attacked."""
        for name in os.listdir(os.fsencode(self.host.path("spool/drop"))):
            path = os.path.join(os.fsencode(self.host.path("spool/drop")), name)
            if name == b".caravel":
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)

    def change_modes(self):
        chance = random.Random(f"{self.seed}:modes")
        modes = store_modes.modes()
        while not self.over.wait(3):
            if self.attacking.is_set():
                mode = modes[chance.choice(sorted(modes))]()

                def misbehave(request, answer, mode=mode):
                    self.tried["replies"] += 1
                    return mode(request, answer)
                self.bad.misbehave = misbehave

    def tear_logs(self):
        """An application that writes, rotates, truncates, replaces, removes its log; the agent's outbox
        goes into a feed."""
        chance = random.Random(f"{self.seed}:logs")
        log = self.host.path("logs/app.log")
        os.makedirs(self.host.path("logs"), exist_ok=True)
        second = 0
        while not self.over.wait(0.1):
            second += 3
            with open(log, "ab") as file:
                file.write(content.lines(range(second, second + 3), "V.8.1"))
            if not self.attacking.is_set():
                continue
            self.tried["logs"] += 1
            try:
                self.tear(chance, log)
            except OSError:
                pass

    @staticmethod
    def tear(chance, log):
        what = chance.randrange(40)
        if what == 0:
            os.rename(log, f"{log}.{chance.randrange(1, 5)}")
        elif what == 1:
            os.truncate(log, chance.randrange(1000))
        elif what == 2:
            os.unlink(log)
        elif what == 3:
            with open(log, "ab") as file:
                file.write(chance.randbytes(5000))
        elif what == 4:
            with open(log, "ab") as file:
                file.write(b"x" * 300000)
        elif what == 5:
            # A file of this run's own: the next tears write through the link.
            victim = os.path.join(os.path.dirname(log), "victim")
            with open(victim, "w", encoding="ascii") as file:
                file.write("not a line of any log\n")
            os.unlink(log)
            os.symlink(victim, log)
        elif what == 6:
            os.unlink(log)
            os.mkfifo(log)
            time.sleep(0.3)
            os.unlink(log)
        elif what == 7:
            shutil.copy(log, f"{log}-20120309")
            os.truncate(log, 0)
        elif what == 8 and os.path.islink(log):
            os.unlink(log)
        for path in glob.glob(log + "*")[6:]:
            os.unlink(path)

    def run(self):
        """A Verdict."""
        verdict = Verdict()
        messages = open(self.host.messages, "ab")
        watcher = subprocess.Popen(self.host.command("watch"), cwd=self.host.folder, stderr=messages)
        os.makedirs(self.host.path("logs"))
        agent = subprocess.Popen(
            [self.tools.agent, "--interval", "200ms", "--outbox", self.host.path("outbox"), "--state",
             self.host.path("agent-state"), "--keep-sent", "10s", "--max-outbox", "20MiB", "--send",
             f"n={{}}; cp \"$n\" {self.host.path('spool/torn')}/.part && "
             f"mv {self.host.path('spool/torn')}/.part {self.host.path('spool/torn')}/\"${{n##*/}}\"",
             self.host.path("logs/app.log")], cwd=self.host.folder, stderr=messages, stdout=messages)
        threads = [threading.Thread(target=target, daemon=True)
                   for target in (self.bring_files, self.change_modes, self.tear_logs)]
        for thread in threads:
            thread.start()
        self.delays_for(3)  # until everything is warm
        before = self.delays_for(self.measure)
        self.attacking.set()
        during = self.delays_for(self.attack_time)
        self.over.set()
        for thread in threads:
            thread.join()
        peak = peak_memory(watcher.pid)
        self.end(verdict, watcher, agent)
        messages.close()
        self.judge(verdict, before, during, peak)
        return verdict

    def end(self, verdict, watcher, agent):
        self.bad.misbehave = None
        for name, process in (("the watcher", watcher), ("the agent", agent)):
            code = process.poll()
            verdict.add("sanitizer", code is not None, f"{name} ended by itself: {code}")
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                verdict.add("hangs", 1, f"{name} did not end within 8 s")
                process.kill()
                process.wait()

    def judge(self, verdict, before, during, peak):
        verdict.add("hangs", during.count(None), f"{during.count(None)} honest extracts took over a minute")
        before = sorted(delay for delay in before if delay)
        during = sorted(delay for delay in during if delay)
        ratios = {}
        for share in (0.5, 0.9):
            usual, now = (delays[int(len(delays) * share)] for delays in (before, during))
            ratios[share] = now / usual
            print(f"delay of an honest extract, {share:.0%} of {len(before)} and {len(during)}: "
                  f"{usual * 1000:.1f} ms before, {now * 1000:.1f} ms under attack: ratio {now / usual:.2f}")
        # A minute on a machine that does something else as well proves nothing.
        judged = self.attack_time >= 300
        verdict.add("other", judged and ratios[0.5] > 2, f"honest extracts take {ratios[0.5]:.2f} times as long")
        print(f"{self.tried}; the watcher's memory at most {peak / 1024:.0f} MiB; "
              f"{os.path.getsize(self.host.messages) / 1024:.0f} KiB of messages")
        for feed, stored in (("quiet", self.host.stored("quiet")), ("calm", self.honest.rows_of("calm"))):
            truth = content.Truth([extract for extract in self.sent if extract.feed == feed])
            compare_rows(verdict, truth, lambda _feed, stored=stored: stored)
        look_for_reports(verdict, self.host.messages)
        verdict.tried = sum(self.tried.values()) + len(self.sent)


def peak_memory(process):
    """In KiB."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as file:
            return int(next(line.split()[1] for line in file if line.startswith("VmHWM")))
    except (OSError, StopIteration):
        return 0
