"""caravel format --suggest: from an unknown log to rows in the store, as a person would go."""
import gzip
import os
import subprocess

import harness

DOORS = [f"2024-03-09 09:{second // 60:02}:{second % 60:02}.250  door {second % 17} " +
         ('opened by "Ann, Smith"  [card]' if second % 3 else "closed") + "\n"
         for second in range(0, 600, 7)]


class Suggest(harness.HostTest):
    def suggest(self, host, *arguments, stdin=b""):
        return subprocess.run([harness.CARAVEL, "--config", host.config, "format", "--suggest", *arguments],
                              input=stdin, capture_output=True, timeout=harness.PATIENCE, check=False,
                              cwd=host.folder)

    def test_what_is_suggested_loads_the_log_that_it_was_made_of(self):
        host = self.host()
        with open(host.path("doors.log"), "w", encoding="utf-8") as file:
            file.writelines(DOORS)
        run = self.suggest(host, "doors.log")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(f"takes {len(DOORS)} of {len(DOORS)} lines", run.stderr.decode())
        os.mkdir(host.path("formats"))
        with open(host.path("formats/doors.yaml"), "wb") as file:
            file.write(run.stdout)
        with open(host.config, "a", encoding="utf-8") as file:
            file.write("  doors:\n    match: 'doors*'\n    format: doors\n    store: local\n"
                       "formats: [formats]\n")
        host.run("process", "--feed", "doors", "doors.log", expect=0)
        self.assertEqual(host.rows("select count(*), count(distinct At) from doors"),
                         [(len(DOORS), len(DOORS))])
        self.assertEqual(host.rows("select cast(Door as integer), Text from doors "
                                   "where At = '2024-03-09 09:00:07.250'"), [(7, "Ann, Smith")])

    def test_packed_logs_and_pipes_are_read_too(self):
        host = self.host()
        log = "".join(DOORS).encode()
        with gzip.open(host.path("doors.log.gz"), "wb") as file:
            file.write(log)
        packed = self.suggest(host, "doors.log.gz")
        self.assertEqual(packed.returncode, 0, packed.stderr)
        for pipe in (self.suggest(host, stdin=log), self.suggest(host, "-", stdin=gzip.compress(log))):
            self.assertEqual(pipe.returncode, 0, pipe.stderr)
            self.assertEqual(pipe.stdout, packed.stdout.replace(b"format: doors", b"format: suggested"))

    def test_exit_codes(self):
        host = self.host()
        with open(host.path("text.log"), "w", encoding="utf-8") as file:
            file.write("lorem ipsum\ndolor sit amet\nx\n")
        whole = self.suggest(host, "text.log")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertIn("no structure was recognised", whole.stderr.decode())
        # More than a twentieth of these lines holds NUL bytes, and no format takes such a line.
        poor = self.suggest(host, stdin="".join(DOORS).encode() + b"\0\0\n" * 20)
        self.assertEqual(poor.returncode, 3, poor.stderr)
        self.assertIn("NUL", poor.stderr.decode())
        self.assertEqual(self.suggest(host, stdin=b"\n \n").returncode, 1)
        self.assertEqual(self.suggest(host, "missing.log").returncode, 2)
        wrong = self.suggest(host, "--format", "spysocket", "text.log")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--suggest does not go with --format", wrong.stderr.decode())

    def test_foreign_text_stays_text(self):
        host = self.host()
        evil = "2024-03-09 09:48:00 x\x1b[31m y\n" * 5 + "2024-03-09 09:48:01 \u202e# 'a' {b}\n" * 5
        run = self.suggest(host, stdin=("".join(DOORS) + evil).encode())
        self.assertNotIn(b"\x1b", run.stdout + run.stderr)
        self.assertNotIn("\u202e".encode(), run.stdout + run.stderr)


if __name__ == "__main__":
    harness.main()
