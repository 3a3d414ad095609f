"""A loading host in a folder of its own: configuration, spool, store; and `caravel watch` over it."""
import contextlib
import glob
import os
import signal
import sqlite3
import subprocess

import measuring
from figures import Wrong

SQLITE = "{type: sqlite, path: rows.db}"


class Host:
    """One configuration with its spool. `feeds` are names: each has a drop directory of its own (the first
    one the spool's own) and the store of the same place in `stores`, or the only one."""

    def __init__(self, folder, stores=(SQLITE,), feeds=("hrt",)):
        self.folder = folder
        self.rows_db = os.path.join(folder, "rows.db")
        os.makedirs(folder)
        self.drops = {}
        self.config = os.path.join(folder, "caravel.yaml")
        text = "spool: spool\nstate: state\nstores:\n"
        text += "".join(f"  store{number}: {store}\n" for number, store in enumerate(stores))
        text += "feeds:\n"
        for number, feed in enumerate(feeds):
            drop = "drop" if number == 0 else f"drop-{feed}"
            text += (f"  {feed}:\n    drop: {drop}\n    match: '*.log'\n    format: spysocket\n"
                     f"    store: store{min(number, len(stores) - 1)}\n    year: guess\n    keep_csv: 0s\n")
            self.drops[feed] = os.path.join(folder, "spool", drop)
            os.makedirs(self.drops[feed])
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)
        # Files are written here and renamed into a drop directory: the same file system, and nobody looks.
        self.outside = os.path.join(folder, "outside")
        os.mkdir(self.outside)

    @property
    def drop(self):
        return next(iter(self.drops.values()))

    def process_command(self, caravel, extract, feed="hrt"):
        return [caravel, "process", "--config", self.config, "--feed", feed, "--year", "2012", extract]

    def rows(self, path=None, feed="hrt"):
        """How many rows a SQLite store has; 0 before it is made."""
        try:
            with contextlib.closing(read_only(path or self.rows_db)) as database:
                return database.execute(f'select count(*) from "{feed}"').fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def extracts(self, path=None):
        """How many extracts a SQLite store has all of."""
        try:
            with contextlib.closing(read_only(path or self.rows_db)) as database:
                return database.execute("select count(*) from _feeds").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def archived(self):
        return len(glob.glob(os.path.join(self.folder, "spool/done/*/*/*/*.log")))

    def open_files(self):
        """What lies anywhere but in done/: after a run that ended well, nothing."""
        return [path for place in ("drop", "work", "failed", "rejects")
                for path in glob.glob(os.path.join(self.folder, "spool", place, "**"), recursive=True)
                if os.path.isfile(path)]

    def check(self, rows, files, path=None, feed="hrt"):
        """Raises Wrong unless the store has so many rows, done/ so many files, and nothing lies elsewhere."""
        there = self.rows(path, feed)
        if there != rows:
            raise Wrong(f"{there} rows in the store instead of {rows}")
        measuring.wait_for("the last extracts to be put away", lambda: self.archived() >= files)
        left = self.open_files()
        if self.archived() != files or left:
            raise Wrong(f"{self.archived()} files in done/ instead of {files}; elsewhere: {left[:3]}")


def read_only(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


class Watch:
    """`caravel watch`, until the end of a `with`."""

    def __init__(self, caravel, host, patience=600):
        self.log = os.path.join(host.folder, "watch.log")
        self.host = host
        with open(self.log, "ab") as log:
            self.mark = log.tell()
            self.child = subprocess.Popen([caravel, "watch", "--config", host.config], stderr=log,
                                          stdout=subprocess.DEVNULL, cwd=host.folder)
        self.pid = self.child.pid
        self.patience = patience

    def wait_until_watching(self):
        measuring.wait_for("caravel watch to begin", self.watching, self.patience, 0.002)

    def watching(self):
        self.must_live()
        with open(self.log, "rb") as file:
            file.seek(self.mark)
            return b"watching" in file.read()

    def must_live(self):
        if self.child.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise Wrong(f"caravel watch ended: {file.read()[-1000:]}")

    def wait_for_extracts(self, count, path=None, pause=0.005):
        """Until the store has `count` feed rows (the last thing stored of an extract)."""
        database = None

        def stored():
            nonlocal database
            self.must_live()
            try:
                database = database or read_only(path or self.host.rows_db)
                return database.execute("select count(*) from _feeds").fetchone()[0] >= count
            except sqlite3.OperationalError:  # not there yet
                return False
        try:
            measuring.wait_for(f"{count} extracts to be stored", stored, self.patience, pause)
        finally:
            if database:
                database.close()

    def __enter__(self):
        return self

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        code = self.child.wait()
        if code != 0:
            raise Wrong(f"caravel watch: exit code {code}; see {self.log}")

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.child.poll() is None:
            self.child.kill()
            self.child.wait()
