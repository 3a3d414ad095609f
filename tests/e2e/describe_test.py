"""`caravel format --explain` and `--stats`, and what the loader of formats says, as a person meets them."""
import os
import pty
import re
import resource
import subprocess
import tempfile
import unicodedata
import unittest

import harness

FORMAT = """format: doors
blanks: any
time: [Date, Time]
columns: [Date, Time, Door, Who]
kinds:
  - kind: opened
    line: '{Date:date} {Time:time} door {Door:int} opened by {Who:quoted}'
  - kind: closed
    line: '{Date:date} {Time:time} door {Door:int} closed'
  - kind: heartbeat
    action: drop
    line: '{date} {time} heartbeat {int}'
"""
LOG = """2024-02-29 07:58:01 door 17 opened by "Ann"
2024-02-29 07:58:10 heartbeat 5511
2024-02-29 07:58:12 door 17 jammed
"""
OURS = re.compile(rb"\x1b\[(?:0|1|2|31|32|36|1;31)m")


def columns(text):
    """How many columns a terminal gives it: an opinion of its own, from Python's Unicode tables."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


class DescribeTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="caravel-describe-")
        self.addCleanup(self.scratch.cleanup)
        self.folder = self.scratch.name
        os.mkdir(os.path.join(self.folder, "formats"))
        self.write("caravel.yaml", "feeds: {}\n")
        self.write("formats/doors.yaml", FORMAT)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def command(self, *arguments):
        return [harness.CARAVEL, "format", "--config", "caravel.yaml", "--format", "doors", *arguments]

    def run_piped(self, *arguments, stdin=b""):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, input=stdin, capture_output=True,
                              timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr.decode()

    def run_on_terminal(self, *arguments, **environment):
        """stdout of the command when it is a terminal."""
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", **environment}
        environment = {name: value for name, value in environment.items() if value is not None}
        child = subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=theirs,
                                 stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            said += piece
        child.wait(timeout=60)
        os.close(ours)
        return said

    def test_each_line_is_explained_on_stdout_and_no_row_is_written(self):
        code, said, messages = self.run_piped("--explain", self.write("doors.log", LOG))
        self.assertEqual(code, 3)
        self.assertIn("3 lines: 1 rows, 1 dropped, 1 rejected", messages)
        text = said.decode()
        self.assertIn("line 1: opened\n  2024-02-29 07:58:01 door 17 opened by \"Ann\"\n", text)
        self.assertIn("line 2: heartbeat, dropped\n", text)
        self.assertIn("line 3: reject: expected ", text)
        self.assertNotIn("Date,Time", text)

    def test_a_caret_stands_under_the_place_for_each_kind(self):
        _, said, _ = self.run_piped("--explain", stdin=LOG.encode())
        lines = said.decode().split("\n")
        at = lines.index("  2024-02-29 07:58:12 door 17 jammed")
        place = lines[at].index("jammed")
        self.assertEqual(lines[at + 1], " " * place + '^ opened wants "opened", finds "jammed"')
        self.assertEqual(lines[at + 2], " " * place + '^ closed wants "closed", finds "jammed"')
        self.assertEqual(lines[at + 3],
                         " " * lines[at].index("door") + '^ heartbeat wants "heartbeat", finds "door"')

    def test_labels_and_carets_stand_right_under_wide_characters(self):
        log = '2024-02-29 07:58:01 door 17 opened by "東京 Zürich" \n2024-02-29 07:58:02 door 東京\n'
        _, said, _ = self.run_piped("--explain", stdin=log.encode())
        lines = said.decode().split("\n")
        self.assertEqual(lines[1].split('"')[1], "東京 Zürich")
        self.assertEqual(lines[2].rindex("-----------"), columns(lines[1].split("東")[0]))
        self.assertEqual(len(lines[2]), columns(lines[1].rstrip()) - 1)
        at = next(place for place, line in enumerate(lines) if line.startswith("line 2")) + 1
        self.assertEqual(lines[at + 1].index("^"), columns(lines[at].split("東")[0]))

    def test_a_terminal_gets_colours_and_nothing_else_does(self):
        path = self.write("doors.log", LOG)
        self.assertRegex(self.run_on_terminal("--explain", path, NO_COLOR=None), OURS)
        self.assertRegex(self.run_on_terminal("--stats", path, NO_COLOR=""), OURS)
        self.assertNotIn(b"\x1b", self.run_on_terminal("--explain", path, NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.run_on_terminal("--explain", path, NO_COLOR=None, TERM="dumb"))
        self.assertNotIn(b"\x1b", self.run_piped("--explain", path)[1])

    def test_no_line_writes_to_the_terminal(self):
        hostile = (b"\x1b]0;owned\x07 \x1b[2J\n" + b'2024-02-29 07:58:01 door 17 opened by "\x1b[31m\xe2\x80\xae"\n' +
                   b"\xff\xfe\x9b31m\n" + b"2024-02-29 07:58:01 \x1b[5m\r\n" + b"\x00\n" +
                   b"2024-02-29 07:58:01 door " + b"\x1b[7m" * 5000 + b"\n")
        path = self.write("hostile.log", hostile)
        for option in ("--explain", "--stats"):
            said = OURS.sub(b"", self.run_on_terminal(option, path, NO_COLOR=None)).replace(b"\r\n", b"\n")
            text = said.decode()  # it is UTF-8
            self.assertFalse([c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"], text)
            self.assertIn("\\x1B", text)

    def test_long_lines_are_cut_around_the_place_that_matters(self):
        log = "2024-02-29 07:58:01 door " + "7" * 3000 + " jammed" + " and more" * 3000 + "\n"
        _, said, _ = self.run_piped("--explain", stdin=log.encode())
        lines = said.decode().split("\n")
        self.assertLessEqual(max(columns(line) for line in lines), 130)
        self.assertTrue(lines[1].startswith("  …777") and lines[1].endswith("…"), lines[1])
        self.assertEqual(lines[2].index("^"), lines[1].index("jammed"))

    def test_stats_count_kinds_reasons_and_ranges(self):
        log = LOG + "".join(f"2024-02-29 07:58:{i:02} door {i} closed\n" for i in range(20)) + (
            "x\n2024-02-29 07:58:12 door 1 stuck\n2024-02-29 07:58:12 door 999 stuck\n")
        code, said, _ = self.run_piped("--stats", stdin=log.encode())
        text = said.decode()
        self.assertEqual(code, 3)
        self.assertRegex(text, r"(?m)^ +1  opened$")
        self.assertRegex(text, r"(?m)^ +20  closed$")
        self.assertRegex(text, r"(?m)^ +1  heartbeat, dropped$")
        self.assertRegex(text, r"(?m)^ +26  in all$")
        # Places differ, the reason is one.
        self.assertRegex(text, r'(?m)^ +3  expected "opened" at byte N \(opened\)$')
        self.assertRegex(text, r"(?m)^  Door +number  0 to 19, 20 different$")
        self.assertRegex(text, r"(?m)^  Who +text +always Ann, 20 rows empty$")
        self.assertRegex(text, r"(?m)^  Date +text +always 2024-02-29$")

    @unittest.skipIf("ASAN_OPTIONS" in os.environ, "the sanitizer keeps what was freed")
    def test_the_memory_of_stats_has_a_limit(self):
        log = "".join(f"2024-02-29 07:58:12 door {i} opened by \"{i:x}{'w' * 300}\"\n{'x' * (i % 300)}{i:x}\n"
                      for i in range(30000))
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        code, _, _ = self.run_piped("--stats", self.write("big.log", log))
        self.assertEqual(code, 3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        if after > before:
            self.assertLess(after, 120 * 1024)  # KiB; the input is 15 MB

    def test_an_option_that_writes_a_file_does_not_go_with_them(self):
        code, _, messages = self.run_piped("--explain", "--rejects", "bad", self.write("doors.log", LOG))
        self.assertEqual(code, 2)
        self.assertIn("leave out --rejects", messages)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "bad")))

    def test_the_loader_shows_the_piece_that_is_wrong(self):
        self.write("formats/doors.yaml", FORMAT.replace("{Door:int} opened", "{Door:intt} opened"))
        code, said, messages = self.run_piped("--explain", stdin=LOG.encode())
        self.assertEqual((code, said), (2, b""))
        lines = messages.rstrip("\n").split("\n")
        self.assertTrue(lines[0].endswith("formats/doors.yaml:7:41: kinds[0].line: unknown type 'intt'; did "
                                          "you mean 'int'?"), lines[0])
        self.assertEqual(lines[1], "  7 |     line: '{Date:date} {Time:time} door {Door:intt} opened by {Who:quoted}'")
        self.assertEqual(lines[2], "    |" + " " * 41 + "^" * len("{Door:intt}"))

    def test_the_configuration_is_never_quoted(self):
        self.write("caravel.yaml", "stores: {c: {type: couchdb, password: secret-of-the-test}}\n")
        code, said, messages = self.run_piped("--explain", stdin=LOG.encode())
        self.assertEqual(code, 2)
        self.assertNotIn("secret-of-the-test", said.decode() + messages)


if __name__ == "__main__":
    harness.main()
