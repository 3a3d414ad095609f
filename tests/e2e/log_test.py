"""How the log is written, and how all mistakes of a configuration are told."""
import json
import os
import subprocess
import sys
import unittest

import harness
from harness import location

# In a mount namespace of its own: journald's socket, and a sweep whose stderr claims to be the journal.
# Prints what came, an entry a line, then what was written on stderr.
JOURNAL = r"""
import json, os, socket, subprocess, sys
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
journal.setblocking(False)
with open(sys.argv[1], "wb") as stderr:
    status = os.fstat(stderr.fileno())
    subprocess.run(sys.argv[2:], stderr=stderr, check=False,
                   env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
while True:
    try:
        entry = journal.recv(65536).decode()
    except BlockingIOError:
        break
    print(json.dumps(dict(line.split("=", 1) for line in entry.splitlines())))
"""


class LogFormat(harness.HostTest):
    def swept(self, host):
        host.run("sweep", expect=0)  # makes the spool
        path = host.path("spool/drop/a-2012-03-09.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(location(second) for second in range(3)))
        os.utime(path, (1_331_300_000, 1_331_300_000))

    def add(self, host, text):
        with open(host.config, "a", encoding="utf-8") as file:
            file.write(text)

    def test_json_is_an_object_a_line(self):
        host = self.host()
        self.add(host, "log_format: json\n")
        self.swept(host)
        lines = [json.loads(line) for line in host.run("sweep", expect=0).stderr.splitlines()]
        done = next(line for line in lines if line.get("stored"))
        self.assertEqual((done["level"], done["feed"], done["extract"], done["lines"], done["stored"]),
                         ("info", "hrt", "a-2012-03-09.log", "3", "3"))
        self.assertRegex(done["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_logfmt(self):
        host = self.host()
        self.add(host, "log_format: logfmt\n")
        self.swept(host)
        said = host.run("sweep", expect=0).stderr
        self.assertRegex(said, r'(?m)^time=\S+Z level=info msg="hrt: a-2012-03-09\.log: done: .*" feed=hrt '
                               r"extract=a-2012-03-09\.log lines=3 stored=3 already_there=0 ")

    @unittest.skipUnless(os.geteuid() == 0, "only root may mount a /run of its own")
    def test_the_journal_gets_severity_and_fields(self):
        host = self.host()
        self.swept(host)
        stderr = host.path("stderr")
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", sys.executable, "-c",
             JOURNAL, stderr, harness.CARAVEL, "sweep", "--config", host.config],
            capture_output=True, text=True, check=True, timeout=harness.PATIENCE)
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        entry = next(entry for entry in entries if "CARAVEL_STORED" in entry)
        self.assertEqual((entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["CARAVEL_FEED"],
                          entry["CARAVEL_EXTRACT"], entry["CARAVEL_STORED"]),
                         ("6", "caravel", "hrt", "a-2012-03-09.log", "3"))
        with open(stderr, encoding="utf-8") as file:
            self.assertNotIn("done", file.read())  # and not once more, as a line

    def test_a_variable_that_a_child_inherited_means_nothing(self):
        host = self.host()
        self.swept(host)
        said = host.run("sweep", wrapper=("env", "JOURNAL_STREAM=1:2"), expect=0).stderr
        self.assertRegex(said, r"(?m)^\d{4}-\S+Z info: hrt: a-2012-03-09\.log: done: 3 lines")


class ConfigErrors(harness.HostTest):
    def test_all_are_told_at_once(self):
        host = self.host(feed="    settle: 2\n    timezone: Mars/Base\n", feeds="  other: {format: spysokcet, sotre: x}\n")
        said = host.run("check", expect=2).stderr.splitlines()
        self.assertEqual(len(said), 2, said)
        for line, place in zip(said, ("feeds.hrt.settle: bad duration", "feeds.other.sotre: unknown key")):
            self.assertIn(place, line)
        host = self.host(feed="    timezone: Mars/Base\n", feeds="  other: {format: spysokcet, match: '*.x'}\n")
        said = host.run("check", expect=2).stderr.splitlines()
        self.assertEqual(len(said), 2, said)
        self.assertIn("Mars/Base", said[0])
        self.assertIn("did you mean 'spysocket'", said[1])

    def test_a_pattern_without_quotes_is_explained(self):
        host = self.host(feeds="  other:\n    match: *.log\n")
        said = host.run("check", expect=2).stderr
        self.assertRegex(said, r"caravel\.yaml:\d+: match: a value that begins with '\*' needs quotes")

    def test_the_environment_stands_in_values(self):
        host = self.host(feeds="  other: {drop: '${PLACE}', match: '${MATCH:-*.txt}'}\n")
        place = host.path("place")
        said = host.run("status", wrapper=("env", f"PLACE={place}"), expect=0).stdout
        self.assertIn(place, said)
        self.assertIn("PLACE is not set", host.run("status", expect=2).stderr)


if __name__ == "__main__":
    harness.main()
