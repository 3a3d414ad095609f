"""How programs are measured: run to their end, counted by callgrind, by strace, or looked at while they run."""
import os
import re
import shutil
import subprocess
import tempfile
import time

from figures import Missing, Wrong


def tool(name):
    """The path of a program that an anchor or an instrument is."""
    path = shutil.which(name)
    if not path:
        raise Missing(f"no {name} here (scripts/setup --extra)")
    return path


class Run:
    """A program run to its end.

    seconds, cpu (user and system), user: seconds; peak_mib; code; stdout goes to `out` (a path) or nowhere.
    """

    def __init__(self, command, good=(0,), out=os.devnull, cwd=None):
        started = time.monotonic()
        with open(out, "wb") as output, tempfile.TemporaryFile() as messages:
            child = subprocess.Popen(command, stdout=output, stderr=messages, stdin=subprocess.DEVNULL,
                                     cwd=cwd, env=dict(os.environ, LC_ALL="C"))
            _, status, usage = os.wait4(child.pid, 0)
            self.seconds = time.monotonic() - started
            child.returncode = self.code = os.waitstatus_to_exitcode(status)
            self.user = usage.ru_utime
            self.cpu = usage.ru_utime + usage.ru_stime
            self.peak_mib = usage.ru_maxrss / 1024
            messages.seek(0)
            self.messages = messages.read().decode(errors="replace")
        if self.code not in good:
            raise Wrong(f"{' '.join(map(str, command))}: exit code {self.code}\n{self.messages[-2000:]}")


class Count:
    """Instructions of a program, of all its threads, as callgrind counts them (user mode only)."""

    def __init__(self, folder, command, good=(0,), out=os.devnull):
        # A name of its own, and never one for each thread.
        handle, self.path = tempfile.mkstemp(dir=folder, prefix="callgrind.")
        os.close(handle)
        self.run = Run([tool("valgrind"), "--tool=callgrind", f"--callgrind-out-file={self.path}", *command],
                       good, out)
        with open(self.path, encoding="utf-8", errors="replace") as file:
            self.lines = file.read().split("\n")
        os.remove(self.path)
        totals = [line for line in self.lines if line.startswith(("totals:", "summary:"))]
        if not totals:
            raise Wrong(f"callgrind says no total\n{self.run.messages[-2000:]}")
        self.instructions = int(totals[-1].split()[1])

    def within(self, object_name):
        """Those of them that were done in the library whose path holds `object_name`.

        The profile names the object (`ob=`) in front of the costs of its functions; the line behind a
        `calls=` is what the called function cost, which stands at that function too. An object has its name
        where it is first spoken of, which may be as that of a called function (`cob=`), and then a number.
        """
        names, inside, total, skip = {}, False, 0, False
        for line in self.lines:
            if line.startswith(("ob=", "cob=")):
                found = re.fullmatch(r"(c?)ob=\((\d+)\)\s*(.*)", line)
                if found[3]:
                    names[found[2]] = found[3]
                if not found[1]:
                    inside = object_name in names[found[2]]
            elif line.startswith("calls="):
                skip = True
            elif inside and re.match(r"[+*\d-]", line):
                if not skip:
                    total += int(line.split()[1])
                skip = False
            elif re.match(r"[+*\d-]", line):
                skip = False
        return total


def per_unit(small, large, units):
    """Cost of a unit, with the start-up taken off: two counts, and how many units are between them."""
    return (large - small) / units


class SystemCalls:
    """System calls by name of a command and its threads, as strace -c counts them. `command` is run to its
    end by `go_on(child)`, which may do something meanwhile and must see to it that it ends."""

    SYNCS = ("fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "msync")

    def __init__(self, folder, command, go_on, messages):
        handle, path = tempfile.mkstemp(dir=folder, prefix="strace.")
        os.close(handle)
        with open(messages, "ab") as log:
            child = subprocess.Popen([tool("strace"), "-f", "-c", "-o", path, *command],
                                     stdout=subprocess.DEVNULL, stderr=log, env=dict(os.environ, LC_ALL="C"))
            go_on(child)
            child.wait()
        self.by_name = {}
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                words = line.split()
                if len(words) >= 5 and re.fullmatch(r"[\d.]+", words[0]) and words[-1] != "total":
                    self.by_name[words[-1]] = int(words[3])
        os.remove(path)
        if not self.by_name:
            raise Wrong("strace counted nothing")

    @property
    def all(self):
        return sum(self.by_name.values())

    @property
    def syncs(self):
        return sum(self.by_name.get(name, 0) for name in self.SYNCS)


def cpu_seconds(pid):
    """Of a process and its threads, up to now: clock_getcpuclockid(3)'s clock, in nanoseconds inside."""
    return time.clock_gettime((~pid << 3) | 2)


def status_mib(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(rf"{key}:\s+(\d+)", file.read())[1]) / 1024


def reads_of(pid):
    """How many calls of read(2) and its like a process has made."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(re.search(r"syscr: (\d+)", file.read())[1])


def is_at_rest(pid):
    """Whether all threads of a process wait for something: none works, none wants a processor."""
    tasks = f"/proc/{pid}/task"
    try:
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/stat", encoding="utf-8") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "S":
                    return False
    except FileNotFoundError:  # a thread ended meanwhile
        return False
    return True


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wait_for(what, condition, patience=600, pause=0.01):
    """What `condition()` gives once it is true."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Wrong(f"waited {patience} s for {what}")
        time.sleep(pause)
