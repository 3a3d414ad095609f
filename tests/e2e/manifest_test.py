"""Manifests on the loading host: before or after the extract, broken transfers, gaps, replays."""
import glob
import gzip
import hashlib
import os
import shutil
import time

import harness
from harness import location, wait_for

RUN = "0123abcd"
CUT = "2013-01-01T00:00:05.000Z"


def tail_name(sequence, run=RUN):
    return f"app.log.bus1.{run}.{sequence:08}.log"


def manifest(content, sequence=1, first=0, **changes):
    content = content.encode() if isinstance(content, str) else content
    values = {"version": 1, "host": "bus1", "log": "/var/log/app.log", "device": 2049, "inode": 77,
              "run": RUN, "sequence": sequence, "first_line": "ab" * 16, "first": first,
              "last": first + len(content), "bytes": len(content),
              "lines": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest(),
              "cut": CUT}
    values.update(changes)
    return "".join(f"{key}={value}\n" for key, value in values.items())


def access(text):
    return (f'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /{text} HTTP/1.1" 200 5 "-" "-"\n')


class Manifests(harness.HostTest):
    def send(self, host, content, sequence=1, **changes):
        """As the agent does: the manifest first, both by rename."""
        name = tail_name(sequence, changes.get("run", RUN))
        for name, text in ((name + ".manifest", manifest(content, sequence, **changes)),
                           (name, content)):
            with open(host.path("ready"), "w", encoding="ascii") as file:
                file.write(text)
            os.rename(host.path("ready"), host.path("spool/drop", name))

    def wait_done(self, host, count):
        wait_for(f"{count} done", lambda: host.extracts()["done"] == count)

    def source(self, host):
        sources = host.status()["sources"]
        self.assertEqual(len(sources), 1)
        return sources[0]

    def test_an_extract_with_its_manifest_is_loaded_at_once(self):
        host = self.host()
        host.start()
        # December read in January: the manifest's own time says which year.
        self.send(host, location(1, day="12/31"))
        host.wait_until_ended(1)
        self.assertEqual(host.rows("select Date from hrt"), [("2012-12-31",)])
        self.assertEqual(self.source(host)["last_sequence"], 1)
        self.assertEqual(self.source(host)["source"], "/var/log/app.log on bus1")
        self.assertIn(tail_name(1) + ".manifest", host.done())
        said = host.run("explain", tail_name(1), expect=0).stdout
        self.assertIn("/var/log/app.log on bus1", said)
        self.assertIn("from its manifest", said)

    def test_an_extract_of_the_agent_waits_for_its_manifest(self):
        host = self.host()
        host.start()
        host.drop(location(1), tail_name(1))
        wait_for("the reason", lambda: "manifest" in host.run("status").stdout)
        self.assertIn("has not come", host.run("explain", tail_name(1), expect=0).stdout)
        host.drop(manifest(location(1)), tail_name(1) + ".manifest")
        host.wait_until_ended(1)
        self.assertEqual(host.rows("select Date from hrt"), [("2012-03-09",)])

    def test_without_its_manifest_it_is_loaded_after_manifest_wait(self):
        host = self.host(feed="    manifest_wait: 300ms\n    year: guess\n")
        host.start()
        host.drop(location(1), tail_name(1))
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)

    def test_a_required_manifest_that_does_not_come_ends_in_failed(self):
        host = self.host(feed="    manifest: required\n    manifest_wait: 300ms\n")
        host.start()
        host.drop(location(1), "plain-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertEqual(host.extracts()["failed"], 1)
        with open(host.path("spool/failed/plain-2012-03-09.log.why"), encoding="utf-8") as file:
            self.assertIn("its manifest plain-2012-03-09.log.manifest has not come", file.read())
        self.assertEqual(host.rows("select name from sqlite_master where name = 'hrt'")
                         if os.path.exists(host.path("rows.db")) else [], [])

    def test_a_required_manifest_that_was_refused_is_not_called_missing(self):
        host = self.host(feed="    manifest: required\n    manifest_wait: 300ms\n")
        host.start()
        host.drop("nothing=here\n", "plain-2012-03-09.log.manifest")
        wait_for("failed/", lambda: host.status()["refused_manifests_total"] == 1)
        host.drop(location(1), "plain-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertIn("came and was refused: it is no whole manifest",
                      host.run("explain", "plain-2012-03-09.log", expect=0).stdout)

    def test_a_broken_transfer_is_not_read_and_a_good_one_is(self):
        host = self.host()
        host.start()
        whole = location(1) + location(2)
        host.drop(manifest(whole), tail_name(1) + ".manifest")
        host.drop(whole[:-40], tail_name(1))
        wait_for("the reason", lambda: "broken transfer" in host.run("status").stdout)
        host.drop(whole, tail_name(1))
        self.wait_done(host, 1)
        self.assertEqual(host.count(), 2)
        self.assertEqual(host.extracts()["waiting"], 1)

    def test_a_broken_transfer_ends_in_failed_if_no_good_one_follows(self):
        host = self.host(feed="    manifest_wait: 300ms\n")
        host.start()
        host.drop(manifest(location(1) + location(2)), tail_name(1) + ".manifest")
        host.drop(location(1), tail_name(1))
        host.wait_until_ended(1)
        self.assertEqual(host.extracts()["failed"], 1)
        self.assertIn("broken transfer", host.run("explain", tail_name(1), expect=0).stdout)
        self.assertFalse(os.path.exists(host.path("rows.db")) and host.rows(
            "select * from sqlite_master where name = 'hrt'"))

    def test_a_manifest_that_is_none_goes_to_failed_and_stops_nothing(self):
        host = self.host()
        host.start()
        good = manifest(location(1))
        for number, text in enumerate([good[:50], "", "x" * 100000, good + "run=00000000\n",
                                       good.replace("bytes=", "bytes=9"), good + "\0=\n"]):
            host.drop(text, f"bad{number}.log.manifest")
        wait_for("failed/", lambda: len([name for name in os.listdir(host.path("spool/failed"))
                                         if name.endswith(".why")]) == 6)
        self.send(host, location(1))
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)

    def test_what_became_of_a_manifest_is_explained(self):
        host = self.host()
        host.start()
        self.send(host, location(1))
        host.wait_until_ended(1)
        name = tail_name(1) + ".manifest"
        done = glob.glob(host.path("spool/done/*/*/*", name))
        for asked in (name, *done):
            said = host.run("explain", asked, expect=0).stdout
            self.assertIn("taken", said)
            self.assertIn(tail_name(1) + ": done", said)
        self.assertEqual(host.status()["refused_manifests_total"], 0)

    def test_a_refused_manifest_is_explained_and_its_extract_says_so(self):
        host = self.host()
        host.start()
        # The extract waits before its manifest comes, and after that was refused.
        host.drop(location(1), tail_name(1))
        wait_for("the extract", lambda: "has not come" in host.run("status").stdout)
        name = tail_name(1) + ".manifest"
        host.drop(manifest(location(1), version=2), name)
        wait_for("the reason", lambda: "came and was refused" in host.run("status").stdout)
        said = host.run("explain", tail_name(1), expect=0).stdout
        self.assertIn("version", said)
        self.assertNotIn("has not come", said)
        second = manifest(location(2), 2)[:-30]
        host.drop(second, tail_name(2) + ".manifest")
        wait_for("failed/", lambda: host.status()["refused_manifests_total"] == 2)
        host.drop(location(2), tail_name(2))
        wait_for("the second", lambda: host.run("status").stdout.count("came and was refused") == 2)
        self.assertEqual([refused["name"] for refused in host.status()["refused_manifests"]],
                         [tail_name(2) + ".manifest", name])
        self.assertIn("Refused manifests in failed/ (2)", host.run("status").stdout)
        host.drop("again\n", name)
        wait_for("its second", lambda: host.status()["refused_manifests_total"] == 3)
        again = glob.glob(host.path("spool/failed", name + "~????????"))
        self.assertEqual(len(again), 1)
        for asked in (name, host.path("spool/failed", name), again[0]):
            said = host.run("explain", asked, expect=0).stdout
            self.assertIn("refused because it is no whole manifest", said)
            self.assertIn(host.path("spool/failed", name), said)
        # A good manifest still ends the wait.
        host.drop(manifest(location(1)), name)
        self.wait_done(host, 1)

    def test_a_gap_is_reported_and_closes_when_the_extract_comes(self):
        host = self.host()
        host.start()
        for sequence in (1, 2, 5):
            self.send(host, location(sequence), sequence)
            self.wait_done(host, min(sequence, 3))
        self.assertEqual([(gap["first"], gap["last"]) for gap in self.source(host)["gaps"]], [(3, 4)])
        self.assertIn("missing: 3 to 4", host.run("status").stdout)
        self.assertIn("3 to 4", host.run("explain", tail_name(5), expect=0).stdout)
        self.assertIn("late or lost", host.run("explain", tail_name(4), expect=0).stdout)
        self.assertIn("3 to 4 is not: late or lost", host.log())
        self.send(host, location(4), 4)
        self.wait_done(host, 4)
        self.assertEqual([(gap["first"], gap["last"]) for gap in self.source(host)["gaps"]], [(3, 3)])
        # An extract that is loaded by hand closes the gap, too.
        host.drop(manifest(location(3), 3), tail_name(3) + ".manifest")
        wait_for("the manifest", lambda: tail_name(3) + ".manifest" in host.done())
        with open(host.path(tail_name(3)), "w", encoding="ascii") as file:
            file.write(location(3))
        host.run("process", host.path(tail_name(3)), expect=0)
        self.assertEqual(self.source(host)["gaps"], [])
        self.assertIn("nothing missing", host.run("status").stdout)

    def test_what_lay_there_at_the_start_is_not_missing_when_a_newer_one_overtakes_it(self):
        host = self.host(feed="    settle: 3s\n")
        host.start()
        self.send(host, location(1), 1)
        self.wait_done(host, 1)
        host.kill()
        for sequence in (2, 3):  # found by a scan: they must be still for the settle time
            self.send(host, location(sequence), sequence)
        host.start()
        self.send(host, location(4), 4)
        wait_for("the newest", lambda: self.source(host)["last_sequence"] == 4)
        if host.extracts()["done"] < 4:
            self.assertEqual(self.source(host)["gaps"], [])
        self.wait_done(host, 4)
        self.assertNotIn("late or lost", host.log())
        self.assertNotIn("was missing", host.log())
        self.assertEqual(self.source(host)["gaps"], [])

    def test_a_silence_is_said_by_one_pass_of_cron(self):
        feed = "    expect_every: 100ms\n    settle: 1ms\n"
        host = self.host(feed=feed)
        os.makedirs(host.path("spool/drop"))
        self.send(host, location(1), 1)
        said = host.run("sweep", expect=0).stderr  # a pass that takes over 100 ms says it already
        wait_for("the silence", lambda: host.status()["silent"])
        said += host.run("sweep", expect=0).stderr
        self.assertEqual(said.count("app.log on bus1 is silent"), 1, said)
        self.assertNotIn("silent", host.run("sweep", expect=0).stderr)
        # After forget_source the source counts as ended: with dated logs, each day's log is a source.
        harness.Host(host.folder, feed=feed + "    forget_source: 1s\n")  # writes the configuration anew
        wait_for("its end", lambda: self.source(host)["forgotten"])
        self.assertIn("1 source that sent nothing for longer", host.run("status").stdout)
        self.assertEqual([silent["source"] for silent in host.status()["silent"]], [""])
        said = host.run("sweep", expect=0).stderr
        self.assertIn("it is not expected any more", said)
        self.assertIn("the feed is silent", said)
        self.assertNotIn("silent", host.run("sweep", expect=0).stderr)

    def test_a_manifest_without_its_extract_is_reported(self):
        host = self.host(feed="    manifest_wait: 200ms\n")
        host.start()
        host.drop(manifest(location(1)), tail_name(1) + ".manifest")
        wait_for("the report", lambda: host.status()["manifests_without_extract"])
        self.assertIn("have not been loaded", host.run("status").stdout)
        self.assertIn("has not come", host.run("explain", tail_name(1), expect=0).stdout)
        host.drop(location(1), tail_name(1))
        host.wait_until_ended(1)
        self.assertEqual(host.status()["manifests_without_extract"], [])

    def test_a_source_that_falls_silent_is_reported(self):
        host = self.host(feed="    expect_every: 300ms\n")
        host.start()
        self.send(host, location(1))
        host.wait_until_ended(1)
        wait_for("the silence", lambda: host.status()["silent"])
        self.assertEqual(host.status()["silent"][0]["source"], "/var/log/app.log on bus1")
        self.assertIn("Silent", host.run("status").stdout)

    def test_what_waits_for_its_store_has_come(self):
        couch = harness.Couch()
        self.addCleanup(couch.remove)
        couch.start()
        host = self.host(feed="    expect_every: 3s\n    manifest_wait: 200ms\n", store="couch",
                         stores=couch.yaml())
        host.start()
        self.send(host, location(1))
        host.wait_until_ended(1)
        couch.stop()
        wait_for("the silence", lambda: host.status()["silent"])
        self.send(host, location(2), 2)
        wait_for("the end of the silence", lambda: not host.status()["silent"])
        wait_for("the store's reason", lambda: host.extracts()["waiting"] == 1)
        # At each new try of the store, the extract waits for nothing for a moment.
        wait_for("manifest_wait to be over",
                 lambda: any(item["age_seconds"] >= 1 for item in host.status()["waiting"]))
        self.assertEqual(host.status()["manifests_without_extract"], [])
        self.assertNotIn("not been loaded", host.run("status").stdout + host.log())

    def test_an_extract_in_failed_is_not_missing(self):
        host = self.host(feed="    manifest_wait: 300ms\n")
        host.start()
        self.send(host, location(1))
        host.wait_until_ended(1)
        self.send(host, "of another format\n" * 30, 2)
        host.wait_until_ended(2)
        self.send(host, location(3), 3)
        host.wait_until_ended(3)
        self.assertEqual(host.extracts()["failed"], 1)
        self.assertEqual(self.source(host)["gaps"], [])
        self.assertEqual(host.status()["manifests_without_extract"], [])
        said = host.run("explain", tail_name(2), expect=0).stdout
        self.assertIn("another format", said)
        self.assertNotIn("missing", said)
        self.assertNotIn("late or lost", host.run("status").stdout + host.log())

    def test_a_broken_transfer_in_failed_is_missing_still(self):
        host = self.host(feed="    manifest_wait: 300ms\n")
        host.start()
        host.drop(manifest(location(1)), tail_name(1) + ".manifest")
        host.drop(location(1)[:-20], tail_name(1))
        host.wait_until_ended(1)
        self.send(host, location(2), 2)
        host.wait_until_ended(2)
        self.assertEqual([(gap["first"], gap["last"]) for gap in self.source(host)["gaps"]], [(1, 1)])
        wait_for("the manifest", lambda: host.status()["manifests_without_extract"])

    def test_two_sources_with_the_same_name_are_both_watched(self):
        host = self.host(feed="    expect_every: 3s\n")
        host.start()
        for count, (run, sequence) in enumerate([("aaaaaaaa", 1), ("bbbbbbbb", 1), ("aaaaaaaa", 2)]):
            self.send(host, location(count), sequence, run=run)
            self.wait_done(host, count + 1)
        self.assertEqual([(source["run"], source["last_sequence"])
                          for source in host.status()["sources"]],
                         [("aaaaaaaa", 2), ("bbbbbbbb", 1)])

        def the_other_is_silent():
            self.sent += 1
            self.send(host, location(100 + self.sent), self.sent, run="bbbbbbbb")
            return [source["run"] for source in host.status()["silent"]] == ["aaaaaaaa"]
        self.sent = 1
        wait_for("the silence of one", the_other_is_silent)
        self.assertIn("run aaaaaaaa", host.run("status").stdout)

    def test_a_run_after_a_lost_state_replaces_the_one_before(self):
        host = self.host(feed="    expect_every: 1h\n")
        host.start()
        self.send(host, location(1), 1, run="bbbbbbbb")
        self.wait_done(host, 1)
        self.send(host, location(2), 1, run="aaaaaaaa")
        self.wait_done(host, 2)
        self.assertEqual([source["run"] for source in host.status()["sources"]], ["aaaaaaaa"])

    def test_identical_lines_at_two_places_of_a_log_are_two_rows(self):
        host = self.host(feeds="  web: {drop: web, match: '*.log', format: nginx, store: local}\n")
        os.makedirs(host.path("spool/web"))
        host.start()
        line = access("same")

        def send(name, content, sequence, first):
            with open(host.path("spool/web", name + ".manifest"), "w", encoding="ascii") as file:
                file.write(manifest(content, sequence, first))
            with open(host.path("spool/web", name), "w", encoding="ascii") as file:
                file.write(content)

        def done(count):
            wait_for(f"{count} done", lambda: host.extracts("web")["done"] == count)

        send(tail_name(1), line, 1, 0)
        done(1)
        send(tail_name(2), line, 2, len(line))
        done(2)
        self.assertEqual(host.rows("select count(*) from web")[0][0], 2)
        # An extract that holds both lines, as an agent without its state cuts it: their places are the same.
        send("both.log", line + line, 1, 0)
        done(3)
        self.assertEqual(host.rows("select count(*) from web")[0][0], 2)
        # A replay under another name and without a manifest: the ledger knows the extract by its content.
        with open(host.path("spool/web/copy.log"), "w", encoding="ascii") as file:
            file.write(line + line)
        done(4)
        self.assertEqual(host.rows("select count(*) from web")[0][0], 2)
        with open(host.path("byhand.log"), "w", encoding="ascii") as file:
            file.write(line)
        host.run("process", "--feed", "web", host.path("byhand.log"), expect=0)
        self.assertEqual(host.rows("select count(*) from web")[0][0], 2)

    def test_what_was_packed_on_the_way_has_the_place_of_its_manifest(self):
        host = self.host(feeds="  web: {drop: web, match: '*.log', format: nginx, store: local, "
                         "manifest_wait: 1h}\n")
        os.makedirs(host.path("spool/web"))
        first, second = access("a"), access("a") + access("b")
        host.start()
        for sequence, content, offset in ((1, first, 0), (2, second, len(first))):
            for name, text in ((tail_name(sequence) + ".manifest",
                                manifest(content, sequence, offset)), (tail_name(sequence), content)):
                with open(host.path("spool/web", name), "w", encoding="ascii") as file:
                    file.write(text)
        wait_for("both", lambda: host.extracts("web")["done"] == 2)
        rows = host.rows("select count(*) from web")
        self.assertEqual(rows, [(3,)])
        # The second extract again: dropped under another name, then by hand with and without its manifest.
        with gzip.open(host.path("ready"), "wb") as file:
            file.write(second.encode())
        os.rename(host.path("ready"), host.path("spool/web/copy.log.gz"))
        wait_for("the copy", lambda: host.extracts("web")["done"] == 3)
        self.assertEqual(host.rows("select count(*) from web"), rows)
        by_hand = host.path(tail_name(2) + ".gz")
        with gzip.open(by_hand, "wb", compresslevel=1) as file:
            file.write(second.encode())
        host.run("process", "--feed", "web", by_hand, expect=0)
        host.stop()
        shutil.rmtree(host.path("state"))
        with open(host.path(tail_name(2) + ".manifest"), "w", encoding="ascii") as file:
            file.write(manifest(second, 2, len(first)))
        host.run("process", "--feed", "web", by_hand, expect=0)
        self.assertEqual(host.rows("select count(*) from web"), rows)

    def test_many_wrong_manifests_do_not_hide_the_right_one(self):
        host = self.host(feed="    manifest_wait: 1h\n    settle: 1ms\n")
        os.makedirs(host.path("spool/drop"))
        good = location(1)
        host.drop(manifest(good), tail_name(1) + ".manifest")
        host.run("sweep")
        for wrong in range(0, 120):
            host.drop(manifest("x" * (wrong + 1) + "\n"), tail_name(1) + ".manifest")
            host.run("sweep")
        host.drop(good, tail_name(1))
        host.run("sweep", expect=0)
        self.assertEqual(host.count(), 1)

    def with_a_wrong_manifest(self, host):
        """A file that a person made, and beside it the manifest of another file."""
        name = host.path(tail_name(1))
        for path, text in ((name, location(1)), (name + ".manifest", manifest(location(2)))):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        return name

    def test_by_hand_only_the_manifest_beside_a_file_binds_it(self):
        host = self.host(feed="    year: guess\n")
        name = self.with_a_wrong_manifest(host)
        for arguments in (["--dry-run"], []):
            said = host.run("process", *arguments, name, expect=1)
            self.assertIn("broken transfer", said.stdout + said.stderr)
        os.unlink(name + ".manifest")
        for arguments in (["--dry-run"], []):
            host.run("process", *arguments, name, expect=0)
        self.assertEqual(host.count(), 1)

    def test_a_dry_run_ignores_the_manifests_that_the_feed_ignores(self):
        host = self.host(feed="    year: guess\n    manifest: ignore\n")
        name = self.with_a_wrong_manifest(host)
        for arguments in (["--dry-run"], []):
            host.run("process", *arguments, name, expect=0)

    def test_a_manifest_that_comes_too_late_changes_no_id(self):
        host = self.host(feeds="  web: {drop: web, match: '*.log', format: nginx, store: local, "
                         "manifest_wait: 200ms}\n")
        os.makedirs(host.path("spool/web"))
        host.start()
        for round_ in (1, 2):
            with open(host.path("spool/web", tail_name(1)), "w", encoding="ascii") as file:
                file.write(access("a"))
            wait_for("it", lambda done=round_: host.extracts("web")["done"] == done)
            self.assertEqual(host.rows("select count(*) from web")[0][0], 1)
            with open(host.path("spool/web", tail_name(1) + ".manifest"), "w",
                      encoding="ascii") as file:
                file.write(manifest(access("a"), 1, 5000))
            wait_for("the manifest", lambda: host.path("spool/web", tail_name(1) + ".manifest")
                     and not os.path.exists(host.path("spool/web", tail_name(1) + ".manifest")))

    def test_a_piece_of_a_csv_log_has_no_header_to_take_its_columns_from(self):
        host = self.host(feeds="  web: {drop: web, match: '*.log', format: csv, store: local}\n"
                         "  own: {drop: own, match: '*.log', format: own, store: local}\n")
        os.makedirs(host.path("formats"))
        with open(host.path("formats/own.yaml"), "w", encoding="ascii") as file:
            file.write("format: own\nabout: x\nreader: csv\nidentity: position\ncolumns: [a, b]\n")
        with open(host.config, "a", encoding="ascii") as file:
            file.write("formats: [formats]\n")
        for feed in ("web", "own"):
            os.makedirs(host.path("spool", feed))
        host.start()
        for feed in ("web", "own"):
            for sequence, first, content in ((1, 0, "a,b\n1,2\n"), (2, 8, "3,4\n5,6\n")):
                name = tail_name(sequence)
                with open(host.path("spool", feed, name + ".manifest"), "w",
                          encoding="ascii") as file:
                    file.write(manifest(content, sequence, first))
                with open(host.path("spool", feed, name), "w", encoding="ascii") as file:
                    file.write(content)
        wait_for("own", lambda: host.extracts("own")["done"] == 2)
        self.assertEqual(host.rows("select a, b from own order by _id"),
                         [(1, 2), (3, 4), (5, 6)])
        wait_for("web", lambda: host.extracts("web")["failed"] == 1)
        self.assertEqual(host.rows("select a, b from web"), [(1, 2)])
        self.assertIn("columns: [...]", host.run("status").stdout)

    def test_pieces_of_a_line_that_its_logger_cut_are_rejects_of_their_own(self):
        host = self.host()
        host.start()
        self.send(host, location(1), 1)
        # The first half of a line, at the end of its file; then the second one, which looks whole.
        self.send(host, location(2)[:30], 2, first=len(location(1)), lines=0)
        self.send(host, location(3), 3, inode=78, lines=0)
        self.send(host, location(4), 4, inode=78, first=len(location(3)))
        self.wait_done(host, 4)
        self.assertEqual(host.rows("select count(*) from hrt"), [(2,)])
        for number, text in ((2, location(2)[:30]), (3, location(3))):
            reasons = glob.glob(host.path("spool/rejects/**", tail_name(number) + "*reasons.csv"),
                                recursive=True)
            self.assertEqual(len(reasons), 1, number)
            with open(reasons[0], encoding="utf-8") as file:
                self.assertIn("1,0,a piece of a line that its logger cut in two", file.read())
            kept = [name for name in glob.glob(host.path("spool/rejects/**", tail_name(number) + "*"),
                                               recursive=True) if "reasons" not in name]
            with open(kept[0], encoding="utf-8") as file:
                self.assertEqual(file.read(), text)

    def test_sweeps_wait_as_long_as_a_watcher(self):
        host = self.host(feed="    settle: 1ms\n    manifest_wait: 1s\n    year: guess\n")
        os.makedirs(host.path("spool/drop"))
        host.drop(location(1), tail_name(1))

        def swept():
            host.run("sweep")
            return host.extracts()["done"] == 1
        wait_for("the sweep that no longer waits", swept)

    def test_one_sweep_loads_what_it_finds_with_its_manifest(self):
        # First, the extract is the older file (rsync --times), and is looked at before its manifest.
        # Then the manifest is so new that it is not still yet.
        for settle, between in (("1ms", 3600), ("500ms", 0.3)):
            with self.subTest(settle=settle):
                host = self.host(feed=f"    settle: {settle}\n")
                os.makedirs(host.path("spool/drop"))
                self.send(host, location(1))
                now = time.time()
                os.utime(host.path("spool/drop", tail_name(1)), (now, now - between))
                host.run("sweep", expect=0)
                self.assertEqual(host.count(), 1)

    def test_one_sweep_loads_what_the_last_one_left_without_its_manifest(self):
        host = self.host(feed="    settle: 1ms\n")
        os.makedirs(host.path("spool/drop"))
        host.drop(location(1), tail_name(1))
        host.run("sweep", expect=0)
        self.assertEqual(host.extracts()["done"], 0)
        host.drop(manifest(location(1)), tail_name(1) + ".manifest")
        host.run("sweep", expect=0)
        self.assertEqual(host.count(), 1)

    def test_manifests_survive_kill_9(self):
        host = self.host()
        host.start()
        host.drop(manifest(location(1)), tail_name(1) + ".manifest")
        host.kill()
        # A manifest in work/ that the ledger has no row of, as a crash leaves it.
        claim = host.path("spool/work/20261122T101500Z-0123456789ab")
        os.mkdir(claim)
        with open(claim + "/" + tail_name(2) + ".manifest", "w", encoding="ascii") as file:
            file.write(manifest(location(2), 2))
        host.start()
        host.drop(location(1), tail_name(1))
        host.drop(location(2), tail_name(2))
        host.wait_until_ended(2)
        self.assertEqual(host.count(), 2)

    def test_packed_by_hand_needs_no_manifest(self):
        host = self.host(feed="    year: guess\n")
        host.start()
        host.drop(gzip.compress(location(1).encode()), tail_name(1) + ".gz")
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)

    def test_ignored_manifests_are_left_alone(self):
        host = self.host(feed="    manifest: ignore\n    year: guess\n")
        host.start()
        host.drop(manifest(location(9)), tail_name(1) + ".manifest")
        host.drop(location(1), tail_name(1))
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 1)
        host.stop()
        host.run("sweep", expect=0)
        self.assertIn("manifest: ignore", host.run("status").stdout)


if __name__ == "__main__":
    harness.main()
