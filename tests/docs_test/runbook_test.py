"""docs/runbook.md has an entry for every message at warning or above, and none for a message that is gone.

A message is a text of some words in a call that logs or says at warning or above, or that makes an
error which is no mistake of the person at the command line (kind usage) and no stop. Of texts that are joined,
each literal counts for itself; {} stands for a value, as in the source.
"""
import os
import re
import sys
import unittest

SOURCE = os.environ.get("CARAVEL_SOURCE_DIR", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
RUNBOOK = os.path.join(SOURCE, "docs", "runbook.md")

# What says at warning or above: the log; notices, which the log or the agent prints; losses.
SAYS = re.compile(r"\b(?:log_warning|log_error|log_broken_off|log_about(?=\s*\(\s*\w+,\s*Severity::(?:warning|error)\b)|say_loss|file_waits|what_is_missing)\s*\(|"
                  r"\b(?:notices_?|messages_?|waits|log_\.notices|log\.notices|bench_\.notices)\.(?:say|set|check)\s*\(|"
                  r"\bmessages\.push_back\s*\(|\bfindings\.add\s*\(|\bfindings\.forgotten\.emplace\s*\(|"
                  r"\bnote\s*\(|\bon_note\s*\(")
# What makes an error.
FAILS = re.compile(r"\b(?:fail|Error|refuse|failed)\s*[({]\s*\{?\s*ErrorKind::(content|fault|retry|refused)\b")
# Here reasons are made which another place says: every text of four words counts.
REASONS = ("sources/sequence.cc", "intake/waiting_claims.cc", "intake/writer_check.cc", "intake/writer_check.h", "intake/claimer.cc",
           "spool/by_hand.cc", "pipeline/format_step.cc", "pipeline/formatting.cc", "pipeline/attempt.cc",
           "pipeline/anonymising.cc", "pipeline/keep_rejects.cc", "sources/source_watch.cc", "ledger/upkeep/overfull.cc")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sources():
    for folder in ("base", "formatter", "uploader", "watcher", "gateway", "builder"):
        for place, _, names in sorted(os.walk(os.path.join(SOURCE, folder))):
            if place.endswith("watcher/manual"):  # a program of the build
                continue
            # What a person asks of a command, and is answered, is in its own words.
            for name in sorted(names):
                if name.endswith((".cc", ".h")):
                    yield os.path.join(place, name)


def without_comments(text):
    """The same length, so that places stay."""
    pattern = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0].startswith("/") else m[0], text)


def end_of_call(text, start):
    """Behind the bracket that closes the first one at or behind `start`."""
    depth = 0
    at = start
    while at < len(text):
        character = text[at]
        if character == '"':
            at = LITERAL.match(text, at).end()
            continue
        if character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)


def without_subject(call):
    """What set() and check() name first is never shown."""
    subject = re.match(r"[\w.]+\.(?:set|check)\s*\(|file_waits\s*\(", call)
    if not subject:
        return call
    at, depth = subject.end(), 0
    while at < len(call) and (depth > 0 or call[at] not in ",)"):
        if call[at] == '"':
            at = LITERAL.match(call, at).end()
            continue
        depth += (call[at] in "({") - (call[at] in ")}")
        at += 1
    return call[at:]


def texts_in(call):
    """The texts of a call. Literals that stand side by side are one, and so are those that are joined by `+`: {}
    stands for what is between."""
    found = []
    end = None
    for literal in LITERAL.finditer(call):
        text = literal[1].replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\")
        between = call[end:literal.start()].strip() if end is not None else ","
        if not between:
            found[-1] += text
        elif between.startswith("+") and between.endswith("+") and not re.search(r"[?:,]", between.replace("::", "")):
            found[-1] += "{}" + text
        else:
            found.append(text)
        end = literal.end()
    return found


def shape_of(text):
    """As the runbook has it: what joins it to the value before or behind it is left out."""
    return " ".join(text.split()).lstrip(" :;,)").rstrip(" :;,")


def is_message(text):
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\{[^}]*\}", " ", text))
    is_sql = re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WHERE|INDEXED|PRAGMA|CREATE)\b", text)
    return (len(words) >= 3 or re.search(r"[A-Za-z]{4,}.*: \{\}", text)) and " " in text and not is_sql


def messages():
    """Each message, with the places that have it."""
    found = {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            text = without_comments(file.read())
        for pattern in (SAYS, FAILS):
            for call in pattern.finditer(text):
                whole = text[call.start():end_of_call(text, call.start())]
                for message in texts_in(without_subject(whole)):
                    message = shape_of(message)
                    if is_message(message):
                        line = text.count("\n", 0, call.start()) + 1
                        found.setdefault(message, []).append(f"{os.path.relpath(path, SOURCE)}:{line}")
        if path.endswith(REASONS):
            for message in texts_in(text):
                message = shape_of(message)
                if is_message(message) and not message.startswith("ledger: ") and len(re.findall("[A-Za-z]{2,}", message)) >= 4:
                    found.setdefault(message, []).append(os.path.relpath(path, SOURCE))
    return found


def entries():
    """Each entry of the runbook with what it says."""
    with open(RUNBOOK, encoding="utf-8") as file:
        text = file.read()
    return {match[1].strip(): " ".join(match[2].split())
            for match in re.finditer(r"^- ``(.+)``\n((?:  .*\n)*)", text, re.MULTILINE)}


class Runbook(unittest.TestCase):
    def test_every_message_has_an_entry(self):
        known = entries()
        for message, places in sorted(messages().items()):
            with self.subTest(places[0]):
                self.assertTrue(message in known, f"docs/runbook.md has no entry for: {message}")

    def test_every_entry_is_a_message(self):
        said = messages()
        for entry in entries():
            with self.subTest(entry):
                self.assertTrue(entry in said, f"nothing says this any more: {entry}")

    def test_every_entry_has_a_meaning_and_a_remedy(self):
        for entry, text in entries().items():
            with self.subTest(entry):
                self.assertRegex(text, r"\w.* \*Do:\* [\w`]")

    def test_the_reader_of_sources_sees_what_it_should(self):
        call = 'log_warning("{}: a \\"b\\" "\n  "c", x ? "d e" : f("g h i"), "{}", "j k" + l + "m n")'
        self.assertEqual(texts_in(call[:end_of_call(call, 0)]), ['{}: a "b" c', "d e", "g h i", "{}", "j k{}m n"])
        self.assertGreater(len(messages()), 100)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        for one, where in sorted(messages().items(), key=lambda item: item[1][0]):
            print(f"{where[0]}  {one}")
        sys.exit()
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
