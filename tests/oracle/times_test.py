#!/usr/bin/env python3
"""Times with layouts and zones, compared with Python's datetime and zoneinfo and with date(1).

    times_test.py CARAVEL [--values 400] [--seed 1]

For each of five zones: local times, half of them near a change of the clocks, are written in several
layouts, formatted by `caravel format` as CSV and by a pattern, and the times of the ids are compared
with what Python says: those that the clocks skipped must be rejects, of two equal ones the first is
meant. Where the clocks show a time once, date(1) must agree too.
"""
import argparse
import datetime
import os
import random
import subprocess
import sys
import tempfile
import zoneinfo

UTC = datetime.timezone.utc
ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/Sao_Paulo"]
# What each layout writes, in strftime's words; none holds more or less than a second.
LOCAL = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%a %b %e %T %Y", "%m/%d/%Y %I:%M:%S %p",
         "%Y-%j %T", "%d/%B/%Y:%k.%M.%S", "%Y%m%d%H%M%S"]
# ISO 8601, read without a layout.
ISO = ["%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S", "%G-W%V-%uT%H:%M:%S", "%Y-%jT%H:%M:%S", "%FT%T.250"]


def changes_of(zone):
    """The local times, by the clocks before it, at which the clocks of a zone change."""
    def offset(at):
        return at.astimezone(zone).utcoffset()
    day, found = datetime.datetime(1972, 1, 1, tzinfo=UTC), []
    while day.year < 2036:
        before, behind = day, day + datetime.timedelta(days=1)
        if offset(before) != offset(behind):
            while behind - before > datetime.timedelta(minutes=1):
                middle = before + (behind - before) / 2
                before, behind = (before, middle) if offset(middle) != offset(day) else \
                    (middle, behind)
            found.append((behind + offset(day)).replace(tzinfo=None, second=0, microsecond=0))
        day += datetime.timedelta(days=1)
    return found


def local_times(zone, count, dice):
    changes = changes_of(zone)
    for i in range(count):
        if i % 2 and changes:
            at = dice.choice(changes) + datetime.timedelta(seconds=dice.randrange(-7200, 7200))
        else:
            at = datetime.datetime(1972, 1, 1) + datetime.timedelta(
                seconds=dice.randrange(64 * 365 * 86400))
        yield at


def in_utc(local, zone):
    """The first instant at which the clocks showed `local`; None if they never did."""
    utc = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return utc if utc.astimezone(zone).replace(tzinfo=None) == local else None


def is_twice(local, zone):
    return local.replace(tzinfo=zone, fold=0).utcoffset() != \
        local.replace(tzinfo=zone, fold=1).utcoffset()


def in_id(utc, fraction=""):
    return utc.strftime("%Y%m%dT%H%M%S") + fraction + "Z"


class Program:
    def __init__(self, caravel, folder):
        self.caravel, self.folder = caravel, folder
        with open(os.path.join(folder, "caravel.yaml"), "w", encoding="utf-8") as file:
            file.write("spool: spool\nstate: state\nformats: [formats]\n"
                       "stores: {local: {type: sqlite, path: rows.db}}\n"
                       "feeds: {x: {match: '*', format: times, store: local}}\n")
        os.makedirs(os.path.join(folder, "formats"))

    def times(self, format_text, lines):
        """The time in the id of each line; None for a reject."""
        with open(os.path.join(self.folder, "formats/times.yaml"), "w", encoding="utf-8") as file:
            file.write("format: times\nidentity: position\n" + format_text)
        run = subprocess.run(
            [self.caravel, "format", "--config", os.path.join(self.folder, "caravel.yaml"),
             "--format", "times", "--sidecar", os.path.join(self.folder, "sidecar"), "--rejects",
             os.path.join(self.folder, "rejects")],
            input="\n".join(lines) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=120, check=False, text=True)
        if run.returncode not in (0, 3):
            sys.exit(f"caravel format: exit code {run.returncode}: {run.stderr}\n{format_text}")
        found = [None] * len(lines)
        with open(os.path.join(self.folder, "sidecar"), encoding="utf-8") as file:
            for row in file.read().split("\n")[2:]:
                if row and not row.startswith("end "):
                    parts = row.split(" ")
                    found[int(parts[0]) - 1] = parts[4].split(":")[0]
        return found


def by_date(zone_name, locals_):
    """What date(1) makes of local times, all of which the clocks showed."""
    text = "".join(f'TZ="{zone_name}" {local:%Y-%m-%d %H:%M:%S}\n' for local in locals_)
    run = subprocess.run(["date", "-u", "-f", "-", "+%Y%m%dT%H%M%SZ"], input=text, check=True,
                         stdout=subprocess.PIPE, text=True)
    return run.stdout.split()


class Comparison:
    def __init__(self):
        self.compared, self.skipped, self.twice, self.wrong = 0, 0, 0, []

    def add(self, what, lines, expected, got):
        self.compared += len(lines)
        for line, one, other in zip(lines, expected, got):
            if one != other:
                self.wrong.append(f"{what}: '{line}': should be {one}, is {other}")


def compare_zone(program, name, count, dice, result):
    zone = zoneinfo.ZoneInfo(name)
    locals_ = list(local_times(zone, count, dice))
    expected = [in_utc(local, zone) for local in locals_]
    ids = [utc and in_id(utc) for utc in expected]
    result.skipped += ids.count(None)
    result.twice += sum(is_twice(local, zone) for local in locals_)
    once = [i for i, local in enumerate(locals_) if ids[i] and not is_twice(local, zone)]
    result.add(f"date(1), {name}", [str(locals_[i]) for i in once],
               by_date(name, [locals_[i] for i in once]), [ids[i] for i in once])
    for layout in LOCAL:
        lines = [local.strftime(layout) for local in locals_]
        csv = f"reader: csv\ncolumns: [t, u]\nzone: {name}\ntime: {{column: t, format: '{layout}'}}\n"
        result.add(f"csv {name} {layout}", lines, ids,
                   program.times(csv, [line + "," for line in lines]))
        pattern = (f"time: T\nzone: {name}\ncolumns: [T]\n"
                   f"kinds:\n- {{kind: k, line: '[{{T:timestamp({layout})}}]'}}\n")
        result.add(f"pattern {name} {layout}", lines, ids,
                   program.times(pattern, [f"[{line}]" for line in lines]))
    for layout in ISO:
        lines = [local.strftime(layout) for local in locals_]
        fraction = ".250" if layout.endswith("250") else ""
        result.add(f"ISO 8601 {name} {layout}", lines, [utc and in_id(utc, fraction)
                                                       for utc in expected],
                   program.times(f"reader: csv\ncolumns: [t, u]\nzone: {name}\ntime: t\n",
                                 [line + "," for line in lines]))
    # The line itself says where it is: by name, or by an offset, which tells equal times apart.
    lines = [f"{local:%Y-%m-%d %H:%M:%S} {name}" for local in locals_]
    named = "reader: csv\ncolumns: [t, u]\ntime: {column: t, format: '%F %T %Z'}\n"
    result.add(f"%Z {name}", lines, ids, program.times(named, [line + "," for line in lines]))
    utcs = [utc for utc in expected if utc]
    for layout, iso in (("%F %T %z", False), ("%FT%T%z", True)):
        lines = [utc.astimezone(zone).strftime(layout) for utc in utcs]
        key = "t" if iso else f"{{column: t, format: '{layout}'}}"
        result.add(f"%z {name}", lines, [in_id(utc) for utc in utcs],
                   program.times(f"reader: csv\ncolumns: [t, u]\ntime: {key}\n",
                                 [line + "," for line in lines]))
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        lines = [str(int(utc.timestamp()) * factor) for utc in utcs]
        fraction = "." + "0" * (len(str(factor)) - 1) if factor > 1 else ""
        result.add(f"epoch({unit})", lines, [in_id(utc, fraction) for utc in utcs],
                   program.times("reader: csv\ncolumns: [t, u]\n"
                                 f"time: {{column: t, format: epoch({unit})}}\n",
                                 [line + "," for line in lines]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("caravel")
    parser.add_argument("--values", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice, result = random.Random(options.seed), Comparison()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(os.path.abspath(options.caravel), folder)
        for name in ZONES:
            compare_zone(program, name, options.values, dice, result)
    print(f"{result.compared} times compared; of {options.values * len(ZONES)} local times "
          f"{result.skipped} were skipped and {result.twice} shown twice")
    for wrong in result.wrong[:20]:
        print(wrong)
    if not result.skipped or not result.twice:
        sys.exit("the local times met no change of the clocks")
    sys.exit(1 if result.wrong else 0)


if __name__ == "__main__":
    main()
