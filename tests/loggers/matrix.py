#!/usr/bin/env python3
"""Runs real loggers beside caravel-tail, and ends in a table of what was lost, doubled and disordered."""
import argparse
import concurrent.futures
import fnmatch
import importlib
import json
import os
import pkgutil
import shutil
import sys
import tempfile

import families
from builder import Builder
from cell import Cell
from kit import DOZEN, HERE, MODES, QUICK_MODES, missing

SOURCE = os.path.dirname(os.path.dirname(HERE))


def all_loggers():
    found = []
    for module in pkgutil.iter_modules(families.__path__):
        found += importlib.import_module(f"families.{module.name}").LOGGERS
    return found


def chosen(loggers, patterns):
    """Those whose name is one of `patterns`, or like one of them: winston*."""
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(logger.name, pattern) for logger in loggers):
            sys.exit(f"loggers: no set-up is named {pattern}: see --list")
    return [logger for logger in loggers
            if not patterns or any(fnmatch.fnmatchcase(logger.name, pattern) for pattern in patterns)]


def run_cell(job, options, builder):
    logger, mode = job
    folder = os.path.join(options.folder, f"{logger.name}-{mode.name}")
    result = Cell(logger, mode, folder, options.binary, builder).run()
    if not options.quiet:
        print(f"{logger.name} {mode.name}: {result.text()}", file=sys.stderr, flush=True)
    if options.keep and not result.well():
        shutil.copytree(folder, os.path.join(options.keep, os.path.basename(folder)), symlinks=True,
                        dirs_exist_ok=True, ignore=shutil.ignore_patterns("fifo*", "*.sock", "pipe*"))
    shutil.rmtree(folder, ignore_errors=True)
    return result


def verdict(results):
    """In words, over all modes of one logger."""
    broken = [mode for mode, result in results.items() if result.error]
    if broken:
        return "not run in " + ", ".join(broken)
    words = []
    losing = [mode for mode, result in results.items() if result.lost]
    silent = [mode for mode in losing if not results[mode].said]
    if silent:
        words.append("LOSES WITHOUT A MESSAGE in " + ", ".join(silent))
    elif losing:
        words.append("LOSES, says so")
    for name, attribute in (("DOUBLES", "doubled"), ("order wrong", "steps_back"), ("HALVES", "halves")):
        if any(getattr(result, attribute) for result in results.values()):
            words.append(name)
    if not words and any(result.deleted for result in results.values()):
        told = any(result.said for result in results.values() if result.deleted)
        words.append("nothing lost that was left to read" + (", says what was not" if told else ""))
    return "; ".join(words) or "well"


def table(loggers, modes, results):
    lines = ["| logger | " + " | ".join(mode.name for mode in modes) + " | verdict |",
             "|---" * (len(modes) + 2) + "|"]
    for logger in loggers:
        mine = {mode.name: results[logger.name, mode.name] for mode in modes
                if (logger.name, mode.name) in results}
        cells = [mine[mode.name].text() if mode.name in mine else "–" for mode in modes]
        lines.append(f"| {logger.title} | " + " | ".join(cells) + f" | {verdict(mine)} |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/loggers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a set-up, or a pattern: 'winston*' (all)")
    parser.add_argument("--mode", action="append", choices=list(MODES), help="may be given again (all)")
    parser.add_argument("--dozen", action="store_true", help="what the tests run: a dozen, quickly")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--build", default=f"{SOURCE}/build/dev", metavar="DIR", help="whose caravel-tail")
    parser.add_argument("--jobs", type=int, default=8, help="cells at a time (8)")
    parser.add_argument("--keep", metavar="DIR", help="keep the folders of cells that are not well there")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--quiet", action="store_true", help="only the table")
    return parser.parse_args()


def installed(loggers, builder):
    """Those that can be run here; the others are named."""
    found = []
    for logger in loggers:
        lacking = missing(logger.needs, builder)
        if lacking:
            print(f"loggers: {logger.name}: no {lacking[0]} (scripts/loggers --setup)", file=sys.stderr)
        else:
            found.append(logger)
    return found


def run_all(jobs, options, builder):
    options.folder = tempfile.mkdtemp(prefix="loggers.")
    os.chmod(options.folder, 0o755)  # some loggers are not root
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            return list(pool.map(lambda job: run_cell(job, options, builder), jobs))
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)


def main():
    options = arguments()
    loggers = chosen(all_loggers(), DOZEN if options.dozen else options.names)
    if options.list:
        print("\n".join(f"{logger.name:32} {logger.title}" for logger in loggers))
        return 0
    builder = Builder(f"{SOURCE}/build/loggers")
    options.binary = os.environ.get("CARAVEL_TAIL_BINARY",
                                    f"{os.path.abspath(options.build)}/watcher/tail/caravel-tail")
    if not os.path.exists(options.binary):
        sys.exit(f"loggers: {options.binary} is missing: build it first")
    here = installed(loggers, builder)
    if options.dozen and here != loggers:
        return 1
    modes = list(QUICK_MODES.values()) if options.dozen else \
        [MODES[name] for name in MODES if not options.mode or name in options.mode]
    jobs = [(logger, mode) for mode in modes for logger in here]
    done = run_all(jobs, options, builder)
    results = {(logger.name, mode.name): result for (logger, mode), result in zip(jobs, done)}
    print(table(here, modes, results))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({" ".join(key): vars(result) for key, result in results.items()}, file, indent=1)
    bad = sum(not result.well() for result in done)
    print(f"\n{bad} of {len(done)} cells are not well.")
    return 1 if bad or not done else 0


if __name__ == "__main__":
    sys.exit(main())
