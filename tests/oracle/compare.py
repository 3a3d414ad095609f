#!/usr/bin/env python3
"""Compares `caravel format` with the oracle, byte for byte, over generated extracts.

    compare.py CARAVEL FORMAT [--seeds 6] [--lines 1500] [--extract FILE]

Checked: the CSV, the exit code, line and offset of every reject, the rejected bytes, the cut-off
last line. What differs is left in a directory whose name is printed.
"""
import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate_spysocket  # noqa: E402
import spysocket_oracle  # noqa: E402


def content_of(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def first_difference(expected, got):
    theirs, ours = expected.split(b"\n"), got.split(b"\n")
    for number, (one, other) in enumerate(zip(theirs, ours), 1):
        if one != other:
            return f"line {number}: oracle {one[:300]!r}, caravel {other[:300]!r}"
    return f"oracle {len(theirs) - 1} lines, caravel {len(ours) - 1}"


def differences(caravel, format_name, year, content, folder):
    """Sentences; none if program and oracle agree on `content`."""
    extract = os.path.join(folder, "extract.log")
    rejects = os.path.join(folder, "rejects")
    with open(extract, "wb") as file:
        file.write(content)
    expected = spysocket_oracle.judge(content, format_name, year)
    run = subprocess.run(
        [caravel, "format", "--year", str(year), "--format", format_name, "--rejects", rejects,
         extract], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    found = []
    if run.stdout != expected.csv_bytes():
        found.append("CSV: " + first_difference(expected.csv_bytes(), run.stdout))
    code = 3 if expected.rejects else 0
    if run.returncode != code:
        found.append(f"exit code {run.returncode} instead of {code}: {run.stderr[-300:]!r}")

    rows = list(csv.reader(content_of(rejects + ".reasons.csv").decode("utf-8").splitlines()))
    header, reasons = rows[:1], rows[1:]
    if expected.rejects and header != [["line", "offset", "reason"]]:
        found.append(f"reasons: header {header!r}")
    got_places = [row[:2] for row in reasons]
    places = [[str(line), str(offset)] for line, offset, _ in expected.rejects]
    if got_places != places:
        only_oracle = [place for place in places if place not in got_places][:3]
        only_caravel = [row for row in reasons if row[:2] not in places][:3]
        for line, offset in only_oracle:
            line_end = content.find(b"\n", int(offset))
            found.append(f"line {line} at {offset} should be a reject: "
                         f"{content[int(offset):line_end][:300]!r}")
        found += [f"should not be a reject: {row}: {content[int(row[1]):int(row[1]) + 250]!r}"
                  for row in only_caravel]
    for row in reasons:
        if len(row) != 3 or not row[2]:
            found.append(f"reasons: no reason in {row!r}")
    whole = b"".join(came + b"\n" for _, _, came in expected.rejects if came is not expected.cut)
    if content_of(rejects) != whole:
        found.append("rejects: " + first_difference(whole, content_of(rejects)))
    if content_of(rejects + ".cut") != (expected.cut or b""):
        found.append(f"cut: oracle {expected.cut!r}, caravel {content_of(rejects + '.cut')!r}")
    return found


def extracts(options):
    """(name, bytes) of what is compared."""
    if options.extract:
        yield options.extract, content_of(options.extract)
        return
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        # A good one, a slightly harmed one, a bad one, in turn.
        damage = (0.0, 0.02, 0.5)[seed % 3]
        generator = generate_spysocket.Generator(seed, options.format, damage)
        yield f"seed {seed}, damage {damage}", generator.extract(options.lines)
    # Small ones: here the ends of the file matter.
    for seed in range(options.seeds * 5):
        generator = generate_spysocket.Generator(seed, options.format, 0.7)
        yield f"seed {seed}, damage 0.7, {seed % 4} lines", generator.extract(seed % 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("caravel")
    parser.add_argument("format", choices=generate_spysocket.FORMATS)
    parser.add_argument("--year", type=int, default=2012)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--lines", type=int, default=1500)
    parser.add_argument("--extract", help="compare this file instead of generated ones")
    options = parser.parse_args()
    compared = failed = 0
    for name, content in extracts(options):
        folder = tempfile.mkdtemp(prefix="caravel-oracle-")
        found = differences(options.caravel, options.format, options.year, content, folder)
        compared += 1
        if found:
            failed += 1
            print(f"{options.format}, {name} ({folder}):")
            for sentence in found:
                print("  " + sentence)
        else:
            shutil.rmtree(folder)
    print(f"{options.format}: {compared} extracts compared, {failed} differ")
    sys.exit(1 if failed or not compared else 0)


if __name__ == "__main__":
    main()
