"""Extracts to attack with, and what must become of each: the rows, rejects and dropped lines that the
oracle (tests/oracle) finds, which shares no code with the program.

Each good line differs from all others in its time or vehicle. So rows of the same content are the same
line, and a row that is stored twice under two ids shows."""
import datetime
import glob
import gzip
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import spysocket_oracle as oracle  # noqa: E402

YEAR = 2012


def today():
    """As a log of today has it: what an agent cuts today is of this year, with a manifest or without."""
    return datetime.date.today()


def location(second, vehicle="V.1.100", no_fix=False, day="03/09"):
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    place = "0/0" if no_fix else f"36775{second % 90000:05}7/-76091438{second % 97:02}3"
    return (f"{clock} {day}  {vehicle}  H.0.0  MT_LOCATION    Lat/Lon:{place} [Valid]  "
            f"Adher:{second % 7 - 3} [Valid]  Odom:{second} [Valid]  DGPS:On  FOM:2\n").encode()


def crossing(second, vehicle="V.1.200", arrives=True, day="03/09"):
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    what = "Arrival" if arrives else "Dwell:22"
    return (f"{clock} {day}  {vehicle}  H.0.0  MT_TIMEPOINTCROSSING   Time:{clock}  {what}  Rte:73  Dir:1  "
            f"TP:339  Stop:{1000 + second % 500}  Svc:1  Blk:221  Lat/Lon:368683096359/-763270519248 [Valid]  "
            f"Adher:2 [Valid]  Odom:1924 [Valid]  DGPS:On  FOM:2\n").encode()


def lines(seconds, vehicle="V.1.100", rubbish_every=0, day="03/09"):
    """One line a second, of all sorts; with rubbish between if asked for."""
    out = []
    for number, second in enumerate(seconds):
        if number % 11 == 5:
            out.append(crossing(second, vehicle, number % 2 == 0, day))
        else:
            out.append(location(second, vehicle, number % 13 == 7, day))
        if rubbish_every and number % rubbish_every == rubbish_every - 1:
            out.append(b"rubbish %d of %s\n" % (second, vehicle.encode()))
    return b"".join(out)


class Extract:
    """One file to drop. `fate`: "done", or "failed" if none of it may be stored."""

    def __init__(self, feed, name, content, packing="", fate="done", damage=None, year=YEAR):
        self.feed, self.fate, self.content, self.year = feed, fate, content, year
        self.name = name + packing
        data = content
        if packing == ".gz":
            data = gzip.compress(content, mtime=0)
        elif packing == ".zst":
            data = subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True,
                                  check=True).stdout
        self.data = damage(data) if damage else data
        self.companions = {}  # further files that come with it: name -> bytes

    def answer(self):
        return oracle.judge(self.content, "spysocket", self.year)


class Truth:
    """What must be there in the end, over all extracts."""

    def __init__(self, extracts):
        self.extracts = extracts
        self.rows = {}      # feed -> set of CSV records
        self.rejects = []   # the bytes of each, as they came
        self.lines = {}     # feed -> lines of the ledger: the sum over its extracts
        self.failed = sorted(extract.name for extract in extracts if extract.fate == "failed")
        self.done = sorted(extract.name for extract in extracts if extract.fate == "done")
        for extract in extracts:
            rows = self.rows.setdefault(extract.feed, set())
            if extract.fate == "failed":
                continue
            answer = extract.answer()
            rows.update(record.decode() for record in answer.csv[1:])
            self.rejects += [came for _, _, came in answer.rejects]
            self.lines[extract.feed] = self.lines.get(extract.feed, 0) + answer.lines
        self.rejects.sort()


def some_extracts(other_feed="other"):
    """A few of each sort: overlapping, packed, damaged, empty, cut off, with too many rejects."""
    # The gzip trailer is damaged: everything unpacks, and only the checksum tells.
    def flip_checksum(data):
        return data[:-6] + bytes([data[-6] ^ 1]) + data[-5:]
    made = [
        Extract("hrt", "a-2012-03-09.log", lines(range(60))),
        Extract("hrt", "b-2012-03-09.log", lines(range(30, 90), rubbish_every=9)),
        Extract("hrt", "c-2012-03-09.log", lines(range(200, 260)), packing=".gz"),
        Extract("hrt", "d-2012-03-09.log", lines(range(300, 340)), packing=".zst"),
        Extract("hrt", "e-2012-03-09.log", lines(range(400, 430)), packing=".gz", fate="failed",
                damage=flip_checksum),
        Extract("hrt", "f-2012-03-09.log", b""),
        Extract("hrt", "g-2012-03-09.log", lines(range(500, 505)) + location(505)[:60]),
        Extract("hrt", "h-2012-03-09.log", b"no line of this feed\n" * 25, fate="failed"),
    ]
    if other_feed:
        made += [Extract(other_feed, "a-2012-03-09.txt", lines(range(60), "V.2.1")),
                 Extract(other_feed, "b-2012-03-09.txt", lines(range(50, 80), "V.2.1", rubbish_every=10))]
    return made


def extracts_with_manifests(agent, content_of_log, feed="hrt", max_bytes="2kB", log="app.log"):
    """What caravel-tail cuts from a log, in the order of their sequence."""
    with tempfile.TemporaryDirectory(prefix="caravel-torture-") as folder:
        path = os.path.join(folder, log)
        with open(path, "wb") as file:
            file.write(content_of_log)
        outbox = os.path.join(folder, "outbox")
        subprocess.run([agent, "--once", "--from", "start", "--outbox", outbox, "--state",
                        os.path.join(folder, "state"), "--max-bytes", max_bytes, path],
                       check=True, stderr=subprocess.DEVNULL)
        made = []
        for path in sorted(glob.glob(os.path.join(outbox, "*.log"))):
            with open(path, "rb") as file:
                extract = Extract(feed, os.path.basename(path), file.read(), year=today().year)
            with open(path + ".manifest", "rb") as file:
                extract.companions[extract.name + ".manifest"] = file.read()
            made.append(extract)
        return made


def break_transfer(extract):
    """Its end did not arrive: it is not what its manifest says."""
    extract.data = extract.data[:len(extract.data) // 2]
    extract.fate = "failed"
