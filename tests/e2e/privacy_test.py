"""Nothing of the people in a log is written anywhere: each file that the program leaves is searched, byte
by byte, also inside of what is packed, for every address, user and agent that came in."""
import gzip
import hashlib
import itertools
import os
import shutil
import signal
import subprocess
import zlib

import harness

USERS = ["ann.smith", "bob.o-hara", "k4rl", "zoe@example.org"]
SECRETS = ["q=my-illness", "Privatissimo/17.4", "search=divorce", "sekret-ident"]
AGENTS = ["Mozilla/5.0 (X11; Privatissimo/17.4) Firefox/120.0", "curl/7.88.1"]
DAYS = ["09/Mar/2012", "10/Mar/2012"]


def address(number):
    if number % 3 == 0:
        return f"2001:db8:{number + 1:x}:77::{number + 16:x}"
    return f"10.{number % 200 + 20}.{number % 7 + 33}.{number % 250 + 4}"


def line(number, user=None):
    """A request as nginx logs it, with somebody in every part of it."""
    user = user or USERS[number % len(USERS)]
    return (f'{address(number)} sekret-ident {user} [{DAYS[number % 2]}:09:48:{number % 60:02} +0000] '
            f'"GET /page/{number}?q=my-illness HTTP/1.1" 200 {number} "https://h.example/?search=divorce" '
            f'"{AGENTS[number % 2]}"\n')


def people(count):
    """What must be found nowhere, as bytes."""
    found = {address(number) for number in range(count)} | set(USERS) | set(SECRETS)
    return [text.encode() for text in sorted(found)]


HOSTILE = [
    "rubbish of ann.smith from 10.20.33.4\n",
    '10.21.34.5 - ann.smith [32/Mar/2012:09:48:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n',
    "k4rl \xff was here\n",
    "k4rl \0 was here\n",
    '10.21.34.5 - ann.smith of k4rl [09/Mar/2012:09:48:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n',
    "\n",
    "2001:db8:1:77::10 " + "ann.smith " * 200 + "\n",
]


class Privacy(harness.HostTest):
    def private_host(self, log_format="nginx-private", more="", **settings):
        host = self.host(**settings)
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("max_line: 1KiB\nformats: [formats]\n" + text.replace("spysocket", log_format) +
                       "    max_rejects: 90%\n" + more)
        os.makedirs(host.path("formats"), exist_ok=True)
        os.makedirs(host.path("spool/drop"), exist_ok=True)
        return host

    def hashing_format(self, host, unmatched="drop", name="hashing"):
        with open(os.path.join(harness.SOURCE, "etc/formats/nginx-private.yaml"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace("nginx-private", name).replace("User: drop", "User: hash")
        text = text.replace("unmatched: drop", f"unmatched: {unmatched}\nhash_key: daily")
        with open(host.path("formats", name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def everything(self, host, but=()):
        """What was written, by file: its bytes, and what they are unpacked."""
        for folder, _, names in os.walk(host.folder):
            for name in names:
                path = os.path.join(folder, name)
                if path in but or os.path.relpath(path, host.folder).startswith("formats"):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                yield path, data
                if data[:2] == b"\x1f\x8b":
                    yield path + " (unpacked)", zlib.decompressobj(31).decompress(data)

    def assert_nobody(self, host, secrets, said=(), but=()):
        looked = 0
        for path, data in itertools.chain(self.everything(host, but),
                                          ((f"message {n}", text.encode("utf-8", "surrogateescape"))
                                           for n, text in enumerate(said))):
            looked += 1
            for secret in secrets:
                self.assertNotIn(secret, data, f"{secret} in {path}")
        self.assertGreater(looked, 5)

    def all_answers(self, host):
        said = []
        for arguments in (("status",), ("status", "--json"), ("check",), ("ledger", "export")):
            run = host.run(*arguments)
            said += [run.stdout, run.stderr]
        for name in host.done():
            said.append(host.run("explain", name).stdout)
        for (row,) in host.rows("select _id from hrt limit 3"):
            said.append(host.run("explain", row).stdout)
        return said

    def test_nobody_is_found_in_anything_that_was_written(self):
        for log_format in ("nginx-private", "apache-private", "hashing"):
            with self.subTest(log_format):
                self.nobody_is_found(log_format)

    def nobody_is_found(self, log_format):
        host = self.private_host(log_format)
        self.hashing_format(host)
        lines = "".join(line(number) for number in range(300)).encode()
        hostile = "".join(HOSTILE).encode("latin-1")
        host.start()
        host.drop(lines + hostile, "good.log")
        host.drop(gzip.compress(lines), "packed.log.gz")
        host.drop(gzip.compress(lines + os.urandom(100_000).replace(b"\n", b""))[:-500], "damaged.log.gz")
        host.drop(lines + line(17).encode()[:-40], "cut.log")
        host.drop(b"ann.smith 10.20.33.4 is no line of any access log\n" * 40, "other.log")
        host.wait_until_ended(5)
        states = host.extracts()
        self.assertEqual((states["done"], states["failed"]), (3, 2), host.log())
        said = self.all_answers(host)
        host.stop()
        self.assertGreaterEqual(host.count(), 300)
        self.assertGreater(len(os.listdir(host.path("spool/rejects"))), 2)
        self.assertIn("damaged.log.gz", os.listdir(host.path("spool/failed")))
        self.assert_nobody(host, people(300), said)
        self.assert_counts_add_up(host)

    def test_scrubbed_rejects_keep_what_is_nobodys(self):
        host = self.private_host("hashing")
        self.hashing_format(host, "scrub")
        host.drop(line(2) + 'login of zoe@example.org, "ann.smith", from 10.20.33.4 failed: 2001:db8:1:77::10\n',
                  "a.log")
        self.assertEqual(host.run("sweep").returncode, 3)
        with open(host.path("spool/rejects/a.log.rejects"), encoding="utf-8") as file:
            self.assertEqual(file.read().rstrip(), 'login of -, "-", from - failed: -')
        self.assert_nobody(host, people(3))

    def test_what_is_left_is_still_of_use(self):
        host = self.private_host()
        host.drop(line(1) + line(3), "a.log")
        host.run("sweep", expect=0)
        rows = host.rows("select Client, User, Request, Status, Referer, Agent from hrt order by _line")
        self.assertEqual(rows[0], ("10.21.34.0", "-", "GET /page/1 HTTP/1.1", rows[0][3],
                                   "https://h.example/", "curl"))
        self.assertEqual(rows[1][0], "2001:db8:4::")

    def test_an_original_that_comes_again_is_known(self):
        for log_format in ("nginx-private", "hashing"):
            with self.subTest(log_format):
                host = self.private_host(log_format)
                self.hashing_format(host)
                text = "".join(line(number) for number in range(50))
                host.drop(text, "a.log")
                host.run("sweep", expect=0)
                host.drop(text, "b.log")
                host.drop(gzip.compress(text.encode()), "c.log.gz")
                host.run("sweep", expect=0)
                # What lies in done/ is the copy: it is the same extract.
                with open(host.path("again.log"), "wb") as file:
                    file.write(next(data for path, data in self.everything(host) if path.endswith("/a.log")))
                host.run("process", host.path("again.log"), expect=0)
                self.assertEqual(host.count(), 50)
                self.assertEqual(host.rows("select count(*) from _feeds")[0][0], 2)  # one is packed
                verified = host.run("process", "--verify", "--all")
                self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_a_persons_file_is_not_changed(self):
        host = self.private_host()
        own = host.path("own.log")
        with open(own, "w", encoding="utf-8") as file:
            file.write(line(1) + "rubbish of ann.smith\n")
        for options in (["--dry-run"], []):
            run = host.run("process", *options, own)
            self.assertEqual(run.returncode, 3, run.stderr)
        with open(own, encoding="utf-8") as file:
            self.assertEqual(file.read(), line(1) + "rubbish of ann.smith\n")
        self.assert_nobody(host, people(2), [run.stderr], but=[own])
        refused = host.run("process", "--format", "nginx", own)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("makes its lines anonymous", refused.stderr)

    def test_after_its_salt_was_forgotten_an_original_is_refused(self):
        host = self.private_host("hashing")
        self.hashing_format(host)
        host.drop(line(2), "a.log")
        host.run("sweep", expect=0)
        salt = host.path("state/salts/hashing/20120309")
        os.utime(salt, (1, 1))
        host.run("sweep", expect=0)
        self.assertEqual(os.path.getsize(salt), 0)
        host.drop(line(2), "b.log")
        self.assertEqual(host.run("sweep").returncode, 1)
        with open(host.path("spool/failed/b.log.why"), encoding="utf-8") as file:
            self.assertIn("the salt of the day 20120309 was forgotten", file.read())
        own = host.path("own.log")
        with open(own, "w", encoding="utf-8") as file:
            file.write(line(2))
        for options in ([], ["--reprocess"]):
            run = host.run("process", *options, own)
            self.assertEqual(run.returncode, 1)
            self.assertIn("could not be recognised", run.stderr)
        self.assertEqual(host.count(), 1)
        host.drop(line(1), "late.log")  # of a day that never had one
        host.run("sweep", expect=0)
        self.assertEqual(host.count(), 2)
        self.assert_nobody(host, people(3), but=[own])

    def test_the_filter_alone(self):
        host = self.private_host()
        run = subprocess.run([harness.CARAVEL, "--config", host.config, "format", "--anonymise", "--format",
                              "nginx-private"], input=(line(1) + "ann.smith\n").encode(),
                             capture_output=True, check=False)
        self.assertEqual(run.returncode, 3, run.stderr)
        first, second = run.stdout.splitlines()
        self.assertTrue(first.startswith(b"10.21.34.0 - - [10/Mar/2012:09:48:01 +0000] \"GET /page/1 HTTP"))
        self.assertEqual(second[:1], b"\xff")
        # Without --anonymise its rows and rejects are those that would be stored.
        run = host.run("format", "--format", "nginx-private", stdin=line(1) + "ann.smith\n")
        for secret in people(2):
            self.assertNotIn(secret.decode(), run.stdout + run.stderr)
        self.assertEqual(host.run("format", "--anonymise", "--format", "nginx", stdin="").returncode, 2)

    def test_while_the_store_fails(self):
        host = self.private_host()
        os.mkdir(host.path("rows.db"))  # no database can be opened there
        host.start()
        host.drop("".join(line(number) for number in range(20)) + "k4rl\n", "a.log")
        harness.wait_for("the copy", lambda: any(b"GET /page/1 HTTP" in data for path, data in
                                                 self.everything(host) if path.endswith("/a.log")))
        harness.wait_for("the outage", lambda: host.extracts()["waiting"] == 1)
        said = [host.run("status").stdout, host.run("explain", "a.log").stdout]
        self.assert_nobody(host, people(20), said)
        os.rmdir(host.path("rows.db"))
        host.wait_until_ended(1)
        self.assertEqual(host.count(), 20)

    def test_a_couchdb_and_its_attachment_hold_nobody(self):
        couch = harness.Couch(harness.free_port())
        self.addCleanup(couch.remove)
        couch.start()
        host = self.private_host(feed="    attach_csv: true\n", store="couch",
                                 stores=couch.yaml(create_database="true"))
        host.drop("".join(line(number) for number in range(40)) + "k4rl\n", "a.log")
        self.assertEqual(host.run("sweep").returncode, 3)
        documents = couch.documents()
        self.assertEqual(len(documents), 41)
        feed = next(doc for doc in documents if doc["doc_type"] == "Feed")
        stored = repr(documents).encode() + couch.attachment(feed["_id"], "feed")
        for secret in people(40):
            self.assertNotIn(secret, stored)

    def test_killed_at_each_step_nobody_is_archived(self):
        killed = 0
        text = "".join(line(number) for number in range(20)) + "rubbish of ann.smith\n"
        for call in ("rename", "renameat", "renameat2", "fsync", "unlinkat", "link"):
            for when in range(1, 200):
                host = self.private_host("hashing", feed="    settle: 1ms\n")
                self.hashing_format(host)
                host.drop(text, "a.log")
                os.utime(host.path("spool/drop/a.log"), (1, 1))
                run = host.run("sweep", wrapper=["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                                 f"trace={call}", "-e",
                                                 f"inject={call}:signal=SIGKILL:when={when}"])
                with self.subTest(call=call, when=when):
                    if run.returncode != 3:
                        self.assertEqual(run.returncode, -signal.SIGKILL, run.stderr)
                        killed += 1
                        originals = [path for path, data in self.everything(host) if b"k4rl" in data]
                        self.assertLessEqual(len(originals), 1)
                        for path in originals:
                            self.assertRegex(path, r"/spool/(drop|work/[^/]+)/a\.log$")
                    self.assertIn(host.run("sweep").returncode, (0, 3))
                    self.assertEqual(host.count(), 20)
                    self.assertEqual(host.in_work(), [])
                    self.assertEqual(os.listdir(host.path("spool/failed")), [])
                    self.assert_nobody(host, people(20))
                shutil.rmtree(host.folder)
                if run.returncode == 3:
                    break
        print("killed", killed, "times")
        self.assertGreater(killed, 20)

    def test_ids_follow_the_log_through_manifests(self):
        """Two extracts that overlap, cut at different places of one log, as manifests say."""
        host = self.private_host()
        log = "".join(line(number) for number in range(30))
        ends = [0] + list(itertools.accumulate(len(one) for one in log.splitlines(keepends=True)))
        for name, first, last in (("x.h.00000001.00000001.log", 0, 20), ("x.h.00000002.00000001.log", 10, 30)):
            drop_with_manifest(host, log[ends[first]:ends[last]], name, ends[first], log)
            host.run("sweep", expect=0)
        self.assertEqual(host.count(), 30)
        self.assertEqual(len(host.done()), 4)
        self.assert_nobody(host, people(30))

    def test_a_broken_transfer_waits_as_it_came_and_fails_without_people(self):
        host = self.private_host(feed="    manifest_wait: 1ms\n")
        log = "".join(line(number) for number in range(30))
        drop_with_manifest(host, log, "x.h.00000001.00000001.log", 0, log)
        host.drop(log[:-200] + "\n", "x.h.00000001.00000001.log")
        host.start()
        host.wait_until_ended(1)
        host.stop()
        self.assertEqual(host.extracts()["failed"], 1)
        self.assert_nobody(host, people(30))


def drop_with_manifest(host, content, name, first, log):
    """The extract and its manifest, as caravel-tail writes it. The first line's hash only has to be the same
    in both: what it is a hash of nobody can check."""
    data = content.encode()
    values = {"version": 1, "host": "h", "log": "/var/log/x", "device": 1, "inode": 2,
              "run": name.split(".")[2], "sequence": 1,
              "first_line": hashlib.md5(log.splitlines()[0].encode()).hexdigest(),
              "first": first, "last": first + len(data), "bytes": len(data), "lines": content.count("\n"),
              "sha256": hashlib.sha256(data).hexdigest(), "cut": "2012-03-10T10:00:00.000Z"}
    host.drop("".join(f"{key}={value}\n" for key, value in values.items()), name + ".manifest")
    host.drop(data, name)
    for file in (name, name + ".manifest"):
        os.utime(host.path("spool/drop", file), (1, 1))


if __name__ == "__main__":
    harness.main()
