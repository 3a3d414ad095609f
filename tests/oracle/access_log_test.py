#!/usr/bin/env python3
"""Compares `caravel format` on access logs with an independent regular expression, over generated lines.

    access_log_test.py CARAVEL FORMAT [--seeds 8] [--lines 2500]

The lines are made as nginx and Apache make them, with hostile values; some are harmed afterwards. Compared
are, line by line: row or reject, its place, and every column. What differs is printed.
"""
import argparse
import calendar
import csv
import os
import random
import re
import subprocess
import sys
import tempfile

COLUMNS = ["Date", "Time", "Zone", "Client", "User", "Request", "Status", "Bytes", "Referer", "Agent"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

STRING = r'"(?P<{}>(?:[^"\\]|\\.)*)"'
HEAD = re.compile(r"(?P<client>[^ \t]+) [^ \t]+ ")
# What stands behind the user, tried wherever " [" does.
TAIL = re.compile(
    rf" \[(?P<day>\d\d)/(?P<month>{'|'.join(MONTHS)})/(?P<year>\d{{4}})"
    r":(?P<time>(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)) (?P<zone>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)\] " +
    STRING.format("request") + r" (?P<status>-?\d+) (?P<bytes>-?\d+|-)" +
    rf"(?: {STRING.format('referer')} {STRING.format('agent')})?", re.ASCII)


def row_of(line, common):
    """The columns of a line, or None: it is a reject. `common`: it may lack referer and agent."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = text.removesuffix("\r").strip(" \t")
    head = HEAD.match(text)
    if not head:
        return None
    readings = []
    for place in re.finditer(r"(?= \[)", text[head.end():]):
        at = head.end() + place.start()
        tail = TAIL.fullmatch(text, at)
        if not tail or (tail["agent"] is None and not common):
            continue
        day, month, year = int(tail["day"]), MONTHS.index(tail["month"]) + 1, int(tail["year"])
        if not 1 <= day <= calendar.monthrange(year, month)[1]:
            continue
        count = "" if tail["bytes"] == "-" else tail["bytes"]
        row = [f"{year:04}-{month:02}-{day:02}", tail["time"], tail["zone"], head["client"],
               text[head.end():at], tail["request"], tail["status"], count, tail["referer"] or "",
               tail["agent"] or ""]
        # The kinds of the format, in their order; for each of them the shortest user.
        readings.append((tail["agent"] is None, count == "", at, row))
    return min(readings)[-1] if readings else None


class Generator:
    """Lines of a server, `format_name`; some of them harmed."""

    PIECES = ["[", "]", " [", "] ", '"', '" ', ' "', "\\", '\\"', " ", "-", ",", "\t", ":", "a", "7", "ü", "\x01",
              "[10/Oct/2000:13:55:36 -0700]", " [10/Oct/2000:13:55:36 -0700] ", '" 200 5 "', " 404 7 ",
              ' [31/Feb/2001:00:00:00 +0000] "x" 1 1 "a" "b"', '"-" "-"', "GET / HTTP/1.1", "x" * 300, " [" * 50]

    def __init__(self, seed, format_name):
        self.random = random.Random(f"{seed}/{format_name}")
        self.apache = format_name.startswith("apache")

    def text(self, most):
        return "".join(self.random.choice(self.PIECES) for _ in range(self.random.randrange(most)))

    def escaped(self, text):
        """As nginx (ngx_http_log_escape) and Apache (ap_escape_logitem) write what a client sent."""
        out = ""
        for byte in text.encode("utf-8"):
            char = chr(byte)
            if self.apache and char in '"\\':
                out += "\\" + char
            elif self.apache and char in "\n\r\t":
                out += "\\" + {"\n": "n", "\r": "r", "\t": "t"}[char]
            elif byte < 32 or byte > 126 or char in '"\\':
                out += f"\\x{byte:02x}" if self.apache else f"\\x{byte:02X}"
            else:
                out += char
        return out

    def line(self):
        draw = self.random
        client = draw.choice(["192.0.2.7", "2001:db8::17", "::1", "host.example.org", "unix:"])
        user = draw.choice(["-", "ann", "Ann B", '""' if self.apache else "", self.escaped(self.text(7))])
        stamp = (f"{draw.randrange(1, 32):02}/{draw.choice(MONTHS)}/{draw.randrange(1995, 2040)}:"
                 f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(61):02} "
                 f"{draw.choice(['+0000', '-0700', '+0530', '+1400'])}")
        request = draw.choice(["-", "", "GET / HTTP/1.1", self.escaped(self.text(9))])
        status = draw.choice(["200", "304", "400", "408", "000", "499"])
        count = draw.choice(["0", "5", "123456789012", "-"])
        line = f'{client} - {user} [{stamp}] "{request}" {status} {count}'
        if draw.random() < 0.8:
            line += f' "{self.escaped(self.text(5)) or "-"}" "{self.escaped(self.text(5)) or "-"}"'
        line = line.encode("utf-8")
        if draw.random() < 0.3:
            line = self.harmed(line)
        return line + (b"\r\n" if draw.random() < 0.1 else b"\n")

    def harmed(self, line):
        draw = self.random
        at = draw.randrange(len(line))
        how = draw.randrange(5)
        if how == 0:
            return line[:at] or b"x"
        if how == 1:
            return line[:at] + bytes([draw.choice(b' "[]\\-9\t\xff\xc3')]) + line[at + 1:]
        if how == 2:
            return line[:at] + line[at + 1:] or b"x"
        if how == 3:
            return line + b" " + line
        return line[:at] + self.text(4).encode("utf-8") + line[at:]

    def extract(self, lines):
        content = [self.line() for _ in range(lines)]
        # What a line of blanks is, is not told here.
        return [line if line.strip() else b"x\n" for line in content]


def differences(caravel, format_name, lines):
    """Sentences; none if program and expression agree. How many lines are rows, too."""
    expected, rejected, offset = [], [], 0
    for number, line in enumerate(lines, 1):
        row = row_of(line.removesuffix(b"\n"), common=format_name == "apache")
        if row is None:
            rejected.append([str(number), str(offset)])
        else:
            expected.append((row, line))
        offset += len(line)
    with tempfile.TemporaryDirectory(prefix="caravel-oracle-") as folder:
        extract, rejects = os.path.join(folder, "access.log"), os.path.join(folder, "rejects")
        with open(extract, "wb") as file:
            file.write(b"".join(lines))
        run = subprocess.run([caravel, "format", "--format", format_name, "--rejects", rejects, extract],
                             capture_output=True, timeout=120, check=False)
        reasons = []
        if os.path.exists(rejects + ".reasons.csv"):
            with open(rejects + ".reasons.csv", encoding="utf-8", newline="") as file:
                reasons = list(csv.reader(file))
    found = []
    if run.returncode != (3 if rejected else 0):
        found.append(f"exit code {run.returncode}: {run.stderr[-300:]!r}")
    got = list(csv.reader(run.stdout.decode("utf-8").splitlines(keepends=True)))
    if got[:1] != [COLUMNS]:
        found.append(f"header {got[:1]}")
    for (row, line), ours in zip(expected, got[1:]):
        if row != ours:
            found.append(f"{line!r}\n    expression {row}\n    caravel    {ours}")
    if len(got) - 1 != len(expected):
        found.append(f"{len(got) - 1} rows instead of {len(expected)}")
    places = [reason[:2] for reason in reasons[1:]]
    if places != rejected:
        for place in [place for place in places + rejected if (place in places) != (place in rejected)][:3]:
            who = "caravel" if place in places else "the expression"
            found.append(f"only {who} rejects line {place[0]}: {lines[int(place[0]) - 1]!r}")
        found.append("the rejects differ")
    return found[:5], len(expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("caravel")
    parser.add_argument("format", choices=["nginx", "apache"])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--lines", type=int, default=2500)
    options = parser.parse_args()
    failed = rows = 0
    for seed in range(options.seeds):
        lines = Generator(seed, options.format).extract(options.lines)
        found, taken = differences(options.caravel, options.format, lines)
        rows += taken
        if found:
            failed += 1
            print(f"{options.format}, seed {seed}:\n  " + "\n  ".join(found))
    total = options.seeds * options.lines
    print(f"{options.format}: {total} lines compared, {rows} are rows; {failed} of {options.seeds} seeds differ")
    # A generator that makes nothing but rejects would prove nothing.
    sys.exit(1 if failed or rows < total // 2 else 0)


if __name__ == "__main__":
    main()
