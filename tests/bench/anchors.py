"""The programs that Caravel is measured beside, made with the system's compiler; and the null CouchDB."""
import contextlib
import hashlib
import json
import os
import platform
import select
import shutil
import subprocess
import urllib.request

from figures import Missing, Wrong

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIBRARIES = {"anchor_simdjson": ["-lsimdjson"], "null_couch": ["-lz", "-pthread"]}


def compiled(name):
    """The path of tests/bench/NAME.cc, compiled; kept in build/bench for as long as its source is the same."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not compiler:
        raise Missing("no C++ compiler here")
    # valgrind knows AVX2 and nothing behind it, so no -march=native.
    flags = ["-std=c++20", "-O2", "-DNDEBUG"]
    if platform.machine() == "x86_64" and name == "anchor_spysocket" and "avx2" in processor_flags():
        flags += ["-mavx2", "-mbmi"]
    source = os.path.join(HERE, name + ".cc")
    with open(source, "rb") as file:
        stamp = hashlib.sha256(file.read() + " ".join([compiler, *flags]).encode()).hexdigest()[:12]
    folder = os.environ.get("CARAVEL_BENCH_ANCHORS", os.path.join(ROOT, "build/bench"))
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}-{stamp}")
    if not os.path.exists(path):
        made = f"{path}.{os.getpid()}"
        done = subprocess.run([compiler, *flags, source, "-o", made, *LIBRARIES.get(name, [])],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Missing(f"{name}.cc does not compile here: {done.stderr.strip()[:500]}")
        os.rename(made, path)
    return path


def processor_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split() for line in file if line.startswith("flags")), [])


class Lines:
    """The lines of a pipe, each as soon as it is there; Wrong if none comes for `patience` seconds."""

    def __init__(self, pipe, patience=60):
        self.pipe, self.patience, self.bytes = pipe, patience, b""

    def next(self):
        while b"\n" not in self.bytes:
            if not select.select([self.pipe], [], [], self.patience)[0]:
                raise Wrong(f"waited {self.patience} s for a word of a program that is measured beside")
            got = os.read(self.pipe.fileno(), 1 << 16)
            if not got:
                raise Wrong("a program that is measured beside has ended")
            self.bytes += got
        line, self.bytes = self.bytes.split(b"\n", 1)
        return line.decode()


class NullCouch:
    """null_couch.cc, running. `next_event()` gives its lines if it was started with events."""

    def __init__(self, events=False, keep=None):
        command = [compiled("null_couch")] + (["--events"] if events else []) + (["--keep", keep] if keep else [])
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = Lines(self.child.stdout)
        first = self.lines.next().split()
        if len(first) != 2:
            raise Wrong("null_couch does not start")
        self.port = int(first[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = f"{{type: couchdb, url: '{self.url}', database: bench}}"

    def next_event(self):
        """(bulk or put, nanoseconds of CLOCK_MONOTONIC, documents or id)"""
        what, when, which = self.lines.next().split()
        return what, int(when), which

    def totals(self, forget=False):
        request = urllib.request.Request(self.url + "/_totals", method="DELETE" if forget else "GET")
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def close(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def inotify_alone(directory):
    """Gives a function: the name and the time (CLOCK_MONOTONIC, ns) of the next file closed in `directory`."""
    child = subprocess.Popen([compiled("anchor_inotify"), directory], stdout=subprocess.PIPE)
    lines = Lines(child.stdout)
    try:
        lines.next()

        def next_closed():
            name, when = lines.next().rsplit(" ", 1)
            return name, int(when)
        yield next_closed
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
