"""One set-up in one mode: runs the logger beside the agent, and counts."""
import dataclasses
import os
import signal
import subprocess
import threading
import time

from agent import Agent, Arrivals
from lines import line, on_disk

NO_NEWS_LOOKS = 12  # looks, and seconds, without an extract, after which nothing more is expected
ENOUGH_LOOKS = 3    # the same when all has arrived: a line could still come a second time
PATIENCE = 300   # for a writer to end; only a failure takes that long, or a busy machine
BURSTS = 60      # a second, at most: what is fed in one go


@dataclasses.dataclass
class Result:
    """What one cell of the table says."""
    written: int = 0
    there: int = 0
    arrived: int = 0
    lost: int = 0
    doubled: int = 0
    steps_back: int = 0
    halves: int = 0
    deleted: int = 0  # lines that are neither on the disk nor have arrived
    said: bool = False
    pieces: int = 0   # lines that their logger cut in two, and that came as two pieces, marked as such
    files: int = 0    # at the end; 1 means: the logger did not rotate, or keeps nothing
    error: str = ""

    def well(self):
        return not (self.lost or self.doubled or self.steps_back or self.halves or self.error)

    def text(self):
        if self.error:
            return f"FAILED: {self.error}"
        parts = [f"{self.written}/{self.there}/{self.arrived}" + (" (1 file)" if self.files == 1 else "")]
        if self.pieces:
            parts.append(f"({self.pieces} in pieces)")
        wrong = [(self.lost, f"**{self.lost} lost**"), (self.doubled, f"{self.doubled} doubled"),
                 (self.steps_back, f"order {self.steps_back}"), (self.halves, f"{self.halves} halves")]
        return " ".join(parts + [", ".join(text for count, text in wrong if count)]).strip()


class Cell:
    """`folder` is this cell's alone: logs/ for the logger, work/ for its configuration, agent/."""

    def __init__(self, logger, mode, folder, binary, builder):
        self.logger, self.mode, self.builder = logger, mode, builder
        self.folder, self.logs, self.work = folder, f"{folder}/logs", f"{folder}/work"
        for path in (self.logs, self.work, f"{folder}/agent"):
            os.makedirs(path)
        self.agent = Agent(binary, f"{folder}/agent", [self.path(log) for log in logger.logs],
                           [self.path(pattern) for pattern in logger.siblings], mode.once)
        self.arrivals = Arrivals(self.agent.outbox, logger.shape)
        self.processes, self.process, self.written = [], None, 0
        self.rotations, self.complaints = 0, []

    def path(self, name):
        return os.path.join(self.logs, name)

    def spawn(self, command, **options):
        """Starts a program that takes lines on its stdin. Its output goes to work/output."""
        with open(f"{self.work}/output", "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=options.pop("stdout", output),
                                       stderr=output, cwd=self.work, start_new_session=True,
                                       env={**os.environ, **self.builder.environment()}, **options)
        self.processes.append(process)
        return process

    def file(self, name, content):
        """Writes a configuration file into work/; its path."""
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def run(self):
        result = Result()
        try:
            self.agent.start()
            self.process = self.logger.start(self)
            self.feed_all()
            self.end_writer()
            there = on_disk(self.logs, self.logger.shape)
            self.settle(there)
            result = self.count(there)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            result.error = f"{error}"
        finally:
            self.kill_all()
            self.agent.stop()
        return result

    def feed_all(self):
        """Lines in their pace; the rotations, if the logger has to be told, in theirs."""
        fed = threading.Event()
        rotator = threading.Thread(target=self.rotate_until, args=(fed,))
        if self.logger.rotate:
            rotator.start()
        try:
            self.feed_lines()
        finally:
            fed.set()
            if self.logger.rotate:
                rotator.join()
        if self.complaints and not self.rotations:
            raise RuntimeError(f"nothing was rotated: {self.complaints[0]}")

    def feed_lines(self):
        begin, pending = time.monotonic(), ""
        burst = max(1, round(self.mode.lines / self.mode.seconds / BURSTS))
        while self.written < self.mode.lines:
            due = begin + self.mode.seconds * self.written / self.mode.lines
            time.sleep(max(0, due - time.monotonic()))
            count = min(burst, self.mode.lines - self.written)
            lines = [line(self.written + 1 + i) for i in range(count)]
            self.written += count
            if self.logger.feed:
                self.logger.feed(self, lines)
                continue
            pending += "".join(text + "\n" for text in lines)
            # As stdio does it: whole blocks, wherever the lines end.
            size = len(pending) if not self.logger.block else \
                len(pending) // self.logger.block * self.logger.block
            self.write(pending[:size])
            pending = pending[size:]
        self.write(pending)

    def write(self, text):
        if text:
            try:
                self.process.stdin.write(text.encode())
                self.process.stdin.flush()
            except BrokenPipeError:
                if not self.logger.dies:
                    raise

    def rotate_until(self, fed):
        due = time.monotonic() + self.mode.every
        while not fed.wait(max(0, due - time.monotonic())):
            try:
                self.logger.rotate(self)
                self.rotations += 1
            except (OSError, subprocess.SubprocessError) as error:
                self.complaints.append(f"{error} {getattr(error, 'stderr', '')}")
            due = max(due + self.mode.every, time.monotonic())

    def end_writer(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # feed_lines has seen it
        if self.logger.finish:
            self.logger.finish(self)
        elif self.process.wait(PATIENCE) != self.logger.status and not self.logger.dies:
            raise RuntimeError(f"the writer ended with status {self.process.returncode}")

    def settle(self, there):
        """Until all that is on the disk has arrived and nothing comes twice, or nothing comes any more."""
        since = looks = None
        complete = False
        while True:
            now, looked = time.monotonic(), self.agent.looks()
            whole = there <= self.arrivals.numbers.keys() | self.arrivals.pieces
            if self.arrivals.look() or since is None or whole != complete:
                since, looks, complete = now, looked, whole
            enough = ENOUGH_LOOKS if complete else NO_NEWS_LOOKS
            # A busy machine gives the agent few looks in many seconds: both must have passed.
            if now - since > enough and looked - looks >= enough:
                return
            time.sleep(0.2)

    def count(self, there):
        arrived = self.arrivals
        lost = there - arrived.numbers.keys() - arrived.pieces
        return Result(self.written, len(there), len(arrived.numbers), len(lost), arrived.doubled(),
                      arrived.steps_back(), arrived.halves,
                      self.written - len(there | arrived.numbers.keys()), self.agent.says_lost(),
                      len(arrived.pieces - arrived.numbers.keys()),
                      sum(len(names) for _, _, names in os.walk(self.logs)))

    def kill_all(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
