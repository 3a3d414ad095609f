"""The same with a CouchDB-compatible server, and what happens while a store is down."""
import http.client
import http.server
import json
import os
import threading

import harness
from harness import SAMPLE, location, wait_for


class Proxy:
    """Hands each request on to a server, and tells of it before that."""

    def __init__(self, port, before):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def hand_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                before(self.path)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request(self.command, self.path, body, dict(self.headers))
                reply = connection.getresponse()
                content = reply.read()
                connection.close()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = hand_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class CouchStore(harness.HostTest):
    def setUp(self):
        super().setUp()
        self.couch = harness.Couch()
        self.addCleanup(self.couch.remove)

    def test_rows_and_one_feed_document_however_often(self):
        self.couch.start()
        host = self.host(stores=self.couch.yaml(), store="couch", feed="    attach_csv: true\n")
        host.start()
        with open(SAMPLE, "rb") as file:
            content = file.read()
        host.drop(content, "hrt-2012-03-09.log")
        host.wait_until_ended(1)
        rows = self.couch.rows()
        self.assertGreater(len(rows), 200)
        host.drop(content, "again-2012-03-09.log")
        host.wait_until_ended(2)
        host.stop()
        host.run("process", SAMPLE, expect=3)
        documents = self.couch.documents()
        self.assertEqual(len([doc for doc in documents if doc["doc_type"] == "Row"]), len(rows))
        feeds = [doc for doc in documents if doc["doc_type"] == "Feed"]
        self.assertEqual(len(feeds), 1)
        feed = feeds[0]
        self.assertEqual((feed["name"], feed["status"], feed["rows"]),
                         ("hrt-2012-03-09.log", "new", len(rows)))
        self.assertEqual(feed["lines"], feed["rows"] + feed["dropped"] + feed["rejected"])
        self.assertEqual(list(feed["_attachments"]), ["feed"])
        ids = [row["_id"] for row in rows]
        self.assertEqual(ids, sorted(ids))
        row = rows[0]
        self.assertEqual(row["time"][:10], row["Date"])
        self.assertIsInstance(row["Lat"], float)
        self.assertNotIn("Route", [key for key in row if row["caravel"]["kind"] == "location"])

        said = host.run("explain", row["_id"], expect=0).stdout
        self.assertIn("hrt-2012-03-09.log", said)
        with open(SAMPLE, encoding="ascii") as file:
            self.assertIn(file.read().split("\n")[row["caravel"]["line"] - 1], said)

    def test_a_store_that_is_down_makes_files_wait_and_nothing_else(self):
        host = self.host(stores=self.couch.yaml(), store="couch",
                         feeds="  other: {drop: other, match: '*.log', format: spysocket, store: local}\n")
        os.makedirs(host.path("spool/other"))
        host.start()
        host.drop(location(1), "a-2012-03-09.log")
        host.drop(location(2), "b-2012-03-09.log")
        wait_for("the reason", lambda: "connect" in host.run("status").stdout.lower())
        self.assertIn("connect", host.run("explain", "a-2012-03-09.log", expect=0).stdout.lower())
        # The same name is dropped again, while the first file is in work.
        host.drop(location(3), "a-2012-03-09.log")
        # The other feed, whose store works, does not wait.
        with open(host.path("spool/other/c-2012-03-09.log"), "w", encoding="ascii") as file:
            file.write(location(4))
        wait_for("the other feed", lambda: host.extracts("other")["done"] == 1)
        self.assertEqual(host.extracts()["done"], 0)

        self.couch.start()
        host.wait_until_ended(3)
        self.assertEqual(len(self.couch.rows()), 3)
        self.assertEqual(len([name for name in host.done() if name.startswith("a-")]), 2)
        self.assertNotIn("connect", host.run("status").stdout.lower())

    def test_a_database_that_vanished_is_reported_and_refilled_when_it_is_there_again(self):
        self.couch.start()
        host = self.host(stores=self.couch.yaml(), store="couch")
        host.start()
        host.drop(location(1), "a-2012-03-09.log")
        host.wait_until_ended(1)
        self.couch.request("DELETE", "/feed")
        host.drop(location(1), "a-2012-03-09.log")
        wait_for("the fault", lambda: "feed" in json.dumps(host.status()["stores"]) and
                 "fault" in host.run("status").stdout)
        self.assertEqual(self.couch.get("/feed").get("error"), "not_found")
        self.couch.request("PUT", "/feed")
        host.wait_until_ended(2)
        self.assertEqual(len(self.couch.rows()), 1)

    def test_an_extract_that_the_store_refuses_lets_the_others_pass(self):
        self.couch.start()
        self.couch.request("PUT", "/feed")
        rule = "function (doc) { if (doc.Vehicle == 'V.1.9') throw({forbidden: 'not this one'}); }"
        self.couch.request("PUT", "/feed/_design/rule", {"validate_doc_update": rule})
        host = self.host(stores=self.couch.yaml(), store="couch")
        host.start()
        host.drop(location(1, vehicle="V.1.9"), "bad-2012-03-09.log")
        wait_for("the reason", lambda: "not this one" in
                 host.run("explain", "bad-2012-03-09.log").stdout)
        host.drop(location(2), "good-2012-03-09.log")
        # Files are archived after the ledger has committed `done`.
        wait_for("the good one", lambda: "good-2012-03-09.log" in host.done())
        self.assertEqual(host.extracts()["done"], 1)
        # The extract waits and has not failed: the store's rule may be a mistake.
        self.assertIn("waiting", host.run("explain", "bad-2012-03-09.log", expect=0).stdout)
        self.couch.request("DELETE", "/feed/_design/rule?rev=" +
                           self.couch.get("/feed/_design/rule")["_rev"])
        host.wait_until_ended(2)
        self.assertEqual(len(self.couch.rows()), 2)

    def test_extracts_that_the_store_refuses_take_no_place(self):
        self.couch.start()
        self.couch.request("PUT", "/feed")
        rule = "function (doc) { if (doc.Vehicle == 'V.1.9') throw({forbidden: 'not this one'}); }"
        self.couch.request("PUT", "/feed/_design/rule", {"validate_doc_update": rule})
        host = self.host(stores=self.couch.yaml(), store="couch", feeds="max_claims: 1\n")
        host.start()
        for number in (1, 2, 3):
            host.drop(location(number, vehicle="V.1.9"), f"bad{number}-2012-03-09.log")
            wait_for("the reason", lambda number=number: "not this one" in
                     host.run("explain", f"bad{number}-2012-03-09.log").stdout)
        host.drop(location(4), "good-2012-03-09.log")
        wait_for("the good one", lambda: "good-2012-03-09.log" in host.done())
        self.couch.request("DELETE", "/feed/_design/rule?rev=" +
                           self.couch.get("/feed/_design/rule")["_rev"])
        host.wait_until_ended(4)
        self.assertEqual(len(self.couch.rows()), 4)

    def test_a_rule_that_breaks_makes_no_rejects_and_lets_the_others_pass(self):
        self.couch.start()
        self.couch.request("PUT", "/feed")
        rule = ("function (doc) { if (doc.Vehicle == 'V.1.8') throw('no'); "
                "if (doc.Vehicle == 'V.1.9') doc.what.is.this; }")
        self.couch.request("PUT", "/feed/_design/rule", {"validate_doc_update": rule})
        host = self.host(stores=self.couch.yaml(), store="couch")
        host.start()
        host.drop(location(1, vehicle="V.1.8") + location(2), "text-2012-03-09.log")
        host.drop(location(3, vehicle="V.1.9") + location(4), "error-2012-03-09.log")
        for name in ("text", "error"):
            wait_for("the reason", lambda name=name: "validation function" in
                     host.run("explain", name + "-2012-03-09.log").stdout)
        host.drop(location(5), "good-2012-03-09.log")
        wait_for("the good one", lambda: "good-2012-03-09.log" in host.done())
        self.assertEqual(host.extracts()["done"], 1)
        self.couch.request("DELETE", "/feed/_design/rule?rev=" +
                           self.couch.get("/feed/_design/rule")["_rev"])
        host.wait_until_ended(3)
        self.assertEqual(len(self.couch.rows()), 5)
        self.assertEqual(os.listdir(host.path("spool/rejects")), [])

    def test_a_database_that_is_made_anew_in_the_middle_of_a_load_gets_all_rows(self):
        self.couch.start()
        made_anew = []

        def make_anew(path):
            """Before the third request of rows, once: as an init script of the server does it."""
            if path.endswith("/_bulk_docs"):
                made_anew.append(path)
            if len(made_anew) == 3 and path.endswith("/_bulk_docs"):
                self.couch.request("DELETE", "/feed")
                self.couch.request("PUT", "/feed")

        # pouchdb-server tells the same start time of both databases.
        proxy = Proxy(self.couch.port, make_anew)
        self.addCleanup(proxy.close)
        host = self.host(stores=self.couch.yaml(url=f"http://127.0.0.1:{proxy.port}", batch_rows=10,
                                                connections=1), store="couch")
        host.start()
        host.drop("".join(location(second) for second in range(60)), "a-2012-03-09.log")
        host.wait_until_ended(1)
        self.assertGreater(len(made_anew), 6)
        self.assertEqual(len(self.couch.rows()), 60)
        self.assertEqual(host.extracts()["done"], 1)

    def test_check_reports_a_database_that_vanished(self):
        self.couch.start()
        host = self.host(stores=self.couch.yaml(), store="couch")
        os.makedirs(host.path("spool/drop"))
        self.assertIn("will be created", host.run("check", expect=0).stdout)
        host.drop(location(1), "a-2012-03-09.log")
        host.run("sweep", expect=0)
        self.assertIn("ok     store couch", host.run("check", expect=0).stdout)
        self.couch.request("DELETE", "/feed")
        said = host.run("check", expect=1).stdout
        self.assertRegex(said, r"FAULT  store couch: .*'feed'")
        self.assertEqual(self.couch.get("/feed").get("error"), "not_found")

    def test_an_extract_that_is_not_ready_when_its_turn_comes_is_waited_for(self):
        host = self.host(stores=self.couch.yaml(), store="couch")
        host.start()
        host.drop(location(1), "a-2012-03-09.log")
        wait_for("the store to be missed", lambda: "connect" in host.run("status").stdout.lower())
        # The second extract is ready, and waits behind the first.
        host.drop(location(2), "b-2012-03-09.log")

        def claimed():
            return [path for path in host.in_work() if os.path.basename(path).startswith("b-")]
        wait_for("the claim", claimed)
        os.link(claimed()[0], host.path("second-name"))
        self.couch.start()
        wait_for("the first", lambda: host.extracts()["done"] == 1)
        wait_for("the reason", lambda: "link" in
                 host.run("explain", "b-2012-03-09.log", expect=0).stdout)
        self.assertEqual(len(self.couch.rows()), 1)
        os.unlink(host.path("second-name"))
        host.wait_until_ended(2)
        self.assertEqual(len(self.couch.rows()), 2)

    def test_upload_with_its_sidecar_gives_the_same_rows(self):
        self.couch.start()
        host = self.host(stores=self.couch.yaml(), store="couch")
        with open(host.path("a.csv"), "w", encoding="utf-8") as out:
            out.write(host.run("format", "--year", "2012", "--format", "spysocket", "--sidecar",
                               host.path("a.csv.sidecar"), SAMPLE, expect=3).stdout)
        host.run("upload", host.path("a.csv"), expect=3)
        uploaded = {row["_id"]: row["caravel"] for row in self.couch.rows()}
        host.run("process", "--year", "2012", SAMPLE, expect=3)
        self.assertEqual({row["_id"]: row["caravel"] for row in self.couch.rows()}, uploaded)
        self.assertGreater(len(uploaded), 200)


if __name__ == "__main__":
    harness.main()
