"""Retention: what goes by itself and by `caravel prune`, and what the ledger still knows after years."""
import contextlib
import csv
import glob
import io
import json
import os
import random
import sqlite3
import subprocess
import time

import harness
from harness import location, wait_for

RUBBISH = "".join(f"{number} is no line of the log\n" for number in range(30))
DAY = 86400


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


class Prune(harness.HostTest):
    def ledger(self, host, sql, *values):
        with contextlib.closing(sqlite3.connect(host.path("state/ledger.db"))) as database, database:
            return database.execute(sql, values).fetchall()

    def export(self, host):
        return list(csv.DictReader(io.StringIO(host.run("ledger", "export", expect=0).stdout)))

    def totals(self, host):
        """The counts of all lines, as the export has them."""
        rows = [row for row in self.export(host) if row["kind"] in ("extract", "day")]
        totals = {key: sum(int(row[key]) for row in rows)
                  for key in ("extracts", "lines", "stored", "already_there", "dropped", "rejected", "failed")}
        self.assertEqual(totals["lines"], sum(totals[key] for key in (
            "stored", "already_there", "dropped", "rejected", "failed")))
        self.assertGreater(totals["lines"], 0)
        return totals

    def grow_old(self, host, days):
        """All that ended did so some days earlier, in the ledger and in done/."""
        for column in ("claimed_at", "done_at", "since", "seen_at", "settled_at"):
            self.ledger(host, f"update extracts set {column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?)",
                        f"-{days} days")
        then = time.gmtime(time.time() - days * DAY)
        for path in glob.glob(host.path("spool/done/*/*/*/*")):
            folder = host.path("spool/done", time.strftime("%Y/%m/%d", then))
            os.makedirs(folder, exist_ok=True)
            os.rename(path, os.path.join(folder, os.path.basename(path)))
            self.ledger(host, "update extracts set done_path = ?1, path = ?1 where name = ?2",
                        os.path.join(folder, os.path.basename(path)), os.path.basename(path))

    def loaded(self, **settings):
        """Two extracts that are done, one with rejects, one that failed."""
        host = self.host(**settings)
        os.makedirs(host.path("spool/drop"))
        host.drop(location(1), "a-2012-03-09.log")
        host.drop(location(2) + location(3), "b-2012-03-09.log")
        host.drop(location(4) + "rubbish\n", "rejects-2012-03-09.log")
        host.drop(RUBBISH, "bad-2012-03-09.log")
        host.run("sweep", expect=1)
        return host

    def test_no_csv_is_left_once_an_extract_is_done(self):
        host = self.loaded()
        self.assertEqual(os.listdir(host.path("spool/csv")), [])

    def test_what_is_not_settled_stays_for_ever_and_what_is_goes(self):
        host = self.loaded()
        self.grow_old(host, 1000)
        host.run("prune", expect=0)
        self.assertEqual(host.done(), [])
        self.assertTrue(os.path.exists(host.path("spool/failed/bad-2012-03-09.log")))
        self.assertTrue(os.path.exists(host.path("spool/rejects/rejects-2012-03-09.log.rejects")))
        said = host.run("ack", "--all", expect=0).stderr
        self.assertIn("1 failure and 0 missing extracts acknowledged, and the rejects of 1 extract", said)
        self.assertEqual(host.status()["rejects"], [])
        host.run("prune", expect=0)
        self.assertTrue(os.path.exists(host.path("spool/failed/bad-2012-03-09.log")), "not for keep_failed yet")
        before = self.totals(host)
        self.ledger(host, "update extracts set settled_at = ? where settled <> ''", moment(time.time() - 31 * DAY))
        look = host.run("prune", "--dry-run", expect=0)
        self.assertIn("spool/failed/bad-2012-03-09.log  ", look.stdout)
        self.assertIn("would remove 3 files", look.stderr)
        self.assertIn("2 extracts would become daily totals", look.stderr)
        done = host.run("prune", expect=0)
        self.assertEqual(done.stdout, look.stdout)
        self.assertIn("removed 3 files", done.stderr)
        self.assertIn("2 extracts became daily totals", done.stderr)
        for folder in ("failed", "rejects", "csv"):
            self.assertEqual(os.listdir(host.path("spool", folder)), [])
        self.assertEqual(self.totals(host), before)

    def test_an_old_ledger_folds_and_knows_the_same(self):
        host = self.loaded(feed="    keep_done: 5d\n")
        host.run("ack", "--all", expect=0)
        before = host.status()["feeds"][0]
        totals = self.totals(host)
        self.grow_old(host, 200)
        self.assertIn("4 extracts would become daily totals", host.run("prune", "--dry-run", expect=0).stderr)
        host.run("sweep", expect=0)
        # What has files in failed/ went in this very pass, since it was settled so long ago.
        self.assertEqual(self.ledger(host, "select count(*) from extracts"), [(0,)])
        self.assertEqual(self.ledger(host, "select done, not_done, lines, rejected, failed from daily"),
                         [(3, 1, 35, 1, 30)])
        after = host.status()["feeds"][0]
        self.assertEqual({key: after[key] for key in after if not key.startswith("last_")},
                         {key: before[key] for key in before if not key.startswith("last_")})
        self.assertEqual(self.totals(host), totals)
        self.assertIn("counted in the totals of its day", host.run("explain", "b-2012-03-09.log", expect=0).stdout)
        document = host.rows("select _id from hrt order by 1 limit 1")[0][0]
        self.assertIn("a-2012-03-09.log", host.run("explain", document, expect=0).stdout)
        # Again under another name: recognised, and nothing twice.
        host.drop(location(1), "again-2012-03-09.log")
        rows = host.count()
        host.run("sweep", expect=0)
        self.assertEqual(host.count(), rows)
        self.assert_counts_add_up(host)
        # A rebuild counts what is folded once, though the store still has the feed documents.
        totals = self.totals(host)
        host.run("ledger", "rebuild", expect=0)
        self.assertEqual(self.totals(host), totals)

    def test_a_rebuild_does_not_count_what_is_forgotten_again(self):
        host = self.loaded(feed="    keep_done: 5d\n")
        host.run("ack", "--all", expect=0)
        totals = self.totals(host)
        # The feed documents of the store are as old as the extracts.
        host_rows = sqlite3.connect(host.path("rows.db"))
        host_rows.execute("update _feeds set timestamp = strftime('%Y-%m-%dT%H:%M:%fZ', timestamp, '-500 days')")
        host_rows.commit()
        host_rows.close()
        self.grow_old(host, 500)
        host.run("prune", expect=0)
        host.run("prune", expect=0)
        self.assertEqual(self.ledger(host, "select count(*) from remembered"), [(0,)])
        self.assertEqual(self.ledger(host, "select count(*) from known_times"), [(0,)])
        self.assertEqual(self.totals(host), totals)
        host.run("ledger", "rebuild", expect=0)
        self.assertEqual(self.totals(host), totals)

    def test_a_running_watch_prunes_when_asked(self):
        host = self.loaded()
        host.start()
        # After its first look, so that the next would come in an hour.
        host.drop(location(5), "c-2012-03-09.log")
        host.wait_until_ended(5)
        wait_for("done/", lambda: "c-2012-03-09.log" in host.done())
        folder = host.path("spool/done/2020/01/02")
        os.makedirs(folder)
        with open(os.path.join(folder, "old.log"), "w", encoding="ascii") as file:
            file.write("old\n")
        said = host.run("prune", expect=0).stderr
        self.assertIn("handed to", said)
        wait_for("the old file to go", lambda: not os.path.exists(host.path("spool/done/2020")))
        wait_for("the log", lambda: b"deleted 1 files (4 bytes)" in host.log_bytes())
        self.assertIn("c-2012-03-09.log", host.done())
        host.stop()

    def test_a_folder_holds_what_it_may(self):
        host = self.host()
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("max_done_size: 300\n" + text)
        os.makedirs(host.path("spool/drop"))
        for number in range(1, 5):
            host.drop(location(number), f"{number}-2012-03-09.log")
            host.run("sweep", expect=0)
        size = len(location(1))
        self.assertEqual(len(host.done()), 300 // size)
        self.assertEqual(host.done()[-1], "4-2012-03-09.log")
        self.assertEqual(host.count(), 4)

    def test_no_kill_changes_the_totals(self):
        host = self.loaded()
        with contextlib.closing(sqlite3.connect(host.path("state/ledger.db"))) as database, database:
            database.executemany(
                "insert into extracts (claim, feed, name, origin, state, since, seen_at, claimed_at, done_at, "
                "sha256, lines, stored, dropped, done_path) values (?1, 'hrt', ?1, 'drop', 'done', ?2, ?2, ?2, ?2, "
                "?3, 3, 2, 1, '/nowhere')",
                [(f"c{number}", moment(time.time() - (100 + number % 400) * DAY), f"{number:064x}")
                 for number in range(20000)])
        totals = self.totals(host)
        chance = random.Random(5)
        for _ in range(8):
            pruning = subprocess.Popen([harness.CARAVEL, "--config", host.config, "prune"],
                                       stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.05, 0.6))
            pruning.kill()
            pruning.wait()
            self.assertEqual(self.totals(host), totals)
        host.run("prune", expect=0)
        self.assertEqual(self.totals(host), totals)
        self.assertEqual(self.ledger(host, "select count(*) from extracts where claim like 'c%'"), [(0,)])
        self.assertLess(self.ledger(host, "select count(*) from remembered")[0][0], 20000)

    def test_export(self):
        host = self.loaded()
        rows = self.export(host)
        self.assertEqual({row["name"]: (row["kind"], row["state"], row["lines"]) for row in rows},
                         {"a-2012-03-09.log": ("extract", "done", "1"), "b-2012-03-09.log": ("extract", "done", "2"),
                          "rejects-2012-03-09.log": ("extract", "done", "2"),
                          "bad-2012-03-09.log": ("extract", "failed", "30")})
        tables = {json.loads(line)["table"]
                  for line in host.run("ledger", "export", "--json", expect=0).stdout.splitlines()}
        self.assertIn("extracts", tables)
        self.assertNotIn("daily", tables)


if __name__ == "__main__":
    harness.main()
