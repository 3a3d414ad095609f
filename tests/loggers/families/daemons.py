"""Servers that rotate their own logs. They are fed with requests that name the token."""
import http.client
import os
import signal
import socket
import struct
import time

from kit import LINE_BYTES, Logger, find_program
from lines import Shape, line

PATIENCE = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.05)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """What all of them share: a port, waiting for the start, and a SIGTERM at the end."""

    def __init__(self, name, title, program, shape, **options):
        self.program, self.line_bytes = program, options.pop("line_bytes", LINE_BYTES)
        self.logger = Logger(name, title, self.start, feed=self.feed, finish=self.finish, shape=shape,
                             needs=(find_program(program) or program,), **options)

    def start(self, cell):
        cell.port = free_port()
        cell.client = None
        os.chmod(cell.logs, 0o777)  # some of them give up root
        os.chmod(cell.work, 0o777)
        process = cell.spawn(self.command(cell))
        until(f"{self.program} to start", lambda: process.poll() is not None or self.is_ready(cell))
        if process.poll() is not None:
            raise RuntimeError(f"{self.program} ended with status {process.returncode}")
        return process

    def is_ready(self, cell):
        return answers(cell.port)

    def finish(self, cell):
        cell.process.send_signal(signal.SIGTERM)
        cell.process.wait(PATIENCE)

    def size(self, cell):
        return cell.mode.lines_a_file * self.line_bytes

    def feed(self, cell, lines):
        for text in lines:
            cell.client = cell.client or http.client.HTTPConnection("127.0.0.1", cell.port, timeout=30)
            try:
                cell.client.request("GET", self.target(cell, text))
                answer = cell.client.getresponse()
                answer.read()
                if answer.will_close:
                    cell.client = None
            except http.client.HTTPException:
                cell.client = None

    def target(self, cell, text):
        return "/" + text


class Named(Server):
    """A query is sent when the one before it was answered: so they are logged in their order."""

    def __init__(self, suffix, title):
        super().__init__(f"bind9-{suffix}", f"bind9 {title}", "named", Shape(
            r"client @0x[0-9a-f]+ 127\.0\.0\.1#\d+ \(%s\): query: n[\dz-]+ IN A .*",
            own=r".*query: \. IN A .*"), line_bytes=200)
        self.suffix = suffix

    def command(self, cell):
        config = cell.file("named.conf", f"""
options {{ directory "{cell.work}"; pid-file none; session-keyfile none; recursion no;
  listen-on port {cell.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; }};
controls {{ }};
logging {{
  channel app {{ file "{cell.path('app.log')}" versions 5000 size {self.size(cell)} suffix {self.suffix}; }};
  category queries {{ app; }};
}};
""")
        return ["named", "-f", "-n", "1", "-c", config]

    def is_ready(self, cell):
        cell.client = cell.client or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cell.client.settimeout(1)
        return self.ask(cell, "") is not None

    def ask(self, cell, name):
        label = struct.pack("B", len(name)) + name.encode() if name else b""
        query = struct.pack(">6H", 1, 0, 1, 0, 0, 0) + label + b"\0" + struct.pack(">2H", 1, 1)
        try:
            cell.client.sendto(query, ("127.0.0.1", cell.port))
            return cell.client.recv(512)
        except (TimeoutError, ConnectionRefusedError):
            return None

    def feed(self, cell, lines):
        for text in lines:
            self.ask(cell, text)


class Squid(Server):
    def command(self, cell):
        config = cell.file("squid.conf", f"""
http_port 127.0.0.1:{cell.port}
http_access deny all
cache deny all
logformat app %ru
access_log stdio:{cell.path('app.log')} app
cache_log {cell.work}/cache.log
cache_store_log none
pid_filename {cell.work}/squid.pid
coredump_dir {cell.work}
logfile_rotate 5000
visible_hostname localhost
pinger_enable off
shutdown_lifetime 0 seconds
""")
        return ["squid", "-N", "-f", config]

    def target(self, cell, text):
        return f"http://localhost/{text}"


def rotate_squid(cell):
    cell.process.send_signal(signal.SIGUSR1)


class Caddy(Server):
    """It counts in megabytes, so each request gets a long query."""
    HEAD = 700

    def command(self, cell):
        config = cell.file("Caddyfile", f"""
{{
  admin off
  auto_https off
  storage file_system {cell.work}
}}
http://127.0.0.1:{cell.port} {{
  log {{
    output file {cell.path('app.log')} {{
      roll_size 1MiB
      roll_keep 5000
      {'roll_uncompressed' if 'plain' in cell.logger.name else ''}
    }}
  }}
  respond "well"
}}
""")
        return ["caddy", "run", "--adapter", "caddyfile", "--config", config]

    def target(self, cell, text):
        return f"/{text}?" + "x" * ((1 << 20) // cell.mode.lines_a_file - self.HEAD)


class Cups(Server):
    def command(self, cell):
        os.mkdir(f"{cell.work}/tmp")
        files = cell.file("cups-files.conf", f"""
AccessLog {cell.path('app.log')}
ErrorLog {cell.work}/error_log
PageLog {cell.work}/page_log
CacheDir {cell.work}/cache
DataDir /usr/share/cups
RequestRoot {cell.work}/spool
ServerRoot {cell.work}
StateDir {cell.work}/run
TempDir {cell.work}/tmp
""")
        config = cell.file("cupsd.conf", f"""
Listen 127.0.0.1:{cell.port}
AccessLogLevel all
MaxLogSize {self.size(cell)}
Browsing No
<Location />
  Order allow,deny
  Allow all
</Location>
""")
        return ["cupsd", "-f", "-c", config, "-s", files]


class Uwsgi(Server):
    """It logs what a program beside it says."""

    def command(self, cell):
        os.mkfifo(f"{cell.work}/fifo")
        return ["uwsgi-core", "--master", "--log-master", "--logto2", cell.path("app.log"), "--log-maxsize",
                str(self.size(cell)), "--attach-daemon", f"cat {cell.work}/fifo", "--socket",
                f"127.0.0.1:{cell.port}"]

    def feed(self, cell, lines):
        cell.client = cell.client or open(f"{cell.work}/fifo", "w", encoding="ascii")
        cell.client.write("".join(text + "\n" for text in lines))
        cell.client.flush()

    def finish(self, cell):
        last = line(cell.written).encode()

        def is_logged():
            with open(cell.path("app.log"), "rb") as file:
                return last in file.read()
        until("the last line", is_logged)
        cell.client.close()
        cell.process.send_signal(signal.SIGINT)
        cell.process.wait(PATIENCE)


class Rsyslog(Server):
    def command(self, cell):
        script = cell.file("rotate", f"#!/bin/sh\ncd {cell.logs} && n=$(ls | wc -l) && mv app.log app.log.$n\n")
        os.chmod(script, 0o755)
        config = cell.file("rsyslog.conf", f"""
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{cell.port}")
template(name="raw" type="string" string="%rawmsg%\\n")
$outchannel app,{cell.path('app.log')},{self.size(cell)},{script}
:msg, contains, "--" :omfile:$app;raw
""")
        return ["rsyslogd", "-n", "-f", config, "-i", f"{cell.work}/pid"]

    def is_ready(self, cell):
        with open("/proc/net/udp", encoding="ascii") as file:
            return f"0100007F:{cell.port:04X}" in file.read()

    def feed(self, cell, lines):
        cell.client = cell.client or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for text in lines:
            cell.client.sendto(f"<13>app: {text}".encode(), ("127.0.0.1", cell.port))


LOGGERS = [server.logger for server in (
    Named("increment", "9.18 suffix increment"),
    Named("timestamp", "suffix timestamp"),
    Squid("squid", "squid 5.7 -k rotate", "squid", Shape("http://localhost/%s", own="error:transaction-end.*"),
          rotate=rotate_squid),
    Caddy("caddy", "caddy 2.6.2 roll_size (gz at once)", "caddy", Shape(r'\{.*"uri":"/%s\?x*".*\}')),
    Caddy("caddy-plain", "caddy roll_uncompressed", "caddy", Shape(r'\{.*"uri":"/%s\?x*".*\}')),
    Cups("cups", "cups 2.4.2 MaxLogSize (.O, one kept)", "cupsd",
         Shape(r'localhost - - \[.*\] "GET /%s HTTP/1.1" .*'), line_bytes=135, siblings=("app.log.O",)),
    Uwsgi("uwsgi", "uWSGI 2.0.21 --log-maxsize", "uwsgi-core", Shape(own="(?!.*-{9}).*")),
    Rsyslog("rsyslog", "rsyslog 8.2302 outchannel", "rsyslogd", Shape("<13>app: %s"), line_bytes=69),
)]
