"""No client can make a line of a real web server a reject, or give it another reading: nginx and Apache
serve hostile requests, and an independent regular expression reads what they wrote."""
import base64
import concurrent.futures
import csv
import os
import random
import re

import harness
import web_servers

STAMP = "[10/Oct/2000:13:55:36 -0700]"

# What lies between quotes holds no quote that the server has not escaped, and neither does a user's name;
# but Apache writes "" for a name that is empty. So the first quote behind a bracket opens the request.
ESCAPED = r'(?:[^"\\]|\\.)*'
LINE = re.compile(
    rf'(?P<client>\S+) \S+ (?P<user>""|{ESCAPED}) '
    r'\[(?P<date>\d\d/\w{3}/\d{4}):(?P<time>\d\d:\d\d:\d\d) (?P<zone>[+-]\d{4})\] '
    rf'"(?P<request>{ESCAPED})" (?P<status>\d{{3}}) (?P<bytes>\d+|-)'
    rf'(?: "(?P<referer>{ESCAPED})" "(?P<agent>{ESCAPED})")?')

NAMES = [
    "ann", "", "-", " ", "Ann B Example", " [", "x [", "] [", '"] [', '"', '""', '"ann ', "\\", "\\\\", '\\"',
    f"x {STAMP}", f'x {STAMP} "GET / HTTP/1.0" 200 1 "-" "-"', f'{STAMP} "', f" {STAMP} \\", "ann, b", "a\tb",
    "a\nb", "a\r\nb", "a\0b", "\x7f\x1b[2J", "über", " [" * 2800, f" {STAMP}" * 180, f' {STAMP} "' * 180,
    "[" * 5600, "x" * 5600, '"' * 5600, "\\" * 5600,
]

# Requests that are none, or nearly none.
RAW = [
    b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"\n", b"\0" * 64,
    b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"get / http/1.1\r\n\r\n", b"-\r\n\r\n",
    b"\"\" [\r\n\r\n", b"GET /\" HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\xfd\r\n\r\n",
    f'GET /{STAMP} {STAMP} "x" HTTP/1.0\r\n\r\n'.encode(), f'{STAMP} " 200 1 " " "\r\n\r\n'.encode(),
    b"GET /" + b"a" * 9000 + b" HTTP/1.0\r\n\r\n", b"OPTIONS * HTTP/1.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT host:443 HTTP/1.1\r\nHost: host\r\n\r\n",
    b"HEAD /open/ HTTP/1.0\r\nIf-Modified-Since: Tue, 01 Jan 2097 00:00:00 GMT\r\n\r\n",
    b"GET /open/ HTTP/1.0\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"GET /open/ HTTP/1.0\r\nReferer",
]

PIECES = ["[", "]", " [", "] ", '"', '" ', ' "', "\\", '\\"', " ", "-", ",", "\t", ":", STAMP, f" {STAMP} ",
          f' {STAMP} "', '" 200 5 "', " 404 7 ", '"-" "-"', "GET / HTTP/1.1", "\x01", "\x7f", "ü", "a", "7"]


def request_of(name, path="/", method="GET", referer="-", agent="test"):
    """With that user's name; the password is wrong, so it is asked for again: 401."""
    secret = base64.b64encode(name.encode("utf-8") + b":wrong")
    return (f"{method} {path} HTTP/1.0\r\n".encode() + b"Authorization: Basic " + secret +
            f"\r\nReferer: {referer}\r\nUser-Agent: {agent}\r\n\r\n".encode())


def digest_request_of(name, nonce):
    """Basic authentication ends a name at its first colon (RFC 7617); the digest's may hold any (RFC 7616)."""
    quoted = name.encode("utf-8").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return (b'GET /digest/ HTTP/1.0\r\nAuthorization: Digest username="' + quoted +
            b'", realm="closed", nonce="' + nonce + b'", uri="/digest/", response="' + b"0" * 32 +
            b'", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"\r\n\r\n')


def hostile(seed, count):
    """Requests drawn by chance from what could confuse a reader."""
    generator = random.Random(seed)

    def text(most, without="\r\n"):
        drawn = "".join(generator.choice(PIECES) for _ in range(generator.randrange(most)))
        return "".join(c for c in drawn if c not in without)

    for _ in range(count):
        request = request_of(text(9), generator.choice(["/", "/open/"]) + text(5),
                             generator.choice(["GET", "POST", "X", text(3)]), text(7), text(7))
        if generator.random() < 0.1:
            place = generator.randrange(len(request))
            request = request[:place] + bytes([generator.randrange(256)]) + request[place + 1:]
        yield request


class AccessLogs(harness.HostTest):
    def attack(self, server):
        """Lines that it must have written."""
        server.start()
        try:
            requests = [request_of(name) for name in NAMES] + RAW
            nonce = re.search(rb'nonce="([^"]*)"', server.send(b"GET /digest/ HTTP/1.0\r\n\r\n"))
            if nonce:  # nginx has only basic authentication
                requests += [digest_request_of(name, nonce[1]) for name in NAMES
                             if not set(name) & set("\r\n\0")]
            requests += [request_of("x", referer=f'{STAMP} " 200 5 "', agent=f' 404 7 "x" {STAMP} "'),
                         request_of("x", path=f"/{STAMP}%20%22", agent="Mozilla/4.0 [en] (X11; I) [x")]
            requests += hostile(20121130, 300)
            addresses = server.addresses()
            # Several at once: with some the server waits for more before it gives up.
            with concurrent.futures.ThreadPoolExecutor(8) as senders:
                for sent in [senders.submit(server.send, request, addresses[number % len(addresses)])
                             for number, request in enumerate(requests)]:
                    sent.result()
            # Too slow: the server gives up, and says so in its log.
            server.send(b"GET / HT", finish=False)
            server.send(b"", finish=False)
        finally:
            server.stop()
        return len(requests)

    def check(self, log, format_name, least):
        """Formats a log and compares each row with the regular expression's reading of its line."""
        with open(log, encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertGreater(len(lines), least)
        host = self.host()
        rejects = host.path("rejects")
        done = host.run("format", "--format", format_name, "--rejects", rejects, log)
        reasons = ""
        if os.path.exists(rejects + ".reasons.csv"):
            with open(rejects + ".reasons.csv", encoding="utf-8") as file:
                reasons = file.read()
        self.assertEqual((done.returncode, reasons), (0, ""), done.stderr)
        rows = list(csv.DictReader(done.stdout.splitlines(keepends=True)))
        self.assertEqual(len(rows), len(lines))
        for line, row in zip(lines, rows):
            match = LINE.fullmatch(line.strip(" "))
            self.assertIsNotNone(match, line)
            expected = match.groupdict()
            got = {name: row[name.capitalize()] for name in ("client", "user", "time", "zone", "request",
                                                             "status")}
            self.assertEqual(got, {name: expected[name] for name in got}, line)
            for name in ("bytes", "referer", "agent"):
                wanted = "" if name == "bytes" and expected[name] == "-" else expected[name] or ""
                self.assertEqual(row[name.capitalize()], wanted, line)
        return rows

    def folder_for(self, name):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        return folder

    def test_nginx(self):
        server = web_servers.Nginx(self.folder_for("nginx"))
        least = self.attack(server) * 9 // 10
        rows = self.check(server.access_log, "nginx", least)
        # That the attack was one: names with blanks and brackets, requests that are none.
        self.assertIn("Ann B Example", {row["User"] for row in rows})
        self.assertIn("x [10/Oct/2000", {row["User"] for row in rows})
        self.assertIn("400", {row["Status"] for row in rows})
        self.assertIn("401", {row["Status"] for row in rows})

    def test_apache(self):
        server = web_servers.Apache(self.folder_for("apache"), hostnames=False)
        least = self.attack(server) * 9 // 10
        rows = self.check(server.access_log, "apache", least)
        self.assertIn("Ann B Example", {row["User"] for row in rows})
        self.assertIn('""', {row["User"] for row in rows})
        self.assertIn(f"x {STAMP}", {row["User"] for row in rows})
        self.assertIn(f'x {STAMP} \\"GET / HTTP/1.0\\" 200 1 \\"-\\" \\"-\\"', {row["User"] for row in rows})
        self.assertIn("408", {row["Status"] for row in rows})
        self.assertIn("", {row["Bytes"] for row in rows})
        self.assertEqual(len(self.check(server.debian_log, "apache", least)), len(rows))
        self.assertEqual(len(self.check(server.common_log, "apache", least)), len(rows))

    def test_apache_with_names_of_hosts(self):
        server = web_servers.Apache(self.folder_for("apache"), hostnames=True)
        rows = self.check(server.access_log, "apache", self.attack(server) * 9 // 10)
        self.assertTrue({row["Client"] for row in rows} & {"localhost", "ip6-localhost"})


if __name__ == "__main__":
    if web_servers.missing():
        raise SystemExit(f"not installed: {web_servers.missing()}; run scripts/setup")
    harness.main()
