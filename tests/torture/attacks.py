"""The attacks by injection: killed at a call, calls that fail. Each point has a name that says all of
it, so that one can be tried again: CATEGORY:SCENARIO:…:SEED."""
import collections
import os
import random
import time

from disk import Disk
from verdict import Verdict, judge_ending, look_for_reports

STORAGE = ("ENOSPC", "EIO", "EDQUOT", "EROFS")
# What each call may fail with, as its man page says. A short call is "short".
ERRORS = {
    "openat": ("EACCES", "EMFILE", "ENFILE", "ENOSPC", "EIO", "EROFS", "ENOMEM"),
    "write": ("ENOSPC", "EIO", "EDQUOT", "EFBIG", "EINTR", "short"),
    "pwrite64": ("ENOSPC", "EIO", "EDQUOT", "short"),
    "ftruncate": ("EIO", "EFBIG", "EINTR"),
    "fallocate": ("ENOSPC", "EIO", "EOPNOTSUPP"),
    "copy_file_range": ("ENOSPC", "EIO", "EXDEV", "short"),
    "renameat": (*STORAGE, "EACCES", "EXDEV", "EBUSY"),
    "renameat2": (*STORAGE, "EACCES", "EXDEV", "EINVAL"),
    "rename": (*STORAGE, "EACCES", "EXDEV"),
    "linkat": (*STORAGE, "EMLINK", "EPERM"),
    "unlink": ("EIO", "EACCES", "EBUSY", "EROFS"),
    "unlinkat": ("EIO", "EACCES", "EBUSY", "EROFS"),
    "rmdir": ("EIO", "EACCES", "EBUSY"),
    "mknodat": (*STORAGE, "EACCES"),
    "mkdir": (*STORAGE, "EACCES", "EMLINK"),
    "mkdirat": (*STORAGE, "EACCES", "EMLINK"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT"),
    "utimensat": ("EPERM", "EROFS", "EIO"),
    "fchmod": ("EPERM", "EROFS", "EIO"),
    "fchown": ("EPERM",),
    "connect": ("ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"),
    "sendto": ("EPIPE", "ECONNRESET", "short"),
    "sendmsg": ("EPIPE", "ECONNRESET"),
    "recvfrom": ("ECONNRESET", "ETIMEDOUT", "short"),
    "flock": ("ENOLCK", "EINTR", "EAGAIN"),
    "fcntl": ("ENOLCK", "EAGAIN", "EINTR"),
    "read": ("EIO", "ESTALE", "EINTR", "short"),
    "pread64": ("EIO", "ESTALE", "short"),
    "getdents64": ("EIO", "ENOENT"),
    "newfstatat": ("EIO", "EACCES", "ENOMEM"),
    "fstat": ("EIO",),
    "statx": ("EIO", "EACCES"),
    "inotify_init1": ("EMFILE", "ENOMEM"),
    "inotify_add_watch": ("ENOSPC", "EACCES", "ENOMEM"),
}
# Where a fault that lasts may be.
SUBTREES = ("", "", ".messages", "/spool/rejects", "/spool/csv", "/spool/work", "/spool/done", "/spool/failed",
            "/spool/drop", "/state", "/rows.db")


class NoCalls(Exception):
    """A run of this scenario came to nothing, several times."""


class Survey:
    """How often each call is made in an undisturbed run of a scenario."""

    def __init__(self, scenario, folder, reads=False):
        for _ in range(3):  # a busy machine may let a run come to nothing
            self.names = self.count(scenario, folder, reads)
            self.total = sum(self.names.values())
            if self.total:
                return
        raise NoCalls(scenario.name)

    @staticmethod
    def count(scenario, folder, reads):
        host = scenario.open(folder)
        log = folder + ".calls"
        scenario.attack(host, ["--log", log, *(["--reads"] if reads else [])])
        names = collections.Counter()
        if os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as file:
                for line in file:
                    names[line.split(" ", 3)[2]] += 1
        host.remove()
        return names


class Attack:
    """What all attacks on scenarios have in common. `place` makes a name for a folder."""
    share = 1.0
    patient = False
    lines_kept = 12  # of what the program said, with a failing point

    def __init__(self, scenarios, place):
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self.place = place
        self.surveys = {}

    def survey(self, scenario, reads=False):
        key = (scenario.name, reads)
        if key not in self.surveys:
            self.surveys[key] = Survey(scenario, self.place(), reads)
        return self.surveys[key]

    def draw_scenario(self, chance):
        scenarios = list(self.scenarios.values())
        return chance.choices(scenarios, [scenario.weight for scenario in scenarios])[0]

    def try_point(self, point):
        parts = point.split(":")
        scenario = self.scenarios[parts[1]]
        host = scenario.open(self.place())
        verdict = Verdict()
        try:
            self.harm(scenario, host, parts[2:], random.Random(point), verdict)
            still_open = self.recover(scenario, host)
            verdict.add("other", still_open is not None, f"not settled: {still_open}")
            verdict.merge(self.compare(scenario, host))
            look_for_reports(verdict, host.messages)
            if verdict.bad():
                verdict.sentences += ["  | " + line for line in host.said().splitlines()[-self.lines_kept:]]
        finally:
            host.remove()
        return verdict

    def harm(self, scenario, host, parts, chance, verdict):
        raise NotImplementedError

    def recover(self, scenario, host):
        return scenario.recover(host)

    def compare(self, scenario, host):
        return scenario.compare(host)


class Crash(Attack):
    """kill -9 before or after a call; then, for some, again and again during recovery."""
    row = "crash points"
    category = "crash"
    share = 9.0

    def draw(self, chance):
        scenario = self.draw_scenario(chance)
        call = chance.randint(1, self.survey(scenario).total)
        when = chance.choice(("at", "after"))
        return f"crash:{scenario.name}:{when}:{call}:{chance.randrange(10**6)}"

    def harm(self, scenario, host, parts, chance, verdict):
        when, call = parts[0], int(parts[1])
        # With -9 to the agent alone, the send command that it had started goes on.
        alone = ["--only-program"] if scenario.kind == "tail" and chance.random() < 0.5 else []
        judge_ending(verdict, scenario.attack(host, [f"--kill-{when}", call, *alone]), "the first run")
        for number in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 4))):
            call = chance.randint(1, max(2, self.survey(scenario).total // 2))
            judge_ending(verdict, scenario.attack(host, ["--kill-at", call]), f"restart {number + 1}")


class Fault(Attack):
    """Calls that fail: once, a few times, or for as long as the program runs."""
    row = "faults"
    category = "fault"
    share = 5.0
    patient = True
    linger = 1.5  # seconds of a look at a lasting fault; there are two or more

    def draw(self, chance):
        scenario = self.draw_scenario(chance)
        names = [name for name in self.survey(scenario, reads=chance.random() < 0.3).names if name in ERRORS]
        name = chance.choice(sorted(names))
        error = chance.choice(ERRORS[name])
        how_long = chance.choice(("1", "1", "1", "3", "ever", "ever"))
        if error in ("short", "EINTR") and how_long == "ever":
            how_long = "3"  # no system interrupts each call for ever
        subtree = chance.choice(SUBTREES) if how_long == "ever" else ""
        survey = self.survey(scenario, reads=True)
        if not survey.names[name]:  # another run than the one that knew of it
            raise NoCalls(f"{scenario.name} makes no call of {name}")
        first = 1 if subtree else chance.randint(1, survey.names[name])
        return (f"fault:{scenario.name}:{name}:{error}:{how_long}:{subtree.strip('/') or '-'}:{first}:"
                f"{chance.randrange(10**6)}")

    def harm(self, scenario, host, parts, chance, verdict):
        name, error, how_long, subtree, first = parts[:5]
        # What could not be removed goes a day later, when it surely is nobody's any more.
        host.temporaries_may_stay = name in ("unlink", "unlinkat", "rmdir") or error == "EXDEV"
        options = ["--calls", name]
        options += ["--short-at", first] if error == "short" else ["--fail-at", first, "--errno", error]
        if how_long == "ever":
            options += ["--for-ever"]
        else:
            options += ["--times", how_long]
        if subtree != "-":
            below = host.messages if subtree == ".messages" else host.path(subtree)
            options += ["--only-prefix", below]
        if how_long != "ever":
            ending = scenario.attack(host, options)
        else:
            watcher = LastingFault(scenario, host, self.linger)
            if chance.random() < 0.05:
                watcher.look_closely()
            ending = scenario.attack(host, options, watcher.on_quiet, watcher.on_tick)
            watcher.judge(verdict, ending)
        judge_ending(verdict, ending, "the run with the fault")


class LastingFault:
    """Looks at a program that meets a fault again and again: it must not spin, nor be silent."""
    most_share = 0.3    # of a processor, in a window; a loop without a wait takes all of it
    most_requests = 40  # a second
    most_silence = 45.0  # seconds; for ten a statement waits for a lock, and some follow each other

    def __init__(self, scenario, host, linger):
        self.scenario, self.host, self.linger = scenario, host, linger
        self.first = time.monotonic()
        self.begun = None
        self.windows = 0
        self.hot = None
        self.told = None

    def look_closely(self):
        """So long that waits which grow have grown: now 1 % of a processor is the most, and some for
        the tracer."""
        self.linger, self.most_share, self.most_requests = 12.0, 0.02, 2

    def on_quiet(self, run):
        """Silence alone is no end: a wait between two tries is one."""

    def on_tick(self, run):
        now = time.monotonic()
        requests = self.scenario.couch.requests if self.scenario.couch else 0
        cpu = cpu_seconds(run.program)
        if self.begun is None:
            self.begun = (now, cpu, requests)
            return
        then, cpu_then, requests_then = self.begun
        if now - then < self.linger:
            return
        share = (cpu - cpu_then) / (now - then)
        rate = (requests - requests_then) / (now - then)
        busy = share > self.most_share or rate > self.most_requests
        self.begun = (now, cpu, requests)
        self.windows += 1
        if self.windows < (4 if busy else 2):
            return  # it may be at honest work still
        if run.told_to_end is None:
            if busy:
                self.hot = f"{share:.0%} of a processor and {rate:.0f} requests a second"
            self.told = self.scenario.status(self.host)
            if busy or self.unexplained() == 0 or now - self.first > self.most_silence:
                run.terminate()

    def judge(self, verdict, ending, met=None):
        """`met`: whether the program met the fault at all."""
        met = ending.harmed > 0 if met is None else met
        verdict.add("hot loops", self.hot is not None, f"while the fault lasts: {self.hot}")
        if not met or self.told is None or self.windows < 2:
            return
        unexplained = self.unexplained()
        verdict.add("other", unexplained > 0, f"{unexplained} extracts wait, and nothing says why")

    def unexplained(self):
        """How many extracts wait, if neither `status` nor the log says why."""
        if self.told is None:
            return 0
        waiting = sum(count for feed in self.told["feeds"] for state, count in feed["extracts"].items()
                      if state in ("seen", "waiting", "claimed", "formatted", "uploading"))
        explained = [entry for entry in self.told["waiting"] if entry["why"]]
        stores = [store for store in self.told["stores"] if store["why"]]
        said = [line for line in self.host.said().splitlines()
                if any(mark in line for mark in self.scenario.marks)]
        return 0 if explained or stores or said else waiting


def cpu_seconds(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, TypeError):
        return 0.0





class PowerLoss(Attack):
    """The power goes at a call; for some, again during recovery."""
    row = "power losses"
    category = "power"
    share = 2.0

    def __init__(self, scenarios, place):
        # A record is of one folder.
        super().__init__([scenario for scenario in scenarios if scenario.kind != "far"], place)

    def draw(self, chance):
        scenario = self.draw_scenario(chance)
        call = chance.randint(1, self.survey(scenario).total)
        return f"power:{scenario.name}:{chance.choice(('journal', 'posix'))}:{call}:{chance.randrange(10**6)}"

    def harm(self, scenario, host, parts, chance, verdict):
        kind, call = parts[0], int(parts[1])
        # A rename that was taken back leaves the name of before, which goes a day later.
        host.temporaries_may_stay = kind == "posix"
        scenario.bring_all(host)  # what comes later is written by no program that is recorded
        for number in range(chance.choice((1, 1, 1, 2, 3))):
            disk = Disk(host.folder, kind, scenario.kept_by_others)
            record = host.folder + ".record"
            ending = scenario.attack(host, ["--record", record, "--kill-at", call])
            judge_ending(verdict, ending, f"run {number + 1}")
            disk.play(record)
            if ending.how == "killed":
                disk.cut(chance)
                disk.build()
            call = chance.randint(1, max(2, self.survey(scenario).total // 2))
