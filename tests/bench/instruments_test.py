#!/usr/bin/env python3
"""Whether the instruments of scripts/bench see what they are there to see: a program that gives a wrong
result must get no figure. Not tested: the figures."""
import importlib.machinery
import importlib.util
import io
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import anchors  # noqa: E402
import comparing  # noqa: E402
import corpora  # noqa: E402
import hosts  # noqa: E402
import measuring  # noqa: E402
import rows_format  # noqa: E402
import rows_postgres  # noqa: E402,F401
import rows_start  # noqa: E402
from figures import Figure, Missing, Table, Wrong  # noqa: E402
from measurement import ROWS, Measurement, Scale  # noqa: E402

CARAVEL = os.environ["CARAVEL_BINARY"]


def scripts_bench():
    """scripts/bench as a module."""
    loader = importlib.machinery.SourceFileLoader("scripts_bench", os.path.join(anchors.ROOT, "scripts/bench"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Instruments(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="caravel-bench-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def measurement(self, *programs):
        return Measurement(list(programs) or [CARAVEL], tempfile.mkdtemp(dir=self.folder), Scale.smallest())

    def liar(self, script):
        """A program that is caravel but for what `script`, in sh, does. "$extract" is the last argument."""
        path = os.path.join(self.folder, f"liar{len(os.listdir(self.folder))}")
        with open(path, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\ncaravel="{CARAVEL}"\nfor extract; do :; done\n{script}\n')
        os.chmod(path, 0o755)
        return path

    def other_extract(self, change):
        """A liar that loads another extract than it was told to."""
        return self.liar(f'other="$(mktemp -d "{self.folder}/XXXXXX")/$(basename "$extract")"\n'
                         f'{change} < "$extract" > "$other"\n'
                         'n=$#; while [ $n -gt 1 ]; do set -- "$@" "$1"; shift; n=$((n - 1)); done; shift\n'
                         '"$caravel" "$@" "$other"')


class Honest(Instruments):
    """Each row, as it is, with the honest program: it finds nothing wrong, and has figures."""

    @unittest.skipUnless(os.environ.get("CARAVEL_BENCH_ALL"), "minutes: scripts/nightly has it")
    def test_every_row(self):
        bench = self.measurement()
        for name in ROWS:
            with self.subTest(name):
                bench.row = name
                try:
                    found = ROWS[name](bench)
                except Missing as missing:
                    self.skipTest(str(missing))
                self.assertTrue(found)
                for figure in found:
                    self.assertEqual(len(figure.cells()), 6)

    def test_two_builds_take_turns(self):
        bench = self.measurement(CARAVEL, "another")
        calls = []
        ours, theirs = bench.in_turns(lambda program: calls.append(program) or len(calls),
                                      [lambda: calls.append("anchor") or len(calls)], 2)
        self.assertEqual(calls, [CARAVEL, "another", "anchor", "anchor", "another", CARAVEL])
        self.assertEqual((ours, theirs), ([[1, 6], [2, 5]], [[3, 4]]))


class WrongResults(Instruments):
    def assert_wrong(self, row, program, what=""):
        try:
            with self.assertRaisesRegex(Wrong, what):
                ROWS[row](self.measurement(program))
        except Missing as missing:
            self.skipTest(str(missing))

    def test_the_rows_look_at_the_csv(self):
        for row in ("spysocket", "cpu", "nginx", "csv", "csv-quotes", "jsonl"):
            with self.subTest(row):
                self.assert_wrong(row, self.liar('"$caravel" "$@" | sed "7s/2/3/"'))

    def test_a_line_of_csv_that_is_lost_doubled_or_changed(self):
        bench = self.measurement()
        awk = rows_format.mawk("spysocket.awk", "-v", "year=2012")
        for kind, name, check in (
                ("spysocket", "spysocket", rows_format.equals_output_of(bench, awk)),
                ("nginx", "nginx", rows_format.equals_output_of(bench, rows_format.mawk("nginx.awk"))),
                ("csv", "csv", rows_format.same_as_input), ("quoted_csv", "csv", rows_format.same_as_input),
                ("jsonl", "jsonl", rows_format.same_values("more"))):
            given = bench.input(kind, bench.scale.counted[0])
            out = bench.place("out")
            measuring.Run(rows_format.formatted(CARAVEL, name, given.path), out=out)
            check(given, out)
            with open(out, "rb") as file:
                lines = file.read().splitlines(True)
            for what, changed in (("lost", lines[:4] + lines[5:]), ("doubled", lines[:5] + lines[4:]),
                                  ("changed", lines[:6] + [lines[6].replace(b"2", b"3", 1)] + lines[7:]),
                                  ("cut off", lines[:-1]), ("turned", lines[:3] + lines[4:2:-1] + lines[5:])):
                with self.subTest(kind, what=what):
                    with open(out, "wb") as file:
                        file.writelines(changed)
                    self.assertRaises(Wrong, check, given, out)

    def test_a_reject_that_is_lost(self):
        self.assert_wrong("rejects", self.liar(
            '"$caravel" "$@"; code=$?\n'
            'while [ "$1" != --rejects ]; do shift; done; [ -e "$2" ] && sed -i 1d "$2"; exit $code'), "rejects")

    def test_an_exit_code_that_says_that_it_failed(self):
        for row in ("cpu", "sqlite", "couch", "small"):
            with self.subTest(row):
                self.assert_wrong(row, self.liar("echo no 1>&2; exit 1"))

    def test_a_row_that_is_not_stored(self):
        for row in ("sqlite", "couch", "couch-cpu", "again", "postgres"):
            with self.subTest(row):
                self.assert_wrong(row, self.other_extract("sed 3d"), "instead of")

    def test_as_many_rows_and_one_of_them_another(self):
        # The anchor's bodies and the ids come from the first program, the honest one.
        bench = self.measurement(CARAVEL, self.other_extract("sed '3s/ V.1./ V.7./'"))
        with self.assertRaisesRegex(Wrong, "others than the rows"):
            ROWS["couch"](bench)

    def test_a_wrong_row_fails_the_run_and_the_others_are_measured(self):
        bench = self.measurement(self.liar('case $1 in format) "$caravel" "$@" | sed 5d;; *) exec "$caravel" "$@";; '
                                           'esac'))
        out = io.StringIO()
        table = Table(out, io.StringIO())
        self.assertFalse(scripts_bench().measure(bench, ["cpu", "idle"], table))
        self.assertIn("cpu: WRONG:", out.getvalue())
        self.assertEqual([figure.what.split(",")[0] for figure in table.figures], ["watch idle"])

    def test_what_is_missing_here_is_no_wrong_result(self):
        def missing(_):
            raise Missing("no jq here")
        ROWS["missing"] = missing
        self.addCleanup(ROWS.pop, "missing")
        out = io.StringIO()
        self.assertTrue(scripts_bench().measure(self.measurement(), ["missing"], Table(out, io.StringIO())))
        self.assertIn("missing: not measured: no jq here", out.getvalue())


class Spool(Instruments):
    """What is looked at behind the rows that let caravel watch work."""

    def setUp(self):
        super().setUp()
        self.host = hosts.Host(os.path.join(self.folder, "host"))
        with sqlite3.connect(self.host.rows_db) as database:
            database.executescript("create table hrt (_id); insert into hrt values (1), (2)")
        self.done = os.path.join(self.host.folder, "spool/done/2026/12/01")
        os.makedirs(self.done)
        self.touch(self.done, "a.log")

    def touch(self, folder, name):
        with open(os.path.join(folder, name), "w", encoding="ascii"):
            pass

    def test_all_is_well(self):
        self.host.check(2, 1)

    def test_rows_that_are_missing_or_too_many(self):
        for rows in (1, 3):
            with self.assertRaisesRegex(Wrong, "2 rows in the store"):
                self.host.check(rows, 1)

    def test_a_file_that_was_put_away_twice(self):
        self.touch(self.done, "b.log")
        with self.assertRaisesRegex(Wrong, "2 files in done/ instead of 1"):
            self.host.check(2, 1)

    def test_a_file_that_failed(self):
        failed = os.path.join(self.host.folder, "spool/failed")
        os.makedirs(failed)
        self.touch(failed, "c.log")
        with self.assertRaisesRegex(Wrong, "c.log"):
            self.host.check(2, 1)

    def test_a_ledger_with_another_table(self):
        path = os.path.join(self.folder, "ledger.db")
        with sqlite3.connect(path) as database:
            database.executescript("create table extracts (id integer primary key, claim, state, name, sha256, "
                                   "done_path, seen_at); insert into extracts values "
                                   "(1, 'c', 'done', 'a.log', '00', '2026/a.log', '2026-12-01T00:00:00.000Z')")
        rows_start.fill_ledger(path, 5)
        with sqlite3.connect(path) as database:
            self.assertEqual(database.execute("select count(distinct sha256), count(distinct claim), "
                                              "max(seen_at) < datetime('now') from extracts").fetchone(), (6, 6, 0))
            database.execute("update extracts set id = id + 10")
        with self.assertRaisesRegex(Wrong, "ledger could not be filled"):
            rows_start.fill_ledger(path, 5)


class NullCouch(Instruments):
    def setUp(self):
        super().setUp()
        try:
            self.server = anchors.NullCouch(events=True)
        except Missing as missing:
            self.skipTest(str(missing))
        self.addCleanup(self.server.close)

    def send(self, request, *more, pause=0.0):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as connection:
            connection.sendall(request)
            for piece in more:
                time.sleep(pause)
                connection.sendall(piece)
            reply = b""
            while b"\r\n\r\n" not in reply or len(reply.split(b"\r\n\r\n", 1)[1]) < int(
                    reply.split(b"Content-Length: ")[1].split(b"\r\n")[0]):
                reply += connection.recv(1 << 16)
        return reply

    def test_documents_are_counted_and_told_by_their_ids(self):
        body = b'{"docs":[{"_id":"hrt:1","text":"{\\"_id\\":\\"no\\"}"},{"_id":"hrt:2"}]}'
        reply = self.send(b"POST /bench/_bulk_docs HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body), body)
        self.assertTrue(reply.startswith(b"HTTP/1.1 201 "))
        self.assertLess(reply.index(b'"id":"hrt:1"'), reply.index(b'"id":"hrt:2"'))
        self.assertEqual(self.server.totals(forget=True),
                         {"requests": 1, "documents": 2, "bytes": len(body), "puts": 0,
                          "ids": zlib.crc32(b"hrt:1") + zlib.crc32(b"hrt:2")})
        self.assertEqual(self.server.totals()["documents"], 0)

    def test_rows_that_are_asked_for_are_there(self):
        body = b'{"docs":[{"id":"hrt:1"},{"id":"hrt:2"}]}'
        reply = self.send(b"POST /bench/_bulk_get HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body), body)
        results = json.loads(reply.split(b"\r\n\r\n", 1)[1])["results"]
        self.assertEqual([result["docs"][0]["ok"]["_id"] for result in results], ["hrt:1", "hrt:2"])

    def test_the_first_byte_is_the_first_byte(self):
        before = time.monotonic_ns()
        self.send(b"PUT /bench/feed%3Ahrt%3A00 HTTP/1.1\r\n", b"Content-Length: 2\r\n\r\n{", b"}", pause=0.5)
        what, first_byte, document = self.server.next_event()
        self.assertEqual((what, document), ("put", "feed:hrt:00"))
        self.assertLess(before, first_byte)
        self.assertLess(first_byte, time.monotonic_ns() - 500_000_000)


class Counting(Instruments):
    def test_instructions_repeat_and_are_all_somewhere(self):
        path = os.path.join(self.folder, "log")
        corpora.csv(path, 50_000)
        try:
            counts = [measuring.Count(self.folder, [anchors.compiled("anchor_memchr"), path]) for _ in range(2)]
        except Missing as missing:
            self.skipTest(str(missing))
        self.assertAlmostEqual(counts[0].instructions / counts[1].instructions, 1, delta=0.01)
        self.assertEqual(counts[0].within(""), counts[0].instructions)
        self.assertEqual(counts[0].within("no such library"), 0)
        self.assertGreater(counts[0].within("libc"), 0)
        self.assertLess(counts[0].within("libc"), counts[0].instructions)

    def test_syncs_are_counted(self):
        script = "import os\nwith open('f', 'w') as f:\n  for _ in range(7): os.fsync(f.fileno())"
        try:
            calls = measuring.SystemCalls(
                self.folder, ["sh", "-c", f"cd {self.folder}; {sys.executable} -c \"{script}\""],
                lambda child: None, os.path.join(self.folder, "messages"))
        except Missing as missing:
            self.skipTest(str(missing))
        self.assertEqual(calls.syncs, 7)
        self.assertGreater(calls.all, 7)

    def test_the_processor_time_of_a_process_is_its_own(self):
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        idle = subprocess.Popen(["sleep", "600"])
        try:
            measuring.wait_for("a busy process", lambda: measuring.cpu_seconds(busy.pid) > 0.2)
            self.assertLess(measuring.cpu_seconds(idle.pid), 0.2)
            self.assertFalse(measuring.is_at_rest(busy.pid))
            measuring.wait_for("an idle process", lambda: measuring.is_at_rest(idle.pid))
        finally:
            for child in (busy, idle):
                child.kill()
                child.wait()


class Figures(unittest.TestCase):
    def test_a_ratio_is_how_many_times_as_good_as_the_anchor(self):
        self.assertEqual(Figure("cost", [5.0], anchor=150.0).ratio, 30)
        self.assertEqual(Figure("rate", [150.0], anchor=5.0, better="more").ratio, 30)
        self.assertIsNone(Figure("memory", [5.0]).ratio)

    def test_targets(self):
        for figure, met in ((Figure("", [5.0], target="<= 5"), True), (Figure("", [5.1], target="<= 5"), False),
                            (Figure("", [16.0], target="< 16"), False),
                            (Figure("", [2.0], anchor=50.0, target=">= 25 x"), True),
                            (Figure("", [2.0], anchor=49.0, target=">= 25 x"), False),
                            (Figure("", [2.0], target=">= 25 x"), None), (Figure("", [2.0]), None)):
            with self.subTest(figure):
                self.assertEqual(figure.met, met)

    def test_against_another_build_more_than_one_is_better(self):
        self.assertEqual(Figure("cost", [5.0, 10.0]).against_other, 2)
        self.assertEqual(Figure("rate", [10.0, 5.0], better="more").against_other, 2)
        self.assertEqual(len(Figure("cost", [5.0, 10.0]).cells()), 8)


class CommandLine(Instruments):
    def test_a_row_that_is_not_there(self):
        done = subprocess.run([os.path.join(anchors.ROOT, "scripts/bench"), "--row", "nothing"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no row nothing", done.stderr)

    def test_another_revision_is_built_beside_and_leaves_nothing(self):
        repository, tools = os.path.join(self.folder, "repository"), os.path.join(self.folder, "tools")
        os.mkdir(repository)
        os.mkdir(tools)

        def git(*words):
            return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words],
                                  cwd=repository, check=True, capture_output=True, text=True).stdout
        git("init", "-q")
        for revision in ("first", "second"):
            with open(os.path.join(repository, "source"), "w", encoding="ascii") as file:
                file.write(revision)
            git("add", "source")
            git("commit", "-qm", revision)
        # A cmake that copies: what it makes says which revision it was made of.
        with open(os.path.join(tools, "cmake"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nmkdir -p build/release/watcher && cp source build/release/watcher/caravel\n")
        os.chmod(os.path.join(tools, "cmake"), 0o755)
        path, temporary = os.environ["PATH"], os.environ.get("TMPDIR")
        os.environ.update(PATH=f"{tools}:{path}", TMPDIR=self.folder)
        self.addCleanup(lambda: os.environ.update(PATH=path))
        self.addCleanup(lambda: os.environ.pop("TMPDIR") if temporary is None else
                        os.environ.update(TMPDIR=temporary))
        with comparing.release_build("HEAD~1", root=repository) as program:
            with open(program, encoding="ascii") as file:
                self.assertEqual(file.read(), "first")
        self.assertFalse(os.path.exists(program))
        self.assertEqual(len(git("worktree", "list").splitlines()), 1)
        with self.assertRaisesRegex(SystemExit, "rev-parse"):
            with comparing.release_build("no-such-revision", root=repository):
                pass

    def test_every_row_is_explained(self):
        with open(os.path.join(anchors.ROOT, "docs/performance.md"), encoding="utf-8") as file:
            page = file.read()
        for name, function in ROWS.items():
            self.assertTrue(function.__doc__, name)
            self.assertIn(f"| `{name}` |", page)


if __name__ == "__main__":
    unittest.main()
