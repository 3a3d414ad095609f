"""What all rows share: the programs, the inputs, how much is measured, and taking turns."""
import dataclasses
import os
import shutil

import corpora

MIB = 1 << 20


@dataclasses.dataclass
class Scale:
    """How much is measured; bytes, counts. `--quick` is for a look while one works."""
    counted: tuple = (MIB, 4 * MIB)         # callgrind's two sizes, of formatting
    counted_store: tuple = (MIB, 4 * MIB)   # and of loading
    big: int = 256 * MIB
    store: int = 32 * MIB
    again: int = 8 * MIB
    rounds: int = 3
    extracts: int = 5000      # small ones, one after the other
    traced: tuple = (100, 400)
    drops: int = 300          # for latencies
    ledger: int = 100_000     # extracts that it knows
    waiting: int = 20_000     # files that are there before the start
    idle_seconds: float = 5

    @staticmethod
    def quick():
        return Scale(counted=(MIB // 4, MIB), counted_store=(MIB // 4, MIB), big=32 * MIB, store=4 * MIB,
                     again=MIB, rounds=1, extracts=100, traced=(5, 25), drops=20, ledger=5000, waiting=500,
                     idle_seconds=1)

    @staticmethod
    def smallest():
        """For the harness's own tests: figures that mean nothing, from rows that do all that they do."""
        kib = MIB // 1024
        return Scale(counted=(64 * kib, 160 * kib), counted_store=(64 * kib, 160 * kib), big=160 * kib,
                     store=160 * kib, again=64 * kib, rounds=1, extracts=10, traced=(1, 3), drops=2, ledger=20,
                     waiting=10, idle_seconds=0.1)


@dataclasses.dataclass
class Input:
    path: str
    bytes: int
    lines: int


class Measurement:
    """One run over all chosen rows. `programs` are paths of caravel: ours, and another build's if they are
    compared."""

    def __init__(self, programs, folder, scale, progress=lambda text: None):
        self.programs = programs
        self.folder = folder
        self.scale = scale
        self.progress = progress
        self.row = ""
        self.inputs = {}
        self.rows_of = {}  # by an extract's path: rows_store.expected_rows()
        self.made = 0

    def place(self, name):
        """A path that was not used before."""
        self.made += 1
        return os.path.join(self.folder, f"{self.made:03}-{name}")

    def input(self, kind, least):
        """The log of `kind` (a writer of corpora.py) with at least so many bytes; always the same file."""
        if (kind, least) not in self.inputs:
            self.progress(f"{self.row}: writing {least / MIB:.0f} MiB of {kind}")
            # Dates of all lines are in 2012; the name says until when.
            path = self.place(f"{kind}-2012-12-31.log")
            lines = getattr(corpora, kind)(path, least)
            self.inputs[kind, least] = Input(path, os.path.getsize(path), lines)
        return self.inputs[kind, least]

    def in_turns(self, measure, anchors=(), rounds=1):
        """Lists of what `measure(program)` gave for each program, and of what each anchor gave. They take
        turns, in the other order each round: a busy moment of the machine meets all of them."""
        ours = [[] for _ in self.programs]
        theirs = [[] for _ in anchors]
        calls = [(lambda program=program: measure(program), kept) for program, kept in zip(self.programs, ours)]
        calls += list(zip(anchors, theirs))
        for number in range(rounds):
            for place, (call, kept) in enumerate(calls if number % 2 == 0 else reversed(calls)):
                self.progress(f"{self.row}: round {number + 1} of {rounds}, {place + 1} of {len(calls)}")
                kept.append(call())
        return ours, theirs

    def forget_hosts(self, *hosts):
        for host in hosts:
            shutil.rmtree(host.folder, ignore_errors=True)


ROWS = {}


def row(name):
    """Makes a function a row of the table: it takes the Measurement and returns its figures. What it says in
    its first line is what `--list` shows."""
    def enter(function):
        ROWS[name] = function
        return function
    return enter
