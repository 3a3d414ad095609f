"""Rows that a store acknowledged and then lost: `process --verify` finds them and sends them again."""
import os
import sqlite3

import harness
from harness import location


class Verify(harness.HostTest):
    def lose(self, host, *statements):
        with sqlite3.connect(host.path("rows.db")) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def loaded(self, **options):
        """A host that swept two extracts into SQLite, three rows each."""
        host = self.host(**options)
        host.run("sweep", expect=0)
        host.drop("".join(location(second) for second in (1, 2, 3)), "a-2012-03-09.log")
        host.drop("".join(location(second) for second in (4, 5, 6)), "b-2012-03-09.log")
        harness.wait_for("both", lambda: host.run("sweep", expect=0) and len(host.done()) == 2)
        return host

    def test_what_is_missing_is_said_and_stored_again(self):
        host = self.loaded()
        before = host.rows("select _id, _line, _extract, _sum from hrt order by 1")
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("a-2012-03-09.log: all 3 rows are there", said)
        self.assertIn("0 rows of 0 extracts were missing", said)
        ledger_rows = len(host.run("status", "--json", expect=0).stdout)

        self.lose(host, "delete from hrt where _line = 2")
        said = host.run("process", "--verify", "--all", "--dry-run", expect=1).stderr
        self.assertIn("1 of 3 rows are missing (hrt:20120309T000002:", said)
        self.assertEqual(host.count(), 4)
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("1 stored, 2 already there", said)
        self.assertIn("2 rows of 2 extracts were missing, 2 extracts are whole again", said)
        self.assertEqual(host.rows("select _id, _line, _extract, _sum from hrt order by 1"), before)
        said = host.run("process", "--verify", "--since", "2020-01-01", expect=0).stderr
        self.assertIn("0 rows of 0 extracts were missing", said)
        self.assertEqual(os.listdir(host.path("spool/csv")), os.listdir(host.path("spool/csv")))
        self.assertGreater(ledger_rows, 0)

    def test_a_feed_document_that_is_missing_is_stored_again(self):
        host = self.loaded()
        self.lose(host, "delete from _feeds where name = 'a-2012-03-09.log'")
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("a-2012-03-09.log: its feed document is missing", said)
        self.assertEqual(host.rows("select count(*) from _feeds"), [(2,)])

    def test_a_store_that_was_wiped_is_filled_again(self):
        host = self.loaded()
        for ending in ("", "-wal", "-shm"):
            if os.path.exists(host.path("rows.db" + ending)):
                os.remove(host.path("rows.db" + ending))
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("3 of 3 rows are missing", said)
        self.assertEqual(host.count(), 6)

    def test_a_file_that_is_named(self):
        host = self.loaded()
        with open(host.path("own-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write(location(1) + location(7))
        said = host.run("process", "--verify", host.path("own-2012-03-09.log"), expect=0).stderr
        self.assertIn("1 of 2 rows are missing", said)
        self.assertIn("1 stored, 1 already there", said)
        self.assertEqual(host.count(), 7)

    def test_what_cannot_be_asked_about_is_said(self):
        host = self.loaded()
        archived = [path for path in harness.glob.glob(host.path("spool/done/*/*/*/a-*"))]
        os.remove(archived[0])
        said = host.run("process", "--verify", "--all", expect=1).stderr
        self.assertIn("a-2012-03-09.log: not verified: ", said)
        self.assertIn("No such file", said)
        self.assertIn("b-2012-03-09.log: all 3 rows are there", said)
        self.assertIn("1 could not be asked about", said)

    def test_rows_that_the_store_refused_are_not_a_loss(self):
        host = self.loaded()
        # As if the store had refused one row of it: the ledger knows of a reject.
        with sqlite3.connect(host.path("state/ledger.db")) as ledger:
            ledger.execute("update extracts set stored = stored - 1, rejected = rejected + 1")
        ledger.close()
        self.lose(host, "delete from hrt where _line = 2")
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("0 rows of 0 extracts were missing", said)

    def test_the_options_say_what_they_want(self):
        host = self.loaded()
        for arguments, words in (
                (["--verify"], "--since DATE and --all"),
                (["--verify", "--all", "--since", "2020-01-01"], "--since DATE and --all"),
                (["--verify", "--since", "yesterday"], "YYYY-MM-DD"),
                (["--verify", "--all", "--reprocess"], "--reprocess"),
                (["--all"], "--verify")):
            with self.subTest(arguments):
                self.assertIn(words, host.run("process", *arguments, expect=2).stderr)


class VerifyCouch(harness.HostTest):
    def test_documents_that_are_gone_are_stored_again(self):
        couch = harness.Couch()
        self.addCleanup(couch.remove)
        couch.start()
        host = self.host(stores=couch.yaml(), store="couch")
        with open(host.path("a-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write("".join(location(second) for second in range(1500)))
        host.run("process", "a-2012-03-09.log", expect=0)
        rows = {row["_id"]: row for row in couch.rows()}
        self.assertEqual(len(rows), 1500)
        feed = [doc for doc in couch.documents() if doc["doc_type"] == "Feed"][0]
        gone = [*list(rows.values())[100:103], feed]
        for document in gone:
            couch.request("DELETE", f"/feed/{document['_id']}?rev={document['_rev']}")
        said = host.run("process", "--verify", "--all", expect=0).stderr
        self.assertIn("3 of 1500 rows are missing", said)
        self.assertIn("and its feed document", said)
        self.assertIn("3 stored, 1497 already there", said)
        self.assertEqual({row["_id"] for row in couch.rows()}, set(rows))
        self.assertIn("0 rows of 0", host.run("process", "--verify", "--all", expect=0).stderr)


if __name__ == "__main__":
    harness.main()
