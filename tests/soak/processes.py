"""The programs under test, in a time that runs faster, and what they take of the machine."""
import datetime
import os
import re
import signal
import subprocess
import time

CARAVEL, TAIL = os.environ["CARAVEL_BINARY"], os.environ["CARAVEL_TAIL_BINARY"]
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
PATIENCE = 60  # seconds of the real clock


def wait_for(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s for {what}")
        time.sleep(0.02)
    return answer


class Clock:
    """Simulated time: it begins at a fixed moment, and runs `times` as fast as the real one."""

    def __init__(self, times):
        self.times = times
        self.begin = datetime.datetime(2026, 3, 9, tzinfo=datetime.timezone.utc)
        self.real_begin = time.monotonic()

    def hours(self):
        return (time.monotonic() - self.real_begin) * self.times / 3600

    def now(self):
        return self.begin + datetime.timedelta(hours=self.hours())

    def environment(self):
        """For a program that begins now. Files keep the times that they were given."""
        return dict(os.environ, LD_PRELOAD=FAKETIME, NO_FAKE_STAT="1", TZ="UTC",
                    FAKETIME=self.now().strftime("@%Y-%m-%d %H:%M:%S") + f" x{self.times}")

    def stamp(self, path):
        """The file was written now."""
        at = self.now().timestamp()
        os.utime(path, (at, at))


class Program:
    def __init__(self, name, arguments, clock, log):
        self.name, self.arguments, self.clock, self.log = name, arguments, clock, log
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.clock.environment() if self.clock else None)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        if code != 0:
            raise AssertionError(f"{self.name} ended with {code}; see {self.log}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def figures(self):
        """Kilobytes of its own (not those of files), descriptors, threads."""
        folder = f"/proc/{self.process.pid}"
        with open(f"{folder}/smaps_rollup", encoding="ascii") as file:
            memory = int(re.search(r"^Anonymous: +(\d+)", file.read(), re.MULTILINE)[1])
        return {"memory": memory, "descriptors": len(os.listdir(f"{folder}/fd")),
                "threads": len(os.listdir(f"{folder}/task"))}
