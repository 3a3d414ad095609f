"""What a set-up is made of: a logger, how it is started and rotated, and how the agent is told its LOG.

Every writer program takes the same arguments, `KIND FOLDER BYTES SECONDS PAD`: how to log, where to, the
size at which files are rotated, the time after which they are (for those that go by time), how many blanks
are put behind a line (for loggers whose smallest size is large). It logs each line of its stdin, as it
comes, and ends with its stdin.
"""
import dataclasses
import os
import shutil
import subprocess
from typing import Callable, Optional

from lines import LINE_BYTES, Shape

HERE = os.path.dirname(os.path.abspath(__file__))
WRITERS = os.path.join(HERE, "writers")
PYTHON = "/usr/bin/python3"  # Debian's own: another one does not see Debian's modules


@dataclasses.dataclass(frozen=True)
class Mode:
    """How fast lines come, and how the agent is run."""
    name: str
    lines: int
    seconds: float  # from the first line to the last
    every: float    # seconds between two rotations
    once: Optional[float] = None  # seconds between two passes; None: the agent runs

    @property
    def lines_a_file(self):
        return round(self.lines * self.every / self.seconds)


MODES = {mode.name: mode for mode in (
    Mode("slow", 480, 12, 1.7), Mode("fast", 4000, 6, 0.1), Mode("once", 480, 12, 1.7, 1.5),
    Mode("calm", 264, 24, 6), Mode("calm-once", 264, 24, 6, 4))}

# For each run of the tests: a dozen loggers that are small, in two short modes.
QUICK_MODES = {mode.name: mode for mode in (
    Mode("quick", 400, 4, 0.4), Mode("quick-once", 400, 6, 0.6, 1))}
DOZEN = ("logrotate-plain", "logrotate-compress", "logrotate-copytruncate", "logrotate-olddir", "rotatelogs-n",
         "savelog", "rotatelogs-n-buffered", "cronolog-link", "multilog", "svlogd-both",
         "python-rotating", "python-rotator-gz", "winston", "rotating-file-stream")


@dataclasses.dataclass
class Logger:
    """One set-up."""
    name: str                # for the command line
    title: str               # for the table, with the version
    start: Callable          # (cell) -> the process that takes lines on its stdin
    logs: tuple = ("app.log",)   # as the agent is told them, below the cell's folder `logs`
    siblings: tuple = ()         # for --siblings, below `logs` too
    rotate: Optional[Callable] = None  # (cell): for those that do not rotate by themselves
    feed: Optional[Callable] = None    # (cell, [line]): instead of stdin
    finish: Optional[Callable] = None  # (cell): waits for what goes on after the writer's end
    shape: Shape = Shape()
    block: int = 0           # the writer before the logger buffers that many bytes
    pad: int = 0             # bytes that are added to a line by `feed`: larger files for the same lines
    status: int = 0          # with which the logger ends when its stdin does
    dies: bool = False       # it ends by itself, in the middle
    needs: tuple = ()        # programs, files and node modules that must be there


def writer(program, kind, *, least=0):
    """Starts a writer program. `least`: the smallest size at which the logger can rotate."""
    def start(cell):
        size = max(least, cell.mode.lines_a_file * LINE_BYTES)
        pad = size // cell.mode.lines_a_file - LINE_BYTES
        return cell.spawn([*cell.builder.command(program), kind, cell.logs, str(size),
                           str(max(1, round(cell.mode.every))), str(pad)])
    return start


def reopening_writer(cell, *options):
    """A writer that opens its log again at SIGHUP, as daemons do. Its process id is in cell.work/pid."""
    return cell.spawn([PYTHON, f"{WRITERS}/reopening.py", cell.path("app.log"), f"{cell.work}/pid", *options])


def piped(*command):
    """Starts a command that logs its stdin; {logs}, {work}, {bytes} and {seconds} are put in."""
    def start(cell):
        values = {"logs": cell.logs, "work": cell.work, "bytes": cell.mode.lines_a_file * LINE_BYTES,
                  "seconds": max(1, round(cell.mode.every))}
        return cell.spawn([part.format(**values) for part in command])
    return start


def missing(needs, builder):
    """Of what a set-up needs, what is not there."""
    def there(need):
        if need.startswith("npm:"):
            return builder.npm_module(need[4:])
        return os.path.exists(need) if "/" in need else find_program(need)
    return [need for need in needs if not there(need)]


def find_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command, **options):
    """A helper that must succeed."""
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
