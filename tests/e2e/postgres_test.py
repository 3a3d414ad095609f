"""Rows in PostgreSQL: a real server that is stopped, killed and started while extracts come; all commands."""
import os
import random
import signal
import subprocess
import sys
import threading

import harness
from harness import location, wait_for

sys.path.insert(0, os.path.join(harness.SOURCE, "tests/support"))
from postgres import NoServer, Postgres  # noqa: E402


class PostgresStore(harness.HostTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres(safe=False).start()
        cls.addClassCleanup(cls.server.remove)
        cls.schemas = 0

    def setUp(self):
        super().setUp()
        if self.server.process is None:
            self.server.start()
        type(self).schemas += 1
        self.schema = f"s{self.schemas}"

    def pg_host(self, more="", feed=""):
        return self.host(store="pg", feed=feed, stores=f"  pg: {{type: postgresql, url: '{self.server.url()}', "
                         f"schema: {self.schema}, timeout: 20s{more}}}\n")

    def sql(self, query):
        """@ stands for the schema with its point."""
        return self.server.sql(query.replace("@", self.schema + "."))

    def count(self):
        try:
            return int(self.sql("select count(*) from @hrt"))
        except NoServer:  # it is down, or there is no table yet
            return 0

    @staticmethod
    def state_of_store(host):
        return {store["name"]: store["state"] for store in host.status()["stores"]}.get("pg")

    def test_every_command_knows_it(self):
        host = self.pg_host()
        self.assertIn("its tables are not there yet and will be created", host.run("check", expect=0).stdout)
        with open(host.path("a-2012-03-09.log"), "w", encoding="utf-8") as file:
            file.write("".join(location(second) for second in range(30)) + "rubbish\n")
        host.run("process", "--year", "2012", host.path("a-2012-03-09.log"), expect=3)
        self.assertEqual(self.sql('select count(*), max("Adherence"), sum("Adherence") from @hrt'), "30|3|90")
        self.assertEqual(self.sql('select lines, rows, rejected, status from @_feeds'), "31|30|1|new")
        self.assertIn("_feeds and the tables hrt are there", host.run("check", expect=0).stdout)
        row = self.sql("select min(_id) from @hrt")
        explained = host.run("explain", row, expect=0).stdout
        self.assertIn("a-2012-03-09.log", explained)
        # Again: all are there. A changed row stays, until it is processed anew.
        again = host.run("process", "--year", "2012", host.path("a-2012-03-09.log"), expect=3)
        self.assertIn("30", again.stderr + again.stdout)
        self.sql(f"update @hrt set _sum = 'other', \"Adherence\" = 7 where _id = '{row}'")
        host.run("process", "--year", "2012", host.path("a-2012-03-09.log"), expect=3)
        self.assertEqual(self.sql(f"select \"Adherence\" from @hrt where _id = '{row}'"), "7")
        host.run("process", "--reprocess", "--year", "2012", host.path("a-2012-03-09.log"), expect=3)
        self.assertEqual(self.sql(f"select \"Adherence\" from @hrt where _id = '{row}'"), "3")
        # What is missing is found and loaded.
        self.sql("delete from @hrt where _line > 20")
        host.run("process", "--verify", "--year", "2012", host.path("a-2012-03-09.log"))
        self.assertEqual(self.count(), 30)
        # A row of the extract that it no longer yields.
        tag = self.sql("select distinct _extract from @hrt")
        self.sql("insert into @hrt (_id, _time, _extract, _line, _sum) values "
                 f"('hrt:20120309T000005:stale:x', '2012-03-09 00:00:05', '{tag}', 5, 'x')")
        host.run("process", "--reprocess", "--delete-stale", "--year", "2012", host.path("a-2012-03-09.log"))
        self.assertEqual(self.count(), 30)
        with open(host.path("buses.csv"), "w", encoding="utf-8") as file:
            file.write("vid,bus\n1,2\n")
        for _ in range(2):
            host.run("mapping", "--store", "pg", host.path("buses.csv"), "-m", "vehicle", "-e", "2012-03-09", expect=0)
        self.assertEqual(self.sql("select mapping_type, effective_date from @_mappings"), "vehicle|2012-03-09")

    def test_no_secret_is_shown(self):
        with open(host_file := os.path.join(self.folder, "pg.password"), "w", encoding="utf-8") as file:
            file.write("s3cret\n")
        os.chmod(host_file, 0o600)
        self.sql("create role loader login password 's3cret'")
        host = self.host(store="pg", stores=f"  pg: {{type: postgresql, url: 'postgresql://127.0.0.1:{self.server.port}"
                         f"/postgres', user: nobody-there, password_file: {host_file}}}\n")
        said = host.run("check", expect=1)
        self.assertNotIn("s3cret", said.stdout + said.stderr)
        self.assertIn("nobody-there", said.stdout)

    def test_the_server_stops_and_starts_while_extracts_come(self):
        host = self.pg_host(", batch_rows: 50")
        host.start()
        chance = random.Random(7)
        rows = 0
        for number in range(12):
            lines = 2000 if number % 4 == 0 else 100
            host.drop("".join(location(rows + i) for i in range(lines)), f"a{number}-2012-03-09.log")
            rows += lines
            if number % 4 != 1:
                continue
            before = self.count()
            wait_for("a transaction", lambda before=before: self.count() > before or not host.in_work())
            self.server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))
            # Whatever was under way, this one meets a server that is down.
            host.drop(location(80_000 + number), f"b{number}-2012-03-09.log")
            wait_for("the outage to be noticed", lambda: self.state_of_store(host) == "waiting")
            self.server.start()
        host.wait_until_ended(15)
        rows += 3
        self.assertEqual(self.count(), rows)
        self.assertEqual(self.sql("select count(*), sum(rows) from @_feeds"), f"15|{rows}")
        self.assertEqual(self.state_of_store(host), "ok")
        self.assertEqual(os.listdir(host.path("spool/failed")), [])
        self.assert_counts_add_up(host)
        host.stop()

    def test_killed_at_random_while_rows_are_stored(self):
        host = self.pg_host(", batch_rows: 20")
        chance = random.Random(11)
        rows = 0
        for number in range(6):
            host.start()
            host.drop("".join(location(rows + i) for i in range(1500)), f"a{number}-2012-03-09.log")
            rows += 1500
            goal = rows - 1500 + chance.randrange(1, 1400)
            wait_for("some rows", lambda goal=goal: self.count() >= goal)
            host.kill()
            # What is there belongs to whole transactions, and no feed's row is there before its rows.
            self.assertEqual(self.sql("select count(*) from @_feeds f where rows <> (select count(*) from @hrt h "
                                      "where h._extract = left(f.sha256, 16))"), "0")
        host.start()
        host.wait_until_ended(6)
        self.assertEqual(self.count(), rows)
        self.assertEqual(self.sql("select count(distinct _id) from @hrt"), str(rows))
        self.assert_counts_add_up(host)
        host.stop()

    def test_a_standby_takes_over_in_the_middle_of_a_load(self):
        primary = Postgres(safe=False).start()
        self.addCleanup(primary.remove)
        # What it has not sent when it dies is lost: replication is asynchronous.
        standby = Postgres(safe=False, follows=primary).start()
        self.addCleanup(standby.remove)
        servers = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        host = self.host(store="pg", stores=f"  pg: {{type: postgresql, url: 'postgresql://postgres@{servers}/postgres', "
                         "batch_rows: 10, timeout: 20s}\n")
        host.start()
        host.drop("".join(location(i) for i in range(60_000)), "a-2012-03-09.log")

        def rows_of(server):
            try:
                return int(server.sql("select count(*) from hrt"))
            except NoServer:
                return 0
        wait_for("rows on the standby", lambda: rows_of(standby) > 0)
        primary.stop(signal.SIGQUIT)
        host.drop(location(80_000), "b-2012-03-09.log")
        # The standby alone takes no rows: that is waited for.
        wait_for("the outage to be noticed", lambda: self.state_of_store(host) == "waiting" or not host.in_work())
        standby.sql("select pg_promote()")
        host.wait_until_ended(2)
        self.assertEqual(standby.sql("select count(*), count(distinct _id) from hrt"), "60001|60001")
        self.assertEqual(standby.sql("select count(*), sum(rows) from _feeds"), "2|60001")
        self.assert_counts_add_up(host)
        host.stop()

    def test_a_stop_does_not_wait_for_the_server(self):
        host = self.pg_host()
        host.start()
        host.drop("".join(location(i) for i in range(10)), "b-2012-03-09.log")
        host.wait_until_ended(1)
        blocker = threading.Thread(target=self.hold_lock)
        self.release = threading.Event()
        blocker.start()
        try:
            wait_for("the lock", lambda: self.sql("select count(*) from pg_locks l join pg_class c on c.oid = l.relation"
                                                  " where c.relname = 'hrt' and l.mode = 'AccessExclusiveLock' and "
                                                  "l.granted") == "1")
            host.drop("".join(location(i) for i in range(10, 20)), "c-2012-03-09.log")
            wait_for("somebody who waits for it", lambda: self.sql("select count(*) from pg_locks where not granted")
                     != "0")
            host.stop()
            self.assertNotIn("no answer within", host.log())
        finally:
            self.release.set()
            blocker.join()
        host.start()
        host.wait_until_ended(2)
        self.assertEqual(self.count(), 20)
        host.stop()

    def hold_lock(self):
        session = subprocess.Popen(self.server.psql(), stdin=subprocess.PIPE, text=True, **self.server.account)
        session.stdin.write(f"begin; lock table {self.schema}.hrt;\n")
        session.stdin.flush()
        self.release.wait(harness.PATIENCE)
        session.communicate("rollback;\n")


harness.main()
