#!/usr/bin/env python3
"""The instruments themselves: would they see what they are there for?"""
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import attacks  # noqa: E402
import content  # noqa: E402
import host  # noqa: E402
import scenarios  # noqa: E402
from disk import Disk  # noqa: E402
from injection import Injected  # noqa: E402
from torture import fast_folder  # noqa: E402
from verdict import Verdict  # noqa: E402

TOOLS = host.Tools(os.environ["CARAVEL_BINARY"], os.environ["CARAVEL_TAIL_BINARY"],
                   os.environ["CARAVEL_INJECTOR"])


class InstrumentTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caravel-selftest-", dir=fast_folder())
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, *names):
        return os.path.join(self.folder, *names)


class Injector(InstrumentTest):
    def run_python(self, options, code):
        """The ending, and the lines of the log of calls on files in the folder."""
        log = self.path("calls")
        os.makedirs(self.path("place"), exist_ok=True)
        run = Injected(TOOLS.injector, ["--path-prefix", self.path("place") + "/", "--log", log, *options],
                       [sys.executable, "-S", "-c", code], self.path("place"), self.path("messages"))
        ending = run.run()
        with open(log, encoding="utf-8") as file:
            return ending, file.read().splitlines()

    def test_one_count_over_all_threads_and_children(self):
        ending, calls = self.run_python([], """
import os, threading
def work(number):
    for n in range(10): os.mkdir(f"{number}.{n}")
threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
os.system("rmdir 0.0 0.1")
""")
        self.assertEqual((ending.how, ending.code, ending.calls), ("exited", 0, 42))
        self.assertEqual([int(line.split()[0]) for line in calls], list(range(1, 43)))
        self.assertTrue(calls[-1].split()[3].endswith("place/0.1"))

    def test_killed_before_or_behind_the_call(self):
        make = "import os\nfor n in range(9): os.mkdir(str(n))"
        for option, there in (("--kill-at", 4), ("--kill-after", 5)):
            with self.subTest(option):
                ending, _ = self.run_python([option, 5], make)
                self.assertEqual(ending.how, "killed")
                self.assertEqual(len(os.listdir(self.path("place"))), there)
                shutil.rmtree(self.path("place"))

    def test_calls_fail_as_long_as_they_are_told_to(self):
        make = """
import os
for n in range(9):
    try: os.mkdir(str(n))
    except OSError as error: print(error.errno)
    open("f", "a").close()
"""
        for options, failed in ((["--times", 1], 1), (["--times", 3], 3), (["--for-ever"], 7)):
            with self.subTest(options):
                ending, _ = self.run_python(["--calls", "mkdir", "--fail-at", 3, "--errno", "ENOSPC", *options],
                                            make)
                self.assertEqual((ending.harmed, ending.code), (failed, 0))
                self.assertEqual(len(os.listdir(self.path("place"))), 9 - failed + 1)
                shutil.rmtree(self.path("place"))

    def test_a_lock_can_always_be_given_back(self):
        take_and_give_back = """
import fcntl, os
with open("f", "w") as file:
    for lock in (fcntl.lockf, fcntl.flock):
        for operation in (fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN):
            try: lock(file, operation)
            except OSError as error: print(error.errno)
"""
        for call in ("fcntl", "flock"):
            with self.subTest(call):
                ending, _ = self.run_python(
                    ["--calls", call, "--fail-at", 1, "--errno", "ENOLCK", "--for-ever"], take_and_give_back)
                self.assertEqual((ending.harmed, ending.code), (1, 0))

    def test_a_short_write_is_short(self):
        self.run_python(["--calls", "write", "--short-at", 1],
                        "import os\nfd = os.open('f', os.O_CREAT | os.O_WRONLY)\nos.write(fd, b'x' * 100)")
        self.assertEqual(os.path.getsize(self.path("place", "f")), 50)

    def test_a_program_that_does_not_end_is_a_hang(self):
        run = Injected(TOOLS.injector, ["--limit", 200], ["sleep", "100"], self.folder, self.path("messages"))
        self.assertEqual(run.run().how, "hang")

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "no sanitizer is static")
    def test_the_clock_jumps_in_static_programs_too(self):
        log = self.path("app.log")
        with open(log, "wb") as file:
            file.write(content.location(1))
        run = Injected(TOOLS.injector, ["--clock", "0:-315360000"],
                       [TOOLS.agent, "--once", "--from", "start", "--outbox", self.path("outbox"), "--state",
                        self.path("state"), log], self.folder, self.path("messages"))
        self.assertEqual(run.run().code, 0)
        name = next(name for name in os.listdir(self.path("outbox")) if name.endswith(".manifest"))
        with open(self.path("outbox", name), encoding="ascii") as file:
            cut = next(line for line in file if line.startswith("cut="))
        self.assertEqual(int(cut[4:8]), content.today().year - 10)


class Power(InstrumentTest):
    def setUp(self):
        super().setUp()
        self.scenario = scenarios.Sweep(TOOLS, "local", self.path("templates"))

    def snapshot(self, top):
        found = {}
        for folder, folders, names in os.walk(top):
            for name in folders:
                found[os.path.relpath(os.path.join(folder, name), top)] = None
            for name in names:
                if not name.endswith("-shm"):
                    with open(os.path.join(folder, name), "rb") as file:
                        found[os.path.relpath(os.path.join(folder, name), top)] = file.read()
        return found

    def test_with_all_synced_the_disk_is_as_it_was(self):
        for number in (300, 1000, 2000, 100000):
            with self.subTest(number):
                place = self.scenario.open(self.path(f"at{number}"))
                disk = Disk(place.folder, "posix")
                self.scenario.attack(place, ["--record", place.folder + ".record", "--kill-at", number])
                disk.play(place.folder + ".record")
                disk.on_syncall([], b"")
                disk.keep_changes(disk.changes)
                before = self.snapshot(place.folder)
                disk.build()
                self.assertEqual(self.snapshot(place.folder), before)

    def lost(self, options):
        """What is lost at twenty power cuts, with more options of the injector."""
        verdict = Verdict()
        chance = random.Random(1)
        power = attacks.PowerLoss([self.scenario], lambda: self.path("survey"))
        total = power.survey(self.scenario).total
        for number in range(20):
            place = self.scenario.open(self.path(f"cut{number}"))
            disk = Disk(place.folder, "journal")
            record = place.folder + ".record"
            self.scenario.attack(place, ["--record", record, "--kill-at", chance.randint(total // 2, total),
                                         *options])
            disk.play(record)
            disk.cut(chance)
            disk.build()
            self.scenario.recover(place)
            try:
                verdict.merge(self.scenario.compare(place))
            except sqlite3.DatabaseError as error:
                # On a disk that lies, a database may be none any more.
                verdict.add("lost", 1, str(error))
            place.remove()
        return verdict.counts.get("lost", 0)

    def test_a_disk_that_lies_loses_and_is_found_out(self):
        self.assertEqual(self.lost([]), 0)
        # Every sync from now on is a lie. What counts is counted as before: the options apply to syncs.
        self.assertGreater(self.lost(["--pretend-at", 1, "--for-ever", "--harm-only", "fsync,fdatasync"]), 0)


class Comparison(InstrumentTest):
    def test_what_is_lost_doubled_or_invented_is_seen(self):
        scenario = scenarios.Sweep(TOOLS, "local", self.path("templates"))
        place = scenario.open(self.path("place"))
        scenario.recover(place)
        self.assertEqual(scenario.compare(place).sentences, [])
        import sqlite3
        with sqlite3.connect(place.path("rows.db")) as database:
            database.execute("delete from hrt where _id = (select min(_id) from hrt)")
            database.execute("create temp table t as select * from hrt limit 1")
            database.execute("update t set _id = 'twice'")
            database.execute("insert into hrt select * from t")
            database.execute("update t set _id = 'new', Vehicle = 'V.0'")
            database.execute("insert into hrt select * from t")
        database.close()
        rejects = next(path for path in place.files_below("spool/rejects") if path.endswith(".rejects"))
        with open(rejects, "rb+") as file:
            file.truncate(0)
        os.unlink(place.files_below("spool/done")[0])
        counts = scenario.compare(place).counts
        self.assertEqual((counts["doubled"], counts["invented"]), (1, 1))
        self.assertGreater(counts["lost"], 3)  # a row, the rejects, an original


if __name__ == "__main__":
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    print(subprocess.run([TOOLS.caravel, "--version"], capture_output=True, text=True, check=True).stdout)
    unittest.main(verbosity=2)
