"""caravel watch: from the drop directory into the store."""
import glob
import gzip
import hashlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

import harness
from harness import SAMPLE, location, wait_for


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Watch(harness.HostTest):
    def test_the_same_extract_however_often_gives_its_rows_once(self):
        host = self.host()
        host.start()
        content = read(SAMPLE)
        expected = content.count(b"\n")
        host.drop(content, "hrt-2012-03-09.log")
        host.wait_until_ended(1)
        rows = host.count()
        self.assertGreater(rows, 200)
        self.assertLess(rows, expected)
        host.drop(content, "hrt-2012-03-09.log")
        host.wait_until_ended(2)
        host.drop(content, "another-2012-03-09.log")
        host.wait_until_ended(3)
        host.drop(gzip.compress(content), "packed-2012-03-09.log.gz")
        host.wait_until_ended(4)
        self.assertEqual(host.run("process", SAMPLE).returncode, 3)
        host.stop()
        host.drop(content, "swept-2012-03-09.log")
        self.assertEqual(host.run("sweep").returncode, 3)
        host.start()
        host.stop()
        self.assertEqual(host.count(), rows)
        feeds = host.rows("select count(*) from _feeds")[0][0]
        self.assertEqual(feeds, 2)  # the packed one is another file with the same rows
        self.assert_counts_add_up(host)
        digest = hashlib.sha256(content).hexdigest()[:8]
        self.assertIn("hrt-2012-03-09.log", host.done())
        self.assertIn("hrt-2012-03-09.log~" + digest, host.done())

    def test_a_file_that_is_being_written_yields_nothing_before_its_close(self):
        host = self.host()
        host.start()
        lines = "".join(location(second) for second in range(50)).encode()
        with open(host.path("spool/drop/slow-2012-03-09.log"), "wb") as file:
            for at in range(0, len(lines), 700):
                file.write(lines[at:at + 700])
                file.flush()
                # Another extract is loaded meanwhile: so the watcher has been awake, and has seen both files.
                host.drop(location(40000 + at), f"quick{at}-2012-03-09.log")
                # On a slow machine it may be claimed by now, since it was still for a while, and wait in work/.
                wait_for("the other extract", lambda: host.extracts()["done"] == at // 700 + 1)
                self.assertEqual(host.count(), at // 700 + 1)
            before = host.count()
        host.wait_until_ended(before + 1)
        self.assertEqual(host.count(), before + 50)

    def test_a_claimed_file_with_a_writer_waits_and_says_why(self):
        host = self.host()
        os.makedirs(host.path("spool/drop"))
        name = host.path("spool/drop/open-2012-03-09.log")
        with open(name, "wb") as writer:
            writer.write(location(1).encode())
            writer.flush()
            # Found by the scan, long still by its times, and yet not whole.
            os.utime(name, (1, 1))
            host.start()
            wait_for("the claim", host.in_work)
            wait_for("the reason", lambda: "open for writing" in host.run("status").stdout)
            self.assertIn("open for writing", host.run("explain", "open-2012-03-09.log", expect=0).stdout)
            writer.write(location(2).encode())
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 2)

    def test_a_renamed_file_is_taken_at_once(self):
        host = self.host(feed="    settle: 1h\n")
        host.start()
        with open(host.path("ready"), "w", encoding="ascii") as file:
            file.write(location(1))
        os.rename(host.path("ready"), host.path("spool/drop/moved-2012-03-09.log"))
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)

    def test_a_file_that_was_linked_into_place_is_taken(self):
        host = self.host(feed="    settle: 50ms\n")
        host.start()
        with open(host.path("ready"), "w", encoding="ascii") as file:
            file.write(location(1))
        os.link(host.path("ready"), host.path("spool/drop/linked-2012-03-09.log"))
        # The watcher has seen the file with two links. No event tells when one of them is removed.
        host.drop(location(2), "other-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertIn("linked-2012-03-09.log", os.listdir(host.path("spool/drop")))
        os.unlink(host.path("ready"))
        host.wait_until_ended(2)
        self.assertEqual(host.count(), 2)

    def test_a_hostile_drop_directory_is_left_alone_and_reported(self):
        host = self.host()
        host.start()
        drop = host.path("spool/drop")
        secret = host.path("secret.log")
        with open(secret, "w", encoding="ascii") as file:
            file.write(location(5))
        os.symlink(secret, drop + "/link-2012-03-09.log")
        os.mkfifo(drop + "/fifo.log")
        os.mkdir(drop + "/folder.log")
        os.link(secret, drop + "/second-name-2012-03-09.log")
        for name in (".hidden.log", "a.log.part", "b.tmp", "~c.log", ".d.log.Xa12Bc", "new\nline.log",
                     "other.txt"):
            host.drop(location(6), name)
        with open(os.fsencode(drop) + b"/bad\xff.log", "w", encoding="ascii") as file:
            file.write(location(7))
        host.drop(location(8), "good-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)
        host.stop()
        self.assertEqual(host.run("sweep").returncode, 0)
        self.assertEqual(host.count(), 1)
        self.assertEqual(len(os.listdir(os.fsencode(drop))), 12)
        self.assertTrue(os.path.exists(secret))
        said = host.run("status").stdout
        for part in ("link-2012-03-09.log", "fifo.log", "other.txt", "symbolic link"):
            self.assertIn(part, said)
        self.assertNotIn("new\nline", said)

    def test_a_drop_directory_that_is_made_again_is_watched_again(self):
        host = self.host()
        host.start()
        host.drop(location(1), "first-2012-03-09.log")
        host.wait_until_ended(1)
        os.rmdir(host.path("spool/drop"))
        os.mkdir(host.path("spool/drop"))
        host.drop(location(2), "second-2012-03-09.log")
        host.wait_until_ended(2)
        self.assertEqual(host.count(), 2)

    def test_an_extract_that_is_written_to_after_its_end_is_loaded_again(self):
        host = self.host()
        host.start()
        host.drop(location(1), "grows-2012-03-09.log")
        host.wait_until_ended(1)
        host.stop()
        with open(host.path("spool/done", *self.only_done(host)), "a", encoding="ascii") as file:
            file.write(location(2))
        host.start()
        host.wait_until_ended(2)
        self.assertEqual(host.count(), 2)

    def only_done(self, host):
        for folder, _, names in os.walk(host.path("spool/done")):
            if names:
                return [os.path.join(folder, names[0])]
        raise AssertionError("nothing is done")

    def test_status_before_the_first_start_says_that_nothing_was_seen(self):
        host = self.host()
        self.assertIn("never", host.run("status", expect=0).stdout)
        self.assertFalse(os.path.exists(host.path("state")))

    def test_a_locked_ledger_does_not_keep_it_from_ending(self):
        host = self.host()
        host.start()
        ledger = sqlite3.connect(host.path("state/ledger.db"), isolation_level=None)
        ledger.execute("BEGIN EXCLUSIVE")
        idle = harness.time_slices(host.watcher.pid)
        host.drop(location(1), "a-2012-03-09.log")
        # An idle watcher is given none: it has seen the file, and asks for the lock again and again.
        wait_for("the watcher to ask for the lock",
                 lambda: harness.time_slices(host.watcher.pid) > idle + 30)
        host.watcher.send_signal(signal.SIGTERM)
        # The promise itself: 5 s. Twice that, for a machine that is busy.
        self.assertEqual(0, host.watcher.wait(10))
        host.watcher = None
        ledger.execute("ROLLBACK")
        ledger.close()
        host.run("sweep", expect=0)
        self.assertEqual(1, host.count())

    def test_one_watcher_a_spool(self):
        host = self.host()
        host.start()
        second = host.run("watch")
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"pid {host.watcher.pid}", second.stderr)
        sweep = host.run("sweep")
        self.assertEqual(sweep.returncode, 0)
        self.assertIn(f"pid {host.watcher.pid}", sweep.stderr)
        self.assertIn(f"pid {host.watcher.pid}", host.run("status").stdout)

    @unittest.skipIf("TSAN_OPTIONS" in os.environ, "the sanitizer has a thread of its own that never rests")
    def test_an_idle_watcher_uses_no_processor_time(self):
        host = self.host()
        host.start()
        host.drop(location(1), "one-2012-03-09.log")
        host.wait_until_ended(1)

        def switches():
            lines = []
            for path in glob.glob(f"/proc/{host.watcher.pid}/task/*/status"):
                with open(path, encoding="ascii") as file:
                    lines += [line for line in file if "ctxt_switches" in line]
            return lines

        def rests():
            before = switches()
            until = time.monotonic() + 1.2  # longer than any timer that polls
            while time.monotonic() < until:
                host.run("status", expect=0)
            return before == switches()
        # Not at once: after archiving, the watcher syncs a name and removes a folder.
        wait_for("a time in which nothing wakes it", rests)

    @unittest.skipIf("asan" in harness.CARAVEL or "tsan" in harness.CARAVEL, "sanitizers need memory of their own")
    def test_an_idle_watcher_holds_less_than_16_mib(self):
        host = self.host()
        host.start()

        def resident():
            with open(f"/proc/{host.watcher.pid}/smaps_rollup", encoding="ascii") as file:
                return int(re.search(r"^Rss: +(\d+)", file.read(), re.MULTILINE)[1])
        wait_for("less than 16 MiB at rest", lambda: resident() < 16 * 1024)
        for number in range(20):
            host.drop("".join(location(100 * number + second) for second in range(100)), f"{number}-2012-03-09.log")
        host.wait_until_ended(20)
        wait_for("less than 16 MiB after work", lambda: resident() < 16 * 1024)


class Start(harness.HostTest):
    def test_a_start_that_fails_half_way_ends_with_an_error(self):
        host = self.host(feeds="  other: {drop: other, match: '*.log', format: spysocket, store: local}\n"
                               "  third: {drop: third, match: '*.log', format: spysocket, store: local}\n")
        host.run("sweep", expect=0)
        ledger = host.path("state/ledger.db")
        failures = 0
        for when in range(1, 100):
            # From its n-th opening on, the ledger cannot be opened: for the loop, then for each worker.
            process = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-P", ledger, "-e", "trace=openat", "-e",
                 f"inject=openat:error=EMFILE:when={when}+", harness.CARAVEL, "watch", "--config",
                 host.config], stderr=subprocess.PIPE, cwd=host.folder, text=True,
                # A report of leaks needs ptrace(2) for itself.
                env={**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"})
            def end(how, strace=process):
                # A killed strace would only detach from the watcher, so the watcher itself is ended.
                with open(f"/proc/{strace.pid}/task/{strace.pid}/children", encoding="ascii") as file:
                    os.kill(int(file.read().split()[0]), how)
            # The watcher's stderr is read to its end, so a watcher that hangs is killed.
            patience = threading.Timer(harness.PATIENCE, end, [signal.SIGKILL])
            patience.start()
            said = []
            started = False
            for line in process.stderr:
                said.append(line)
                if "watching" in line and not started:
                    started = True
                    end(signal.SIGTERM)
            patience.cancel()
            with self.subTest(when=when):
                code = process.wait(harness.PATIENCE)
                process.stderr.close()
                if started:
                    self.assertEqual(code, 0, said)
                    break
                self.assertEqual(code, 1, said)
                self.assertIn("ledger", said[-1])
                failures += 1
        self.assertGreaterEqual(failures, 2, "the loop and the first worker")


class Sweep(harness.HostTest):
    def test_a_file_that_is_never_still_keeps_no_sweep_from_ending(self):
        host = self.host(feed="    settle: 200ms\n")
        os.makedirs(host.path("spool/drop"))
        never_still = host.path("spool/drop/busy-2012-03-09.log")
        enough = threading.Event()
        began = threading.Event()

        def write():
            while not enough.is_set():
                # The file is closed after each line: it changes, but no process keeps it open for writing.
                with open(never_still, "a", encoding="ascii") as file:
                    file.write(location(1))
                began.set()
        writer = threading.Thread(target=write)
        writer.start()
        try:
            began.wait()
            host.drop(location(2), "still-2012-03-09.log")
            with open(host.path("spool/drop/open-2012-03-09.log"), "w", encoding="ascii") as file:
                # By its times the file is still, so it is claimed; but it stays open for writing.
                file.write(location(3))
                file.flush()
                os.utime(file.fileno(), (1, 1))
                said = host.run("sweep", expect=0).stderr
        finally:
            enough.set()
            writer.join()
        self.assertIn("1 done", said)
        self.assertIn("2 waiting", said)
        self.assertTrue(os.path.exists(never_still))
        self.assertEqual(host.count(), 1)


class Notify(harness.HostTest):
    def test_systemd_hears_of_the_start_and_of_the_end(self):
        host = self.host()
        path = host.path("notify")
        heard = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(path)
            server.settimeout(harness.PATIENCE)
            os.environ["NOTIFY_SOCKET"] = path
            try:
                host.start()
            finally:
                del os.environ["NOTIFY_SOCKET"]
            heard.append(server.recv(100))
            ender = threading.Thread(target=host.stop)
            ender.start()
            heard.append(server.recv(100))
            ender.join()
        self.assertEqual(heard, [b"READY=1", b"STOPPING=1"])

    def test_the_watchdog_is_fed_by_the_loop(self):
        host = self.host()
        path = host.path("notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(path)
            server.settimeout(harness.PATIENCE)
            os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="600000")
            try:
                host.start()
            finally:
                del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
            self.assertEqual(server.recv(100), b"READY=1")
            # Nothing happens, and yet it says that it is alive, again and again.
            for _ in range(3):
                self.assertEqual(server.recv(100), b"WATCHDOG=1")
            # A loop that does not go on says nothing: what is in the socket's queue was said before.
            host.watcher.send_signal(signal.SIGSTOP)
            server.settimeout(1)
            with self.assertRaises(TimeoutError):
                for _ in range(100):
                    server.recv(100)
            host.watcher.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    harness.main()
