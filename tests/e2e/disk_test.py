"""What one extract may take of the disk, and what becomes of it and of the others when that is too much."""
import csv
import glob
import gzip
import os
import shutil
import subprocess
import tempfile
import threading

import harness
from harness import location

MIB = 1 << 20


def packed(line, count):
    """`count` times the same line, packed without holding it unpacked."""
    with tempfile.TemporaryFile() as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as out:
            block = line.encode() * 4096
            for _ in range(count // 4096):
                out.write(block)
        file.seek(0)
        return file.read()


class LeastFree(threading.Thread):
    """Watches a file system, and remembers the least that was free."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.least, self.over = path, None, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.002):
            state = os.statvfs(self.path)
            free = state.f_bavail * state.f_frsize
            self.least = free if self.least is None else min(self.least, free)

    def stop(self):
        self.over.set()
        self.join()
        return self.least


class SmallDisk(harness.HostTest):
    """The spool is on a disk of 64 MiB, of which 32 MiB are to stay free."""

    def small_host(self, first="min_free: 32MiB\n", feed=""):
        host = self.host(feed=feed)
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(first + text)
        os.makedirs(host.path("spool"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64M", "none", host.path("spool")],
                          capture_output=True, check=False).returncode:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", host.path("spool")], check=True)
        os.mkdir(host.path("spool/drop"))
        return host

    def waits_while_others_pass(self, host, content, keeps_free):
        """A large extract comes, and then an honest one: that is loaded, the other waits and says why; once
        the disk is larger it is loaded too."""
        watch = LeastFree(host.path("spool"))
        # Both are there before the watcher is: the large one is begun first.
        host.drop(content, "a-large-2012-03-09.log.gz")
        host.drop(location(1), "good-2012-03-09.log")
        host.start()
        harness.wait_for("the honest extract", lambda: "good-2012-03-09.log" in host.done())
        harness.wait_for("the reason", lambda: b"disk: " in host.log_bytes())
        # It is tried again now and then, and has no reason to wait then.
        harness.wait_for("the reason, explained",
                         lambda: "disk: " in host.run("explain", "a-large-2012-03-09.log.gz").stdout)
        self.assertEqual(glob.glob(host.path("spool/*/.tmp-*")), [], "what it had taken it gives back")
        self.assertGreater(watch.stop(), keeps_free)
        host.drop(location(2), "later-2012-03-09.log")
        harness.wait_for("a later one", lambda: "later-2012-03-09.log" in host.done())
        subprocess.run(["mount", "-o", "remount,size=1G", host.path("spool")], check=True)
        harness.wait_for("the large one", lambda: "a-large-2012-03-09.log.gz" in host.done())
        host.stop()

    def test_zeros_wait_for_room(self):
        host = self.small_host()
        self.waits_while_others_pass(host, gzip.compress(bytes(100 * MIB), 1), 31 * MIB)
        self.assertLess(tree_size(host.path("spool/rejects")), 65 * MIB)

    def test_well_packed_lines_wait_for_room(self):
        host = self.small_host()
        self.waits_while_others_pass(host, packed(location(10), 300_000), 31 * MIB)
        self.assertEqual(host.count(), 3, "the same line is one row")

    def test_rejects_wait_for_room(self):
        host = self.small_host(first="min_free: 32MiB\nmax_reject_bytes: 1GiB\n",
                               feed="    max_rejects: 100%\n")
        self.waits_while_others_pass(host, packed("rubbish\n", 1_500_000), 31 * MIB)

    def test_a_disk_that_is_full_is_no_fault_of_the_file(self):
        host = self.small_host(first="min_free: 0\n")
        self.waits_while_others_pass(host, packed(location(10), 500_000), -1)

    def test_what_a_kill_leaves_takes_nobodys_room(self):
        host = self.small_host(first="min_free: 8MiB\n")
        host.drop(packed(location(10), 600_000), "a-large-2012-03-09.log.gz")
        host.start()
        harness.wait_for("it to be written", lambda: tree_size(host.path("spool/csv")) > MIB)
        host.kill()
        self.assertNotEqual(os.listdir(host.path("spool/csv")), [])
        host.drop(location(1), "good-2012-03-09.log")
        host.start()
        harness.wait_for("the honest extract", lambda: "good-2012-03-09.log" in host.done())
        harness.wait_for("the reason", lambda: b"disk: " in host.log_bytes())
        self.assertEqual(glob.glob(host.path("spool/*/.tmp-*")), [])
        host.stop()

    def test_kept_csvs_give_way(self):
        """They can be made again: what is kept of many small files must not stop the feeds for days."""
        host = self.small_host(feed="    keep_csv: 7d\n")
        for number in range(4):
            host.drop(packed(location(number), 100_000), f"large{number}-2012-03-09.log.gz")
            host.run("sweep", expect=0)
        self.assertEqual(len(host.done()), 4)
        self.assertEqual(host.count(), 4)

    def test_sweep_loads_the_others(self):
        host = self.small_host()
        host.drop(packed(location(10), 300_000), "a-large-2012-03-09.log.gz")
        host.drop(location(1), "good-2012-03-09.log")
        swept = host.run("sweep", expect=1)
        self.assertIn("disk: ", swept.stderr)
        self.assertEqual(host.done(), ["good-2012-03-09.log"])
        self.assertEqual(glob.glob(host.path("spool/*/.tmp-*")), [])

    def test_process_has_the_same_bounds(self):
        host = self.small_host()
        large = host.path("large-2012-03-09.log.gz")
        with open(large, "wb") as file:
            file.write(packed(location(10), 300_000))
        with open(host.path("good-2012-03-09.log"), "w", encoding="utf-8") as file:
            file.write(location(1))
        watch = LeastFree(host.path("spool"))
        loaded = host.run("process", "--year", "2012", large, "good-2012-03-09.log", expect=1)
        self.assertGreater(watch.stop(), 31 * MIB)
        self.assertIn("disk: ", loaded.stderr)
        self.assertEqual(host.count(), 1)
        self.assertEqual(glob.glob(host.path("spool/*/.tmp-*")), [])


def tree_size(folder):
    size = 0
    for entry in os.scandir(folder):
        try:
            size += entry.stat().st_size
        except FileNotFoundError:
            pass  # renamed or removed just now
    return size


class Bounds(harness.HostTest):
    """What no disk is too small for is refused because of the extract itself."""

    def bounded(self, limits, feed=""):
        host = self.host(feed=feed)
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(limits + text)
        return host

    def failed(self, host, name):
        host.run("sweep")
        with open(host.path(f"spool/failed/{name}.why"), encoding="utf-8") as file:
            return file.read()

    def test_a_sparse_terabyte_is_refused_unread(self):
        host = self.bounded("")
        os.makedirs(host.path("spool/drop"))
        with open(host.path("spool/drop/sparse-2012-03-09.log"), "wb") as file:
            file.truncate(1 << 40)
        self.assertIn("max_unpacked", self.failed(host, "sparse-2012-03-09.log"))
        self.assertEqual(host.extracts()["failed"], 1)

    def test_a_sparse_file_is_copied_with_its_holes(self):
        if os.stat("/dev/shm").st_dev == os.stat(self.folder).st_dev:
            self.skipTest("no second file system")
        far = tempfile.mkdtemp(prefix="caravel-e2e-", dir="/dev/shm")
        self.addCleanup(shutil.rmtree, far)
        host = self.bounded("", feed=f"    drop: {far}\n")
        with open(os.path.join(far, "sparse-2012-03-09.log"), "wb") as file:
            file.write(b"begin")
            file.truncate(1 << 40)
        self.assertIn("max_unpacked", self.failed(host, "sparse-2012-03-09.log"))
        copy = os.stat(host.path("spool/failed/sparse-2012-03-09.log"))
        self.assertEqual(copy.st_size, 1 << 40)
        self.assertLess(copy.st_blocks * 512, 10 * MIB)

    def test_max_ratio(self):
        host = self.bounded("max_ratio: 100\n")
        os.makedirs(host.path("spool/drop"))
        host.drop(gzip.compress(bytes(100 * MIB), 9), "zeros-2012-03-09.log.gz")
        self.assertIn("max_ratio", self.failed(host, "zeros-2012-03-09.log.gz"))

    def test_what_it_writes_counts(self):
        """Short lines make a sidecar that is many times as large."""
        host = self.bounded("max_unpacked: 4MiB\n", feed="    year: guess\n")
        host.run("check")
        os.makedirs(host.path("spool/drop"), exist_ok=True)
        with open(host.config, encoding="utf-8") as file:
            text = file.read().replace("format: spysocket", "format: csv")
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text)
        host.drop("a,b\n" + "1,2\n" * 200_000, "short-2012-03-09.log")
        why = self.failed(host, "short-2012-03-09.log")
        self.assertIn("CSV, sidecar and rejects", why)
        self.assertIn("max_unpacked", why)

    def reasons(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def test_rejects_past_the_limit_are_kept_by_their_place(self):
        host = self.bounded("max_reject_bytes: 10kB\n", feed="    max_rejects: 100%\n    keep_done: 0s\n")
        os.makedirs(host.path("spool/drop"))
        lines = [f"rubbish number {n}, and more of it\n" for n in range(1000)]
        lines[500] = "x" * (2 * MIB) + "\n"
        text = "".join(lines) + location(1) + "half a li"
        packed_text = gzip.compress(text.encode())
        host.drop(packed_text, "bad-2012-03-09.log.gz")
        swept = host.run("sweep", expect=3)
        self.assertIn("max_reject_bytes", swept.stderr)
        name = "bad-2012-03-09.log.gz"
        kept = host.path("spool/rejects", name + ".rejects")
        self.assertLessEqual(os.path.getsize(kept), 10_000)
        reasons = self.reasons(host.path("spool/rejects", name + ".reasons.csv"))
        self.assertEqual(reasons[0], ["line", "offset", "reason"])
        self.assertEqual(len(reasons), 1 + 1001, "each reject has its reason")
        with open(kept, encoding="utf-8") as file:
            whole = file.read().splitlines(keepends=True)
        by_place = []
        for line, offset, reason in reasons[1:]:
            if "; kept by its place: " not in reason:
                continue
            length = int(reason.rpartition(": ")[2].split()[0])
            by_place.append((int(line), text[int(offset):int(offset) + length]))
        self.assertEqual(len(whole) + len(by_place), 1001)
        self.assertIn((501, "x" * (2 * MIB)), by_place)
        self.assertEqual(by_place[-1], (1002, "half a li"))
        self.assertEqual(whole + [line + "\n" for number, line in by_place if number not in (501, 1002)],
                         [line for n, line in enumerate(lines) if n != 500])
        # The original, as it came, is where the rejects are.
        archived = glob.glob(host.path("spool/done/*/*/*", name))
        with open(archived[0], "rb") as file:
            self.assertEqual(file.read(), packed_text)
        self.assertIn("max_reject_bytes", host.run("explain", name).stdout)

    def test_very_many_rejects_are_bounded_too(self):
        host = self.bounded("max_reject_bytes: 1MiB\n", feed="    max_rejects: 100%\n")
        os.makedirs(host.path("spool/drop"))
        count = 4096 * 100
        host.drop(packed("x\n", count), "many-2012-03-09.log.gz")
        host.run("sweep", expect=3)
        self.assertLess(tree_size(host.path("spool/rejects")), 5 * MIB + 4096)
        reasons = self.reasons(host.path("spool/rejects/many-2012-03-09.log.gz.reasons.csv"))
        self.assertIn("rejects from here on", reasons[-1][2])
        told_apart = len(reasons) - 2
        self.assertEqual(int(reasons[-1][2].split()[0]), count - told_apart)

    def test_format_writes_within_the_same_bounds_and_streams_without(self):
        host = self.bounded("max_reject_bytes: 10kB\nmax_unpacked: 1MiB\n")
        bad = "rubbish\n" * 10_000
        with open(host.path("bad-2012-03-09.log"), "w", encoding="utf-8") as file:
            file.write(bad)
        arguments = ("format", "--format", "spysocket", "--year", "2012", "--rejects", "out")
        told = host.run(*arguments, "bad-2012-03-09.log", expect=3)
        self.assertIn("max_reject_bytes", told.stderr)
        self.assertLessEqual(os.path.getsize(host.path("out")), 10_000)
        self.assertEqual(len(self.reasons(host.path("out.reasons.csv"))), 10_001)
        # What came through a pipe is gone: its place would be worth nothing.
        self.assertIn("max_reject_bytes", host.run(*arguments, stdin=bad, expect=1).stderr)
        large = "".join(location(n) for n in range(20_000))
        streamed = host.run("format", "--format", "spysocket", "--year", "2012", stdin=large, expect=0)
        self.assertEqual(streamed.stdout.count("\n"), 20_001)
        refused = host.run("format", "--format", "spysocket", "--year", "2012", "--sidecar", "side",
                           stdin=large, expect=1)
        self.assertIn("max_unpacked", refused.stderr)


if __name__ == "__main__":
    harness.main()
