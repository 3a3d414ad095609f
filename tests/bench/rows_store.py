"""Rows about loading one extract into a store, start to exit: SQLite, a CouchDB that stores nothing, and one
that does."""
import contextlib
import csv
import glob
import os
import sqlite3
import subprocess
import zlib

import hosts
from anchors import NullCouch
from corpora import count_lines
from couch import Couch
from figures import Figure, Wrong
from measurement import row
from measuring import Count, Run, per_unit, tool
from rows_format import mawk


def expected_rows(bench, given):
    """How many rows the extract has: lines that are neither dropped nor rejects, as mawk counts them."""
    if given.path not in bench.rows_of:
        out = bench.place("awk")
        Run(mawk("spysocket.awk", "-v", "year=2012")(given.path), out=out)
        bench.rows_of[given.path] = count_lines(out) - 1
        os.remove(out)
    return bench.rows_of[given.path]


def loaded_by_caravel(bench, caravel, given, measure):
    """(what measure(command) gave, the host) of `caravel process` into an empty SQLite store."""
    host = hosts.Host(bench.place("host"))
    measured = measure(host.process_command(caravel, given.path))
    rows, expected = host.rows(), expected_rows(bench, given)
    if rows != expected:
        raise Wrong(f"{rows} rows in the store instead of {expected}")
    return measured, host


class ReadyTable:
    """The rows of an extract as a CSV file with all columns of the store's table, and the table's definition:
    what `sqlite3 .import` is given."""

    def __init__(self, bench, given):
        _, host = loaded_by_caravel(bench, bench.programs[0], given, Run)
        self.csv = bench.place("ready.csv")
        with contextlib.closing(hosts.read_only(host.rows_db)) as database, \
                open(self.csv, "w", encoding="utf-8", newline="") as file:
            self.definition = database.execute("select sql from sqlite_master where name = 'hrt'").fetchone()[0]
            writer = csv.writer(file, lineterminator="\n")
            self.rows = 0
            for record in database.execute("select * from hrt order by _id"):
                writer.writerow(record)
                self.rows += 1
        bench.forget_hosts(host)

    def imported(self, bench, measure):
        """The same keys and the same durability: WAL with a sync for the commit."""
        path = bench.place("imported.db")
        measured = measure([tool("sqlite3"), "-batch", path, "pragma journal_mode=wal", "pragma synchronous=full",
                            " ".join(self.definition.split()), f".import --csv '{self.csv}' hrt"])
        with contextlib.closing(sqlite3.connect(path)) as database:
            there = database.execute("select count(*) from hrt").fetchone()[0]
        if there != self.rows:
            raise Wrong(f"sqlite3 .import stored {there} rows instead of {self.rows}")
        os.remove(path)
        return measured


@row("sqlite-instructions")
def sqlite_instructions(bench):
    """process into SQLite, instructions a row without SHA-256: sqlite3 .import of the ready CSV"""
    inputs = [bench.input("spysocket", least) for least in bench.scale.counted_store]
    ready = [ReadyTable(bench, given) for given in inputs]
    more = ready[1].rows - ready[0].rows
    digests = []

    def ours(caravel):
        counts = []
        for given in inputs:
            count, host = loaded_by_caravel(bench, caravel, given, lambda command: Count(bench.folder, command))
            bench.forget_hosts(host)
            counts.append(count)
        # The processor has instructions for SHA-256, and valgrind does not know them: OpenSSL takes a way
        # that costs ten times as much. All else that it does here is nothing.
        sha = [count.within("libcrypto") for count in counts]
        digests.append(per_unit(*sha, more))
        return per_unit(*(count.instructions - digest for count, digest in zip(counts, sha)), more)

    found, (imports,) = bench.in_turns(ours, [lambda: per_unit(*(
        table.imported(bench, lambda command: Count(bench.folder, command)).instructions for table in ready), more)])
    return [Figure("process into SQLite, instructions/row, no SHA", [values[0] for values in found], "", imports[0],
                   "sqlite3 .import", "<= 14000",
                   beside=f"beside it: SHA-256 without the processor's instructions {digests[0]:,.0f}")]


@row("sqlite")
def sqlite_rate(bench):
    """process into SQLite, rows a second: sqlite3 .import of the ready CSV; peak memory"""
    given = bench.input("spysocket", bench.scale.store)
    ready = ReadyTable(bench, given)

    def ours(caravel):
        run, host = loaded_by_caravel(bench, caravel, given, Run)
        bench.forget_hosts(host)
        return run

    found, (imports,) = bench.in_turns(ours, [lambda: ready.imported(bench, Run)], bench.scale.rounds)
    return [Figure("process into SQLite, rows/s", [ready.rows / min(run.seconds for run in runs) for runs in found],
                   "", ready.rows / min(run.seconds for run in imports), "sqlite3 .import", ">= 2 x", "more"),
            Figure("the same, peak memory", [max(run.peak_mib for run in runs) for runs in found], "MiB",
                   target="< 48")]


def ids_of(bench, given):
    """(how many, the sum of the CRC-32 of the ids) of the rows of an extract, as the SQLite store has them."""
    _, host = loaded_by_caravel(bench, bench.programs[0], given, Run)
    with contextlib.closing(hosts.read_only(host.rows_db)) as database:
        sums = [zlib.crc32(found[0].encode()) for found in database.execute("select _id from hrt")]
    bench.forget_hosts(host)
    return len(sums), sum(sums)


def check_totals(server, expected):
    came = server.totals(forget=True)
    if (came["documents"], came["ids"]) != expected:
        raise Wrong(f"{came['documents']} documents came instead of {expected[0]}, or others than the rows")


def loaded_into_null(bench, server, caravel, given, expected, measure):
    host = hosts.Host(bench.place("host"), (server.store,))
    measured = measure(host.process_command(caravel, given.path))
    check_totals(server, expected)
    bench.forget_hosts(host)
    return measured


@row("couch-cpu")
def couch_cpu(bench):
    """process into a CouchDB that stores nothing: CPU and instructions a row"""
    inputs = [bench.input("spysocket", least) for least in (bench.scale.counted_store[0], bench.scale.store)]
    expected = [ids_of(bench, given) for given in inputs]
    counted = [bench.input("spysocket", least) for least in bench.scale.counted_store]
    counted_ids = [ids_of(bench, given) for given in counted]
    with NullCouch() as server:
        def seconds(caravel):
            small, large = (loaded_into_null(bench, server, caravel, given, ids, Run).cpu
                            for given, ids in zip(inputs, expected))
            return per_unit(small, large, expected[1][0] - expected[0][0]) * 1e6

        def instructions(caravel):
            small, large = (loaded_into_null(bench, server, caravel, given, ids,
                                             lambda command: Count(bench.folder, command))
                            for given, ids in zip(counted, counted_ids))
            return per_unit(small.instructions - small.within("libcrypto"),
                            large.instructions - large.within("libcrypto"),
                            counted_ids[1][0] - counted_ids[0][0])
        times, _ = bench.in_turns(seconds, rounds=bench.scale.rounds)
        counts, _ = bench.in_turns(instructions)
    return [Figure("process into a null CouchDB, CPU/row", [min(values) for values in times], "us", target="<= 2"),
            Figure("the same, instructions/row, no SHA", [values[0] for values in counts])]


class ReadyBodies:
    """The bodies of the bulk requests of one load, for curl to send again: two connections, as Caravel has."""

    def __init__(self, bench, given, expected):
        keep = bench.place("bodies")
        os.mkdir(keep)
        with NullCouch(keep=keep) as server:
            loaded_into_null(bench, server, bench.programs[0], given, expected, Run)
        self.bodies = sorted(glob.glob(os.path.join(keep, "*.json")))

    def command(self, bench, server):
        path = bench.place("curl.config")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\nnext\n".join(
                f'url = "{server.url}/bench/_bulk_docs"\ndata-binary = "@{body}"\noutput = "/dev/null"\n'
                'header = "Content-Type: application/json"\nheader = "Expect:"\nsilent\nfail\n'
                for body in self.bodies))
        return [tool("curl"), "--parallel", "--parallel-max", "2", "--config", path]


@row("couch")
def couch_rate(bench):
    """process into a CouchDB that stores nothing, rows a second: curl that sends the ready bodies"""
    given = bench.input("spysocket", bench.scale.store)
    expected = ids_of(bench, given)
    bodies = ReadyBodies(bench, given, expected)
    with NullCouch() as server:
        command = bodies.command(bench, server)

        def curl():
            run = Run(command)
            check_totals(server, expected)
            return run.seconds
        found, (curls,) = bench.in_turns(
            lambda caravel: loaded_into_null(bench, server, caravel, given, expected, Run).seconds, [curl],
            bench.scale.rounds)
    return [Figure("process into a null CouchDB, rows/s", [expected[0] / min(values) for values in found], "",
                   expected[0] / min(curls), "curl, ready bodies", ">= 0.97 x", "more")]


@row("again")
def again(bench):
    """the same extract loaded again into a CouchDB, rows a second: the first load"""
    given = bench.input("spysocket", bench.scale.again)
    rows = expected_rows(bench, given)
    folder = bench.place("couch")
    os.mkdir(folder)
    couch = Couch(folder)
    try:
        def both(caravel):
            couch.fresh()
            host = hosts.Host(bench.place("host"), (couch.store(),))
            seconds = []
            for _ in range(2):
                seconds.append(Run(host.process_command(caravel, given.path)).seconds)
                if couch.rows() != rows:
                    raise Wrong(f"{couch.rows()} documents in the store instead of {rows}")
            bench.forget_hosts(host)
            return seconds
        found, _ = bench.in_turns(both, rounds=bench.scale.rounds)
    finally:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            couch.close()
    first = [rows / min(seconds[0] for seconds in runs) for runs in found]
    second = [rows / min(seconds[1] for seconds in runs) for runs in found]
    return [Figure(f"loaded again into {couch.name}, rows/s", second, "", first[0], "the first load", ">= 1.0 x",
                   "more")]
