"""caravel-tail beside a logger: running, or from cron; and what arrived in its outbox."""
import collections
import os
import re
import signal
import subprocess
import threading
import time

# A message which says that lines are lost, or may be.
SAYS_LOST = re.compile(r"\blost\b|compressed before|has no end|missed|given up|not read\b|never read|"
                       r"cannot be read|gone before|unread")


class Arrivals:
    """The extracts of an outbox, read as they come."""

    def __init__(self, folder, shape):
        self.folder, self.shape = folder, shape
        self.extracts = {}  # (run, sequence) -> numbers, in order
        self.numbers = collections.Counter()
        self.halves = 0
        self.pieces = set()  # numbers of lines that came in two pieces, marked as such
        self.first_halves, self.second_halves = [], []

    def take_piece(self, content):
        """A first half has no line end. Its other half may come earlier, and in another run: with a pattern,
        each file is a log of its own."""
        is_first = not content.endswith(b"\n")
        (self.first_halves if is_first else self.second_halves).append(content)
        for first in [content] if is_first else self.first_halves:
            for second in self.second_halves if is_first else [content]:
                number = self.shape.number(first + second)
                if number:
                    self.pieces.add(number)

    def look(self):
        """True if something has come since the last call."""
        news = False
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        for name in sorted(names):
            if name.startswith(".") or not name.endswith(".log"):
                continue
            _, run, sequence, _ = name.rsplit(".", 3)
            if (run, int(sequence)) in self.extracts:
                continue
            news = True
            self.extracts[run, int(sequence)] = numbers = []
            marked = self.is_marked(os.path.join(self.folder, name + ".manifest"))
            with open(os.path.join(self.folder, name), "rb") as file:
                content = file.read()
                if marked:
                    self.take_piece(content)
                    continue
                for data in content.split(b"\n")[:-1]:
                    number = self.shape.number(data)
                    if number:
                        numbers.append(number)
                    elif number is None:
                        self.halves += 1
            self.numbers.update(numbers)
        return news

    @staticmethod
    def is_marked(manifest):
        """Whether the manifest says that this is a piece of a line."""
        with open(manifest, encoding="utf-8") as file:
            return "lines=0\n" in file.readlines()

    def doubled(self):
        return sum(self.numbers.values()) - len(self.numbers)

    def steps_back(self):
        """How often a line comes behind a later one, within one run."""
        count, last = 0, {}
        for run, sequence in sorted(self.extracts):
            for number in self.extracts[run, sequence]:
                count += number < last.get(run, 0)
                last[run] = number
        return count


class Agent:
    """`every`: None for an agent that runs all the time, else the seconds between two passes."""

    def __init__(self, binary, folder, logs, siblings, every):
        self.outbox, self.messages_path = f"{folder}/outbox", f"{folder}/messages"
        self.state = f"{folder}/state/state"
        self.command = [binary, "--interval", "1s", "--from", "start", "--outbox", self.outbox,
                        "--state", self.state]
        for pattern in siblings if takes_siblings(binary) else ():
            self.command += ["--siblings", pattern]
        self.command += logs
        self.every, self.process, self.passes, self.passed = every, None, None, 0
        self.done = threading.Event()

    def start(self):
        """Returns when the agent has looked for the first time."""
        if self.every is None:
            with open(self.messages_path, "ab") as messages:
                self.process = subprocess.Popen(self.command, stderr=messages)
            while not os.path.exists(self.state) and self.process.poll() is None:
                time.sleep(0.02)
        else:
            self.one_pass()
            self.passes = threading.Thread(target=self.run_passes)
            self.passes.start()

    def run_passes(self):
        due = time.monotonic()
        while not self.done.wait(max(0, due - time.monotonic())):
            self.one_pass()
            due = max(due + self.every, time.monotonic())

    def one_pass(self):
        with open(self.messages_path, "ab") as messages:
            subprocess.run([*self.command, "--once"], stderr=messages, check=False)
        self.passed += 1

    def looks(self):
        """How often it has looked for new lines, as far as can be told from outside: passes, or how often
        the running agent went to sleep, which is once an interval when nothing is to be done."""
        if not self.process:
            return self.passed
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as file:
            return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.MULTILINE)[1])

    def stop(self):
        self.done.set()
        if self.passes:
            self.passes.join()
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            if self.process.wait() != 0:
                raise RuntimeError(f"caravel-tail ended with status {self.process.returncode}")

    def messages(self):
        with open(self.messages_path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def says_lost(self):
        return any(SAYS_LOST.search(text) for text in self.messages())


def takes_siblings(binary):
    help_text = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
    return "--siblings" in help_text
