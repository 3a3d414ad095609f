"""caravel-tail as people run it: killed, with sends that fail or hang, on a full disk."""
import glob
import hashlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ["CARAVEL_TAIL_BINARY"]
SOURCE = os.environ["CARAVEL_SOURCE_DIR"]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


class Tail(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="tail.")
        os.chmod(self.root, 0o755)
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        os.mkdir(self.path("logs"))
        self.log = self.path("logs/app.log")
        self.outbox = self.path("outbox")
        self.processes = []
        self.addCleanup(self.end_all)

    def path(self, name):
        return os.path.join(self.root, name)

    def end_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def arguments(self, *more):
        return [BINARY, "--outbox", self.outbox, "--state", self.path("state/state"), "--from",
                "start", *more, self.log]

    def start(self, *more, **options):
        process = subprocess.Popen(self.arguments(*more), stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stderr.close)
        self.processes.append(process)
        return process

    def once(self, *more, **options):
        return subprocess.run(self.arguments("--once", *more), capture_output=True, text=True,
                              timeout=60, **options)

    def append(self, data):
        with open(self.log, "ab") as file:
            file.write(data)

    def extracts(self, directory=None):
        names = glob.glob(os.path.join(directory or self.outbox, "*.log"))
        return sorted(names, key=lambda name: name.split(".")[-2])

    def content(self, *directories):
        names = {}
        for directory in directories or (self.outbox,):
            for name in self.extracts(directory):
                names[os.path.basename(name).split(".")[-2]] = read(name)
        return b"".join(names[key] for key in sorted(names))

    def check_manifests(self, directory):
        for name in self.extracts(directory):
            manifest = dict(line.split("=", 1) for line in read(name + ".manifest").decode().split())
            data = read(name)
            self.assertEqual(manifest["sha256"], hashlib.sha256(data).hexdigest())
            self.assertEqual(int(manifest["lines"]), data.count(b"\n"))
            self.assertEqual(int(manifest["bytes"]), len(data))

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer is large and not static")
    def test_the_program_is_one_small_static_file(self):
        headers = subprocess.run(["readelf", "-lW", BINARY], capture_output=True, text=True,
                                 check=True).stdout
        self.assertNotIn("INTERP", headers)
        # With the assertions of the build that is tested; that of the release is looked at where it
        # is built.
        self.assertLess(os.path.getsize(BINARY), 1_300_000)
        self.assertTrue(subprocess.run([BINARY, "--version"], capture_output=True, text=True,
                                       check=True).stdout.startswith("caravel-tail "))
        self.assertEqual(subprocess.run([BINARY], capture_output=True).returncode, 2)

    def test_killed_at_any_time_it_loses_and_repeats_nothing(self):
        chance = random.Random(7)
        number = 0
        for _ in range(40):
            process = self.start("--interval", "100ms", "--max-bytes", "2kB", "--grace", "0s")
            for _ in range(chance.randrange(1, 6)):
                number += 1
                lines = b"".join(b"%d.%d %s\n" % (number, i, b"x" * chance.randrange(60))
                                 for i in range(chance.randrange(200)))
                cut = chance.randrange(len(lines) + 1)
                self.append(lines[:cut])
                time.sleep(chance.random() * 0.03)
                self.append(lines[cut:])
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertEqual(self.once().returncode, 0)
        self.assertEqual(self.content(), read(self.log))
        self.check_manifests(self.outbox)
        self.assertEqual([n for n in os.listdir(self.outbox) if n.startswith(".")], [])

    def test_a_signal_ends_it_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("--interval", "1h", "--send", "sleep 100")
            self.append(b"a\n")
            time.sleep(0.2)
            process.send_signal(number)
            self.assertEqual(process.wait(30), 0)  # well before the send would end

    def test_small_limits_are_errors_or_none(self):
        self.append(b"".join(b"line %d\n" % number for number in range(30_000)))
        for descriptors in (17, 23, 31, 39):
            with self.subTest(descriptors=descriptors):
                done = self.once("--max-bytes", "10kB", preexec_fn=lambda limit=descriptors:
                                 resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.content(), read(self.log))
                shutil.rmtree(self.outbox)
                shutil.rmtree(self.path("state"))
        done = self.once("--max-bytes", "100kB", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (50_000, 50_000)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(os.listdir(self.outbox), [])

    def test_a_failing_send_is_tried_again_in_order_and_holds_nothing_up(self):
        os.mkdir(self.path("there"))
        process = self.start("--interval", "100ms", "--max-bytes", "10", "--send",
                             f"test -e {self.path('up')} || {{ touch {self.path('tried')}; exit 1; }}; "
                             f"cp {{}} {self.path('there')} && echo {{}} >> {self.path('order')}")
        for number in range(10):
            self.append(b"line %d\n" % number)
        wait_for(lambda: len(self.extracts()) == 10)
        wait_for(lambda: os.path.exists(self.path("tried")))
        open(self.path("up"), "w").close()
        wait_for(lambda: self.content(self.path("there")) == read(self.log), 30)
        wait_for(lambda: not self.extracts())
        self.check_manifests(self.path("there"))
        self.check_manifests(os.path.join(self.outbox, "sent"))
        order = read(self.path("order")).decode().split()
        self.assertEqual(order, [name for extract in order[1::2]
                                 for name in (extract + ".manifest", extract)])
        self.assertEqual(order[1::2], sorted(order[1::2]))
        process.terminate()
        messages = process.communicate()[1].decode()
        self.assertEqual(messages.count("sending fails: exit status 1"), 1, messages)

    def test_a_hanging_send_is_ended_and_rotations_are_followed_meanwhile(self):
        process = self.start("--interval", "100ms", "--grace", "200ms", "--send-timeout", "2s",
                             "--send", f": {{}}; sleep 1000 & echo $! >> {self.path('pids')}; wait")
        self.append(b"a\n")
        wait_for(lambda: os.path.exists(self.path("pids")))
        for number in range(3):
            self.append(b"b%d\n" % number)
            os.rename(self.log, f"{self.log}-2024010{number + 1}")
        self.append(b"c\n")
        wait_for(lambda: self.content() == b"a\nb0\nb1\nb2\nc\n")
        wait_for(lambda: len(read(self.path("pids")).split()) > 1)
        first = int(read(self.path("pids")).split()[0])
        wait_for(lambda: not os.path.exists(f"/proc/{first}") or
                 b"Z" in read(f"/proc/{first}/stat").split(b")")[1][:3])
        process.terminate()
        self.assertIn("took too long", process.communicate()[1].decode())

    def test_one_pass_says_how_it_went_and_resend_sends_again(self):
        self.append(b"a\n")
        there = self.path("there")
        result = self.once("--send", f"cp {{}} {there}/")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("sending fails", result.stderr)
        os.mkdir(there)
        result = self.once("--send", f"cp {{}} {there}/")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        name = os.path.basename(self.extracts(there)[0])
        shutil.rmtree(there)
        os.mkdir(there)
        place = ":".join(re.search(r"\.([0-9a-f]{8})\.(\d{8})\.log$", name).groups())
        agent = self.start("--interval", "100ms", "--send", f"cp {{}} {there}/")
        time.sleep(0.3)
        subprocess.run([BINARY, "--outbox", self.outbox, "--resend", place], check=True)
        wait_for(lambda: os.listdir(there) and self.extracts(os.path.join(self.outbox, "sent")))
        self.assertEqual(sorted(os.listdir(there)), [name, name + ".manifest"])
        agent.terminate()
        agent.wait()
        result = subprocess.run([BINARY, "--outbox", self.outbox, "--resend", "00000000:1"],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("holds no extract 00000000:1", result.stderr)

    def test_a_log_whose_extracts_nobody_takes_slows_no_other(self):
        there, tries = self.path("there"), self.path("tries")
        os.mkdir(there)
        with open(self.path("logs/other.log"), "wb") as other:
            other.write(b"refused\n" * 9)
        self.append(b"".join(b"line %03d\n" % number for number in range(60)))
        process = self.start("--interval", "100ms", "--max-bytes", "9", "--send",
                             f"case {{}} in */other.log*) echo >>{tries}; exit 1;; esac; cp {{}} {there}",
                             self.path("logs/other.log"))
        wait_for(lambda: self.content(there) == read(self.log), 60)
        # Only the first file of the failing log is tried, and ever more rarely.
        self.assertLess(read(tries).count(b"\n"), 12)
        self.assertIsNone(process.poll())

    def test_logs_take_turns_while_one_has_a_backlog(self):
        order = self.path("order")
        other = self.path("logs/other.log")
        self.append(b"".join(b"line %03d\n" % number for number in range(40)))
        process = self.start("--interval", "100ms", "--max-bytes", "9", "--send",
                             f"case {{}} in *.manifest) ;; *) echo {{}} >>{order}; sleep 0.05;; esac",
                             other)
        wait_for(lambda: os.path.exists(order))
        with open(other, "wb") as log:
            log.write(b"first\n")
        wait_for(lambda: b"other.log" in read(order))
        self.assertLess(read(order).count(b"app.log"), 35)
        self.assertIsNone(process.poll())

    def test_one_pass_fails_if_any_log_did(self):
        os.symlink("loop", self.path("logs/loop"))
        for number in range(6):  # runs are random: either may be the first
            self.append(b"%d\n" % number)
            with open(self.path("logs/other.log"), "ab") as other:
                other.write(b"%d\n" % number)
            shutil.rmtree(self.path("state"), ignore_errors=True)
            shutil.rmtree(self.outbox, ignore_errors=True)
            result = self.once("--send", "case {} in */other.log*) exit 1;; esac",
                               self.path("logs/other.log"))
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertNotIn("works again", result.stderr)
            self.assertEqual(self.once(self.path("logs/loop")).returncode, 1)
        process = self.start("--once", "--send", "echo >&2; exec sleep 100")
        process.stderr.readline()
        process.terminate()
        self.assertEqual(process.wait(10), 1)

    def test_messages_go_nowhere_else_if_stderr_is_closed(self):
        os.mkfifo(self.log)  # something to complain about
        subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *self.arguments("--once")],
                       check=False, timeout=20)
        for name in os.listdir(self.path("state")):
            self.assertNotIn(b"regular", read(self.path("state/" + name)), name)

    def test_a_log_directory_needs_no_write_right_and_is_not_touched(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become somebody else")
        self.append(b"a\nb\n")
        os.chmod(self.log, 0o444)
        os.chmod(self.path("logs"), 0o555)
        os.mkdir(self.path("mine"))
        os.chown(self.path("mine"), 65534, 65534)
        self.outbox = self.path("mine/outbox")
        before = os.stat(self.path("logs"))
        result = subprocess.run([BINARY, "--once", "--from", "start", "--outbox", self.outbox,
                                 "--state", self.path("mine/state"), self.log],
                                user=65534, group=65534, extra_groups=[], capture_output=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.content(), b"a\nb\n")
        self.assertEqual(before.st_mtime_ns, os.stat(self.path("logs")).st_mtime_ns)
        self.assertEqual(os.listdir(self.path("logs")), ["app.log"])

    def test_a_full_disk_is_waited_out(self):
        os.mkdir(self.outbox)
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "none", self.outbox],
            capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.outbox], check=True)
        self.addCleanup(self.end_all)
        lines = b"".join(b"line %d %s\n" % (i, b"y" * 90) for i in range(6000))
        self.append(lines)
        process = self.start("--interval", "100ms", "--max-bytes", "50kB")
        got = b""
        while len(got) < len(lines):
            wait_for(lambda: self.extracts())
            time.sleep(0.25)
            for name in self.extracts():
                got += read(name)
                os.remove(name)
                os.remove(name + ".manifest")
        self.assertEqual(got, lines)
        process.terminate()
        self.assertIn("No space left on device", process.communicate()[1].decode())

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer is large and not static")
    def test_it_takes_little_memory_whatever_the_backlog(self):
        with open(self.log, "wb") as file:
            for _ in range(64):
                file.write((b"z" * 99 + b"\n") * 10_000)
        self.once("--max-bytes", "1MiB", "--max-outbox", "1MiB")  # so that a state is read too
        process = self.start("--interval", "1s")
        wait_for(lambda: sum(map(os.path.getsize, self.extracts())) == 64_000_000, 60)
        status = read(f"/proc/{process.pid}/status").decode()
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))
        print(f"\npeak memory {peak} kB, size {os.path.getsize(BINARY)} bytes")
        self.assertLess(peak, 4096)

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer is large and not static")
    def test_idle_costs_a_few_system_calls_an_interval(self):
        if not shutil.which("strace"):
            self.skipTest("no strace")
        self.append(b"a\n")
        self.once()
        trace = self.path("trace")
        process = subprocess.Popen(["strace", "-f", "-o", trace,
                                    *self.arguments("--interval", "100ms")])
        self.processes.append(process)
        wait_for(lambda: os.path.exists(trace) and read(trace).count(b" poll(") > 3)
        begin = read(trace).count(b"\n")
        polls = read(trace).count(b" poll(")
        time.sleep(2)
        lines = read(trace).splitlines()
        wakes = sum(b" poll(" in line for line in lines) - polls
        calls = len(lines) - begin
        os.kill(int(lines[0].split()[0]), signal.SIGTERM)  # strace ends with it
        process.wait(10)
        print(f"\nidle: {calls} system calls in {wakes} intervals")
        # poll, the log, what appeared in its directory, the directory itself, the outbox.
        self.assertLess(calls, 7 * wakes + 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
