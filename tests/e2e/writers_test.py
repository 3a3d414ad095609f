#!/usr/bin/env python3
"""Shipped formats against lines that the real programs wrote, each started here with files and ports of its
own. A program that is not installed skips its test."""
import base64
import csv
import glob
import http.client
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import unittest

import harness
from harness import free_port, wait_for

MODULES = os.path.join(harness.SOURCE, "build/writers/node_modules")
NOBODY = 65534


def program(name, *more):
    """The path of a program; the test is skipped where it is not installed."""
    for path in (shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"), *more):
        if path and os.access(path, os.X_OK):
            return path
    raise unittest.SkipTest(f"{name} is not installed")


class WriterTest(harness.HostTest):
    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, *command, **more):
        """A program that writes until the test ends it."""
        with open(self.path("program.log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", log),
                                       stderr=log, cwd=self.folder, **more)

        def end():
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.addCleanup(end)
        process.end = end
        return process

    def until(self, what, condition, process):
        """Waits for what a program does; one that has ended instead says why."""
        def met():
            if process.poll() is not None and not condition():
                with open(self.path("program.log"), encoding="utf-8", errors="replace") as log:
                    raise AssertionError(f"{process.args[0]} ended: {log.read()}")
            return condition()
        wait_for(what, met)

    def lines(self, name):
        try:
            with open(self.path(name), "rb") as file:
                return file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def rows(self, format_name, name, *options, rejected=0):
        """What the format makes of a file: its rows, of which no line may be a reject."""
        done = subprocess.run([harness.CARAVEL, "format", "--format", format_name, *options, self.path(name)],
                              capture_output=True, text=True, timeout=harness.PATIENCE, check=False,
                              cwd=self.folder)
        self.assertEqual(3 if rejected else 0, done.returncode, done.stderr)
        self.assertIn(f" {rejected} rejected", done.stderr)
        # csv.DictReader would skip what it cannot name.
        rows = list(csv.reader(io.StringIO(done.stdout, newline="")))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]

    def column(self, rows, name):
        return [row[name] for row in rows]


def answers(port):
    """Whether a web server takes requests."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/first")
        return connection.getresponse().read() is not None
    except OSError:
        return False
    finally:
        connection.close()


class WebServers(WriterTest):
    REQUESTS = [("GET", "/stops?q=12&r=%22x%22"), ("HEAD", "/"), ("POST", "/a,b"),
                ("GET", "/\u00fc".encode().decode("latin-1"))]

    def ask(self, port):
        """Some requests of ordinary clients; the request lines."""
        for method, target in self.REQUESTS:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.putrequest(method, "/x", skip_accept_encoding=True)
            connection._buffer[0] = f"{method} {target} HTTP/1.1".encode("latin-1")  # unchecked
            connection.putheader("User-Agent", 'Agent "7" (X11; [en])')
            connection.putheader("Referer", "https://example.org/?a=b")
            connection.putheader("Authorization", "Basic " + base64.b64encode(b"ann:secret").decode())
            connection.putheader("Content-Length", "0")
            connection.endheaders()
            connection.getresponse().read()
            connection.close()

    def check_rows(self, rows, user, combined=True):
        """The rows of ask(), among those of answers()."""
        asked = [row for row in rows if not row["Request"].startswith("GET /first ")]
        self.assertEqual(len(self.REQUESTS), len(asked))
        self.assertEqual({"127.0.0.1"}, set(self.column(rows, "Client")))
        self.assertEqual({user}, set(self.column(asked, "User")))
        # Apache's threads may write them in another order.
        self.assertLessEqual({"GET /stops?q=12&r=%22x%22 HTTP/1.1", "HEAD / HTTP/1.1", "POST /a,b HTTP/1.1"},
                             set(self.column(asked, "Request")))
        self.assertLessEqual(set(self.column(asked, "Status")), {"200", "400", "401", "404", "405"})
        if combined:
            self.assertEqual({"https://example.org/?a=b"}, set(self.column(asked, "Referer")))
            for row in asked:
                self.assertIn("(X11; [en])", row["Agent"])
        now = time.time()
        self.assertLessEqual(set(self.column(rows, "Date")),
                             {time.strftime("%Y-%m-%d", time.localtime(now - ago)) for ago in (0, 3600)})

    def nginx(self):
        nginx = program("nginx")
        port, behind = free_port(), free_port()
        config = self.write("nginx.conf", f"""
            daemon off; master_process off; pid {self.path('nginx.pid')}; error_log {self.path('error.log')};
            events {{}}
            http {{
              log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                '"$http_referer" "$http_user_agent" rt=$request_time '
                'uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"';
              client_body_temp_path {self.path('t1')}; proxy_temp_path {self.path('t2')};
              fastcgi_temp_path {self.path('t3')}; uwsgi_temp_path {self.path('t4')};
              scgi_temp_path {self.path('t5')};
              upstream two {{ server 127.0.0.1:{free_port()} max_fails=0; server 127.0.0.1:{behind} backup; }}
              server {{
                listen 127.0.0.1:{port};
                access_log {self.path('combined.log')}; access_log {self.path('timed.log')} timed;
                location / {{ return 200 "hello\\n"; }}
                location /stops {{ proxy_pass http://127.0.0.1:{behind}; }}
                location /a {{ proxy_pass http://two; }}
              }}
              server {{ listen 127.0.0.1:{behind}; access_log off; location / {{ return 200 "behind\\n"; }} }}
            }}""")
        server = self.start(nginx, "-p", self.folder, "-c", config)
        self.until("nginx", lambda: answers(port), server)
        self.ask(port)
        self.until("nginx's log", lambda: len(self.lines("timed.log")) > len(self.REQUESTS), server)
        server.end()

    def test_nginx(self):
        self.nginx()
        self.check_rows(self.rows("nginx", "combined.log"), "ann")
        self.check_rows(self.rows("apache-combined", "combined.log"), "ann")
        rows = self.rows("nginx-timed", "timed.log")
        self.check_rows(rows, "ann")
        times = {row["Request"].split()[1]: row["UpstreamResponseTime"] for row in rows}
        self.assertEqual("", times["/first"])
        self.assertRegex(times["/stops?q=12&r=%22x%22"], r"^\d+\.\d{3}$")
        self.assertRegex(times["/a,b"], r"^\d+\.\d{3}, \d+\.\d{3}$")

    def test_apache(self):
        apache = program("apache2")
        port = free_port()
        modules = "/usr/lib/apache2/modules"
        config = self.write("apache.conf", f"""
            ServerRoot {self.folder}
            ServerName localhost
            PidFile {self.path('apache.pid')}
            DefaultRuntimeDir {self.folder}
            Listen 127.0.0.1:{port}
            LoadModule mpm_event_module {modules}/mod_mpm_event.so
            LoadModule authz_core_module {modules}/mod_authz_core.so
            User #{NOBODY}
            Group #{NOBODY}
            ErrorLog {self.path('error.log')}
            DocumentRoot {self.path('www')}
            LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
            LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
            CustomLog {self.path('combined.log')} combined
            CustomLog {self.path('common.log')} common
            """)
        os.mkdir(self.path("www"))
        os.chmod(self.folder, 0o755)
        server = self.start(apache, "-f", config, "-DFOREGROUND")
        self.until("apache2", lambda: answers(port), server)
        self.ask(port)
        self.until("its log", lambda: len(self.lines("common.log")) > len(self.REQUESTS), server)
        server.end()
        # The name that a client claims is logged only of a request that asked for a password.
        for name, log in (("apache", "combined.log"), ("apache", "common.log"),
                          ("apache-combined", "combined.log"), ("apache-common", "common.log")):
            self.check_rows(self.rows(name, log), "-", log == "combined.log")

    def test_caddy(self):
        caddy = program("caddy")
        port = free_port()
        config = self.write("Caddyfile", f"""
            {{
              admin off
              auto_https off
            }}
            http://127.0.0.1:{port} {{
              log {{
                output file {self.path('access.log')}
              }}
              respond "hello"
            }}
            """)
        home = dict(os.environ, HOME=self.folder, XDG_DATA_HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        server = self.start(caddy, "run", "--config", config, "--adapter", "caddyfile", env=home)
        self.until("caddy", lambda: answers(port), server)
        self.ask(port)
        self.until("its log", lambda: len(self.lines("access.log")) > len(self.REQUESTS), server)
        server.end()
        rows = self.rows("caddy", "access.log")
        asked = [json.loads(row["request"]) for row in rows]
        self.assertIn(("HEAD", "/"), [(request["method"], request["uri"]) for request in asked])
        self.assertEqual({"200"}, set(self.column(rows, "status")))
        self.assertLess(abs(float(rows[0]["ts"]) - time.time()), 600)


class SystemLogs(WriterTest):
    MESSAGES = ["door 7 is open", "", "two  blanks, a comma and \"quotes\"", "caf\u00e9 [x]: y"]

    def rsyslog(self):
        rsyslogd, logger = program("rsyslogd"), program("logger")
        port = free_port()
        config = self.write("rsyslog.conf", f"""
            global(workDirectory="{self.folder}" localHostname="web1")
            module(load="imuxsock" SysSock.Use="off")
            module(load="imudp")
            input(type="imuxsock" Socket="{self.path('log')}")
            input(type="imudp" address="127.0.0.1" port="{port}")
            action(type="omfile" file="{self.path('classic.log')}" template="RSYSLOG_TraditionalFileFormat")
            action(type="omfile" file="{self.path('iso.log')}" template="RSYSLOG_FileFormat")
            action(type="omfile" file="{self.path('5424.log')}" template="RSYSLOG_SyslogProtocol23Format")
            """)
        server = self.start(rsyslogd, "-n", "-f", config, "-i", self.path("rsyslog.pid"))
        self.until("rsyslogd", lambda: os.path.exists(self.path("log")), server)
        sent = 0
        for message in self.MESSAGES:
            for options in (["-t", "door"], ["-t", "door", "--id=77"]):
                subprocess.run([logger, "-u", self.path("log"), *options, "--", message], check=True)
                sent += 1
        subprocess.run([logger, "-n", "127.0.0.1", "-P", str(port), "-d", "--rfc5424=nohost", "-t", "door",
                        "--id=78", "--msgid", "M7", "--sd-id", "zoo@32473", "--sd-param", 'tiger="a \\"b\\] c"',
                        "--", "with data"], check=True)
        # A message that comes empty is not one for rsyslog's parser; how many it keeps is its own affair.
        self.until("the messages", lambda: any(b"with data" in line for line in self.lines("5424.log")) and
                   sum(b"caf" in line for line in self.lines("5424.log")) == 2, server)
        server.end()

    def check_messages(self, rows):
        got = set(self.column(rows, "Message"))
        self.assertLessEqual({message for message in self.MESSAGES if message}, got)
        self.assertIn("with data", got)
        self.assertEqual({"door"}, set(self.column(rows, "Program")) - {""})
        self.assertIn("web1", set(self.column(rows, "Host")))

    def test_rsyslog(self):
        self.rsyslog()
        for name, log in (("syslog", "classic.log"), ("syslog-iso", "iso.log")):
            with self.subTest(name):
                rows = self.rows(name, log)
                self.check_messages(rows)
                self.assertEqual({"77", "78", ""}, set(self.column(rows, "Pid")))
                self.assertLess(abs(time.mktime(time.strptime(rows[0]["At"][:19], "%Y-%m-%dT%H:%M:%S")) -
                                    time.time()), 600)
        with self.subTest("RFC 5424"):
            rows = self.rows("syslog-5424", "5424.log")
            self.check_messages(rows)
            with_data = [row for row in rows if row["Message"] == "with data"][0]
            self.assertTrue(with_data["Data"].endswith('[zoo@32473 tiger="a \\"b\\] c"]'), with_data["Data"])
            self.assertEqual("M7", with_data["MessageId"])

    def test_the_journal(self):
        remote = program("systemd-journal-remote", "/lib/systemd/systemd-journal-remote")
        journalctl = program("journalctl")
        entries = [b"MESSAGE=door 7 is open\nPRIORITY=6\n_PID=77\n", b"MESSAGE=caf\xc3\xa9, \"x\"\nPRIORITY=3\n",
                   b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY=4\n",
                   b"MESSAGE\n\x02\0\0\0\0\0\0\0\x07\xff\nPRIORITY=5\n"]
        with open(self.path("in.export"), "wb") as file:
            for number, entry in enumerate(entries):
                file.write(b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n"
                           b"SYSLOG_IDENTIFIER=door\n_HOSTNAME=web1\n%s\n" %
                           (1331286480250000 + number, 1000 + number, 7, entry))
        subprocess.run([remote, "-o", self.path("out.journal"), self.path("in.export")], check=True,
                       capture_output=True, cwd=self.folder)
        with open(self.path("journal.json"), "wb") as log:
            subprocess.run([journalctl, "--file", self.path("out.journal"), "-o", "json"], check=True, stdout=log)
        rows = self.rows("journald", "journal.json")
        self.assertEqual(["door 7 is open", 'caf\u00e9, "x"', "two\nlines", "[7,255]"],
                         [message.replace(" ", "") if message[0] == "[" else message
                          for message in self.column(rows, "MESSAGE")])
        self.assertEqual({"web1"}, set(self.column(rows, "_HOSTNAME")))
        self.assertEqual('"1331286480250000"', rows[0]["__REALTIME_TIMESTAMP"])
        # The other form, which is always the same, gives the same.
        for name in ("journal.export", "again.export"):
            with open(self.path(name), "wb") as log:
                subprocess.run([journalctl, "--file", self.path("out.journal"), "-o", "export"], check=True, stdout=log)
        with open(self.path("journal.export"), "rb") as first, open(self.path("again.export"), "rb") as second:
            self.assertEqual(first.read(), second.read())
        exported = self.rows("journald-export", "journal.export")
        for column in ("__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_PID", "PRIORITY", "__CURSOR"):
            self.assertEqual(self.column(rows, column), self.column(exported, column))
        self.assertEqual(["door 7 is open", 'caf\u00e9, "x"', "two\nlines", "[7,255]"],
                         self.column(exported, "MESSAGE"))


class PostgreSQL(WriterTest):
    STATEMENTS = ["select 1/0", "select 'a \"b\"; c',\n  'two lines'", "select 'caf\u00e9' -- x", "selec"]

    def test_postgresql(self):
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        folder = binaries[-1] if binaries else ""
        initdb, postgres, psql = (program(name, os.path.join(folder, name)) for name in
                                  ("initdb", "postgres", "psql"))
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("pg"))
        # It refuses to run as root.
        user = []
        if os.geteuid() == 0:
            os.chown(self.path("pg"), NOBODY, NOBODY)
            user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        subprocess.run([*user, initdb, "-D", self.path("pg/data"), "-U", "ann", "--auth=trust", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True, cwd=self.path("pg"))
        settings = {"logging_collector": "on", "log_destination": "csvlog", "log_directory": self.path("pg"),
                    "log_filename": "server.log", "log_timezone": "UTC", "log_statement": "all",
                    "listen_addresses": "", "unix_socket_directories": self.path("pg"), "fsync": "off"}
        server = self.start(*user, postgres, "-D", self.path("pg/data"),
                            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")))

        def ask(statement):
            return subprocess.run([psql, "-h", self.path("pg"), "-U", "ann", "-d", "postgres", "-c", statement],
                                  capture_output=True, check=False).returncode
        self.until("the server", lambda: ask("select 1") == 0, server)
        for statement in self.STATEMENTS:
            ask(statement)
        server.end()
        rows = self.rows("postgresql", "pg/server.csv")
        self.assertGreater(len(self.lines("pg/server.csv")), len(rows))
        for statement in self.STATEMENTS[:3]:
            self.assertIn("statement: " + statement, self.column(rows, "message"))
        errors = {row["message"]: row for row in rows if row["error_severity"] == "ERROR"}
        self.assertEqual("select 1/0", errors["division by zero"]["query"])
        self.assertEqual("22012", errors["division by zero"]["sql_state_code"])
        self.assertEqual(len(rows), len({(row["session_id"], row["session_line_num"]) for row in rows}))


class Loggers(WriterTest):
    def node(self, module, script):
        node = program("node")
        if not os.path.isdir(os.path.join(MODULES, module)):
            self.skipTest(f"{module} is not installed: scripts/setup")
        with open(self.path("app.log"), "wb") as log:
            subprocess.run([node, "-e", script], check=True, stdout=log, cwd=self.folder,
                           env=dict(os.environ, NODE_PATH=MODULES))

    def test_pino(self):
        self.node("pino", "const log = require('pino')(); log.info('door %d is open', 7);"
                  "log.child({door: 7}).warn('jammed'); log.error(new Error('boom'), 'it broke');")
        rows = self.rows("pino", "app.log")
        self.assertEqual(["door 7 is open", "jammed", "it broke"], self.column(rows, "msg"))
        self.assertEqual(["30", "40", "50"], self.column(rows, "level"))
        self.assertEqual({"door": 7}, json.loads(rows[1]["more"]))
        self.assertLess(abs(int(rows[0]["time"]) / 1000 - time.time()), 600)

    def test_bunyan(self):
        self.node("bunyan", "const log = require('bunyan').createLogger({name: 'doors'});"
                  "log.info('door %d is open', 7); log.warn({door: 7}, 'jammed');"
                  "log.error(new Error('boom'), 'it broke');")
        rows = self.rows("bunyan", "app.log")
        self.assertEqual(["door 7 is open", "jammed", "it broke"], self.column(rows, "msg"))
        self.assertEqual(["30", "40", "50"], self.column(rows, "level"))
        self.assertEqual("boom", json.loads(rows[2]["more"])["err"]["message"])

    def test_logfmt(self):
        self.node("logfmt", "const log = require('logfmt'); for (const data of ["
                  "{ts: '2012-03-09T09:48:00Z', level: 'info', msg: 'door \"7\" is open', n: 3, ok: true},"
                  "{ts: '2012-03-09T09:48:01Z', level: 'warn', msg: 'a=b', n: -1.5, ok: false}]) log.log(data);")
        rows = self.rows("logfmt", "app.log")
        self.assertEqual(['door "7" is open', "a=b"], self.column(rows, "msg"))
        self.assertEqual(["3", "-1.5"], self.column(rows, "n"))
        self.assertEqual(["true", "false"], self.column(rows, "ok"))

    def test_csv_and_json_of_python(self):
        rows = [{"at": "2012-03-09T09:48:00Z", "n": "7", "note": 'two, "three"'},
                {"at": "2012-03-09T09:48:01Z", "n": "", "note": "caf\u00e9 ; tab\t."},
                {"at": "2012-03-09T09:48:02Z", "n": "8", "note": "two\nlines"}]
        for name, dialect in (("csv", "excel"), ("csv", "unix"), ("tsv", "excel-tab")):
            with open(self.path("app.csv"), "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), dialect=dialect)
                writer.writeheader()
                writer.writerows(rows)
            self.assertEqual(rows, self.rows(name, "app.csv"), dialect)
        with open(self.path("app.jsonl"), "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({**row, "n": 1.50, "ok": True}) + "\n")
        got = self.rows("jsonl", "app.jsonl")
        self.assertEqual(self.column(rows, "note"), self.column(got, "note"))
        self.assertEqual({("1.5", "true")}, {(row["n"], row["ok"]) for row in got})

    def test_python(self):
        formats = {"dashes": "%(asctime)s - %(name)s - %(levelname)s - %(message)s",
                   "colons": "%(asctime)s %(levelname)s:%(name)s:%(message)s",
                   "level-first": "%(asctime)s %(levelname)-8s %(name)-12s %(message)s",
                   "logger-first": "%(asctime)s %(name)-12s %(levelname)-8s %(message)s",
                   "message": "%(asctime)s %(message)s", "basic": logging.BASIC_FORMAT}
        for kind, text in formats.items():
            with self.subTest(kind):
                handler = logging.FileHandler(self.path("app.log"), mode="w", encoding="utf-8")
                handler.setFormatter(logging.Formatter(text))
                logger = logging.Logger("app.doors")
                logger.addHandler(handler)
                try:
                    raise ValueError("boom")
                except ValueError:
                    logger.exception("it broke")
                for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
                    logger.log(level, "door %d, \u00fcber \"all\"", 7)
                handler.close()
                broken, *rows = self.rows("python-basic" if kind == "basic" else "python", "app.log")
                self.assertRegex(broken["Message"], r"(?s)^it broke\nTraceback .*\n  File .*\nValueError: boom$")
                self.assertEqual(['door 7, \u00fcber "all"'] * 5, self.column(rows, "Message"))
                if kind != "message":
                    self.assertEqual(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], self.column(rows, "Level"))
                    self.assertEqual({"app.doors"}, set(self.column(rows, "Logger")))

    def test_log4j(self):
        java = program("java")
        program("javac")  # java runs a source file only where it is
        jars = [f"/usr/share/java/log4j-{part}.jar" for part in ("api", "core")]
        if not all(os.path.exists(jar) for jar in jars):
            self.skipTest("liblog4j2-java is not installed")
        source = self.write("Doors.java", """
            import org.apache.logging.log4j.*;
            public class Doors {
              public static void main(String[] arguments) {
                Logger logger = LogManager.getLogger("com.example.Doors");
                for (Level level : new Level[] {Level.TRACE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR,
                                                Level.FATAL}) logger.log(level, "door 7 - open");
                logger.error("it broke", new java.io.IOException("boom"));
                LogManager.shutdown();
              }
            }""")
        for name, layout in (("padded", "%d [%t] %-5level %logger - %msg%n"),
                             ("plain", "%d [%t] %p %c - %m%n")):
            with self.subTest(name):
                config = self.write(f"{name}.xml", f"""
                    <Configuration><Appenders><File name='f' fileName='{self.path(name + ".log")}'>
                    <PatternLayout pattern='{layout}'/></File></Appenders>
                    <Loggers><Root level='trace'><AppenderRef ref='f'/></Root></Loggers></Configuration>""".strip())
                subprocess.run([java, "-cp", ":".join(jars), f"-Dlog4j2.configurationFile={config}", source],
                               check=True, cwd=self.folder)
                *rows, broken = self.rows("log4j", f"{name}.log")
                self.assertRegex(broken["Message"], r"^it broke\njava.io.IOException: boom\n\tat Doors.main")
                self.assertEqual(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], self.column(rows, "Level"))
                self.assertEqual({"door 7 - open"}, set(self.column(rows, "Message")))
                self.assertEqual({"com.example.Doors"}, set(self.column(rows, "Logger")))


class Collectd(WriterTest):
    def collectd(self, folder, **more):
        config = self.write("collectd.conf", f"""
            Hostname "web1"
            FQDNLookup false
            BaseDir "{self.folder}"
            PIDFile "{self.path('collectd.pid')}"
            Interval 1
            LoadPlugin csv
            LoadPlugin load
            LoadPlugin memory
            <Plugin csv>
              DataDir "{folder}"
            </Plugin>
            """)
        return self.start(program("collectd"), "-f", "-C", config, **more)

    def test_a_file_of_its_csv_plugin(self):
        server = self.collectd(self.path("data"))

        def files():
            return [os.path.relpath(path, self.folder)
                    for path in glob.glob(self.path("data/web1/*/*-*-*-*"))]
        self.until("two values of each", lambda: len(files()) > 2 and
                   all(len(self.lines(name)) > 2 for name in files()), server)
        server.end()
        for name in files():
            with self.subTest(name):
                rows = self.rows("collectd", name)
                self.assertEqual(len(self.lines(name)) - 1, len(rows))
                self.assertLess(abs(float(rows[0]["epoch"]) - time.time()), 600)
                float(list(rows[0].values())[-1])

    def test_its_standard_output(self):
        with open(self.path("values.log"), "wb") as log:
            server = self.collectd("stdout", stdout=log)
            self.until("values", lambda: len(self.lines("values.log")) > 10, server)
            server.end()
        # Its messages come to the same place as its values, but have a shape of their own.
        values = [line for line in self.lines("values.log") if line.startswith(b"PUTVAL")]
        self.write("only.log", "".join(line.decode() + "\n" for line in values))
        rows = self.rows("collectd-putval", "only.log")
        self.assertEqual(len(values), len(rows))
        self.assertIn("web1/load/load", set(self.column(rows, "Metric")))


if __name__ == "__main__":
    sys.exit(harness.main())
