"""Failures that clear: `retry`, `ack`, the same content loaded, the file taken away."""
import os
import signal
import subprocess
import time

import harness
from harness import location, wait_for

RUBBISH = "".join(f"{number} is no line of the log\n" for number in range(30))
DOORS = """format: doors
identity: position
columns: [Number]
kinds:
  - kind: any
    line: '{Number:int} is no line of the log'
"""


class Settle(harness.HostTest):
    def failed_host(self, name="bad-2012-03-09.log"):
        """A host whose watcher has put one file into failed/."""
        host = self.host()
        host.start()
        host.drop(RUBBISH, name)
        host.wait_until_ended(1)
        wait_for("failed/", lambda: os.path.exists(host.path("spool/failed", name + ".why")))
        return host

    def open_failures(self, host):
        status = host.status()
        self.assertEqual(status["failed_total"], status["feeds"][0]["open_failures"])
        self.assertEqual(status["failed_total"], len(status["failed"]))
        return status["failed_total"]

    def mend_format(self, host):
        """The administrator mends the format, and reloads."""
        os.mkdir(host.path("formats"))
        with open(host.path("formats/doors.yaml"), "w", encoding="ascii") as file:
            file.write(DOORS)
        with open(host.config, encoding="utf-8") as file:
            config = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("formats: [formats]\n" + config.replace("format: spysocket", "format: doors"))

    def test_a_file_that_failed_goes_in_again_while_watch_runs(self):
        host = self.failed_host()
        self.assertEqual(self.open_failures(host), 1)
        self.mend_format(host)
        mark = len(host.log_bytes())
        host.watcher.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: b"watching" in host.log_bytes()[mark:])
        said = host.run("retry", "bad-2012-03-09.log", expect=0).stderr
        self.assertIn("1 extract handed to", said)
        wait_for("the rows", lambda: os.path.exists(host.path("rows.db")) and host.extracts()["done"] == 1)
        self.assertEqual(self.open_failures(host), 0)
        self.assertEqual(host.count(), 30)
        self.assertEqual(os.listdir(host.path("spool/failed")), [])
        wait_for("done/", lambda: host.done() == ["bad-2012-03-09.log"])
        said = host.run("explain", "bad-2012-03-09.log", expect=0).stdout
        self.assertIn("settled", said)
        self.assertIn("retried", said)
        self.assertIn("goes in again", host.log())
        host.run("retry", "bad-2012-03-09.log", expect=2)
        host.stop()

    def test_what_fails_again_is_a_failure_again(self):
        host = self.failed_host()
        host.run("retry", "--all", expect=0)
        wait_for("the second failure", lambda: host.extracts()["failed"] == 2 and not host.in_work())
        self.assertEqual(self.open_failures(host), 1)
        wait_for("failed/", lambda: sorted(os.listdir(host.path("spool/failed"))) ==
                 ["bad-2012-03-09.log", "bad-2012-03-09.log.why"])
        host.stop()

    def test_without_a_watcher_a_sweep_follows(self):
        host = self.failed_host()
        host.stop()
        self.mend_format(host)
        host.run("retry", "--all", expect=0)
        self.assertEqual(host.count(), 30)
        self.assertEqual(self.open_failures(host), 0)
        self.assertIn("nothing failed", host.run("retry", "--all", expect=0).stderr)

    def test_lines_that_were_rejected_go_in_again(self):
        host = self.host()
        host.run("sweep", expect=0)
        host.drop(location(1) + "3 is no line of the log\n" + location(2), "some-2012-03-09.log")
        wait_for("the sweep", lambda: host.run("sweep").returncode == 3)
        rejects = host.status()["rejects"]
        self.assertEqual([(entry["name"], entry["lines"], entry["rejected"], entry["many"])
                          for entry in rejects], [("some-2012-03-09.log", 3, 1, True)])
        with open(rejects[0]["files"] + ".rejects", encoding="ascii") as file:
            self.assertEqual(file.read(), "3 is no line of the log\n")
        for command in (["status"], ["explain", "some-2012-03-09.log"]):
            self.assertIn(rejects[0]["files"], host.run(*command, expect=0).stdout)
        with open(host.config, encoding="utf-8") as file:
            config = file.read()
        os.mkdir(host.path("formats"))
        with open(os.path.join(os.environ["CARAVEL_SOURCE_DIR"], "etc/formats/spysocket.yaml"),
                  encoding="utf-8") as file:
            mended = file.read().split("\nexamples:")[0].replace("format: spysocket", "format: mended")
        with open(host.path("formats/mended.yaml"), "w", encoding="utf-8") as file:
            file.write(mended.replace("kinds:\n", "kinds:\n  - kind: doors\n    line: '3 is no line of the "
                                      "log'\n    action: drop\n", 1))
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("formats: [formats]\n" + config.replace("format: spysocket", "format: mended"))
        host.run("retry", "some-2012-03-09.log", expect=0)
        self.assertEqual(host.count(), 2)
        self.assertEqual([name for name in os.listdir(host.path("spool/rejects"))
                          if not name.startswith(".")], [])
        self.assertEqual(host.done(), ["some-2012-03-09.log"])
        self.assertEqual(host.status()["rejects"], [])

    def test_a_failure_that_is_acknowledged_counts_no_longer(self):
        host = self.failed_host()
        said = host.run("ack", "bad-2012-03-09.log", "--why", "a test of mine", expect=0).stderr
        self.assertIn("1 failure and 0 missing extracts acknowledged", said)
        self.assertEqual(self.open_failures(host), 0)
        self.assertIn("a test of mine", host.run("explain", "bad-2012-03-09.log", expect=0).stdout)
        self.assertIn("a test of mine", host.run("ledger", "export", expect=0).stdout)
        self.assertIn("no failure, no rejects and no gap", host.run("ack", "bad-2012-03-09.log", expect=2).stderr)
        host.run("ack", expect=2)
        host.run("ack", "--all", "x", expect=2)
        host.run("retry", "x.log", expect=2)
        host.run("retry", "--all", "--feed", "htr", expect=2)
        host.stop()

    def test_of_a_feed_that_is_gone_nothing_goes_in_again(self):
        host = self.failed_host()
        host.stop()
        with open(host.config, encoding="utf-8") as file:
            config = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(config.replace("  hrt:\n", "  bus:\n"))
        said = host.run("retry", "bad-2012-03-09.log", expect=2).stderr
        self.assertIn("its feed hrt is not configured any more", said)

    def test_killed_at_each_step_of_a_retry(self):
        calls, runs = ["renameat2", "fsync", "fdatasync", "unlinkat"], 0
        for call in calls:
            for when in range(1, 12):
                host = self.host()
                host.run("sweep", expect=0)
                host.drop(RUBBISH, "bad-2012-03-09.log")
                wait_for("the failure", lambda host=host: host.run("sweep").returncode == 1)
                self.mend_format(host)
                run = host.run("retry", "--all", wrapper=["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                                          f"inject={call}:signal=SIGKILL:when={when}"])
                killed = run.returncode not in (0, 1)
                host.run("sweep")
                host.run("retry", "--all", expect=0)
                self.assertEqual(host.count(), 30, (call, when))
                self.assertEqual(self.open_failures(host), 0, (call, when))
                self.assertEqual(host.done(), ["bad-2012-03-09.log"], (call, when))
                self.assertEqual(host.in_work(), [], (call, when))
                if not killed:
                    break
                runs += 1
        self.assertGreater(runs, 10)

    def test_a_file_that_is_taken_away_and_content_that_is_loaded_settle_failures(self):
        host = self.failed_host()
        host.stop()
        host.start()
        self.assertEqual(self.open_failures(host), 1)
        os.remove(host.path("spool/failed/bad-2012-03-09.log"))
        wait_for("the next minute's look", lambda: self.open_failures(host) == 0)
        self.assertIn("not in failed/ any more", host.log())
        host.drop(RUBBISH, "again-2012-03-09.log")
        wait_for("the failure", lambda: self.open_failures(host) == 1)
        self.mend_format(host)
        with open(host.path("by-hand-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write(RUBBISH)
        host.run("process", host.path("by-hand-2012-03-09.log"), expect=0)
        self.assertEqual(self.open_failures(host), 0)
        host.stop()

    def test_a_file_that_matches_no_feed_is_told_of_at_once(self):
        host = self.host()
        host.start()
        host.drop("hello\n", "readme.txt")
        began = time.monotonic()
        wait_for("status", lambda: [entry["name"] for entry in host.status()["left_alone"]] == ["readme.txt"])
        self.assertLess(time.monotonic() - began, 45)  # the scan of each minute is no answer
        host.drop("hello again\n", "readme.txt")
        host.drop(location(1), "a-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertEqual(host.log().count("readme.txt: matches no feed"), 1)
        host.stop()

    def test_a_store_that_is_down_fails_no_load_by_hand(self):
        port = harness.free_port()
        host = self.host(stores=f"  couch: {{type: couchdb, url: 'http://127.0.0.1:{port}', database: feed}}\n",
                         store="couch")
        with open(host.path("by-hand-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write(location(1))
        said = host.run("process", "--wait", "300ms", host.path("by-hand-2012-03-09.log"), expect=1).stderr
        self.assertIn("waits, next try in", said)
        self.assertIn("not loaded: ", said)
        self.assertEqual(self.open_failures(host), 0)
        self.assertIn("broken_off", host.run("explain", "by-hand-2012-03-09.log", expect=0).stdout)
        host.run("process", "--wait", "soon", host.path("by-hand-2012-03-09.log"), expect=2)

        waiting = subprocess.Popen([harness.CARAVEL, "--config", host.config, "process",
                                    host.path("by-hand-2012-03-09.log")], stderr=subprocess.PIPE, text=True)
        self.assertIn("waits, next try in", waiting.stderr.readline())
        waiting.send_signal(signal.SIGINT)
        said = waiting.communicate(timeout=harness.PATIENCE)[1]
        self.assertEqual(waiting.returncode, 1)
        self.assertIn("run it again", said)
        self.assertEqual(self.open_failures(host), 0)


if __name__ == "__main__":
    harness.main()
