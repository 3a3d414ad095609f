#!/usr/bin/env python3
"""No death without a word: what ends the program, or tries to, and what it says then. A signal, a closed
pipe, a limit of the system, memory that has run out: a message, an exit code that is documented, and
nothing lost."""
import os
import pty
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import CARAVEL, SAMPLE, Host, location, wait_for

TAIL = os.environ["CARAVEL_TAIL_BINARY"]
REFUSALS = os.environ["CARAVEL_REFUSALS"]
DOCUMENTED = (0, 1, 2, 3)


def refusing(**counts):
    """An environment in which the system refuses: see refusals.cc."""
    environment = dict(os.environ, LD_PRELOAD=REFUSALS)
    for name, count in counts.items():
        environment["CARAVEL_REFUSE_" + name.upper()] = str(count)
    return environment


class Endings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caravel-endings-")
        self.host = Host(self.folder, feed="    settle: 50ms\n")

    def tearDown(self):
        self.host.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *arguments, **options):
        options = {"capture_output": True, "text": True, "timeout": 120, "check": False,
                   "cwd": self.folder, **options}
        return subprocess.run([CARAVEL, "--config", self.host.config, *arguments], **options)

    def make_drop(self):
        os.makedirs(self.host.path("spool/drop"), exist_ok=True)

    def into_closed_pipe(self, program, *arguments, stream="stdout"):
        """Runs it with a stdout (or stderr) that nobody reads any more; returns the exit code and the
        text of the other one."""
        read, write = os.pipe()
        os.close(read)
        other = "stderr" if stream == "stdout" else "stdout"
        done = subprocess.run([program, *arguments], cwd=self.folder, text=True, timeout=120,
                              check=False, **{stream: write, other: subprocess.PIPE})
        os.close(write)
        return done.returncode, getattr(done, other)


class ClosedPipes(Endings):
    """`caravel status | head`, and every other reader that goes away."""

    def test_a_reader_that_is_gone_is_said(self):
        for arguments in (("status",), ("status", "--json"), ("check",), ("format", SAMPLE), ("--help",),
                          ("--version",), ("watch", "--help")):
            with self.subTest(arguments):
                code, said = self.into_closed_pipe(CARAVEL, "--config", self.host.config, *arguments)
                self.assertEqual(code, 1, said)
                self.assertIn("Broken pipe", said)

    def test_a_full_disk_behind_stdout_is_said(self):
        for arguments in (("status",), ("check",), ("format", SAMPLE), ("--help",)):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                done = self.call(*arguments, capture_output=False, stdout=full,
                                 stderr=subprocess.PIPE)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("No space left on device", done.stderr)

    def test_a_closed_stderr_ends_nothing(self):
        self.make_drop()
        self.host.drop(location(1), "a-2012-03-09.log")
        code, _ = self.into_closed_pipe(CARAVEL, "--config", self.host.config, "sweep",
                                        stream="stderr")
        self.assertEqual(code, 0)
        self.assertEqual(self.host.count(), 1)

    def test_the_agent_too(self):
        for option in ("--help", "--version"):
            code, said = self.into_closed_pipe(TAIL, option)
            self.assertEqual(code, 1, said)
            self.assertIn("caravel-tail: stdout", said)


class HangUp(Endings):
    def test_a_service_goes_on_with_the_configuration_as_it_is_now(self):
        self.host.start()
        process = self.host.watcher.pid
        with open(self.host.config, "a", encoding="utf-8") as file:
            file.write("  second:\n    match: '*.txt'\n    drop: more\n    format: spysocket\n"
                       "    store: local\n    settle: 50ms\n")
        self.host.watcher.send_signal(signal.SIGHUP)
        wait_for("the new feed", lambda: "(feed second" in self.host.log())
        self.assertEqual(self.host.watcher.pid, process)
        self.host.drop(location(1), "a-2012-03-09.log")
        self.host.wait_until_ended(1)
        with open(self.host.path("spool/more/b-2012-03-09.txt"), "w", encoding="utf-8") as file:
            file.write(location(2))
        wait_for("the new feed's extract",
                 lambda: self.host.extracts("second")["done"] == 1)
        self.host.stop()  # SIGTERM still ends it, with 0

    def test_a_wrong_configuration_changes_nothing(self):
        self.host.start()
        with open(self.host.config, "a", encoding="utf-8") as file:
            file.write("sppol: x\n")
        for count in (1, 2):  # each request is answered
            self.host.watcher.send_signal(signal.SIGHUP)
            wait_for("the refusal", lambda: self.host.log().count("stays as it was") == count)
        self.assertIn("did you mean 'spool'?", self.host.log())
        shutil.copy(self.host.config, self.host.path("wrong.yaml"))
        with open(self.host.config, encoding="utf-8") as file:
            good = file.read().replace("sppol: x\n", "")
        with open(self.host.config, "w", encoding="utf-8") as file:
            file.write(good)
        self.host.drop(location(1), "a-2012-03-09.log")
        self.host.wait_until_ended(1)
        self.host.stop()

    def test_many_in_a_row_while_extracts_come(self):
        self.host.start()
        for i in range(20):
            self.host.drop(location(i), f"{i}-2012-03-09.log")
            self.host.watcher.send_signal(signal.SIGHUP)
        self.host.wait_until_ended(20)
        self.assertEqual(self.host.count(), 20)
        self.host.stop()

    def test_a_terminal_that_is_gone_stops_it(self):
        leader, follower = pty.openpty()
        watcher = subprocess.Popen([CARAVEL, "watch", "--config", self.host.config],
                                   stdin=follower, stdout=follower, stderr=follower,
                                   cwd=self.folder, start_new_session=True)
        os.close(follower)
        said = b""
        while b"watching" not in said:
            said += os.read(leader, 4096)
        watcher.send_signal(signal.SIGHUP)
        os.close(leader)
        self.assertEqual(watcher.wait(60), 0)

    def test_a_capture_too(self):
        with open(self.host.path("app-2012-03-09.log"), "w", encoding="utf-8") as file:
            file.write(location(1))
        with open(self.host.path("watch.log"), "wb") as log:
            self.host.watcher = subprocess.Popen(
                [CARAVEL, "capture", "--config", self.host.config, "--interval", "100ms",
                 self.host.path("app-2012-03-09.log")], stderr=log, cwd=self.folder)
        wait_for("the first line", lambda: ": done: " in self.host.log())
        self.host.watcher.send_signal(signal.SIGHUP)
        wait_for("the new start", lambda: self.host.log().count("watching ") == 2)
        with open(self.host.path("app-2012-03-09.log"), "a", encoding="utf-8") as file:
            file.write(location(2))
        wait_for("the second line", lambda: self.host.log().count(": done: ") == 2)
        self.host.stop()
        self.assertEqual(self.host.count(), 2)

    def test_an_agent_goes_on(self):
        log = self.host.path("app.log")
        with open(log, "w", encoding="utf-8") as file:
            file.write("one\n")
        with open(self.host.path("tail.log"), "wb") as messages:
            agent = subprocess.Popen([TAIL, "--outbox", "outbox", "--state", "tail.state", "--from",
                                      "start", "--interval", "100ms", log], cwd=self.folder,
                                     stderr=messages)
        try:
            def extracts():
                try:
                    return [name for name in os.listdir(self.host.path("outbox"))
                            if name.endswith(".log")]
                except FileNotFoundError:
                    return []

            def said():
                with open(self.host.path("tail.log"), encoding="utf-8") as file:
                    return file.read()
            wait_for("the first extract", lambda: len(extracts()) == 1)
            agent.send_signal(signal.SIGHUP)
            wait_for("a word", lambda: "SIGHUP" in said())
            with open(log, "a", encoding="utf-8") as file:
                file.write("two\n")
            wait_for("the second extract", lambda: len(extracts()) == 2)
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(agent.wait(60), 0)
        finally:
            agent.kill()
            agent.wait()


class Limits(Endings):
    def test_a_limit_on_the_size_of_files_is_like_a_full_disk(self):
        self.make_drop()
        for vehicle in range(8):
            lines = "".join(location(second, f"V.1.{vehicle}") for second in range(400))
            self.host.drop(lines, f"{vehicle}-2012-03-09.log")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, resource.RLIM_INFINITY))
        with open(self.host.path("watch.log"), "wb") as log:
            self.host.watcher = subprocess.Popen([CARAVEL, "watch", "--config", self.host.config],
                                                 stderr=log, cwd=self.folder, preexec_fn=small_files)
        wait_for("a word", lambda: "File too large" in self.host.log() or
                 self.host.watcher.poll() is not None)
        self.assertIn("File too large", self.host.log())
        self.host.stop()
        self.host.run("sweep", expect=0)
        self.assertEqual(self.host.count(), 3200)

    def test_a_send_command_has_the_limit_of_files_that_the_agent_was_given(self):
        with open(self.host.path("app.log"), "w", encoding="utf-8") as file:
            file.write("one\n")

        def limited():
            resource.setrlimit(resource.RLIMIT_NOFILE, (300, 2000))
        subprocess.run([TAIL, "--outbox", "outbox", "--state", "tail.state", "--from", "start", "--once",
                        "--send", "ulimit -n >> limits; true", "app.log"], cwd=self.folder,
                       preexec_fn=limited, timeout=60, check=True)
        with open(self.host.path("limits"), encoding="ascii") as file:
            self.assertEqual(set(file.read().split()), {"300"})

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer has these calls for itself")
    def test_a_formats_folder_that_cannot_be_listed(self):
        for call in range(1, 12):
            done = self.call("check", env=refusing(readdir=call))
            self.assertIn(done.returncode, DOCUMENTED, done.stderr)
            if done.returncode == 2:
                self.assertIn("formats folder", done.stderr)
                self.assertIn("Input/output error", done.stderr)
        self.assertEqual(self.call("check", env=refusing(readdir=2)).returncode, 2)

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer has these calls for itself")
    def test_without_any_thread_it_says_so(self):
        for arguments in (("watch",), ("capture", "--from", "start", self.host.path("app.log"))):
            done = self.call(*arguments, env=refusing(thread=1))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("no thread can be started", done.stderr)
            self.assertIn("TasksMax=", done.stderr)

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer has these calls for itself")
    def test_few_threads_do_the_work_of_all(self):
        self.many_feeds(12)
        self.run_until_all_are_loaded(12, refusing(thread=3))
        self.assertIn("2 of 12 workers run", self.host.log())

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer has a thread of its own")
    def test_two_hundred_feeds_have_as_many_threads_as_configured(self):
        self.many_feeds(200, "workers: 4\n")
        most = self.run_until_all_are_loaded(200, dict(os.environ))
        self.assertLessEqual(most, 1 + 4)

    def many_feeds(self, count, keys=""):
        with open(self.host.config, "w", encoding="utf-8") as file:
            file.write("spool: spool\nstate: state\n" + keys +
                       "stores:\n  local: {type: sqlite, path: rows.db}\nfeeds:\n")
            for feed in range(count):
                file.write(f"  feed{feed}: {{drop: drop{feed}, match: '*.log', format: spysocket, "
                           "store: local, settle: 50ms}\n")
                os.makedirs(self.host.path(f"spool/drop{feed}"))

    def run_until_all_are_loaded(self, count, environment):
        """Two extracts for each feed, at once. Returns the most threads that were seen."""
        for feed in range(count):
            for part in (1, 2):
                name = self.host.path(f"spool/drop{feed}/{part}-2012-03-09.log")
                with open(name, "w", encoding="utf-8") as file:
                    file.write(location(feed * 2 + part))
        most = 0
        with open(self.host.path("watch.log"), "ab") as log:
            self.host.watcher = subprocess.Popen([CARAVEL, "watch", "--config", self.host.config],
                                                 stderr=log, cwd=self.folder, env=environment)

        def all_done():
            nonlocal most
            try:
                threads = len(os.listdir(f"/proc/{self.host.watcher.pid}/task"))
            except FileNotFoundError:
                raise AssertionError("the watcher ended:\n" + self.host.log()) from None
            most = max(most, threads)
            return self.host.log().count(": done: ") == 2 * count
        wait_for("all feeds", all_done)
        self.host.stop()
        return most


class OutOfMemory(Endings):
    """Every allocation may be the one that fails."""

    def test_a_pass_says_so_and_loses_nothing(self):
        self.make_drop()
        loaded = 0
        call = 1
        said = 0
        while True:
            loaded += 1
            self.host.drop("".join(location(second, f"V.1.{loaded}") for second in range(30)),
                           f"{loaded}-2012-03-09.log")
            done = self.call("sweep", env=refusing(new=call))
            self.assertIn(done.returncode, DOCUMENTED, f"allocation {call}:\n{done.stderr}")
            if done.returncode != 0:
                self.assertNotEqual(done.stderr, "", f"allocation {call}")
                said += "out of memory" in done.stderr
            # Some allocations close together, then in larger steps; so each part of the pass is met.
            call += 1 + call // 12
            if call > 60000:
                break
        self.assertGreater(said, 10)
        self.host.run("sweep", expect=0)
        self.host.run("sweep", expect=0)
        self.assertEqual(self.host.count(), loaded * 30)

    @unittest.skipIf({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ), "a sanitizer needs memory of its own")
    def test_the_agent_says_so(self):
        """It is linked statically, so the limit is one of the system's. With the least of them it does not
        come to its main()."""
        with open(self.host.path("app.log"), "w", encoding="utf-8") as file:
            file.write("one\n" * 100000)
        said = set()
        for kib in range(1200, 2400, 25):
            def limited(kib=kib):
                resource.setrlimit(resource.RLIMIT_AS, (kib * 1024, kib * 1024))
            shutil.rmtree(self.host.path("outbox"), ignore_errors=True)
            done = subprocess.run([TAIL, "--outbox", "outbox", "--state", f"state{kib}", "--from", "start",
                                   "--once", "app.log"], cwd=self.folder, preexec_fn=limited,
                                  capture_output=True, text=True, timeout=60, check=False)
            if done.stderr.startswith("caravel-tail: "):
                self.assertEqual(done.returncode, 1, done.stderr)
                said.add("out of memory" in done.stderr)
            elif said:
                self.assertEqual(done.returncode, 0, kib)
        self.assertIn(True, said)
        self.assertEqual(done.returncode, 0)

    def test_a_watcher_goes_on_or_ends_with_a_word(self):
        call = 3000
        loaded = 0
        while call < 60000:
            with open(self.host.path("watch.log"), "ab") as log:
                mark = log.tell()
                watcher = subprocess.Popen([CARAVEL, "watch", "--config", self.host.config],
                                           stderr=log, cwd=self.folder, env=refusing(new=call))

            def new_text(mark=mark):
                return self.host.log_bytes()[mark:].decode()

            def ready(watcher=watcher):
                return "watching" in new_text() or watcher.poll() is not None
            wait_for("the watcher", ready)
            loaded += 1
            self.make_drop()
            self.host.drop(location(loaded), f"{loaded}-2012-03-09.log")

            def loaded_or_over(watcher=watcher):
                return ": done: " in new_text() or "out of memory" in new_text() or \
                    watcher.poll() is not None
            wait_for("the extract", loaded_or_over)
            watcher.send_signal(signal.SIGTERM)
            code = watcher.wait(60)
            self.assertIn(code, DOCUMENTED, new_text())
            if code != 0:
                self.assertIn("out of memory", new_text())
            call += call // 3
        self.host.run("sweep", expect=0)
        self.assertEqual(self.host.count(), loaded)


class DeletedDirectory(Endings):
    def test_a_current_directory_that_is_gone(self):
        gone = self.host.path("gone")
        os.mkdir(gone)
        for arguments in (["status"], ["process", "a.log"], ["explain", "a.log"], ["watch"]):
            script = 'cd "$0" && rmdir "$0" && shift 0 && exec "$@"'
            os.makedirs(gone, exist_ok=True)
            done = subprocess.run(["sh", "-c", script, gone, CARAVEL, "--config", "caravel.yaml",
                                   *arguments], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("caravel.yaml", done.stderr)


if __name__ == "__main__":
    unittest.main()
