"""A loading host in a folder of its own: made from a template, attacked, recovered, compared with the
truth."""
import collections
import decimal
import glob
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time

from verdict import Verdict

PASSES_WITHOUT_CHANGE = 4
OPEN_STATES = ("seen", "waiting", "claimed", "formatted", "uploading")


class Tools:
    """The programs under attack, and the one that attacks."""

    def __init__(self, caravel, agent, injector):
        self.caravel, self.agent, self.injector = caravel, agent, injector


class Host:
    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        self.config = self.path("caravel.yaml")
        # Beside the folder, so that what the program says is no call that counts.
        self.messages = folder + ".messages"
        self.beside = folder  # a further folder that is part of it
        self.temporaries_may_stay = False
        self.loaded_again = False  # extracts were loaded twice on purpose
        self.any_year = False  # the clock was wrong, and with it the years of lines that have none

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write_config(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.beside, ignore_errors=True)
        for path in glob.glob(self.folder + ".*"):
            os.unlink(path)

    def command(self, *arguments):
        return [self.tools.caravel, arguments[0], "--config", self.config, *arguments[1:]]

    def run(self, *arguments, timeout=60, wrapper=()):
        with open(self.messages, "ab") as out:
            return subprocess.run([*wrapper, *self.command(*arguments)], cwd=self.folder, stderr=out,
                                  stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=timeout,
                                  check=False)

    def said(self):
        try:
            with open(self.messages, "rb") as file:
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "".join(line for line in text.splitlines(True) if "info: 0 done, 0 failed" not in line)

    def status(self):
        done = self.run("status", "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None

    def drop(self, extract, folder="spool/drop"):
        """Written elsewhere, then renamed into place, the companions first. Any thread may drop."""
        coming = self.path(f"coming{threading.get_ident()}")
        for name, data in [*extract.companions.items(), (extract.name, extract.data)]:
            with open(coming, "wb") as file:
                file.write(data)
            os.rename(coming, self.path(folder, name))

    def write_into_drop(self, extract, folder="spool/drop"):
        """As it lies there since long ago."""
        os.makedirs(self.path(folder), exist_ok=True)
        for name, data in [*extract.companions.items(), (extract.name, extract.data)]:
            path = self.path(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            if not extract.companions:
                os.utime(path, (1331280000, 1331280000))  # 2012-03-09

    # Recovery: what a person or the system does after a crash, without faults.

    def settle(self):
        """Sweeps until nothing is open. The sentence says what is still open; None if nothing is."""
        deadline = time.monotonic() + 60
        before, same = None, 0
        while True:
            try:
                code = self.run("sweep").returncode
            except subprocess.TimeoutExpired:
                return "a sweep does not end"
            state = self.what_is_open()
            if state is None and code in (0, 1, 3):
                return None
            state = state or f"sweep ends with {code}"
            same = same + 1 if state == before else 0
            if same >= PASSES_WITHOUT_CHANGE or time.monotonic() > deadline:
                return state
            before = state

    def what_is_open(self):
        status = self.status()
        if status is None:
            return "status fails"
        opened = []
        for feed in status["feeds"]:
            opened += [f"{feed['name']}: {count} {state}" for state, count in feed["extracts"].items()
                       if count and state in OPEN_STATES]
        return ", ".join(opened) or None

    # What is there.

    def files_below(self, *parts):
        top = self.path(*parts)
        return sorted(os.path.join(folder, name)
                      for folder, _, names in os.walk(top) for name in names)

    def stored(self, feed, database="rows.db"):
        """The CSV records of the rows in the store, as a Counter."""
        path = self.path(database)
        if not os.path.exists(path):
            return collections.Counter()
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            there = connection.execute("select 1 from sqlite_master where name = ?", (feed,)).fetchone()
            if not there:
                return collections.Counter()
            names = [name for _, name, *_ in connection.execute(f'pragma table_info("{feed}")')]
            columns = [name for name in names if not name.startswith("_")]
            chosen = ", ".join(f'"{name}"' for name in columns)
            rows = connection.execute(f'select {chosen} from "{feed}"').fetchall()
        connection.close()
        return collections.Counter(csv_record(row) for row in rows)

    def feed_documents(self):
        path = self.path("rows.db")
        if not os.path.exists(path):
            return set()
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            if not connection.execute("select 1 from sqlite_master where name = '_feeds'").fetchone():
                return set()
            ids = {row[0] for row in connection.execute("select _id from _feeds")}
        connection.close()
        return ids

    def kept_rejects(self):
        kept = []
        for path in self.files_below("spool"):
            name = os.path.basename(path)
            if name.startswith("."):
                continue
            if name.endswith(".rejects"):
                with open(path, "rb") as file:
                    kept += file.read().split(b"\n")[:-1]
            elif name.endswith(".cut"):
                with open(path, "rb") as file:
                    kept.append(file.read())
        return sorted(kept)


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
EXACT = decimal.Context(prec=5000)


def csv_record(values):
    out = []
    for value in values:
        text = "" if value is None else str(value)
        out.append('"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text)
    return ",".join(out)


def without_years(records):
    out = collections.Counter()
    for record, count in records.items():
        out[record[4:]] += count
    return out


def plain_numbers(record):
    """The record with each number in one form, all digits that count: a store that holds numbers gives 36.7500
    back as 36.75. What is not written as JSON writes numbers (007) stays as it is."""
    return ",".join(f"{EXACT.normalize(decimal.Decimal(field)):f}" if NUMBER.fullmatch(field) else field
                    for field in record.split(","))


def compare_rows(verdict, truth, stored_of, any_year=False):
    """`stored_of(feed)`: a Counter of CSV records."""
    for feed, expected in truth.rows.items():
        expected = {plain_numbers(record) for record in expected}
        found = collections.Counter()
        for record, count in stored_of(feed).items():
            found[plain_numbers(record)] += count
        if any_year:
            expected, found = {record[4:] for record in expected}, without_years(found)
        missing = expected - set(found)
        doubled = [record for record, count in found.items() if count > 1]
        invented = set(found) - expected
        verdict.add("lost", len(missing), f"{feed}: {len(missing)} rows, such as {min(missing, default='')}")
        verdict.add("doubled", len(doubled), f"{feed}: {len(doubled)} rows, such as {doubled[:1]}")
        verdict.add("invented", len(invented),
                    f"{feed}: {len(invented)} rows, such as {min(invented, default='')}")


def compare_feed_documents(verdict, truth, found):
    """Each extract that was loaded has one, and no other has."""
    expected = {f"feed:{extract.feed}:{hashlib.sha256(extract.data).hexdigest()}"
                for extract in truth.extracts if extract.fate == "done"}
    verdict.add("lost", len(expected - found), f"feed documents: {sorted(expected - found)[:2]}")
    verdict.add("invented", len(found - expected), f"feed documents: {sorted(found - expected)[:2]}")


def compare_rejects(verdict, truth, host):
    expected, found = collections.Counter(truth.rejects), collections.Counter(host.kept_rejects())
    lost, more = expected - found, found - expected
    verdict.add("lost", sum(lost.values()), f"rejects: {list(lost)[:2]}")
    verdict.add("doubled", sum(more.values()), f"rejects that are there too often: {list(more)[:2]}")


def data_of(paths):
    out = []
    for path in paths:
        with open(path, "rb") as file:
            out.append(file.read())
    return collections.Counter(out)


def compare_files(verdict, truth, host, drops):
    """Originals are in done/ or failed/, and nowhere else; nothing temporary is left."""
    failed_paths = [path for path in host.files_below("spool/failed")
                    if not path.endswith((".why", ".manifest"))]
    for fate, paths in (("done", host.files_below("spool/done")), ("failed", failed_paths)):
        paths = [path for path in paths
                 if not (path.endswith(".manifest") or os.path.basename(path).startswith(".tmp-"))]
        expected = collections.Counter(extract.data for extract in truth.extracts if extract.fate == fate)
        found = data_of(paths)
        verdict.add("lost", sum((expected - found).values()),
                    f"originals that should be in {fate}/; there are {[os.path.basename(p) for p in paths]}")
        verdict.add("doubled", sum((found - expected).values()),
                    f"originals in {fate}/: {[os.path.basename(p) for p in paths]}")
    for path in host.files_below("spool/rejects"):
        name = os.path.basename(path)
        if not name.startswith(".") and name.endswith((".rejects", ".cut")):
            explained = os.path.exists(path.rsplit(".", 1)[0] + ".reasons.csv")
            verdict.add("lost", not explained, f"{name} has no reasons")
    for path in failed_paths:
        # Whether a temporary may stay is asked below.
        if not os.path.exists(path + ".why") and not os.path.basename(path).startswith(".tmp-"):
            verdict.add("other", 1, f"{os.path.basename(path)} has no .why")
    left = host.files_below("spool/work")
    for drop in drops:
        left += host.files_below(drop)
    if not host.temporaries_may_stay:
        left += [path for folder in ("csv", "rejects", "done", "failed")
                 for path in host.files_below("spool", folder)
                 if os.path.basename(path).startswith(".") and not path.endswith(".owner")]
    verdict.add("other", len(left), f"left behind: {[os.path.relpath(p, host.folder) for p in left][:5]}")


def compare_ledger(verdict, truth, host, exact):
    """The sums agree, and nothing is open. `exact`: each extract was loaded once."""
    status = host.status()
    if status is None:
        verdict.add("other", 1, "status fails")
        return
    for feed in status["feeds"]:
        counts = feed["counts"]
        whole = counts["stored"] + counts["already_there"] + counts["dropped"] + counts["rejected"]
        if counts["lines"] - counts["failed"] != whole:
            verdict.add("other", 1, f"the sum of {feed['name']} is wrong: {counts}")
        lines = counts["lines"] - counts["failed"]
        if exact and lines != truth.lines.get(feed["name"], 0):
            verdict.add("other", 1, f"the ledger has {lines} lines of {feed['name']}, "
                                    f"not {truth.lines.get(feed['name'])}")


def compare(truth, host, exact=True, drops=("spool/drop",), couch=None, files=True, feed_documents=True):
    verdict = Verdict()
    compare_rows(verdict, truth, couch.rows_of if couch else host.stored, host.any_year)
    if feed_documents:
        compare_feed_documents(verdict, truth,
                               couch.feed_documents() if couch else host.feed_documents())
    compare_rejects(verdict, truth, host)
    if files:
        compare_files(verdict, truth, host, drops)
    compare_ledger(verdict, truth, host, exact)
    return verdict
