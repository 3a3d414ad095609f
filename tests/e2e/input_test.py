"""Whatever is dropped: it ends as it should, the next file loads, memory stays small."""
import gzip
import os
import re
import subprocess
import time

import harness
from harness import location, wait_for

CROSSING = ("09:48:02 03/09 V.1.3195 H.0.0 MT_TIMEPOINTCROSSING Time:09:48:02 Arrival Rte:73 Dir:1 TP:339 "
            "Stop:1470 Svc:1 Blk:221 Lat/Lon:368683096359/-763270519248 [Valid] Adher:2 [Valid] "
            "Odom:1924 [Valid] DGPS:On FOM:2\n")


class Input(harness.HostTest):
    def load(self, host, content, name):
        """Drops `content`, and behind it a good extract, which must load; waits until both have ended."""
        self.count = getattr(self, "count", 0) + 2
        host.drop(content, name)
        host.drop(location(self.count), f"good{self.count}-2012-03-09.log")
        host.wait_until_ended(self.count)

    def content(self, host, *parts):
        with open(host.path("spool", *parts), "rb") as file:
            return file.read()

    def test_bad_input(self):
        host = self.host()
        host.start()

        self.load(host, b"x" * (50 << 20), "endless-2012-03-09.log")
        self.assertEqual(os.path.getsize(host.path("spool/rejects/endless-2012-03-09.log.cut")), 50 << 20)
        self.load(host, b"x" * (100 << 20), "larger-2012-03-09.log")
        self.assertFalse(os.path.exists(host.path("spool/rejects/larger-2012-03-09.log.cut")))
        self.assertIn(b"; kept by its place: 104857600 bytes",
                      self.content(host, "rejects/larger-2012-03-09.log.reasons.csv"))
        self.load(host, b"\0" * (1 << 20), "zeros-2012-03-09.log")
        self.assertEqual(self.content(host, "rejects/zeros-2012-03-09.log.cut"), b"\0" * (1 << 20))
        self.assertIn(b"1,0,no line end (cut off?)",
                      self.content(host, "rejects/zeros-2012-03-09.log.reasons.csv"))
        self.load(host, b"y" * (8 << 20) + b"\n" + location(70000).encode(), "long-2012-03-09.log")
        self.assertEqual(os.path.getsize(host.path("spool/rejects/long-2012-03-09.log.rejects")),
                         (8 << 20) + 1)
        bad = location(70001).encode().replace(b"V.1.100", b"V.1.\xff\xfe")
        self.load(host, bad + location(70002).encode(), "utf8-2012-03-09.log")
        self.assertEqual(self.content(host, "rejects/utf8-2012-03-09.log.rejects"), bad)
        self.assertIn(b"UTF-8", self.content(host, "rejects/utf8-2012-03-09.log.reasons.csv"))
        rows = host.count()
        self.load(host, (location(70003) + CROSSING).replace("\n", "\r\n"), "crlf-2012-03-09.log")
        self.assertEqual(host.count(), rows + 3)
        self.assertFalse(os.path.exists(host.path("spool/rejects/crlf-2012-03-09.log.rejects")))
        self.load(host, b"", "empty-2012-03-09.log")
        self.load(host, b"\xef\xbb\xbf" + location(70004).encode(), "bom-2012-03-09.log")
        self.assertEqual(host.count(), rows + 6)
        self.load(host, location(70005) + location(70006)[:60], "cut-2012-03-09.log")
        self.assertEqual(self.content(host, "rejects/cut-2012-03-09.log.cut"), location(70006)[:60].encode())
        done = host.done()
        for name in ("endless", "larger", "zeros", "long", "utf8", "crlf", "empty", "bom", "cut"):
            self.assertIn(f"{name}-2012-03-09.log", done)

        rows = host.count()
        whole = gzip.compress("".join(location(second) for second in range(71000, 75000)).encode())
        self.load(host, whole[:len(whole) // 2], "half-2012-03-09.log.gz")
        self.assertEqual(host.count(), rows + 1)
        self.assertIn(b"cut off", self.content(host, "failed/half-2012-03-09.log.gz.why"))
        self.assertEqual(self.content(host, "failed/half-2012-03-09.log.gz"), whole[:len(whole) // 2])
        self.load(host, "not a bus\n" * 30 + location(76000), "other-2012-03-09.log")
        self.assertEqual(host.count(), rows + 2)
        self.assertIn(b"max_rejects", self.content(host, "failed/other-2012-03-09.log.why"))
        self.assertIn("max_rejects", host.run("explain", "other-2012-03-09.log", expect=0).stdout)

        self.assert_counts_add_up(host)
        with open(f"/proc/{host.watcher.pid}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        if not {"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ):  # they keep what was freed
            self.assertLess(peak, 64 * 1024, "KiB")

    def test_a_year_that_cannot_be_known_is_asked_for_and_then_remembered(self):
        host = self.host()
        host.start()
        content = location(1) + location(2)
        day = time.gmtime(time.time() - 200 * 86400)
        content = content.replace("03/09", time.strftime("%m/%d", day))
        host.drop(content, "nameless.log")
        host.wait_until_ended(1)
        with open(host.path("spool/failed/nameless.log.why"), encoding="utf-8") as file:
            self.assertIn("caravel process --feed hrt --year YYYY", file.read())
        failed = host.path("spool/failed/nameless.log")
        refused = host.run("process", failed, expect=2)
        self.assertIn("--year", refused.stderr)
        self.assertEqual(host.run("format", "--format", "spysocket", failed, expect=2).stdout, "")
        year = str(day.tm_year)
        host.run("process", "--year", year, failed, expect=0)
        self.assertEqual(host.rows("select distinct substr(Date, 1, 4) from hrt"), [(year,)])
        # The same content is dropped again: the ledger remembers the year that was given by hand.
        host.drop(content, "nameless.log")
        host.wait_until_ended(4)  # with the two by hand
        self.assertEqual(host.count(), 2)

    def test_a_time_that_was_never_set_is_no_time(self):
        """rsync --partial, cut off, leaves an mtime of 0; a clock that was never set is as good as that."""
        host = self.host(feed="    year: guess\n    settle: 50ms\n",
                         feeds="  strict:\n    drop: strict\n    format: spysocket\n    store: local\n"
                               "    settle: 50ms\n")
        host.start()
        content = location(1)
        for feed, folder in (("hrt", "drop"), ("strict", "strict")):
            for number, mtime in enumerate((0, 1, 86400 * 365, 2 ** 40, 4102444800)):
                # Within 30 days of 1970-01-01, and far from it.
                for day in ("12/20", "01/10", "06/15"):
                    line = content.replace("03/09", day).replace("V.1.100", f"V.{feed}.{number}")
                    name = host.path("spool", folder, f".{number}-{day.replace('/', '')}.log")
                    with open(name, "w", encoding="ascii") as file:
                        file.write(line)
                    os.utime(name, (mtime, mtime))
                    os.rename(name, name.replace("/.", "/"))
        wait_for("all of them", lambda: host.extracts("hrt")["done"] == 15 and
                 sum(host.extracts("strict")[end] for end in ("done", "failed")) == 15)
        now = time.gmtime().tm_year
        years = {int(year) for year, in host.rows("select substr(Date, 1, 4) from hrt")}
        self.assertLessEqual(years, {now - 1, now})
        self.assertEqual(host.count(), 15)
        feed = next(status for status in host.status()["feeds"] if status["name"] == "hrt")
        self.assertGreaterEqual(feed["years_guessed"], 5)
        # Without a guess such a file is refused, unless its lines are of these days.
        self.assertGreaterEqual(host.extracts("strict")["failed"], 5)
        with open(host.path("spool/failed/0-0615.log.why"), encoding="utf-8") as file:
            self.assertIn("only its arrival (", file.read())

    def test_reprocess_replaces_and_removes_what_no_longer_comes_out(self):
        host = self.host()
        with open(host.path("a.log"), "w", encoding="ascii") as file:
            file.write(location(1) + location(2))
        host.run("process", "--year", "2011", host.path("a.log"), expect=0)
        host.run("process", "--year", "2012", "--reprocess", "--delete-stale", host.path("a.log"), expect=0)
        self.assertEqual(host.rows("select Date from hrt order by Date"), [("2012-03-09",)] * 2)

    def test_upload_without_a_sidecar_is_an_extract_of_its_own(self):
        host = self.host()
        with open(host.path("a.csv"), "w", encoding="ascii") as file:
            file.write("city,people\nBremen,570000\n\"Berlin, Mitte\",380000\n")
        said = host.run("upload", host.path("a.csv"), expect=0).stderr
        self.assertIn("no sidecar", said)
        host.run("upload", host.path("a.csv"), expect=0)
        self.assertEqual(host.rows("select city, people from hrt order by city"),
                         [("Berlin, Mitte", 380000), ("Bremen", 570000)])


    def test_a_damaged_packed_extract_fails_whole_and_stores_nothing(self):
        host = self.host()
        host.start()
        good = "".join(location(second) for second in range(1000, 1020)).encode()
        packed = gzip.compress(good)
        damaged = {"garbage": packed + b"garbage", "text": packed + good, "trailer": packed[:-3],
                   "member": packed + packed[:-1], "checksum": packed[:-8] + b"\0\0\0\0" + packed[-4:]}
        for number, (name, content) in enumerate(damaged.items(), 1):
            self.load(host, content, f"{name}-2012-03-09.log.gz")
            self.assertEqual(host.count(), number, "only the good ones behind them")
            self.assertIn(b"gzip data is", self.content(host, f"failed/{name}-2012-03-09.log.gz.why"))
            self.assertEqual(self.content(host, f"failed/{name}-2012-03-09.log.gz"), content)
        self.assertEqual(host.extracts()["failed"], len(damaged))
        self.load(host, gzip.compress(good[:500]) + gzip.compress(good[500:]), "members-2012-03-09.log.gz")
        self.assertEqual(host.count(), len(damaged) + 1 + 20)

    def test_a_single_line_without_end_is_loaded_if_that_is_allowed(self):
        host = self.host(feed="    accept_unterminated: true\n").folder
        config = os.path.join(host, "caravel.yaml")
        with open(config, encoding="ascii") as file:
            text = file.read().replace("format: spysocket", "format: auto")
        with open(config, "w", encoding="ascii") as file:
            file.write(text)
        host = self.hosts[0]
        host.start()
        self.load(host, location(1).rstrip("\n"), "one-2012-03-09.log")
        self.assertEqual(host.count(), 2)
        self.assertFalse(os.path.exists(host.path("spool/rejects/one-2012-03-09.log.cut")))

    def test_csv_is_kept_for_its_time_and_not_at_all_if_that_is_none(self):
        host = self.host(feed="    keep_csv: 0s\n",
                         feeds="  other: {drop: other, match: '*.txt', format: spysocket, keep_csv: 1h}\n")
        os.makedirs(host.path("spool/drop"))
        os.makedirs(host.path("spool/other"))
        host.drop(location(1), "none-2012-03-09.log")
        for name in ("old-2012-03-09.txt", "new-2012-03-09.txt"):
            with open(host.path("spool/other", name), "w", encoding="ascii") as file:
                file.write(location(2))
        host.run("sweep", expect=0)
        kept = sorted(os.listdir(host.path("spool/csv")))
        self.assertEqual([name.split(".2")[0] for name in kept],
                         ["new-2012-03-09.txt"] * 2 + ["old-2012-03-09.txt"] * 2)
        for name in kept[2:]:
            os.utime(host.path("spool/csv", name), (time.time() - 3700,) * 2)
        host.run("sweep", expect=0)
        self.assertEqual(sorted(os.listdir(host.path("spool/csv"))), kept[:2])


class Filter(harness.HostTest):
    """caravel format"""

    def setUp(self):
        super().setUp()
        self.extract = os.path.join(self.folder, "a-2012-03-09.log")
        self.content = location(1) + "rubbish\n"
        with open(self.extract, "w", encoding="ascii") as file:
            file.write(self.content)

    def format(self, *arguments, stdin=subprocess.DEVNULL):
        return subprocess.run([harness.CARAVEL, "format", *arguments], stdin=stdin, capture_output=True,
                              text=True, timeout=harness.PATIENCE, check=False, cwd=self.folder)

    def assert_refused(self, *arguments, extract, **more):
        before = sorted(os.listdir(self.folder))
        run = self.format(*arguments, **more)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        with open(extract, encoding="ascii") as file:
            self.assertEqual(file.read(), self.content)

    def test_the_extract_is_never_written_over(self):
        os.symlink(self.extract, os.path.join(self.folder, "symlink"))
        os.link(self.extract, os.path.join(self.folder, "hardlink"))
        for option in ("--rejects", "--sidecar"):
            for name in (self.extract, "a-2012-03-09.log", "./a-2012-03-09.log", "symlink", "hardlink"):
                with self.subTest(option=option, name=name):
                    self.assert_refused(option, name, self.extract, extract=self.extract)
                    with open(self.extract, encoding="ascii") as stdin:
                        self.assert_refused(option, name, "--year", "2012", extract=self.extract,
                                            stdin=stdin)

    def test_the_extract_is_not_written_over_by_what_goes_beside_the_rejects(self):
        for ending in (".cut", ".reasons.csv"):
            with self.subTest(ending=ending):
                extract = os.path.join(self.folder, "b-2012-03-09" + ending)
                with open(extract, "w", encoding="ascii") as file:
                    file.write(self.content)
                self.assert_refused("--rejects", "b-2012-03-09", extract, extract=extract)

    def test_rejects_and_sidecar_are_different_files(self):
        for sidecar in ("x", "./x", "x.cut", "x.reasons.csv"):
            with self.subTest(sidecar=sidecar):
                self.assert_refused("--rejects", "x", "--sidecar", sidecar, self.extract,
                                    extract=self.extract)
        run = self.format("--rejects", "x", "--sidecar", "y", self.extract)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ["a-2012-03-09.log", "x", "x.reasons.csv", "y"])

    def test_nothing_gives_nothing(self):
        run = self.format()
        self.assertEqual((run.returncode, run.stdout), (0, ""))
        run = self.format("--format", "spysocket")
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stdout, r"\ADate,Time,[^\n]*Stop\n\Z")
        run = self.format("--format", "csv")
        self.assertEqual((run.returncode, run.stdout), (0, ""))


class Configuration(harness.HostTest):
    def test_a_wrong_configuration_is_one_message_and_nothing_touched(self):
        cases = [
            ("feeds:\n  hrt: {formt: spysocket}\n", ":2:", "did you mean 'format'"),
            ("feeds:\n  hrt: {format: spysocket, settle: soon}\n", ":2:", "settle"),
            ("feeds:\n  hrt: {format: spysokcet}\n", ":2:", "did you mean 'spysocket'"),
            ("feeds:\n  hrt: {timezone: Mars/Olympus}\n", ":2:", "timezone"),
            ("stores:\n  c: {type: couchdb, url: 'http://127.0.0.1:1', database: d, user: u, "
             "password_file: nowhere}\nfeeds:\n  hrt: {store: c}\n", ":2:", "password_file"),
            ("feeds:\n  a: {match: '*.log'}\n  b: {match: '*.log'}\n", ":3:", "match"),
        ]
        for text, place, hint in cases:
            with self.subTest(text=text):
                host = self.host()
                with open(host.config, "w", encoding="ascii") as file:
                    file.write(text)
                for command in ("watch", "sweep", "check", "status"):
                    if command == "status" and "password_file" in text:
                        continue  # status reads no secrets
                    run = host.run(command, expect=2)
                    self.assertEqual(run.stdout, "")
                    self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
                    self.assertIn(host.config + place, run.stderr)
                    self.assertIn(hint, run.stderr)
                self.assertEqual(os.listdir(host.folder), ["caravel.yaml"])

    def test_check_runs_the_examples_of_formats(self):
        host = self.host(stores="formats: [formats]\n")
        os.mkdir(host.path("formats"))
        text = ("format: doors\nidentity: position\ncolumns: [Door]\n"
                "kinds: [{kind: a, line: 'door {Door:int}'}]\nexamples:\n  - {line: door 7, row: {Door: %d}}\n")
        for door, code, said in ((7, 0, "hold"), (8, 1, "doors.yaml:6: examples[0]: Door: expected '8', got '7'")):
            with open(host.path("formats/doors.yaml"), "w", encoding="ascii") as file:
                file.write(text % door)
            os.makedirs(host.path("spool/drop"), exist_ok=True)
            self.assertIn(said, host.run("check", expect=code).stdout)

    def test_usage_errors_exit_2_and_teach(self):
        host = self.host()
        for arguments, hint in ((("swep",), "did you mean 'sweep'"),
                                (("process",), "names no file"),
                                (("process", "nowhere.log"), "nowhere.log"),
                                (("process", "--yaer", "2012", "x"), "did you mean --year"),
                                (("process", "--year", "x", host.config), "--year"),
                                (("format", "--format", "spy", host.config), "spysocket"),
                                (("process", "--feed", "hrtt", host.config), "hrt")):
            with self.subTest(arguments=arguments):
                self.assertIn(hint, host.run(*arguments, expect=2).stderr)
        program = host.run("--help", expect=0).stdout
        self.assertLessEqual(len(program.splitlines()), 24)
        self.assertLessEqual(max(map(len, program.splitlines())), 80)
        commands = re.findall(r"^  ([a-z]+) +\S", program, re.MULTILINE)
        self.assertIn("capture", commands)
        for command in commands:
            text = host.run(command, "--help", expect=0).stdout
            self.assertLess(len(text.splitlines()), 30)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)
            # Each option that takes a value says in a word what that is.
            self.assertNotIn(" VALUE", text)


if __name__ == "__main__":
    harness.main()
