#!/usr/bin/env python3
"""Attacks the whole program for some minutes, and ends in one table. scripts/torture runs this."""
import argparse
import multiprocessing
import os
import queue
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import attacks  # noqa: E402
import clocks  # noqa: E402
import couch as couch_module  # noqa: E402
import files  # noqa: E402
import host  # noqa: E402
import hostile  # noqa: E402
import logs  # noqa: E402
import replies  # noqa: E402
import scenarios  # noqa: E402
import stores  # noqa: E402
from verdict import COLUMNS, Verdict  # noqa: E402

# In the order of the table.
ATTACKS = (attacks.Crash, attacks.PowerLoss, attacks.Fault, stores.StoreModes,
           files.HostileFiles, replies.Replies, clocks.Clocks)
CATEGORIES = [attack.category for attack in ATTACKS]
AGENTS = ("tail", "capture")


class Workshop:
    """What one worker attacks with: a folder, a server, scenarios, and the attacks on them."""

    def __init__(self, tools, folder, only, scenario_names=None):
        self.folder, self.number = folder, 0
        os.makedirs(folder)
        self.couch = couch_module.Couch()

        def make(**variant):
            return [kind(tools, store, os.path.join(folder, "templates"),
                         self.couch if store == "couch" else None, **variant)
                    for kind in (*scenarios.ALL, *logs.ALL) for store in kind.stores
                    if not scenario_names or {kind.kind, f"{kind.kind}-{store}"} & set(scenario_names)]
        made = {patient: make(patient=patient) for patient in (False, True)}
        self.attacks = {attack.category: attack(made[attack.patient], self.place) for attack in ATTACKS
                        if not only or attack.category in only}
        self.attacks = {name: attack for name, attack in self.attacks.items() if attack.scenarios}

    def place(self):
        self.number += 1
        return os.path.join(self.folder, f"point{self.number}")

    def try_point(self, point):
        attack = self.attacks[point.split(":")[0]]
        try:
            return attack.row, attack.try_point(point)
        except Exception:  # the harness itself failed: that must show
            verdict = Verdict()
            verdict.add("other", 1, "the harness failed:\n" + traceback.format_exc())
            return attack.row, verdict


def work(number, options, tools, folder, until, stop, results):
    """A worker: draws points in fair shares of time until the time is over, or it shall stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    workshop = Workshop(tools, os.path.join(folder, f"w{number}"), options.only, options.scenario)
    chance = random.Random(f"{options.seed}:{number}")
    spent = {category: 0.0 for category in workshop.attacks}
    while time.monotonic() < until and not stop.is_set():
        category = min(spent, key=lambda name: spent[name] / workshop.attacks[name].share)
        begun = time.monotonic()
        try:
            point = workshop.attacks[category].draw(chance)
        except attacks.NoCalls:  # the machine is too busy for a run to count by; others may go
            spent[category] += time.monotonic() - begun
            continue
        row, verdict = workshop.try_point(point)
        spent[category] += time.monotonic() - begun
        results.put((row, point, verdict))
    workshop.couch.close()
    results.put(None)


class Table:
    def __init__(self, rows):
        self.rows = {row: dict.fromkeys(COLUMNS, 0) for row in rows}

    def add(self, row, verdict):
        counts = self.rows[row]
        counts["tried"] += verdict.tried
        for column, count in verdict.counts.items():
            counts[column] += count

    def tried(self):
        return sum(counts["tried"] for counts in self.rows.values())

    def failed(self):
        return any(counts[column] for counts in self.rows.values() for column in COLUMNS[1:])

    def text(self):
        lines = ["{:<14}".format("") + "".join(f"{column:>11}" for column in COLUMNS)]
        for row, counts in self.rows.items():
            lines.append(f"{row:<14}" + "".join(f"{counts[column]:>11}" for column in COLUMNS))
        return "\n".join(lines)


def report(point, verdict, options):
    print(f"\n{point}\n  scripts/torture --point '{point}'")
    for sentence in verdict.sentences:
        if options.verbose or not sentence.startswith("  | "):
            print("  " + sentence.replace("\n", "\n  ")[:400])
    sys.stdout.flush()
    if options.report:
        with open(options.report, "a", encoding="utf-8") as file:
            file.write(point + "\n" + "".join(f"  {sentence}\n" for sentence in verdict.sentences))


def run_all(options, tools, folder):
    until = time.monotonic() + options.minutes * 60
    begun = time.monotonic()
    results, stop = multiprocessing.Queue(), multiprocessing.Event()
    workers = [multiprocessing.Process(target=work, daemon=True,  # they end with us
                                       args=(number, options, tools, folder, until, stop, results))
               for number in range(options.workers)]
    for worker in workers:
        worker.start()
    table = Table(attack.row for attack in ATTACKS
                  if not options.only or attack.category in options.only)
    left = len(workers)
    said = 0.0

    def end_early(*_):  # each worker finishes the point that it is at; the table tells of these
        stop.set()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_early)
    while left and any(worker.is_alive() for worker in workers):
        try:
            result = results.get(timeout=1)
        except queue.Empty:
            continue
        if result is None:
            left -= 1
            continue
        row, point, verdict = result
        table.add(row, verdict)
        if verdict.bad():
            report(point, verdict, options)
        now = time.monotonic()
        if sys.stderr.isatty() and now - said > 0.5:
            said = now
            print(f"\r{table.tried()} points, {table.tried() / (now - begun):.1f} a second, "
                  f"{max(0, until - now) / 60:.1f} minutes left  ", end="", file=sys.stderr, flush=True)
    for worker in workers:
        worker.join()
    broken = [worker for worker in workers if worker.exitcode]
    seconds = time.monotonic() - begun
    print(f"\nseed {options.seed}, {seconds / 60:.1f} minutes, {table.tried()} points, "
          f"{table.tried() / seconds:.1f} a second\n")
    print(table.text())
    if broken:
        print(f"{len(broken)} workers died")
    return 1 if table.failed() or broken or not table.tried() else 0


def run_points(options, tools, folder):
    workshop = Workshop(tools, os.path.join(folder, "w0"), None)
    code = 0
    attacks.Attack.lines_kept = 1000
    for point in options.point:
        options.verbose = True
        _, verdict = workshop.try_point(point)
        if verdict.bad():
            report(point, verdict, options)
            code = 1
        else:
            print(f"{point}: holds")
    return code


def run_hostile(options, tools, folder):
    verdict = hostile.Hostile(tools, folder, options.seed, options.minutes).run()
    table = Table(["hostile"])
    table.add("hostile", verdict)
    for sentence in verdict.sentences:
        print(sentence[:400])
    print(f"\nseed {options.seed}, {options.minutes} minutes\n\n{table.text()}")
    return 1 if table.failed() else 0


def fast_folder():
    """In memory if there is room: nothing here depends on a disk."""
    if shutil.disk_usage("/dev/shm").free > 1 << 30 if os.path.isdir("/dev/shm") else False:
        return "/dev/shm"
    return None


def main():
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float)
    parser.add_argument("--hostile", action="store_true",
                        help="everything hostile at once, for MINUTES (60), while honest extracts go through")
    parser.add_argument("--only", action="append", choices=[*CATEGORIES, "agent"],
                        help="may be repeated; agent: crashes, power losses and faults of the capture host's")
    parser.add_argument("--scenario", action="append", help="only these, such as sweep-local or tail")
    parser.add_argument("--seed", default=None, help="draws the same points again")
    parser.add_argument("--point", action="append", help="tries one point again (may be repeated)")
    parser.add_argument("--workers", type=int, default=6 * (os.cpu_count() or 2),
                        help="most points wait most of the time")
    parser.add_argument("--report", help="failing points are appended to this file")
    parser.add_argument("--verbose", action="store_true", help="what the program said, too")
    parser.add_argument("--keep", action="store_true", help="the folders stay")
    parser.add_argument("--caravel", default=os.environ.get("CARAVEL_BINARY"))
    parser.add_argument("--agent", default=os.environ.get("CARAVEL_TAIL_BINARY"))
    parser.add_argument("--injector", default=os.environ.get("CARAVEL_INJECTOR"))
    options = parser.parse_args()
    if options.only and "agent" in options.only:
        options.scenario = [*(options.scenario or []), *AGENTS]
        options.only = [name for name in options.only if name != "agent"] or ["crash", "power", "fault"]
    options.minutes = options.minutes or (60 if options.hostile else 10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.seed = options.seed or str(random.randrange(10**9))
    # Reports of leaks need ptrace(2) for themselves.
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    folder = tempfile.mkdtemp(prefix="caravel-torture-", dir=fast_folder())
    far = os.environ["TORTURE_FAR"] = tempfile.mkdtemp(prefix="caravel-torture-", dir="/var/tmp")
    try:
        # Copies: a build that runs meanwhile replaces the programs.
        tools = host.Tools(*(shutil.copy2(path, folder)
                             for path in (options.caravel, options.agent, options.injector)))
        if options.hostile:
            return run_hostile(options, tools, folder)
        if options.point:
            return run_points(options, tools, folder)
        return run_all(options, tools, folder)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(far, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
