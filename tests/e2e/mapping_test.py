"""caravel mapping, into both stores."""
import os

import harness


GOOD = {"vehicle": "vid,bus\n1,V.1.2683\n2,\"V.1.\n3195\"\n", "route": "rid,Route,name\n73,73,\n",
        "stop": "\ufeffsid,Stop\r\n1470,1470\r\n\r\n"}


class Mapping(harness.HostTest):
    def write(self, host, text, name="map.csv"):
        with open(host.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return host.path(name)

    def test_a_mapping_is_one_document_with_its_csv_attached(self):
        couch = harness.Couch()
        self.addCleanup(couch.remove)
        couch.start()
        host = self.host(stores=couch.yaml(), store="couch")
        for kind, text in GOOD.items():
            path = self.write(host, text)
            for _ in range(2):
                host.run("mapping", path, "--store", "couch", "-m", kind, "-e", "2012-03-09", expect=0)
        host.run("mapping", path, "--store", "couch", "-m", "stop", "-e", "2012-03-10", expect=0)
        documents = couch.documents()
        self.assertEqual(len(documents), 4)
        route = [doc for doc in documents if doc["mapping_type"] == "route"][0]
        self.assertEqual(set(route), {"_id", "_rev", "doc_type", "mapping_type", "effective_date",
                                      "timestamp", "_attachments"})
        self.assertEqual((route["doc_type"], route["effective_date"]), ("Mapping", "2012-03-09"))
        self.assertEqual(route["_attachments"]["content"]["content_type"], "text/csv")
        self.assertEqual(couch.attachment(route["_id"], "content"), GOOD["route"].encode())

    def test_sqlite_has_it_too(self):
        host = self.host()
        path = self.write(host, GOOD["vehicle"])
        for _ in range(2):
            host.run("mapping", path, "-m", "vehicle", "-e", "2012-03-09", expect=0)
        self.assertEqual(host.rows("select doc_type, mapping_type, effective_date, content "
                                   "from _mappings"),
                         [("Mapping", "vehicle", "2012-03-09", GOOD["vehicle"])])

    def test_what_is_no_mapping_is_refused_with_its_line(self):
        host = self.host()
        cases = [("", "empty"), ("vid,bus\n", "header"), ("vid,Bus\n1,2\n", "no column 'bus'"),
                 ("vid,bus\n1,2\n1\n", "line 3: 1 fields"), ("vid,bus,vid\n1,2,3\n", "twice"),
                 ("vid,bus\n1,\0\n", "NUL"), ("vid,bus\n1,\"2\n", "quoting"),
                 ("vid,bus\n1,\"2\"x\n", "line 2")]
        for text, said in cases:
            with self.subTest(text=text):
                done = host.run("mapping", self.write(host, text), "-m", "vehicle", "-e",
                                "2012-03-09", expect=2)
                self.assertIn(said, done.stderr)
        path = self.write(host, GOOD["vehicle"])
        for arguments, said in ((["-m", "bus", "-e", "2012-03-09"], "vehicle, route or stop"),
                                *((["-m", "vehicle", "-e", date], "no date") for date in (
                                    "2012-02-30", "abcd-01-01", "0000-01-01", "-001-01-01",
                                    "12e4-12-31", "2012-0x-01", "2012-01-+1", "2012-1-1")),
                                (["-m", "vehicle"], "-e"), (["-m", "route", "-e", "2012-03-09"], "rid"),
                                (["-m", "vehicle", "-e", "2012-03-09", "--store", "lokal"], "local")):
            with self.subTest(arguments=arguments):
                self.assertIn(said, host.run("mapping", path, *arguments, expect=2).stderr)
        self.assertIn("No such file", host.run("mapping", "none.csv", "-m", "vehicle", "-e",
                                               "2012-03-09", expect=2).stderr)
        os.mkfifo(host.path("fifo"))
        self.assertIn("no regular file", host.run("mapping", "fifo", "-m", "vehicle", "-e",
                                                  "2012-03-09", expect=2).stderr)
        with open(path, "wb") as file:
            file.write(b"vid,bus\n1,\xff\n")
        self.assertIn("UTF-8", host.run("mapping", path, "-m", "vehicle", "-e", "2012-03-09",
                                        expect=2).stderr)


if __name__ == "__main__":
    harness.main()
