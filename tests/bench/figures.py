"""What a row of the table is, and how it is printed."""
import dataclasses
import re
import sys


class Wrong(Exception):
    """A program gave another result than it should: its figures mean nothing."""


class Missing(Exception):
    """Something that a row needs is not here: the row is not measured, and says why."""


@dataclasses.dataclass
class Figure:
    """One line of the table: a row function returns one or more of them.

    `ours` holds one value a program; `anchor` is what the same input costs somebody else in the same run.
    `target` is "<= 5" or ">= 25 x"; with the "x" it is about the ratio to the anchor, else about our value.
    """
    what: str
    ours: list
    unit: str = ""
    anchor: float | None = None
    anchor_is: str = ""
    target: str = ""
    better: str = "less"  # or "more"
    beside: str = ""      # what else is worth knowing, as text

    @property
    def ratio(self):
        """How many times as good as the anchor; nothing without one."""
        if not self.anchor or not self.ours[0]:
            return None
        return self.anchor / self.ours[0] if self.better == "less" else self.ours[0] / self.anchor

    @property
    def met(self):
        """Whether the target is reached; nothing without one."""
        found = re.fullmatch(r"(<=|>=|<|>) (-?[\d.,]+)( x)?", self.target)
        if not found:
            return None
        value = self.ratio if found[3] else self.ours[0]
        limit = float(found[2].replace(",", ""))
        if value is None:
            return None
        return {"<=": value <= limit, ">=": value >= limit, "<": value < limit, ">": value > limit}[found[1]]

    @property
    def against_other(self):
        """How many times as good as the other build; nothing if there is none."""
        if len(self.ours) < 2 or not self.ours[0] or not self.ours[1]:
            return None
        first, second = self.ours
        return second / first if self.better == "less" else first / second

    def cells(self):
        """what, ours, anchor, ratio, target, verdict (and the other build's value, and the ratio to it)."""
        anchor = f"{number(self.anchor)} {self.anchor_is}" if self.anchor is not None else ""
        made = [self.what, f"{number(self.ours[0])} {self.unit}".strip(), anchor,
                f"{number(self.ratio)} x" if self.ratio is not None else "", self.target,
                {None: "", True: "met", False: "missed"}[self.met]]
        if len(self.ours) > 1:
            other = self.against_other
            made += [number(self.ours[1]), f"{other:.3f} x" if other is not None else ""]
        return made


def number(value):
    """Three digits that count, and no more."""
    if value == 0:
        return "0"
    size = abs(value)
    for least, digits in ((100, 0), (10, 1), (1, 2), (0.1, 3)):
        if size >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.2g}"


HEADS = ["what", "ours", "anchor", "ratio", "target", "", "other build", "ours : other"]
WIDTHS = [46, 18, 30, 9, 10, 7, 12, 12]


class Table:
    """Prints figures as they come; on a terminal a line below them says what is being measured."""

    def __init__(self, out=sys.stdout, err=sys.stderr, programs=1):
        self.out, self.err = out, err
        self.columns = 6 if programs == 1 else 8
        self.terminal = err.isatty()
        self.figures = []
        self.notes = []

    def head(self):
        self.line(HEADS)

    def line(self, cells):
        cells = list(cells)[:self.columns]
        self.clear()
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS)).rstrip(),
              file=self.out, flush=True)

    def add(self, figure):
        self.figures.append(figure)
        self.line(figure.cells())
        if figure.beside:
            print(f"    {figure.beside}", file=self.out, flush=True)

    def note(self, row, text):
        """A row that could not be measured, or whose result was wrong."""
        self.notes.append((row, text))
        self.clear()
        print(f"{row}: {text}", file=self.out, flush=True)

    def progress(self, text):
        if self.terminal:
            self.err.write(f"\r\x1b[K{text[:150]}")
            self.err.flush()

    def clear(self):
        if self.terminal:
            self.err.write("\r\x1b[K")
            self.err.flush()

    def markdown(self):
        """The same table for docs/performance.md."""
        lines = ["| " + " | ".join(HEADS[:self.columns]) + " |", "|" + "---|" * self.columns]
        for figure in self.figures:
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in figure.cells()) + " |")
            if figure.beside:
                lines.append(f"| … {figure.beside} |" + " |" * (self.columns - 1))
        lines += [f"\n{row}: {text}" for row, text in self.notes]
        return "\n".join(lines) + "\n"
