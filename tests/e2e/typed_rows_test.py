"""Rows in SQLite as people ask for them: numbers are numbers. Tables of older versions, which held texts."""
import os
import sqlite3
import subprocess

import harness
from harness import location

# The columns that every feed's table has for itself.
OWN = "_id, _kind, _time, _extract, _line, _sum"


def make_older(path, feed):
    """The table of `feed` as older versions made it: every column is TEXT, every value the CSV's text."""
    with sqlite3.connect(path) as database:
        names = [name for _, name, *_ in database.execute(f'pragma table_info("{feed}")')]
        own = [name for name in names if name.startswith("_")]
        columns = [f'"{name}"' for name in names if name not in own]
        database.execute(f'alter table "{feed}" rename to new')
        database.execute(f'create table "{feed}" (_id TEXT PRIMARY KEY NOT NULL, _kind TEXT, _time TEXT, '
                         "_extract TEXT, _line INTEGER, _sum TEXT) WITHOUT ROWID")
        for name in columns:
            database.execute(f'alter table "{feed}" add column {name} TEXT')
        chosen = ", ".join(own + columns)
        database.execute(f'insert into "{feed}" ({chosen}) select {chosen} from new')
        database.execute("drop table new")
    database.close()


class TypedRows(harness.HostTest):
    def process(self, host, name, text, *arguments):
        with open(host.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return host.run("process", *arguments, "--year", "2012", host.path(name), expect=0)

    def test_plain_sql_gives_the_right_answer(self):
        host = self.host(feeds="  web: {drop: web, match: '*.jsonl', format: jsonl, store: local}\n"
                               "  sales: {drop: sales, match: '*.csv', format: csv, store: local}\n")
        self.process(host, "a.log", "".join(location(second) for second in range(3)), "--feed", "hrt")
        self.assertEqual(host.rows("select max(Adherence), typeof(Lat), typeof(Date) from hrt"),
                         [(3, "real", "text")])
        self.assertEqual(host.rows("select count(*) from hrt where Lat between 36.7 and 36.8"), [(3,)])
        self.process(host, "a.jsonl", '{"path":"/a","bytes":900,"ok":true}\n{"path":"/b","bytes":10000,"ok":false}\n'
                     '{"path":"/c","bytes":"12","ok":true}\n', "--feed", "web")
        self.assertEqual(host.rows("select path from web where bytes > 1000 and typeof(bytes) <> 'text'"),
                         [("/b",)])
        self.assertEqual(host.rows("select path, bytes from web where ok order by path"),
                         [("/a", 900), ("/c", "12")])
        self.process(host, "a.csv", "sku,price\n007,9.50\n12,10\n13,100\n", "--feed", "sales")
        self.assertEqual(host.rows("select sku, price from sales order by price"),
                         [("007", 9.5), (12, 10), (13, 100)])
        # The CSV keeps every digit.
        self.assertIn("007,9.50\n", host.run("format", "--format", "csv", host.path("a.csv"), expect=0).stdout)

    def test_an_older_table_is_brought_up_to_date_once_and_all_readers_agree(self):
        host = self.host()
        host.start()
        host.drop("".join(location(second) for second in range(3)), "a-2012-03-09.log")
        host.wait_until_ended(1)
        host.stop()
        new = host.rows("select * from hrt order by _id")
        make_older(host.path("rows.db"), "hrt")
        self.assertEqual(host.rows("select distinct typeof(Lat), typeof(Adherence) from hrt"), [("text", "text")])

        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("all 3 rows are there", said, "of a table of texts too")
        host.start()
        host.drop("".join(location(second) for second in range(2, 5)), "b-2012-03-09.log")
        host.wait_until_ended(2)
        host.drop("".join(location(second) for second in range(4, 6)), "c-2012-03-09.log")
        host.wait_until_ended(3)
        host.stop()
        self.assertEqual(host.log().count("brought up to date"), 1, host.log())
        self.assertEqual(host.rows("select * from hrt where _line <= 3 order by _id")[:3], new)
        self.assertEqual(host.count(), 6)
        self.assert_counts_add_up(host)
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("0 rows of 0 extracts were missing", said)
        rows = host.rows("select * from hrt order by _id")
        with open(host.path("again-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write("".join(location(second) for second in range(3)))
        said = host.run("process", "--reprocess", "--delete-stale", host.path("again-2012-03-09.log"),
                        expect=0).stderr
        self.assertIn("0 stored, 3 already there", said)
        self.assertIn("stale rows: 0 removed, 0 kept", said)
        self.assertEqual(host.rows("select * from hrt order by _id"), rows)

    def test_killed_while_an_older_table_is_brought_up_to_date(self):
        host = self.host()
        total = 30000
        text = "".join(location(second) for second in range(total))
        self.process(host, "a.log", text)
        before = host.rows(f"select {OWN} from hrt order by _id")
        make_older(host.path("rows.db"), "hrt")
        killed = 0
        for when in range(1, 400, 3):
            # Each write to the file or its log is one that a kill may come behind.
            run = host.run("process", "--year", "2012", host.path("a.log"),
                           wrapper=["strace", "-f", "-qq", "-o", "/dev/null", "-P", host.path("rows.db-wal"),
                                    "-e", "trace=pwrite64", "-e",
                                    f"inject=pwrite64:signal=SIGKILL:when={when * when}"])
            types = host.rows("select distinct typeof(Lat), typeof(Adherence) from hrt")
            self.assertIn(types, ([("text", "text")], [("real", "integer")]), "all of it, or nothing")
            self.assertEqual(host.rows("pragma integrity_check"), [("ok",)])
            if run.returncode == 0:
                break
            killed += 1
            if types != [("text", "text")]:
                break
        print("killed", killed, "times")
        self.assertGreater(killed, 2)
        host.run("process", "--year", "2012", host.path("a.log"), expect=0)
        self.assertEqual(host.rows(f"select {OWN} from hrt order by _id"), before)
        self.assertEqual(host.rows("select typeof(Lat), count(*) from hrt group by 1"), [("real", total)])

    def test_a_full_disk_keeps_the_older_table_and_loading_waits(self):
        host = self.host()
        self.process(host, "a.log", "".join(location(second) for second in range(20000)))
        make_older(host.path("rows.db"), "hrt")
        for statement in ("pragma wal_checkpoint(truncate)", "vacuum", "pragma wal_checkpoint(truncate)"):
            with sqlite3.connect(host.path("rows.db"), isolation_level=None) as database:
                database.execute(statement)
            database.close()
        # Room for the table, but not for all that changes.
        room = (os.path.getsize(host.path("rows.db")) >> 10) + 1024
        os.mkdir(host.path("disk"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}k", "none", host.path("disk")],
                          capture_output=True, check=False).returncode:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", host.path("disk")], check=True)
        os.rename(host.path("rows.db"), host.path("there.db"))
        subprocess.run(["cp", host.path("there.db"), host.path("disk/rows.db")], check=True)
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text.replace("path: rows.db", "path: disk/rows.db"))
        os.symlink(host.path("disk/rows.db"), host.path("rows.db"))  # for host.rows()
        host.start()
        host.drop(location(50000), "b-2012-03-09.log")
        harness.wait_for("the reason", lambda: b"is full" in host.log_bytes())
        self.assertIn("is brought up to date: ", host.log())
        self.assertEqual(host.rows("select typeof(Lat), count(*) from hrt group by 1"), [("text", 20000)])
        subprocess.run(["mount", "-o", "remount,size=64M", host.path("disk")], check=True)
        harness.wait_for("the extract", lambda: host.done() == ["b-2012-03-09.log"])
        host.stop()
        self.assertEqual(host.rows("select typeof(Lat), count(*) from hrt group by 1"), [("real", 20001)])


if __name__ == "__main__":
    harness.main()
