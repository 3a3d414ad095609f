"""caravel capture: a log of this host into the store, in one process."""
import glob
import os
import random
import signal
import subprocess

import harness
from harness import CARAVEL, location, wait_for
from settle_test import DOORS, RUBBISH


class Capture(harness.HostTest):
    def begin(self, host, *options, log="app.log"):
        with open(host.path("capture.log"), "ab") as stderr:
            process = subprocess.Popen(
                [CARAVEL, "capture", "--config", host.config, "--interval", "100ms", "--grace",
                 "200ms", *options, host.path(log)], stderr=stderr, cwd=host.folder)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def append(self, host, text, log="app.log"):
        with open(host.path(log), "a", encoding="ascii") as file:
            file.write(text)

    def stored(self, host, count):
        def there():
            return os.path.exists(host.path("rows.db")) and \
                host.rows("select 1 from sqlite_master where name = 'hrt'") and host.count() == count
        try:
            wait_for(f"{count} rows", there)
        except AssertionError:
            with open(host.path("capture.log"), encoding="utf-8") as log:
                raise AssertionError(f"{host.count()} rows, not {count}\n{log.read()}") from None

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)

    def test_lines_are_stored_as_they_are_written(self):
        host = self.host()
        self.append(host, location(1) + location(2))
        process = self.begin(host)
        self.stored(host, 2)
        self.append(host, location(3)[:40])  # half a line is no row
        self.append(host, location(3)[40:] + location(4))
        self.stored(host, 4)
        os.rename(host.path("app.log"), host.path("app.log.1"))
        self.append(host, location(5))
        self.stored(host, 5)
        self.end(process)
        # Captured extracts get no feed documents: each holds the lines of a second.
        self.assertEqual(host.rows("select count(*) from _feeds")[0][0], 0)
        name = next(name for name in host.captured() if name.endswith("00000001.log"))
        self.assertIn("from the log itself", host.run("explain", name, expect=0).stdout)

    def test_nothing_is_lost_or_repeated_over_kills_and_rotations(self):
        host = self.host()
        random_ = random.Random(7)
        second = 1
        self.append(host, location(0))
        process = self.begin(host)
        self.stored(host, 1)  # a file that is rotated before the first look is not read
        for round_ in range(12):
            for _ in range(random_.randint(1, 30)):
                self.append(host, location(second))
                second += 1
            if random_.random() < 0.5:
                for number in range(round_, 0, -1):
                    if os.path.exists(host.path(f"app.log.{number}")):
                        os.rename(host.path(f"app.log.{number}"), host.path(f"app.log.{number + 1}"))
                os.rename(host.path("app.log"), host.path("app.log.1"))
            if random_.random() < 0.6:
                process.kill()
                process.wait()
                process = self.begin(host)
        self.stored(host, second)
        self.end(process)
        self.assertEqual(host.status()["sources"][0]["gaps"], [])
        self.assert_counts_add_up(host)

    def test_one_pass_for_cron(self):
        host = self.host()
        for count in (3, 5):
            self.append(host, "".join(location(second) for second in range(count - 2, count)))
            host.run("capture", "--once", host.path("app.log"), expect=0)
            self.assertEqual(host.count(), count - 1)
        host.run("capture", "--once", host.path("app.log"), expect=0)
        self.assertEqual(host.count(), 4)

    def test_extracts_of_equal_content_keep_their_rows(self):
        host = self.host(feeds="  pings: {format: jsonl, store: local, drop: pings}\n")
        for _ in range(4):
            self.append(host, '{"event":"ping","ok":true}\n')
            host.run("capture", "--feed", "pings", "--once", host.path("app.log"), expect=0)
        extracts = host.captured("pings")
        names = [name for name in extracts if name.endswith(".log")]
        self.assertEqual(len(names), 4)
        ids = [row[0] for row in host.rows("select _id from pings order by _id")]
        self.assertEqual(len(ids), 4)
        # explain names the one extract of each row: the row's id holds its place in the log.
        for name, document in zip(names, ids):
            said = host.run("explain", document, expect=0).stdout
            self.assertEqual([other for other in names if other in said], [name])
        paths = glob.glob(host.path("spool/capture/pings/done/*/*/*/*00000004.log"))
        said = host.run("process", "--feed", "pings", "--reprocess", "--delete-stale", *paths,
                        expect=0).stderr
        self.assertEqual([row[0] for row in host.rows("select _id from pings order by _id")], ids)
        self.assertIn("0 removed, 3 kept because extracts of the same content", said)
        for document in ids[:3]:
            self.assertIn("stale, kept: " + document, said)

    def test_status_says_who_captures_and_explain_what_of_a_log_has_come(self):
        host = self.host()
        self.append(host, location(1))
        log = host.path("app.log")
        process = self.begin(host)
        self.stored(host, 1)
        self.append(host, location(2))
        self.stored(host, 2)
        said = host.run("status", expect=0).stdout
        self.assertIn(f"Feed hrt is captured by pid {process.pid}, `caravel capture`", said)
        self.assertNotIn("Nobody watches the spool", said)
        self.assertEqual([entry["feed"] for entry in host.status()["captured_by"]], ["hrt"])
        self.end(process)
        self.assertIn("Nobody watches the spool", host.run("status", expect=0).stdout)
        for asked in (log, "app.log"):
            said = host.run("explain", asked, expect=0).stdout
            self.assertIn("a log that is captured (feed hrt)", said)
            self.assertIn(f"from           {log} on ", said)
            self.assertIn("number 2", said)
            self.assertIn(f"up to byte {os.path.getsize(log)} ", said)
            self.assertRegex(said, r"its state +done")
        os.rename(log, host.path("elsewhere.log"))
        self.assertIn("a log that is captured", host.run("explain", "app.log", expect=0).stdout)
        self.assertIn("never taken", host.run("explain", "elsewhere.log", expect=1).stderr)

    def failed_capture(self):
        """A capture that put an extract into the failed/ of its own spool."""
        host = self.host()
        self.append(host, RUBBISH)
        process = self.begin(host)
        wait_for("failed/", lambda: glob.glob(host.path("spool/capture/hrt/failed/*.why")))
        os.mkdir(host.path("formats"))
        with open(host.path("formats/doors.yaml"), "w", encoding="ascii") as file:
            file.write(DOORS)
        with open(host.config, encoding="utf-8") as file:
            config = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("formats: [formats]\n" + config.replace("format: spysocket", "format: doors"))
        return host, process

    def test_what_a_capture_failed_goes_in_again_while_it_runs(self):
        host, process = self.failed_capture()

        def log():
            with open(host.path("capture.log"), encoding="utf-8") as file:
                return file.read()
        process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: log().count("watching") == 2)
        said = host.run("retry", "--all", expect=0).stderr
        self.assertIn(f"1 extract handed to pid {process.pid}, `caravel capture`", said)
        self.stored(host, 30)
        wait_for("the end", lambda: host.status()["failed_total"] == 0)
        self.assertEqual(os.listdir(host.path("spool/capture/hrt/failed")), [])
        self.end(process)
        self.assertIn("nothing failed", host.run("retry", "--all", expect=0).stderr)

    def test_what_two_spools_failed_goes_in_again_without_a_capture(self):
        host, process = self.failed_capture()
        self.end(process)
        with open(host.config, encoding="utf-8") as file:
            mended = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(mended.replace("format: doors", "format: spysocket"))
        os.makedirs(host.path("spool/drop"), exist_ok=True)
        host.drop(RUBBISH.replace("\n", " \n") + "1 more\n", "a-2012-03-09.log")
        wait_for("the sweep", lambda: host.run("sweep").returncode == 1)
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(mended)
        self.assertEqual(host.status()["failed_total"], 2)
        # One of its lines is a reject still.
        host.run("retry", "--all", expect=3)
        self.assertEqual(host.status()["failed_total"], 0)
        self.assertEqual(host.count(), 60)

    def test_it_runs_beside_a_watcher_and_only_once(self):
        host = self.host()
        host.start()
        process = self.begin(host)
        self.append(host, location(1))
        host.drop(location(2), "a-2012-03-09.log")
        self.stored(host, 2)
        host.stop()
        host.start()
        self.append(host, location(3))
        self.stored(host, 3)
        self.assertIn("captured already", host.run("capture", host.path("app.log"), expect=1).stderr)
        self.end(process)
        self.assertEqual(host.extracts()["failed"], 0)

    def test_a_store_that_is_down_lets_no_more_lie_there_than_max_outbox(self):
        couch = harness.Couch()
        self.addCleanup(couch.remove)
        host = self.host(stores=couch.yaml(), store="couch")
        rows = 1500
        self.append(host, "".join(location(second) for second in range(rows)))
        process = self.begin(host, "--max-outbox", "60kB", "--max-bytes", "5kB")

        def held():
            return sum(os.path.getsize(path) for folder in ("drop", "work/*") for path in
                       glob.glob(host.path("spool/capture/hrt", folder, "app.log.*")))
        def full():
            with open(host.path("capture.log"), encoding="utf-8") as log:
                return "--max-outbox" in log.read() and host.extracts()["waiting"] >= 1
        wait_for("the limit", full)
        for _ in range(40):  # some intervals
            host.status()
            self.assertLessEqual(held(), 61_000)  # and one manifest
        couch.start()
        wait_for("all rows", lambda: len(couch.rows()) == rows)
        self.end(process)

    def test_capture_leaves_the_watchers_view_of_the_drop_directory_alone(self):
        host = self.host()
        os.makedirs(host.path("spool/drop"))
        host.start()
        host.drop("x", "notes.txt")
        host.stop()
        host.start()
        def left_alone():
            return "notes.txt" in host.run("status", expect=0).stdout
        wait_for("the scan", left_alone)
        self.append(host, location(1))
        host.run("capture", "--once", host.path("app.log"), expect=0)
        self.assertTrue(left_alone())

    def test_a_log_may_begin_at_its_end(self):
        host = self.host()
        self.append(host, location(1))
        process = self.begin(host, "--from", "end")
        wait_for("the start", lambda: os.path.exists(host.path("state/capture/hrt")))
        self.append(host, location(2))
        self.stored(host, 1)
        self.end(process)

    def test_the_agents_own_options_are_refused(self):
        host = self.host()
        for option in ("--send=x {}", "--outbox=/tmp", "--state=/tmp/x"):
            self.assertIn("caravel-tail", host.run("capture", option, "a.log", expect=2).stderr)
        self.assertIn("--interval", host.run("capture", "--intervall", "1s", "a.log",
                                             expect=2).stderr)
        self.assertIn("log", host.run("capture", expect=2).stderr)
        self.assertFalse(os.path.exists(host.path("spool")))


if __name__ == "__main__":
    harness.main()
