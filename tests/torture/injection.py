"""Runs a program under the injector, and hears its events."""
import os
import selectors
import signal
import subprocess
import time


class Ending:
    """How a run under the injector ended: see injector/events.h."""

    def __init__(self, line):
        words = line.split()
        self.how, self.code = words[1], int(words[2])
        self.figures = dict(word.split("=") for word in words[3:])

    def __getattr__(self, name):
        return int(self.figures[name])


class Injected:
    """A program under the injector. `run()` hears its events until it has ended."""

    def __init__(self, injector, options, command, folder, messages):
        """`messages`: the file that gets what the program says on stderr (and stdout)."""
        read_end, write_end = os.pipe()
        with open(messages, "ab") as out:
            self.process = subprocess.Popen(
                [injector, "--events", str(write_end), *map(str, options), "--", *command],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=[write_end])
        os.close(write_end)
        self.events = read_end
        self.buffer = b""
        self.hit = None       # the words of the first harmed call
        self.program = None   # its pid
        self.told_to_end = None

    def terminate(self, number=signal.SIGTERM):
        """Passed on to the program."""
        if self.told_to_end is None:
            self.told_to_end = time.monotonic()
        self.process.send_signal(number)

    def next_event(self, timeout):
        """One line, or None if none comes within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self.events, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return None
                more = os.read(self.events, 65536)
                if not more:
                    return "end gone 0"
                self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def run(self, on_quiet=None, limit=60, on_tick=None, tick=1.0, ends_within=8):
        """Until the end; an Ending. `on_quiet(self)` is called at each silence, `on_tick(self)` every
        `tick` seconds. Whatever happens, the program is dead afterwards: one that does not end within
        `ends_within` seconds after it was told to, or takes longer than `limit`, hangs."""
        begun = time.monotonic()
        ending = None
        last_tick = begun
        try:
            while ending is None:
                event = self.next_event(max(0.01, last_tick + tick - time.monotonic()))
                now = time.monotonic()
                if on_tick and now - last_tick >= tick and not (event or "").startswith("end "):
                    last_tick = now
                    on_tick(self)
                late = self.told_to_end and now - self.told_to_end > ends_within
                if late or now - begun > limit:
                    return Ending("end hang 9 calls=0 harmed=0 after=0 cpu_ms=0 after_cpu_ms=0 "
                                  f"wall_ms={int((now - begun) * 1000)}")
                if event is None:
                    last_tick = min(last_tick, now) if on_tick else now
                elif event.startswith("pid "):
                    self.program = int(event.split()[1])
                elif event.startswith("hit "):
                    self.hit = event.split()[1:]
                elif event == "quiet":
                    if on_quiet:
                        on_quiet(self)
                elif event.startswith("end gone"):
                    return Ending("end gone 9 calls=0 harmed=0 after=0 cpu_ms=0 after_cpu_ms=0 wall_ms=0")
                elif event.startswith("end "):
                    ending = Ending(event)
        finally:
            if ending is None:
                self.process.kill()  # the program dies with its tracer
            self.process.wait()
            os.close(self.events)
        return ending
