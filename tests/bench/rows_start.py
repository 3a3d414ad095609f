"""Rows about the start of `caravel watch`, and about feeds beside each other."""
import contextlib
import os
import sqlite3
import subprocess
import time

import corpora
import hosts
import measuring
from figures import Figure, Wrong
from measurement import row
from rows_store import expected_rows
from rows_watch import LINES, small_name, write_small_ones


def fill_ledger(path, count):
    """Copies the only extract that the ledger knows `count` times: other names and contents, loaded one every
    30 seconds until two days ago. It asks the table for its columns, so that newer schemas will do. No ANALYZE:
    the program makes none, and its queries would take other indexes."""
    times = {"since", "seen_at", "claimed_at", "done_at"}
    others = {"id": "null", "claim": "printf('%s-%d', claim, n)",
              "name": "printf('x%07d-%s', n, name)",
              "sha256": "printf('%016x%s', n, substr(sha256, 17))",
              "done_path": "printf('%s.%07d', done_path, n)"}
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        columns = [column[1] for column in database.execute("pragma table_info(extracts)")]
        values = [others.get(name) or (
            f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-2 days', printf('-%d seconds', ({count} - n) * 30))"
            if name in times else f'"{name}"') for name in columns]
        database.execute("begin immediate")
        made = database.execute(
            f"insert into extracts ({', '.join(columns)}) with recursive numbers(n) as "
            f"(select 1 union all select n + 1 from numbers where n < {count}) "
            f"select {', '.join(values)} from numbers, extracts "
            "where extracts.state = 'done' and extracts.id = 1").rowcount
        database.execute("commit")
        if made != count:
            raise Wrong("the ledger could not be filled: has it another table now?")
        database.execute("pragma wal_checkpoint(truncate)")


class LedgerHost:
    """A host whose ledger knows one extract, or many."""

    def __init__(self, bench, caravel, count):
        self.host = hosts.Host(bench.place("host"))
        with hosts.Watch(caravel, self.host) as watch:
            watch.wait_until_watching()
            corpora.small_spysocket(os.path.join(self.host.drop, small_name(0)), 0, LINES)
            watch.wait_for_extracts(1)
            self.host.check(LINES, 1)
        if count:
            fill_ledger(os.path.join(self.host.folder, "state/ledger.db"), count)

    def start(self, caravel):
        """(CPU seconds, reads) of a start, until nothing is done any more."""
        with hosts.Watch(caravel, self.host) as watch:
            watch.wait_until_watching()
            looks, cpu = 0, -1.0
            while looks < 5:
                time.sleep(0.1)
                now = measuring.cpu_seconds(watch.pid)
                looks = looks + 1 if measuring.is_at_rest(watch.pid) and now - cpu < 0.002 else 0
                cpu = now
            return cpu, measuring.reads_of(watch.pid)


@row("ledger")
def ledger(bench):
    """start of watch with a ledger of many extracts: CPU and reads; with an empty one"""
    count = bench.scale.ledger
    filled = {caravel: LedgerHost(bench, caravel, count) for caravel in bench.programs}
    empty = LedgerHost(bench, bench.programs[0], 0)
    ours, (empties,) = bench.in_turns(lambda caravel: filled[caravel].start(caravel),
                                      [lambda: empty.start(bench.programs[0])], bench.scale.rounds)
    bench.forget_hosts(empty.host, *(known.host for known in filled.values()))
    seconds = [min(values)[0] for values in ours]
    reads = [min(found[1] for found in values) for values in ours]
    return [Figure(f"start, ledger of {count:,}, CPU", seconds, "s", min(empties)[0], "s with an empty one",
                   ">= 0.9 x"),
            Figure("the same, reads", reads, "", min(found[1] for found in empties), "with an empty one", ">= 0.9 x")]


@row("waiting")
def waiting(bench):
    """start of watch with many waiting files: when the first one is done"""
    count = bench.scale.waiting

    def measured(caravel):
        host = hosts.Host(bench.place("host"))
        write_small_ones(host.drop, count)
        old = time.time() - 3600  # still for longer than any `settle`
        for number in range(count):
            os.utime(os.path.join(host.drop, small_name(number)), (old, old))
        began = time.monotonic()
        watch = hosts.Watch(caravel, host)
        try:
            watch.wait_for_extracts(1, pause=0.001)
            seconds = time.monotonic() - began
        finally:
            watch.child.kill()  # the others do not matter
            watch.child.wait()
        if host.rows() < LINES:
            raise Wrong("an extract is stored, and not all of its rows are")
        bench.forget_hosts(host)
        return seconds

    ours, _ = bench.in_turns(measured, rounds=bench.scale.rounds)
    return [Figure(f"start with {count:,} files, first one done", [min(values) for values in ours], "s",
                   target="<= 0.5" if count <= 20_000 else "<= 1")]


def copy_outside(host, given, feed):
    """A copy of a big extract beside the drop directory; returns what renames it into that of `feed`."""
    name = f"{feed}-2012-12-31.log"
    outside = os.path.join(host.outside, name)
    subprocess.run(["cp", given.path, outside], check=True)
    return lambda: os.rename(outside, os.path.join(host.drops[feed], name))


def delays(watch, host, drops, first):
    """Milliseconds from the close of each small extract until it is stored; `first`: feed rows there before."""
    found = []
    for number in range(drops):
        closed = corpora.small_spysocket(os.path.join(host.drops["small"], small_name(first + number)),
                                         first + number, LINES)
        watch.wait_for_extracts(first + number + 1, os.path.join(host.folder, "small.db"), pause=0.001)
        found.append((time.monotonic_ns() - closed) / 1e6)
        time.sleep(0.02)
    return found


@row("beside-big")
def beside_big(bench):
    """small extracts of one feed while a big one of another is loaded: how long they take; without the big one"""
    given = bench.input("spysocket", bench.scale.big)
    rows = expected_rows(bench, given)
    drops = max(10, bench.scale.drops // 10)

    def measured(caravel):
        host = hosts.Host(bench.place("host"), (hosts.SQLITE, "{type: sqlite, path: small.db}"), ("big", "small"))
        small_db = os.path.join(host.folder, "small.db")
        with hosts.Watch(caravel, host) as watch:
            watch.wait_until_watching()
            alone = delays(watch, host, drops, 0)
            copy_outside(host, given, "big")()
            time.sleep(0.3)
            beside = []
            # As long as the big one takes: in each of its steps.
            while host.extracts() < 1 and len(beside) < 100 * drops:
                beside += delays(watch, host, 1, drops + len(beside))
            watch.wait_for_extracts(1)
            if host.rows(feed="big") != rows or host.rows(small_db, "small") != (drops + len(beside)) * LINES:
                raise Wrong(f"{host.rows(feed='big')} rows of the big extract instead of {rows}, or the small ones "
                            "have others")
        bench.forget_hosts(host)
        return measuring.percentile(alone, 0.5), max(beside), len(beside)

    ours, _ = bench.in_turns(measured)
    return [Figure(f"small ones beside {given.bytes >> 20} MiB, longest delay", [
        (values[0][1] - values[0][0]) / 1000 for values in ours], "s", target="<= 0.2",
        beside=f"{ours[0][0][2]} small ones meanwhile; alone they take {ours[0][0][0]:.1f} ms")]


@row("two-feeds")
def two_feeds(bench):
    """two big extracts of two feeds at once, rows a second: one alone (with two cores: twice as many)"""
    given = bench.input("spysocket", bench.scale.store)
    rows = expected_rows(bench, given)
    stores = (hosts.SQLITE, "{type: sqlite, path: other.db}")

    def rate(caravel, feeds):
        host = hosts.Host(bench.place("host"), stores[:len(feeds)], feeds)
        files = [os.path.join(host.folder, name) for name in ("rows.db", "other.db")[:len(feeds)]]
        with hosts.Watch(caravel, host) as watch:
            watch.wait_until_watching()
            drop = [copy_outside(host, given, feed) for feed in feeds]
            began = time.monotonic()
            for rename in drop:
                rename()
            for path in files:
                watch.wait_for_extracts(1, path)
            seconds = time.monotonic() - began
            for path, feed in zip(files, feeds):
                host.check(rows, len(feeds), path, feed)
        bench.forget_hosts(host)
        return len(feeds) * rows / seconds

    def at_once(caravel):
        return rate(caravel, ("one", "two")) / rate(caravel, ("one",))

    def processes(count):
        """Seconds of so many `caravel process`, each with a spool and a store of its own, at once."""
        places = [hosts.Host(bench.place("host")) for _ in range(count)]
        began = time.monotonic()
        children = [subprocess.Popen(host.process_command(bench.programs[0], given.path),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for host in places]
        codes = [child.wait() for child in children]
        seconds = time.monotonic() - began
        if any(codes) or any(host.rows() != rows for host in places):
            raise Wrong(f"caravel process: exit codes {codes}, or not all rows")
        bench.forget_hosts(*places)
        return seconds

    ours, (machine,) = bench.in_turns(at_once, [lambda: 2 * processes(1) / processes(2)], bench.scale.rounds)
    return [Figure("two feeds at once, rows/s against one", [max(values) for values in ours], "x", max(machine),
                   "two processes", ">= 1.8", "more")]
