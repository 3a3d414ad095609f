"""Rows about `caravel watch` at work: many small extracts, the time until the first byte leaves, memory, and
feeds beside each other."""
import ctypes
import os
import sqlite3
import statistics
import time

import anchors
import corpora
import hosts
import measuring
from couch import Couch, CouchFeeds
from figures import Figure, Wrong
from measurement import row

LINES = 10  # of a small extract; each is a row


def small_name(number):
    return f"drop-{number:07}-2012-03-09.log"


def write_small_ones(folder, count):
    for number in range(count):
        corpora.small_spysocket(os.path.join(folder, small_name(number)), number, LINES)


def drop_all(host, count):
    for number in range(count):
        os.rename(os.path.join(host.outside, small_name(number)), os.path.join(host.drop, small_name(number)))


def small_ones(bench, caravel):
    """(extracts a second, CPU seconds each, MiB after a tenth, half and all of them)"""
    count = bench.scale.extracts
    host = hosts.Host(bench.place("host"))
    write_small_ones(host.outside, count)
    memory = []
    with hosts.Watch(caravel, host, patience=60 + count) as watch:
        watch.wait_until_watching()
        cpu, began = measuring.cpu_seconds(watch.pid), time.monotonic()
        drop_all(host, count)
        for part in (count // 10, count // 2, count):
            bench.progress(f"{bench.row}: waiting for {part} of {count} extracts")
            watch.wait_for_extracts(part)
            memory.append(measuring.status_mib(watch.pid))
        seconds = time.monotonic() - began
        host.check(count * LINES, count)
        cpu = measuring.cpu_seconds(watch.pid) - cpu
    bench.forget_hosts(host)
    return count / seconds, cpu / count, memory


def calls_of_small_ones(bench, caravel):
    """(system calls, syncs) an extract, the start taken off."""
    found = []
    for count in bench.scale.traced:
        host = hosts.Host(bench.place("host"))
        write_small_ones(host.outside, count)
        log = os.path.join(host.folder, "watch.log")

        def work(strace):
            def started():
                with open(log, "rb") as file:
                    return b"watching" in file.read()
            measuring.wait_for("caravel watch under strace", started)
            drop_all(host, count)
            measuring.wait_for("the extracts", lambda: host.archived() == count)
            for child in measuring.children_of(strace.pid):
                os.kill(child, 15)

        found.append(measuring.SystemCalls(bench.folder, [caravel, "watch", "--config", host.config], work, log))
        host.check(count * LINES, count)
        bench.forget_hosts(host)
    more = bench.scale.traced[1] - bench.scale.traced[0]
    return (found[1].all - found[0].all) / more, (found[1].syncs - found[0].syncs) / more


def ceiling(bench, group=200):
    """What the disk allows: the same extracts a second, claimed, stored and put away by this script, in
    groups: two renames an extract, two commits and two syncs of the file system a group."""
    count = bench.scale.extracts
    folder = bench.place("ceiling")
    for name in ("drop", "work", "done"):
        os.makedirs(os.path.join(folder, name))
    write_small_ones(os.path.join(folder, "drop"), count)
    libc = ctypes.CDLL(None, use_errno=True)
    root = os.open(folder, os.O_RDONLY)
    databases = [sqlite3.connect(os.path.join(folder, name), isolation_level=None) for name in ("rows", "ledger")]
    for database in databases:
        database.executescript("pragma journal_mode=wal; pragma synchronous=full;"
                               "create table t (id text primary key, value text) without rowid")
    rows, ledger = databases
    began = time.monotonic()
    for first in range(0, count, group):
        names = [small_name(number) for number in range(first, min(count, first + group))]
        ledger.execute("begin")
        rows.execute("begin")
        for name in names:
            work = os.path.join(folder, "work", name)
            os.rename(os.path.join(folder, "drop", name), work)
            with open(work, encoding="ascii") as file:
                rows.executemany("insert into t values (?, ?)", ((f"{name}{n}", line) for n, line in enumerate(file)))
            ledger.execute("insert into t values (?, 'done')", (name,))
        libc.syncfs(root)
        rows.execute("commit")
        ledger.execute("commit")
        for name in names:
            os.rename(os.path.join(folder, "work", name), os.path.join(folder, "done", name))
        libc.syncfs(root)
    seconds = time.monotonic() - began
    for database in databases:
        database.close()
    os.close(root)
    return count / seconds


@row("small")
def small(bench):
    """small extracts into SQLite: how many a second, CPU each, memory: the same in groups by a script"""
    ours, (ceilings,) = bench.in_turns(lambda caravel: small_ones(bench, caravel), [lambda: ceiling(bench)])
    rates, cpus, memory = zip(*(values[0] for values in ours))
    count = bench.scale.extracts
    return [Figure(f"{count:,} extracts of {LINES} lines, extracts/s", list(rates), "", ceilings[0],
                   "a script, in groups", ">= 2000", "more"),
            Figure("the same, CPU an extract", [1000 * cpu for cpu in cpus], "ms", target="<= 0.3"),
            Figure("the same, memory behind them", [values[-1] for values in memory], "MiB", target="< 48",
                   beside=f"after {count // 10:,}: {memory[0][0]:.1f} MiB, after {count // 2:,}: "
                   f"{memory[0][1]:.1f} MiB")]


@row("small-calls")
def small_calls(bench):
    """small extracts into SQLite: system calls and syncs each (strace)"""
    ours, _ = bench.in_turns(lambda caravel: calls_of_small_ones(bench, caravel))
    calls, syncs = zip(*(values[0] for values in ours))
    return [Figure("small extracts, system calls each", list(calls)),
            Figure("small extracts, syncs each", list(syncs))]


def first_bytes(bench, caravel):
    """Milliseconds from the close of an extract to the first byte of its bulk request, one a drop."""
    drops = max(1, bench.scale.drops // bench.scale.rounds)
    found = []
    with anchors.NullCouch(events=True) as server:
        host = hosts.Host(bench.place("host"), (server.store,))
        with hosts.Watch(caravel, host) as watch:
            watch.wait_until_watching()
            for number in range(drops + 1):
                closed = corpora.small_spysocket(os.path.join(host.drop, small_name(number)), number, LINES)
                what, first_byte, documents = server.next_event()
                if (what, documents) != ("bulk", str(LINES)):
                    raise Wrong(f"{what} of {documents} came instead of a bulk request of {LINES} documents")
                what, _, document = server.next_event()
                if what != "put" or not document.startswith("feed:hrt:"):
                    raise Wrong(f"{what} of {document} came instead of the feed document")
                found.append((first_byte - closed) / 1e6)
                measuring.wait_for("an extract to be put away", lambda: not host.open_files(), 60, 0.002)
                time.sleep(0.01)  # the next drop meets an idle watcher
        bench.forget_hosts(host)
    return found[1:]  # the first one waited for what is done once


def bare_wakeups(bench):
    """The same with a process that does nothing but wait for the event."""
    folder = bench.place("inotify")
    os.mkdir(folder)
    found = []
    with anchors.inotify_alone(folder) as next_closed:
        for number in range(max(1, bench.scale.drops // bench.scale.rounds)):
            closed = corpora.small_spysocket(os.path.join(folder, small_name(number)), number, LINES)
            name, woken = next_closed()
            if name != small_name(number):
                raise Wrong(f"inotify tells of {name}")
            found.append((woken - closed) / 1e6)
            time.sleep(0.01)
    return found


@row("latency")
def latency(bench):
    """close of the writer until the first byte of the bulk request: a bare inotify wake-up"""
    ours, (bare,) = bench.in_turns(lambda caravel: first_bytes(bench, caravel), [lambda: bare_wakeups(bench)],
                                   bench.scale.rounds)
    times = [[ms for run in runs for ms in run] for runs in ours]
    bare = [ms for run in bare for ms in run]
    return [Figure(f"close -> first byte of the request, {name}",
                   [measuring.percentile(values, share) for values in times], "ms", measuring.percentile(bare, share),
                   "ms inotify", target)
            for name, share, target in (("p50", 0.5, "< 1"), ("p99", 0.99, "< 5"))]


def stored_in_sqlite(bench, caravel):
    """Milliseconds from the close of an extract until its feed row can be read, one a drop."""
    host = hosts.Host(bench.place("host"))
    found = []
    with hosts.Watch(caravel, host) as watch:
        watch.wait_until_watching()
        for number in range(max(1, bench.scale.drops // bench.scale.rounds) + 1):
            closed = corpora.small_spysocket(os.path.join(host.drop, small_name(number)), number, LINES)
            watch.wait_for_extracts(number + 1, pause=0.0002)
            found.append((time.monotonic_ns() - closed) / 1e6)
            time.sleep(0.02)
        host.check(len(found) * LINES, len(found))
    bench.forget_hosts(host)
    return found[1:]


@row("stored-sqlite")
def stored_sqlite(bench):
    """close of the writer until everything can be read in SQLite"""
    ours, _ = bench.in_turns(lambda caravel: stored_in_sqlite(bench, caravel), rounds=bench.scale.rounds)
    return stored_figures("SQLite", ours)


def stored_figures(store, ours):
    times = [[ms for run in runs for ms in run] for runs in ours]
    return [Figure(f"close -> stored, {store}, p50", [statistics.median(values) for values in times], "ms",
                   beside=f"p99 {measuring.percentile(times[0], 0.99):.1f} ms, max {max(times[0]):.1f} ms, "
                   f"{len(times[0])} drops")]


@row("stored-couchdb")
def stored_couchdb(bench):
    """close of the writer until the feed document comes in CouchDB's _changes"""
    folder = bench.place("couch")
    os.mkdir(folder)
    couch = Couch(folder)

    def measured(caravel):
        couch.fresh()
        host = hosts.Host(bench.place("host"), (couch.store(),))
        feeds = CouchFeeds(couch)
        found = []
        with hosts.Watch(caravel, host) as watch:
            watch.wait_until_watching()
            for number in range(max(1, bench.scale.drops // bench.scale.rounds) + 1):
                closed = corpora.small_spysocket(os.path.join(host.drop, small_name(number)), number, LINES)
                if not feeds.wait_for(small_name(number), time.monotonic() + 30):
                    raise Wrong(f"{small_name(number)} is not stored after 30 s")
                found.append((time.monotonic_ns() - closed) / 1e6)
                time.sleep(0.02)
        feeds.close()
        if couch.rows() != len(found) * LINES:
            raise Wrong(f"{couch.rows()} documents in the store instead of {len(found) * LINES}")
        bench.forget_hosts(host)
        return found[1:]

    try:
        ours, _ = bench.in_turns(measured, rounds=bench.scale.rounds)
    finally:
        couch.close()
    return stored_figures(couch.name, ours)


@row("idle")
def idle(bench):
    """caravel watch with nothing to do: resident memory, and the CPU that it takes nevertheless"""
    def measured(caravel):
        host = hosts.Host(bench.place("host"))
        with hosts.Watch(caravel, host) as watch:
            watch.wait_until_watching()
            time.sleep(1)
            cpu = measuring.cpu_seconds(watch.pid)
            time.sleep(bench.scale.idle_seconds)
            cpu = measuring.cpu_seconds(watch.pid) - cpu
            memory = measuring.status_mib(watch.pid)
        bench.forget_hosts(host)
        return memory, cpu / bench.scale.idle_seconds
    ours, _ = bench.in_turns(measured)
    return [Figure("watch idle, resident memory", [values[0][0] for values in ours], "MiB", target="< 16",
                   beside=f"CPU meanwhile: {1e6 * ours[0][0][1]:.0f} us a second")]
