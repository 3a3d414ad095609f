#!/usr/bin/env python3
"""The manual pages and the completion that the build made: what reads them takes them without a word.

    manual_test.py CARAVEL MANUAL_FOLDER
"""
import glob
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

CARAVEL, MANUAL = map(os.path.abspath, sys.argv[1:3])
PATIENCE = 60  # seconds, for a machine that is busy


def output_of(*arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, **options)


class Pages(unittest.TestCase):
    pages = sorted(glob.glob(f"{MANUAL}/man/*/*"))

    def test_each_command_and_each_file_has_one(self):
        text = output_of(CARAVEL, "--help").stdout
        commands = re.findall(r"^  ([a-z]+) +\S", text, re.MULTILINE)
        self.assertIn("status", commands)
        names = {os.path.basename(page) for page in self.pages}
        self.assertEqual(names, {f"caravel-{command}.1" for command in commands} | {
            "caravel.1", "caravel-tail.1", "send-scp.1", "send-rsync.1", "caravel.yaml.5", "caravel-formats.5"})

    def test_man_and_mandoc_have_nothing_to_say(self):
        for page in self.pages:
            with self.subTest(page=os.path.basename(page)):
                man = output_of("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page,
                                env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
                self.assertEqual((man.returncode, man.stderr), (0, ""))
                lint = output_of("mandoc", "-Tlint", page)
                self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))

    def test_whatis_finds_what_each_is_for(self):
        for page in self.pages:
            name = os.path.basename(page).rsplit(".", 1)[0]
            found = output_of("lexgrog", page).stdout
            self.assertRegex(found, re.escape(f'"{name} - '))

    def test_every_option_of_the_help_is_in_the_page(self):
        text = output_of(CARAVEL, "process", "--help").stdout
        options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
        self.assertIn("--delete-stale", options)
        page = output_of("mandoc", "-Tutf8", f"{MANUAL}/man/man1/caravel-process.1").stdout
        page = re.sub(".\x08", "", page)
        for option in options:
            self.assertIn(option, page)


class Terminal:
    """An interactive shell; what it shows is waited for."""

    def __init__(self, *command, **environment):
        self.shown = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm", **environment})

    def type(self, text):
        self.shown = ""
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.shown):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise AssertionError(f"{pattern!r} was not shown: {self.shown!r}")
            self.shown += os.read(self.terminal, 4096).decode(errors="replace")

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


# What is typed, and what must then be offered.
CASES = [("caravel", ["caravel", "proc"], "process"),
         ("caravel", ["caravel", "process", "--ye"], "--year"),
         ("caravel", ["caravel", "capture", "--from", "st"], "start"),
         ("caravel", ["caravel", "ledger", "reb"], "rebuild"),
         ("caravel-tail", ["caravel-tail", "--max-o"], "--max-outbox"),
         ("caravel-tail", ["caravel-tail", "--from", "e"], "end")]


class Completion(unittest.TestCase):
    def test_bash(self):
        script = """source "$1"; shift; function=$1; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); $function; printf '%s\\n' "${COMPREPLY[@]}" """
        for program, words, wanted in CASES + [("caravel", ["caravel", "capture", "--from", "="], "start")]:
            with self.subTest(words=words):
                done = output_of("bash", "-c", script, "bash", f"{MANUAL}/bash/{program}",
                                 "_" + program.replace("-", "_"), *words)
                self.assertEqual(done.stderr, "")
                self.assertIn(wanted, done.stdout.split())

    def test_bash_offers_files(self):
        with tempfile.TemporaryDirectory() as folder:
            open(f"{folder}/two words.log", "w", encoding="utf-8").close()
            script = """source "$1"; COMP_WORDS=(caravel process two) COMP_CWORD=2; _caravel
                printf '%s\\n' "${COMPREPLY[@]}" """
            done = output_of("bash", "-c", script, "bash", f"{MANUAL}/bash/caravel", cwd=folder)
            self.assertEqual((done.stdout, done.stderr), ("two words.log\n", ""))

    def test_fish(self):
        for program, words, wanted in CASES:
            with self.subTest(words=words), tempfile.TemporaryDirectory() as home:
                done = output_of("fish", "--no-config", "-c",
                                 f"source {MANUAL}/fish/{program}.fish; complete -C '{' '.join(words)}'",
                                 env={**os.environ, "HOME": home})
                self.assertEqual(done.stderr, "")
                self.assertIn(wanted, [line.split("\t")[0] for line in done.stdout.splitlines()])

    def test_zsh(self):
        with tempfile.TemporaryDirectory() as home:
            shell = Terminal("zsh", "-f", "-i", HOME=home, ZDOTDIR=home, PS1="> ")
            self.addCleanup(shell.close)
            shell.type(f"fpath=({MANUAL}/zsh $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\n")
            shell.wait_for("ready\r")
            for program, words, wanted in CASES:
                with self.subTest(words=words):
                    shell.type(" ".join(words) + "\t")
                    shell.wait_for(re.escape(wanted))
                    shell.type("\x15 echo cl''ear\n")
                    shell.wait_for("clear\r")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
