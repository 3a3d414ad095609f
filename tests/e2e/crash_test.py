"""kill -9 at any instant: afterwards every line is stored once and every file has its place."""
import os
import random
import shutil
import signal
import subprocess
import time

import harness
from harness import location

# The calls after which the disk looks different: a crash between any two of them must be harmless.
CALLS = ("rename", "renameat2", "renameat", "fsync", "fdatasync", "syncfs", "unlink", "unlinkat", "mkdir", "mkdirat",
         "rmdir", "ftruncate")


class Crash(harness.HostTest):
    def check(self, host, extracts, rows):
        """After a restart, no row is lost or stored twice, and no file is left behind."""
        # 3 says that lines were rejected; 0 if both extracts were done before the crash.
        self.assertIn(host.run("sweep").returncode, (0, 3))
        self.assertEqual(host.count(), rows)
        self.assertEqual(host.rows("select count(*) from _feeds")[0][0], extracts)
        self.assertEqual(len(host.done()), extracts)
        self.assertEqual(host.in_work(), [])
        self.assertEqual(os.listdir(host.path("spool/drop")), [])
        self.assertEqual(os.listdir(host.path("spool/failed")), [])
        self.assertEqual(sorted(os.listdir(host.path("spool/rejects")))[-2:],
                         ["b-2012-03-09.log.reasons.csv", "b-2012-03-09.log.rejects"])
        states = host.extracts()
        self.assertEqual((states["done"], states["failed"], states["waiting"]), (extracts, 0, 0))
        self.assert_counts_add_up(host)

    def drop_two(self, host):
        os.makedirs(host.path("spool/drop"), exist_ok=True)
        host.drop("".join(location(second) for second in range(40)), "a-2012-03-09.log")
        # The second extract overlaps the first, and has a line that is rejected.
        host.drop("".join(location(second) for second in range(20, 60)) + "rubbish\n",
                  "b-2012-03-09.log")
        for name in ("a", "b"):
            os.utime(host.path(f"spool/drop/{name}-2012-03-09.log"), (1, 1))

    def kill_at_each_step(self, prepare, extracts, rows):
        """`prepare` makes a host of which a sweep is killed; (call, number) of each kill."""
        killed = []
        for call in CALLS:
            for when in range(1, 200):
                host = prepare()
                # The leak sanitizer, in a build that has it, does not work under strace.
                run = host.run("sweep", wrapper=["strace", "-f", "-qq", "-o", "/dev/null",
                                                 "-E", "ASAN_OPTIONS=detect_leaks=0", "-e",
                                                 f"trace={call}", "-e",
                                                 f"inject={call}:signal=SIGKILL:when={when}"])
                with self.subTest(call=call, when=when):
                    if run.returncode != 3:
                        self.assertEqual(run.returncode, -signal.SIGKILL, run.stderr)
                        killed.append((call, when))
                    self.check(host, extracts, rows)
                shutil.rmtree(host.folder)
                if run.returncode != -signal.SIGKILL:
                    break
        print("killed", len(killed), "times")
        return killed

    def test_killed_at_each_step_of_a_sweep(self):
        def prepare():
            host = self.host(feed="    settle: 1ms\n")
            self.drop_two(host)
            return host
        self.assertGreater(len(self.kill_at_each_step(prepare, 2, 60)), 40)

    def test_killed_at_each_step_of_a_group(self):
        """Both extracts go through together: the store has its file already."""
        def prepare():
            host = self.host(feed="    settle: 1ms\n    keep_csv: 0s\n")
            os.makedirs(host.path("spool/drop"), exist_ok=True)
            host.drop("".join(location(second) for second in range(100, 110)), "0-2012-03-09.log")
            os.utime(host.path("spool/drop/0-2012-03-09.log"), (1, 1))
            self.assertEqual(host.run("sweep").returncode, 0)
            self.drop_two(host)
            return host
        killed = self.kill_at_each_step(prepare, 3, 70)
        self.assertGreater(len(killed), 20)
        self.assertIn(("syncfs", 1), killed)
        self.assertNotIn(("syncfs", 2), killed)  # one for both

    def test_killed_at_random_while_extracts_come(self):
        seed = int(os.environ.get("CARAVEL_SEED", random.randrange(10**6)))
        print("CARAVEL_SEED =", seed)
        chance = random.Random(seed)
        host = self.host()
        rows = set()
        dropped = 0
        for round_number in range(12):
            host.start()
            until = time.monotonic() + chance.uniform(0, 0.15)
            while time.monotonic() < until:
                first = chance.randrange(2000)
                seconds = range(first, first + chance.randrange(1, 300))
                rows.update(seconds)
                # Written elsewhere and renamed into place: the drop directory never holds half of it.
                with open(host.path("coming"), "w", encoding="ascii") as file:
                    file.write("".join(location(second) for second in seconds))
                os.rename(host.path("coming"), host.path(f"spool/drop/{dropped}-2012-03-09.log"))
                dropped += 1
            host.kill()
        host.start()
        host.wait_until_ended(dropped)
        self.assertEqual(host.count(), len(rows))
        self.assertEqual(len(host.done()), dropped)
        self.assert_counts_add_up(host)

    def test_a_wiped_store_fills_again_when_extracts_are_dropped_again(self):
        host = self.host()
        host.start()
        host.drop(location(1) + location(2), "a-2012-03-09.log")
        host.wait_until_ended(1)
        for name in ("rows.db", "rows.db-wal", "rows.db-shm"):
            if os.path.exists(host.path(name)):
                os.unlink(host.path(name))
        host.drop(location(1) + location(2), "a-2012-03-09.log")
        host.wait_until_ended(2)
        self.assertEqual(host.count(), 2)
        self.assertEqual(host.rows("select count(*) from _feeds")[0][0], 1)


class Interrupted(harness.HostTest):
    def test_a_killed_process_is_settled_by_the_next_run(self):
        for command in ("sweep", "status", "explain"):
            with self.subTest(command):
                self.settled_by(command)

    def settled_by(self, command):
        host = self.host()
        name = "big-2012-03-09.log"
        with open(host.path(name), "w", encoding="utf-8") as file:
            file.writelines(harness.location(second) for second in range(60000))
        child = subprocess.Popen([harness.CARAVEL, "--config", host.config, "process",
                                  host.path(name)], stderr=subprocess.DEVNULL)
        harness.wait_for("rows", lambda: os.path.exists(host.path("rows.db")))
        child.kill()
        child.wait()
        answered = host.run(command, *(["1"] if command == "explain" else []))
        self.assertIn("was killed", answered.stderr)
        states = host.extracts()
        self.assertEqual(0, sum(n for state, n in states.items() if state not in ("done", "failed")))
        host.run("process", host.path(name), expect=0)
        self.assertEqual(60000, host.count())

    def test_a_stopped_load_by_hand_goes_on_without_duplicates(self):
        host = self.host()
        total = 80000
        with open(host.path("big-2012-03-09.log"), "w", encoding="ascii") as file:
            file.writelines(location(second) for second in range(total))
        child = subprocess.Popen([harness.CARAVEL, "--config", host.config, "process",
                                  host.path("big-2012-03-09.log")], stderr=subprocess.PIPE, text=True)

        def begun():
            try:
                return child.poll() is not None or host.count() > 0
            except harness.sqlite3.OperationalError:
                return False
        harness.wait_for("the first rows", begun)
        child.send_signal(signal.SIGINT)
        said = child.communicate()[1]
        if child.returncode != 0:  # it may have been quicker than we
            self.assertEqual(child.returncode, 1, said)
            self.assertIn("run it again", said)
        host.run("process", host.path("big-2012-03-09.log"), expect=0)
        self.assertEqual(host.count(), total)


if __name__ == "__main__":
    harness.main()
