"""Rows about formatting: no store, no ledger; bytes in, CSV out."""
import csv as csv_module
import filecmp
import json
import os

import anchors
import corpora
from figures import Figure, Wrong
from measurement import row
from measuring import Count, Run, per_unit, tool

HERE = os.path.dirname(os.path.abspath(__file__))


def formatted(caravel, kind, path, *more):
    year = ["--year", "2012"] if kind == "spysocket" else []
    return [caravel, "format", *year, "--format", kind, *more, path]


def mawk(script, *options):
    def command(path):
        return [tool("mawk"), *options, "-f", os.path.join(HERE, script), path]
    return command


def counted(bench, kind, command, check=None, good=(0,)):
    """Instructions a byte of `command(path)`, start-up taken off. `check(input, output)` sees each output."""
    counts = []
    inputs = [bench.input(kind, least) for least in bench.scale.counted]
    for given in inputs:
        out = bench.place("out")
        counts.append(Count(bench.folder, command(given.path), good, out).instructions)
        if check:
            check(given, out)
        os.remove(out)
    return per_unit(*counts, inputs[1].bytes - inputs[0].bytes)


def equals_output_of(bench, command):
    """A check: the output is, byte for byte, that of another program."""
    def check(given, out):
        other = bench.place("other")
        Run(command(given.path), out=other)
        if not filecmp.cmp(out, other, shallow=False):
            raise Wrong(f"the CSV of {os.path.basename(given.path)} is not that of {command('')[0]}")
        os.remove(other)
    return check


def says_lines(given, out):
    with open(out, encoding="ascii") as file:
        said = file.read().strip()
    if said != str(given.lines):
        raise Wrong(f"an anchor counts {said} lines instead of {given.lines}")


def memchr(path):
    return [anchors.compiled("anchor_memchr"), path]


def by_hand(path):
    return [anchors.compiled("anchor_spysocket"), "2012", path]


def beside(name, value):
    return f"beside it: {name} {value:.2f}"


@row("spysocket")
def spysocket(bench):
    """format spysocket, instructions a byte: mawk, a formatter written by hand, memchr(3)"""
    awk = mawk("spysocket.awk", "-v", "year=2012")
    check = equals_output_of(bench, awk)
    ours, (awks, hands, least) = bench.in_turns(
        lambda caravel: counted(bench, "spysocket", lambda path: formatted(caravel, "spysocket", path), check),
        [lambda: counted(bench, "spysocket", awk),
         lambda: counted(bench, "spysocket", by_hand, check),
         lambda: counted(bench, "spysocket", memchr, says_lines)])
    return [Figure("format spysocket, instructions/byte", [values[0] for values in ours], "", awks[0], "mawk",
                   "<= 5", beside=beside("by hand", hands[0]) + f", memchr {least[0]:.2f}")]


@row("cpu")
def user_cpu(bench):
    """format spysocket, user CPU of the big extract: mawk, a formatter written by hand"""
    given = bench.input("spysocket", bench.scale.big)
    awk = mawk("spysocket.awk", "-v", "year=2012")
    small = bench.input("spysocket", bench.scale.counted[0])
    for caravel in bench.programs:
        out = bench.place("out")
        Run(formatted(caravel, "spysocket", small.path), out=out)
        equals_output_of(bench, awk)(small, out)
    ours, (awks, hands) = bench.in_turns(lambda caravel: Run(formatted(caravel, "spysocket", given.path)),
                                         [lambda: Run(awk(given.path)), lambda: Run(by_hand(given.path))],
                                         bench.scale.rounds)
    users = [min(run.user for run in runs) for runs in ours]
    hand = min(run.user for run in hands)
    rates = [given.bytes / min(run.seconds for run in runs) / 1e6 for runs in ours]
    return [Figure(f"format spysocket, user CPU of {given.bytes >> 20} MiB", users, "s",
                   min(run.user for run in awks), "s mawk", ">= 25 x",
                   beside=beside("by hand", hand) + f" s; ours in wall time {rates[0]:,.0f} MB/s"),
            Figure("the same, peak memory", [max(run.peak_mib for run in runs) for runs in ours], "MiB",
                   target="< 48")]


@row("nginx")
def nginx(bench):
    """format nginx, instructions a byte: mawk"""
    awk = mawk("nginx.awk")
    ours, (awks,) = bench.in_turns(
        lambda caravel: counted(bench, "nginx", lambda path: formatted(caravel, "nginx", path),
                                equals_output_of(bench, awk)),
        [lambda: counted(bench, "nginx", awk)])
    return [Figure("format nginx, instructions/byte", [values[0] for values in ours], "", awks[0], "mawk", "<= 5")]


def same_as_input(given, out):
    if not filecmp.cmp(given.path, out, shallow=False):
        raise Wrong(f"{os.path.basename(given.path)} is CSV, and comes out as another text")


def comma_awk(path):
    """One check a line and the line again; it does not know what quotes mean."""
    return [tool("mawk"), "-F,", "NR == 1 { n = NF } NF < n { ++bad; next } { print }", path]


@row("csv")
def csv(bench):
    """format csv without quotes, instructions a byte: mawk -F,"""
    ours, (awks,) = bench.in_turns(
        lambda caravel: counted(bench, "csv", lambda path: formatted(caravel, "csv", path), same_as_input),
        [lambda: counted(bench, "csv", comma_awk, same_as_input)])
    return [Figure("format csv, no quotes, instructions/byte", [values[0] for values in ours], "", awks[0],
                   "mawk -F,", "<= 6")]


@row("csv-quotes")
def quoted_csv(bench):
    """format csv with quotes in each line, instructions a byte: mawk -F, (which does not know them)"""
    ours, (awks,) = bench.in_turns(
        lambda caravel: counted(bench, "quoted_csv", lambda path: formatted(caravel, "csv", path), same_as_input),
        [lambda: counted(bench, "quoted_csv", comma_awk, same_as_input)])
    return [Figure("format csv, quotes, instructions/byte", [values[0] for values in ours], "", awks[0],
                   "mawk -F,", "<= 12")]


JSON_COLUMNS = ("ts", "level", "id", "vehicle", "lat", "ok", "took", "msg")


def same_values(*more):
    """A check: the CSV of JSON lines has each value as the line has it. `more` are columns behind them that
    stay empty: ours has one for members that the first line has not."""
    def check(given, out):
        with open(given.path, encoding="utf-8") as lines, open(out, encoding="utf-8", newline="") as table:
            records = csv_module.reader(table)
            first = next(records, None)
            if first != [*JSON_COLUMNS, *more]:
                raise Wrong(f"the columns of the JSON lines are {first}")
            for number, line in enumerate(lines, 1):
                members = json.loads(line, parse_float=str, parse_int=str)
                members["ok"] = "true" if members["ok"] else "false"
                record = next(records, None)
                if record != [members[name] for name in JSON_COLUMNS] + [""] * len(more):
                    raise Wrong(f"line {number} of the JSON lines became {record}")
            if next(records, None) is not None:
                raise Wrong("the JSON lines became more records than there are lines")
    return check


def jq(path):
    row_of = "[" + ",".join(f".{name}" for name in JSON_COLUMNS) + "]"
    names = json.dumps(JSON_COLUMNS)
    return [tool("jq"), "-r", "-n", f"{names}, (inputs | {row_of}) | @csv", path]


def simdjson(path):
    return [anchors.compiled("anchor_simdjson"), path]


@row("jsonl")
def jsonl(bench):
    """format jsonl, instructions a byte: jq, and simdjson's parse alone"""
    ours, (jqs, parsed) = bench.in_turns(
        lambda caravel: counted(bench, "jsonl", lambda path: formatted(caravel, "jsonl", path),
                                same_values("more")),
        [lambda: counted(bench, "jsonl", jq, same_values()),
         lambda: counted(bench, "jsonl", simdjson, says_lines)])
    return [Figure("format jsonl, instructions/byte", [values[0] for values in ours], "", jqs[0], "jq", "<= 40",
                   beside=beside("simdjson's parse alone", parsed[0]))]


@row("rejects")
def rejects(bench):
    """format spysocket when one line in 100 is a reject: instructions more than without"""
    clean = [bench.input("spysocket", least) for least in bench.scale.counted]
    damaged = [bench.place("damaged-2012-12-31.log") for _ in clean]
    expected = [corpora.damaged_spysocket(path, given.path) for path, given in zip(damaged, clean)]

    def instructions(caravel, path, rejected):
        kept = bench.place("rejects")
        count = Count(bench.folder, formatted(caravel, "spysocket", path, "--rejects", kept),
                      (3,) if rejected else (0,))
        there = corpora.count_lines(kept) if os.path.exists(kept) else 0
        if there != rejected:
            raise Wrong(f"{there} rejects instead of {rejected}")
        return count.instructions

    def more(caravel):
        without = [instructions(caravel, given.path, 0) for given in clean]
        with_rejects = [instructions(caravel, path, count) for path, count in zip(damaged, expected)]
        return 100 * ((with_rejects[1] - with_rejects[0]) / (without[1] - without[0]) - 1)

    ours, _ = bench.in_turns(more)
    return [Figure("rejects at 1 % of lines, instructions", [values[0] for values in ours], "% more", target="<= 2")]
