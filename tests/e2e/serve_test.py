"""`caravel serve` as clients, monitoring and enemies meet it; `status --check` and `--watch`."""
import base64
import glob
import hashlib
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import sqlite3
import subprocess
import tempfile

import harness
import jsonschema
from harness import CARAVEL, SOURCE, HostTest, location, wait_for

TOKEN = "a-token-of-24-characters"
EVIL = "<script>alert('1')<img src=x>\u202e\"&-2012-03-09.log"


def lines(count, first=0):
    return "".join(location(first + second) for second in range(count))


def without_ages(part):
    """Of a status: what does not change while nothing happens."""
    if isinstance(part, list):
        return [without_ages(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: without_ages(item) for name, item in part.items()
            if name not in ("now", "age_seconds", "lag_seconds", "free_bytes")}


class Server:
    """A `caravel serve` at a free port of loopback, which the kernel chooses and the log tells."""

    def __init__(self, host, serve="{listen: '127.0.0.1:0'}", port=None):
        self.host = host
        with open(host.config, "a", encoding="utf-8") as file:
            file.write(f"serve: {serve}\n")
        self.log = tempfile.TemporaryFile()
        environment = dict(os.environ, **({"PORT": str(port)} if port else {}))
        self.process = subprocess.Popen([CARAVEL, "serve", "--config", host.config], stderr=self.log,
                                        env=environment)
        place = wait_for("the server", self.place)
        self.port = int(place.rsplit(":", 1)[1]) if place.startswith("http") else None
        self.path = None if self.port else place[len("unix:"):]

    def said(self):
        self.log.seek(0)
        return self.log.read().decode()

    def place(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended:\n" + self.said())
        found = re.search(r"serving at (\S+)\n", self.said())
        return found and found[1]

    def connect(self):
        if self.path:
            raw = socket.socket(socket.AF_UNIX)
            raw.connect(self.path)
        else:
            raw = socket.create_connection(("127.0.0.1", self.port))
        raw.settimeout(harness.PATIENCE)
        return raw

    def get(self, path, method="GET", headers=None, body=None):
        """Status, fields, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port or 80)
        connection.sock = self.connect()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content.decode()

    def raw(self, request):
        """All that comes back until the server closes."""
        with self.connect() as raw:
            raw.sendall(request)
            answer = b""
            while True:
                piece = raw.recv(65536)
                if not piece:
                    return answer
                answer += piece

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(harness.PATIENCE)


class ServeTest(HostTest):
    def setUp(self):
        super().setUp()
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.process.kill()
            server.process.wait()
            server.log.close()
        super().tearDown()

    def serve(self, host, *arguments, **named):
        server = Server(host, *arguments, **named)
        self.servers.append(server)
        return server

    def busy_host(self):
        """One extract of each fate."""
        host = self.host(feed="    manifest: ignore\n")
        os.makedirs(host.path("spool/drop"))
        host.drop(lines(50), "good-2012-03-09.log")
        host.drop(lines(30, 500) + "what is this\n" * 9, "rejects-2012-03-09.log")
        host.drop("no line of this format\n" * 40, EVIL)
        run = "0123abcd"
        for sequence in (1, 2, 5):
            host.drop(lines(5, sequence * 1000), f"app.log.bus1.{run}.{sequence:08}.log")
        for name in glob.glob(host.path("spool/drop/app.log*")):
            os.utime(name, (1331300000, 1331300000))
        with open(host.path("spool/drop/readme.txt"), "w", encoding="utf-8") as file:
            file.write("left alone\n")
        host.run("sweep")
        return host


class Numbers(ServeTest):
    def test_all_views_say_what_status_says(self):
        host = self.busy_host()
        server = self.serve(host)
        status, fields, text = server.get("/status.json")
        self.assertEqual((status, fields["Content-Type"]), (200, "application/json"))
        served, asked = json.loads(text), host.status()
        self.assertEqual(without_ages(asked), without_ages(served))
        feed = served["feeds"][0]
        metrics = server.get("/metrics")[2]
        for outcome in ("stored", "already_there", "dropped", "rejected", "failed"):
            self.assertIn(f'caravel_lines_total{{feed="hrt",outcome="{outcome}"}} '
                          f'{feed["counts"][outcome]}\n', metrics)
        for state, count in feed["extracts"].items():
            self.assertIn(f'caravel_extracts{{feed="hrt",state="{state}"}} {count}\n', metrics)
        self.assertIn(f'caravel_open_failures{{feed="hrt"}} {feed["open_failures"]}\n', metrics)
        page = server.get("/")[2]
        self.assertIn(f'{feed["counts"]["lines"]} = {feed["counts"]["stored"]} stored', page)
        self.assertIn("caravel ack", page)
        with sqlite3.connect(host.path("state/ledger.db")) as ledger:
            sums = ledger.execute("select sum(lines), sum(stored), sum(rejected) from extracts").fetchone()
        self.assertEqual(sums, (feed["counts"]["lines"], feed["counts"]["stored"], feed["counts"]["rejected"]))

    def test_status_json_is_as_its_schema_says(self):
        with open(os.path.join(SOURCE, "etc/schema/status.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        empty = self.host(stores="  unused: {type: sqlite, path: u.db}\n")
        for host in (empty, self.busy_host()):
            errors = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(host.status())]
            self.assertEqual([], errors)
        served = json.loads(self.serve(empty).get("/status.json")[2])
        self.assertEqual([], list(validator.iter_errors(served)))

    def test_promtool_takes_the_metrics_and_the_rules(self):
        server = self.serve(self.busy_host())
        text = server.get("/metrics")[2]
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                                 check=False)
        self.assertEqual((0, "", ""), (checked.returncode, checked.stdout, checked.stderr))
        monitoring = os.path.join(SOURCE, "etc/monitoring")
        for command in (["check", "rules", "caravel.rules.yml"], ["test", "rules", "caravel.rules.test.yml"],
                        ["check", "config", "--syntax-only", "prometheus.example.yml"]):
            checked = subprocess.run(["promtool", *command], cwd=monitoring, text=True, capture_output=True,
                                     check=False)
            self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)
        # Histograms of all batches since the ledger was made, though this server was started behind them.
        self.assertRegex(text, r'caravel_batch_rows_count\{feed="hrt",store="local"\} [1-9]')
        self.assertRegex(text, r'caravel_batch_seconds_bucket\{feed="hrt",store="local",le="\+Inf"\} [1-9]')
        with open(os.path.join(SOURCE, "docs/monitoring.md"), encoding="utf-8") as file:
            explained = set(re.findall(r"`(\w+)`", file.read()))
        with open(os.path.join(monitoring, "caravel.rules.yml"), encoding="utf-8") as file:
            alerts = set(re.findall(r"alert: (\w+)", file.read()))
        self.assertEqual(set(), (set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) | alerts) - explained)
        # Rules and dashboard speak of nothing that is not there.
        there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) | {"caravel_store_up"}
        # Nothing was loaded since the server's start.
        there |= {"caravel_batch_rows_bucket", "caravel_batch_seconds_bucket", "caravel_drop_to_stored_seconds_bucket", "caravel_line_to_stored_seconds_bucket"}
        for name in ("caravel.rules.yml", "grafana-dashboard.json"):
            with open(os.path.join(monitoring, name), encoding="utf-8") as file:
                used = set(re.findall(r"\bcaravel_[a-z_]+", file.read()))
            self.assertTrue(used)
            self.assertEqual(set(), used - there, name)

    def test_readiness_follows_what_happens(self):
        host = self.host()
        server = self.serve(host)
        self.assertEqual((200, "ok\n"), server.get("/healthz")[::2])
        status, _, text = server.get("/readyz")
        self.assertEqual((503, False, ["unwatched"]),
                         (status, json.loads(text)["ready"], [p["kind"] for p in json.loads(text)["problems"]]))
        host.start()
        wait_for("readiness", lambda: server.get("/readyz")[0] == 200)
        host.kill()
        # Killed a moment ago: somebody will start it again.
        self.assertEqual(200, server.get("/readyz")[0])
        os.utime(host.path("spool/.lock"), (1, 1))
        wait_for("nobody is there", lambda: server.get("/readyz")[0] == 503)

    def test_the_page_is_told_of_a_new_extract(self):
        host = self.host()
        host.start()
        server = self.serve(host)
        with server.connect() as raw:
            raw.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            heard = b""

            def hear(what, times):
                nonlocal heard
                while heard.count(what) < times:
                    piece = raw.recv(4096)
                    self.assertTrue(piece, heard)
                    heard += piece
            hear(b"event: changed", 1)
            self.assertIn(b"text/event-stream", heard)
            host.drop(lines(20), "new-2012-03-09.log")
            host.wait_until_ended(1)
            hear(b"event: changed", 2)
        wait_for("the page", lambda: "new-2012-03-09.log" in server.get("/")[2])

    def test_it_only_reads(self):
        host = self.busy_host()
        folder = [host.path("state/ledger.db"), *glob.glob(host.path("spool/**"), recursive=True)]
        before = {path: os.lstat(path).st_mtime_ns for path in folder}
        server = self.serve(host)
        for path in ("/", "/metrics", "/readyz", "/status.json", "/nothing"):
            server.get(path)
        self.assertEqual(0, server.stop())
        self.assertEqual(before, {path: os.lstat(path).st_mtime_ns for path in folder})

    def test_it_needs_no_right_to_write(self):
        """A service that may only read its directories, while nobody watches."""
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no rights for a mount namespace")
        host = self.busy_host()
        self.assertEqual([], glob.glob(host.path("state/ledger.db-*")))
        folder = host.folder
        said = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind -o ro {folder} {folder} && "
                               f"mount -o remount,bind,ro {folder} && exec {CARAVEL} status --json "
                               f"--config {host.config}"], capture_output=True, text=True, check=False)
        self.assertEqual(0, said.returncode, said.stderr)
        self.assertEqual(without_ages(host.status())["feeds"], without_ages(json.loads(said.stdout))["feeds"])

    def test_it_is_small(self):
        server = self.serve(self.busy_host())
        for _ in range(3):
            for path in ("/", "/metrics", "/readyz", "/status.json"):
                server.get(path)
        # A sanitizer takes memory of its own.
        if "asan" not in CARAVEL and "tsan" not in CARAVEL:
            wait_for("less than 16 MiB", lambda: server.resident() < 16 * 1024)


class Places(ServeTest):
    def test_other_hosts_need_a_token(self):
        host = self.host()
        with open(host.config, "a", encoding="utf-8") as file:
            file.write("serve: {listen: '0.0.0.0:0'}\n")
        refused = host.run("serve", expect=2)
        self.assertIn("token_file", refused.stderr)
        host = self.host()
        token = host.path("token")
        with open(token, "w", encoding="utf-8") as file:
            file.write(TOKEN + "\n")
        os.chmod(token, 0o644)
        with open(host.config, "a", encoding="utf-8") as file:
            file.write("serve: {listen: '0.0.0.0:0', token_file: token}\n")
        refused = host.run("serve", expect=2)
        self.assertIn("chmod 0600", refused.stderr)
        self.assertNotIn(TOKEN, refused.stderr)

    def test_with_a_token_all_but_healthz_needs_it(self):
        host = self.host()
        with open(host.path("token"), "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(TOKEN + "\n")
        server = self.serve(host, "{listen: '127.0.0.1:0', token_file: token}")
        self.assertEqual(200, server.get("/healthz")[0])
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic " + base64.b64encode(b"a:x").decode()}):
            status, fields, _ = server.get("/metrics", headers=headers)
            self.assertEqual(401, status)
            self.assertIn("Basic", fields["WWW-Authenticate"])
        self.assertEqual(200, server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})[0])
        login = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
        self.assertEqual(200, server.get("/", headers={"Authorization": f"Basic {login}"})[0])
        with open(f"/proc/{server.process.pid}/cmdline", "rb") as file:
            self.assertNotIn(TOKEN.encode(), file.read())
        self.assertNotIn(TOKEN, server.said())

    def test_one_of_several_tokens_is_enough_and_a_reload_changes_them(self):
        host = self.host()

        def write(text):
            with open(host.path("tokens"), "w", encoding="utf-8",
                      opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(text)

        def line(name, token):
            return f"{name}:{hashlib.sha256(token.encode()).hexdigest()}\n"
        write(line("grafana", TOKEN) + line("ops", "another-token-of-24-chars"))
        server = self.serve(host, "{listen: '127.0.0.1:0', tokens_file: tokens}")

        def status(token):
            return server.get("/metrics", headers={"Authorization": f"Bearer {token}"})[0]
        self.assertEqual([200, 200, 401], [status(TOKEN), status("another-token-of-24-chars"), status("x" * 24)])
        self.assertEqual(200, server.get("/healthz")[0])
        write("grafana:" + TOKEN)  # a mistake: the old ones stay
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "is not NAME:HASH" in server.said())
        self.assertEqual(200, status(TOKEN))
        self.assertNotIn(TOKEN, server.said())

    def test_a_unix_socket(self):
        host = self.host()
        server = self.serve(host, "{listen: 'unix:serve.sock'}")
        path = host.path("serve.sock")
        self.assertEqual(0o660, os.stat(path).st_mode & 0o777)
        self.assertEqual(200, server.get("/metrics", headers={"Host": "proxy.example"})[0])
        server.process.kill()
        server.process.wait()
        self.assertTrue(os.path.exists(path))
        # What a killed server left is no obstacle; a server that lives is.
        again = subprocess.Popen([CARAVEL, "serve", "--config", host.config], stderr=subprocess.PIPE, text=True)
        self.assertIn("serving at unix:", again.stderr.readline())
        refused = host.run("serve", expect=2)
        self.assertIn("in use", refused.stderr)
        again.send_signal(signal.SIGTERM)
        self.assertEqual(0, again.wait(harness.PATIENCE))
        again.stderr.close()
        self.assertFalse(os.path.exists(path))

    def test_the_port_of_the_environment(self):
        port = harness.free_port()
        self.assertEqual(port, self.serve(self.host(), port=port).port)

    def test_sighup_takes_the_new_configuration(self):
        host = self.host()
        server = self.serve(host)
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "stays as it was" in server.said())
        self.assertEqual(200, server.get("/healthz")[0])
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text.replace("feeds:\n", "feeds:\n  other: {drop: other, store: local}\n"))
        server.process.send_signal(signal.SIGHUP)
        wait_for("a second start", lambda: server.said().count("serving at") == 2)
        server.port = int(re.findall(r"serving at \S+:(\d+)\n", server.said())[-1])
        self.assertIn("other", server.get("/")[2])
        self.assertEqual(0, server.stop())


class Enemies(ServeTest):
    def test_requests_that_are_none(self):
        server = self.serve(self.host())
        local = b"Host: localhost\r\n"
        for request, status in (
                (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\n" + local + b"Host: localhost\r\n\r\n", 400),
                (b"GET http://localhost/ HTTP/1.1\r\n" + local + b"\r\n", 400),
                (b"POST / HTTP/1.1\r\n" + local + b"\r\n", 405),
                (b"POST / HTTP/1.1\r\n" + local + b"Content-Length: 5\r\n\r\nhello", 413),
                (b"GET / HTTP/1.1\r\n" + local + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
                (b"GET / HTTP/1.1\r\n" + local + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n", 413),
                (b"GET / HTTP/1.1\r\n" + local + b"X: " + b"x" * 9000 + b"\r\n\r\n", 431),
                (b"G\x00T / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
                (b"DELETE /status.json HTTP/1.1\r\n" + local + b"\r\n", 405)):
            answer = server.raw(request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (request, answer[:200]))
            self.assertIn(b"Connection: close", answer)
        # A body that pretends to be a request is not one.
        smuggled = server.raw(b"GET /healthz HTTP/1.1\r\n" + local + b"Content-Length: 30\r\n\r\n"
                              b"GET /status.json HTTP/1.1\r\n\r\n")
        self.assertEqual(1, smuggled.count(b"HTTP/1.1 "))
        self.assertEqual(200, server.get("/")[0])

    def test_every_answer_is_fenced_in(self):
        server = self.serve(self.busy_host())
        for path in ("/", "/metrics", "/status.json", "/readyz", "/nothing", "/live.js"):
            _, fields, body = server.get(path)
            self.assertIn("default-src 'none'", fields["Content-Security-Policy"])
            self.assertNotIn("unsafe", fields["Content-Security-Policy"])
            self.assertEqual("nosniff", fields["X-Content-Type-Options"])
            self.assertEqual("no-store", fields["Cache-Control"])
            self.assertIsNone(fields["Access-Control-Allow-Origin"])
            head = server.get(path, "HEAD")
            self.assertEqual("", head[2])
            if path in ("/nothing", "/live.js"):
                self.assertEqual(str(len(body.encode())), head[1]["Content-Length"])

    def test_names_are_text(self):
        server = self.serve(self.busy_host())
        page = server.get("/")[2]
        self.assertIn("&lt;script&gt;alert(", page)
        self.assertNotIn("<script>", page)
        self.assertNotIn("\u202e", page)
        self.assertIn("\\xE2\\x80\\xAE", page)

    def test_clients_that_hold_connections_keep_nobody_out(self):
        server = self.serve(self.host())
        held = [server.connect() for _ in range(200)]
        for raw in held[::3]:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: lo")
        self.assertEqual(200, server.get("/healthz")[0])
        for raw in held:
            raw.close()
        listeners = [server.connect() for _ in range(20)]
        statuses = []
        for raw in listeners:
            raw.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            statuses.append(raw.recv(12))
        self.assertEqual(16, statuses.count(b"HTTP/1.1 200"))
        self.assertEqual(4, statuses.count(b"HTTP/1.1 503"))
        self.assertEqual(200, server.get("/metrics")[0])
        for raw in listeners:
            raw.close()

    def test_many_requests_on_one_connection(self):
        server = self.serve(self.host())
        with server.connect() as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
            answer = b""
            while answer.count(b"\r\n\r\nok\n") < 50:
                answer += raw.recv(65536)
        self.assertEqual(50, answer.count(b"HTTP/1.1 200 OK"))


class Browser(ServeTest):
    def test_the_page_in_a_browser(self):
        """Light and dark, phone width, axe-core, without JavaScript, live, by keyboard: page_check.mjs."""
        host = self.busy_host()
        host.start()
        server = self.serve(host)
        modules = os.path.join(SOURCE, "build/browser/node_modules")
        checking = subprocess.Popen(
            ["node", os.path.join(SOURCE, "tests/e2e/page_check.mjs"), modules, f"http://127.0.0.1:{server.port}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in checking.stdout:
            said.append(line)
            if line == "drop\n":
                host.drop(lines(20, 9000), "live-2012-03-09.log")
        checking.stdout.close()
        self.assertEqual((0, ["drop\n"]), (checking.wait(), said), "".join(said))


class Monitoring(ServeTest):
    def check(self, host, code, begin):
        done = host.run("status", "--check", expect=code)
        self.assertTrue(done.stdout.startswith(f"CARAVEL {begin}"), done.stdout)
        self.assertEqual(1, done.stdout.count("\n"))
        return done.stdout

    def test_the_exit_codes_are_those_of_plug_ins(self):
        host = self.host()
        self.check(host, 2, "CRITICAL - nobody watches, and nobody ever did |")
        os.makedirs(host.path("spool/drop"))
        host.drop(lines(30), "good-2012-03-09.log")
        host.run("sweep", expect=0)
        self.check(host, 0, "OK - nothing is open | failed=0 waiting=0")
        host.drop(lines(30, 100) + "nothing\n" * 5, "rejects-2012-03-09.log")
        host.run("sweep", expect=3)
        self.check(host, 1, "WARNING - over a tenth rejected of 1 extract, the newest rejects-2012-03-09.log")
        host.drop("nothing\n" * 50, EVIL)
        host.run("sweep", expect=1)
        self.assertNotIn("\u202e", self.check(host, 2, "CRITICAL - 1 open failure, the newest <script>"))
        host.run("ack", EVIL, expect=0)
        self.check(host, 1, "WARNING")
        host.run("ack", "--all", expect=0)
        self.check(host, 0, "OK")
        os.utime(host.path("spool/.lock"), (1, 1))
        self.check(host, 2, "CRITICAL - nobody watches, and nobody swept for ")

    def test_what_cannot_be_known_is_unknown(self):
        host = self.host()
        os.makedirs(host.path("state"))
        with open(host.path("state/ledger.db"), "w", encoding="utf-8") as file:
            file.write("this is no database, but as long as the head of one is" * 10)
        self.check(host, 3, "UNKNOWN - ")
        with open(host.config, "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        self.check(host, 3, "UNKNOWN - ")
        self.assertEqual(2, host.run("status", "--check", "--json").returncode)

    def test_the_terminal_shows_it_live(self):
        host = self.busy_host()
        self.assertIn("no terminal", host.run("status", "--watch", expect=2).stderr)
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(CARAVEL, [CARAVEL, "status", "--watch", "--config", host.config])
        seen = b""

        def read_until(what):
            nonlocal seen
            while what not in seen:
                self.assertTrue(select.select([terminal], [], [], harness.PATIENCE)[0], seen)
                seen += os.read(terminal, 65536)
        read_until("1 failed".encode())
        read_until("█".encode())
        seen = b""
        host.drop("nothing\n" * 50, "bad2-2012-03-09.log")
        host.run("sweep", expect=1)
        read_until("2 failed".encode())
        self.assertNotIn("\u202e".encode(), seen)
        os.kill(pid, signal.SIGINT)
        # What was on the terminal before comes back.
        read_until(b"\x1b[?1049l")
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.close(terminal)


if __name__ == "__main__":
    harness.main()
