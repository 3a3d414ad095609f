"""The lines that the loggers are fed with, and how they are found again.

A line is one token of 59 bytes that carries its number twice, at its start and at its end: a piece of
one, or two pieces of different lines put together, is never taken for a line. The token is made of what
may stand in a URL and in a DNS label, so that servers can be made to log it.
"""
import bz2
import gzip
import lzma
import os
import re
import subprocess
import zlib

LINE_BYTES = 60  # with its end
FILL = "-" * (LINE_BYTES - 1 - 2 * 8)
TOKEN = r"n(\d{7})-{%d}(\d{7})z" % len(FILL)


def line(number):
    return f"n{number:07}{FILL}{number:07}z"


class Shape:
    """What a line of a logger looks like: `pattern` is a regular expression in which %s stands for the
    token, `own` one of the lines that the logger adds by itself (headers)."""

    def __init__(self, pattern="%s", own=None):
        self.whole = re.compile((pattern % TOKEN).encode())
        self.own = own and re.compile(own.encode())

    def number(self, data):
        """The number of a whole line; None for a piece of one; 0 for a line of the logger's own."""
        data = data.strip(b"\r\n\0")
        found = self.whole.fullmatch(data)
        if found and found[1] == found[2]:
            return int(found[1])
        return 0 if not data.strip() or (self.own and self.own.fullmatch(data)) else None


OPENERS = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


def unpacked(path):
    """The content of a file, packed or not; of a damaged packed one, what can be unpacked. Names do not
    tell: svlogd's processors pack a file and leave its name as it was."""
    content = b""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
        if start == b"\x28\xb5\x2f\xfd":
            return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=False).stdout
        with OPENERS.get(start[:2], open)(path, "rb") as file:
            while piece := file.read1(1 << 16):
                content += piece
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass
    return content


def on_disk(folder, shape):
    """The numbers of all lines that lie anywhere below `folder`. A line that was cut in two by a rotation
    counts, if both of its pieces are there."""
    numbers, ends, starts = set(), [], []
    for directory, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            pieces = unpacked(path).lstrip(b"\0").split(b"\n")
            ends.append(pieces.pop())
            starts.extend(pieces[:1])
            numbers.update(filter(None, map(shape.number, pieces)))
    for end in filter(None, ends):
        numbers.update(filter(None, (shape.number(end + start) for start in [b"", *starts])))
    return numbers
