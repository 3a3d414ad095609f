"""Hostile files: names, types, contents and manifests that an enemy, or a broken sender, puts into the
drop directory, beside honest extracts. The honest ones must come through whole, and each other file must
end as done, as failed, or as left alone, with its reason; nothing may be invented."""
import gzip
import hashlib
import os
import socket
import subprocess

import content
from attacks import Attack
from host import plain_numbers
from verdict import Verdict, judge_ending

UGLY_NAMES = ("x\n2012.log", "\x1b[31mred.log", "a\u202egol.log", "-rf.log", "*.log", "'; rm -rf $HOME;'.log",
              "$(reboot).log", "%s%n.log", "..log", "...log", " .log", "a" * 240 + ".log", "a b\tc.log",
              "con.log", "x.log.gz.gz.log", ".hidden.log", "~tilde.log", "part.log.part", "x.log.tmp",
              "\u2028line.log", "name.why", "x.log.manifest", "x.log.manifest.log", "ledger.db.log",
              "2012-02-30.log", "2999-12-31.log", "0000-00-00.log", "a.log~deadbeef", "a.log~deadbeef.log")


# An escape sequence, a bell, a mark of direction, a line separator.
RAW = (b"\x1b", b"\x07", "\u202e".encode(), "\u2028".encode())


def damaged(chance, data):
    """Some bytes changed, lost, doubled, or put elsewhere."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        if not data:
            break
        at = chance.randrange(len(data))
        how = chance.randrange(8)
        if how == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            data[at] = chance.randrange(256)
        elif how == 2:
            del data[at:at + chance.choice((1, 10, 1000))]
        elif how == 3:
            data[at:at] = data[at:at + chance.choice((1, 50, 2000))]
        elif how == 4:
            data[at:at] = bytes(chance.choice((1, 3, 100)))
        elif how == 5:
            data[at:at] = chance.choice((b"\r", b"\n\n", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\x1b[2J",
                                         "\u202e".encode(), b"V.1.1 ", b"[Valid]", b"99:99:99 13/32 "))
        elif how == 6:
            del data[at:]
        else:
            data[at:at] = b"x" * chance.choice((100, 5000, 70000))
    return bytes(data)


def hostile_content(chance):
    """(bytes, suffix of the name, what they unpack to if they do)"""
    good = content.lines(range(2000, 2000 + chance.choice((3, 40, 200))), f"V.9.{chance.randrange(1000)}")
    what = chance.randrange(14)
    if what <= 4:
        data = damaged(chance, good)
        return data, "", data
    if what == 5:
        return damaged(chance, gzip.compress(good, mtime=0)), ".gz", good
    if what == 6:
        return damaged(chance, zstd(good)), ".zst", good
    if what == 7:
        more = damaged(chance, good)
        return gzip.compress(good, mtime=0) + gzip.compress(more, mtime=0), ".gz", good + more
    if what == 8:
        return b"x" * chance.choice((1 << 20, 3 << 20)), "", b""   # one line without an end
    if what == 9:
        return bytes(chance.choice((1, 4096, 1 << 20))), "", b""
    if what == 10:
        return chance.randbytes(chance.choice((10, 5000, 200000))), chance.choice(("", ".gz", ".zst")), b""
    if what == 11:
        return good.decode().encode("utf-16"), "", b""
    if what == 12:
        return zstd(bytes(1 << 25)), ".zst", b""                   # it unpacks to much more
    data = good.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n", b"\x0b\n", b"\x85")))
    return data, "", data


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def put(chance, drop, number):
    """One hostile entry in the drop directory; returns the lines that may come of it."""
    data, suffix, lines = hostile_content(chance)
    name = chance.choice(UGLY_NAMES) if chance.random() < 0.3 else f"h{number}-2012-03-09.log"
    path = os.path.join(os.fsencode(drop), os.fsencode(name + suffix))
    if os.path.lexists(path):
        return b""
    what = chance.randrange(12)
    if what == 0:
        os.symlink(chance.choice(("/dev/null", "nowhere", ".", "a-2012-03-09.log", "/dev/zero")), path)
    elif what == 1:
        os.mkfifo(path)
    elif what == 2:
        os.mkdir(path)
    elif what == 3:
        sock = socket.socket(socket.AF_UNIX)
        try:
            os.chdir(drop)
            sock.bind(os.path.basename(path)[:90])
        except OSError:
            pass
        finally:
            os.chdir("/")
            sock.close()
    elif what == 4:
        write(path, data)
        os.link(path, path + b".second")
    elif what == 5:
        with open(path, "wb") as file:  # a hole in front
            file.seek(chance.choice((1, 1 << 16, 1 << 24)))
            file.write(data)
        lines = lines and bytes(1) + lines
    elif what == 6:
        write(path, data)
        os.chmod(path, chance.choice((0, 0o200, 0o4755)))
    elif what == 7:
        name = b"app.log.evil.%08x.%08d.log" % (chance.randrange(16**8), chance.randrange(1, 5))
        path = os.path.join(os.fsencode(drop), name)
        write(path, data)
        write(path + b".manifest", damaged(chance, manifest(data)) if chance.random() < 0.8 else manifest(data))
    elif what == 8:
        write(path, data)
        os.utime(path, (chance.choice((0, 1, 2**33, -2**31, 1331280000)),) * 2)
    else:
        write(path, data)
    if os.path.isfile(path) and not os.path.islink(path) and what != 8:
        os.utime(path, (1331280000, 1331280000))
    return lines


def without_year(record):
    """Which year it is depends on names and times, which are an enemy's here."""
    return record.strip('"')[4:]


def manifest(data):
    return (b"version=1\nhost=evil\nlog=/var/log/app.log\ndevice=1\ninode=2\nrun=0a1b2c3d\nsequence=1\n"
            b"first_line=" + b"0" * 32 + b"\nfirst=0\nlast=%d\nbytes=%d\nlines=%d\nsha256=%s\n"
            b"cut=2012-03-09T09:48:00.250Z\n" % (len(data), len(data), data.count(b"\n"),
                                                  hashlib.sha256(data).hexdigest().encode()))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


class HostileFiles(Attack):
    """Twenty hostile entries at once; each counts as tried."""
    row = "files"
    category = "files"
    share = 0.5
    many = 20

    def __init__(self, scenarios, place):
        super().__init__([scenario for scenario in scenarios
                          if scenario.kind in ("watch", "sweep") and scenario.store == "local"], place)

    def draw(self, chance):
        return f"files:{self.draw_scenario(chance).name}:{chance.randrange(10**9)}"

    def harm(self, scenario, host, parts, chance, verdict):
        verdict.tried = self.many
        host.allowed = set()
        for number in range(self.many):
            lines = put(chance, host.path("spool/drop"), number)
            for record in content.oracle.judge(lines, "spysocket", 2012).csv[1:]:
                host.allowed.add(plain_numbers(without_year(record.decode("utf-8", "replace"))))
        judge_ending(verdict, scenario.attack(host, [], limit=90), "the run")

    def recover(self, scenario, host):
        problem = scenario.recover(host)
        # What only waits (unreadable, a second link, no manifest yet) has said so.
        status = host.status()
        if problem and status and all(entry["why"] for entry in status["waiting"]):
            return None
        return problem

    def compare(self, scenario, host):
        """The honest rows are there, and what else is there came from lines that a file had."""
        verdict = Verdict()
        for feed, expected in scenario.truth.rows.items():
            expected = {plain_numbers(record) for record in expected}
            found = {plain_numbers(record) for record in host.stored(feed)}
            missing = expected - found
            verdict.add("lost", len(missing), f"{feed}: {len(missing)} honest rows, such as {min(missing, default='')}")
            strange = [record for record in found
                       if record not in expected and without_year(record) not in host.allowed]
            verdict.add("invented", len(strange), f"{feed}: {strange[:2]}")
        status = host.status()
        if status is None:
            verdict.add("other", 1, "status fails")
            return verdict
        raw = [line for line in host.run("status").stdout.splitlines() if any(text in line for text in RAW)]
        verdict.add("other", len(raw), f"status shows raw text of names: {raw[:1]}")
        for feed in status["feeds"]:
            counts = feed["counts"]
            whole = counts["stored"] + counts["already_there"] + counts["dropped"] + counts["rejected"]
            verdict.add("other", counts["lines"] - counts["failed"] != whole, f"the sum is wrong: {counts}")
        for path in host.files_below("spool/failed"):
            if not path.endswith(".why") and not os.path.exists(path + ".why"):
                verdict.add("other", 1, f"{os.path.basename(path)} has no .why")
        return verdict
