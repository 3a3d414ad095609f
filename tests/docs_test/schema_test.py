#!/usr/bin/env python3
"""The JSON Schemas of etc/schema say what the program's own readers say.

    schema_test.py CARAVEL SOURCE_DIR

A new key needs its line in the schema, and nothing here. A new map with keys of its own needs a Level.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

CARAVEL, SOURCE = os.path.abspath(sys.argv[1]), sys.argv[2]
PROBE = "zzzzzzzzzzzzzzzzzzzzzzzz"  # near no key, so that the reader lists those that it knows


class TextLoader(yaml.SafeLoader):
    """YAML as editors read it: a date is text."""


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def schema(name):
    with open(os.path.join(SOURCE, "etc/schema", name + ".schema.json"), encoding="utf-8") as file:
        return json.load(file)


SCHEMAS = {name: schema(name) for name in ("format", "caravel")}


def schema_takes(name, text):
    return jsonschema.Draft7Validator(SCHEMAS[name]).is_valid(yaml.load(text, TextLoader))


def run(folder, *arguments):
    return subprocess.run([CARAVEL, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def load(name, text):
    """What the program says of a file: exit code 2 is a mistake in it; 1, that a store does not answer."""
    with tempfile.TemporaryDirectory(prefix="caravel-schema-") as folder:
        for part in ("formats", "spool/drop", "state"):
            os.makedirs(os.path.join(folder, part))
        config = os.path.join(folder, "caravel.yaml")
        place = os.path.join(folder, "formats/probe.yaml") if name == "format" else config
        with open(config, "w", encoding="utf-8") as file:
            file.write("feeds: {}\n")
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)
        if name == "format":
            done = run(folder, "format", "--config", config, "--format", "csv", "/dev/null")
        else:
            done = run(folder, "check", "--config", config)
        return done.returncode != 2, done.stdout + done.stderr


class Level:
    """A map of the file that has keys of its own: where the schema has it, and a file in which PROBE is one
    of its keys."""

    def __init__(self, name, pointer, text):
        self.name, self.pointer, self.text = name, pointer, text

    def schema_keys(self):
        part = SCHEMAS[self.name]
        for step in filter(None, self.pointer.split("/")):
            part = part[int(step) if isinstance(part, list) else step]
        return set(part["properties"])

    def reader_keys(self):
        _, said = load(self.name, self.text.replace("PROBE", PROBE + ": 1"))
        known = re.search(PROBE + r": unknown key; known: (.*)", said)
        if not known:
            raise AssertionError(f"the reader lists no keys of {self.name}{self.pointer}:\n{said}")
        return set(known[1].split(", "))


LEVELS = [
    Level("format", "", "format: x\nPROBE\n"),
    Level("format", "/definitions/kind",
          "format: x\nidentity: position\ncolumns: [A]\nkinds:\n  - kind: k\n    line: '{A:int}'\n    PROBE\n"),
    Level("format", "/properties/continues",
          "format: x\nidentity: position\ncolumns: [A]\ncontinues:\n  PROBE\nkinds: [{kind: k, line: '{A:int}'}]\n"),
    Level("format", "/definitions/example",
          "format: x\nidentity: position\ncolumns: [A]\nkinds: [{kind: k, line: '{A:int}'}]\n"
          "examples:\n  - line: '1'\n    PROBE\n"),
    Level("format", "/properties/time/anyOf/2", "format: x\nreader: csv\ntime:\n  PROBE\n"),
    Level("caravel", "", "PROBE\n"),
    Level("caravel", "/definitions/sqlite", "stores:\n  s:\n    type: sqlite\n    PROBE\n"),
    Level("caravel", "/definitions/couchdb",
          "stores:\n  s:\n    type: couchdb\n    url: http://127.0.0.1:1\n    database: d\n    PROBE\n"),
    Level("caravel", "/definitions/postgresql",
          "stores:\n  s:\n    type: postgresql\n    url: postgresql://127.0.0.1:1/d\n    PROBE\n"),
    Level("caravel", "/definitions/serve", "serve:\n  PROBE\n"),
    Level("caravel", "/definitions/feed", "feeds:\n  hrt:\n    PROBE\n"),
]

KIND = "kinds: [{kind: k, line: '{D:date} {T:time} {A:int}'}]\n"
PATTERN = "format: x\ntime: [D, T]\ncolumns: [D, T, A]\n" + KIND
RECORD = PATTERN.replace("{A:int}", "{A:rest}")
POSITION = "format: x\nreader: csv\nidentity: position\n"

GOOD = {
    "format": [
        PATTERN,
        PATTERN + "about: 7\nkey: A\nblanks: any\ndetect: false\nidentity: line\nreader: pattern\n",
        POSITION,
        POSITION + "columns: [ts, 1]\ntime: ts\nkey: 1\ndetect: no\n",
        POSITION + "separator: ';'\nquote: none\ndecimal: comma\nencoding: cp1252\nskip: 2\nmax_record: 2MiB\n",
        POSITION + "separator: tab\nquote: \"'\"\nheader: true\nencoding: utf-16\nmax_record: 2000\n",
        POSITION + "separator: auto\ncolumns: [a]\nheader: false\ncolumns_extra: more\n",
        RECORD + "continues: {when: '^\\s'}\nmax_record: 64KiB\n",
        RECORD + "continues: {starts: '{date}'}\n",
        RECORD + "starts: '{date}'\nencoding: latin-1\n",
        "format: x\nreader: jsonl\ntime: ts\nabout: a\n",
        "format: x\nreader: jsonl\ntime: {column: t.at, format: epoch(ms)}\n",
        "format: x\nreader: logfmt\ntime: {columns: [d, t], format: ['%d.%m.%Y %H:%M', '%s']}\n"
        "zone: Europe/Berlin\nzones: {EST: '-05:00'}\n",
        PATTERN + "examples:\n  - {line: '2012-03-09 09:48:00 7', row: {A: 7}}\n  - {line: x, reject: expected}\n",
        RECORD + "privacy: {A: drop}\nunmatched: scrub\ndetect: false\n",
        "format: x\nidentity: position\ncolumns: [A, B]\nkinds:\n"
        "  - {kind: k, line: 'a {A:int}', action: keep, set: {B: 7}}\n  - {kind: d, line: b, action: drop}\n",
    ],
    "caravel": [
        "feeds: {hrt: {}}\n",
        "feeds:\n  hrt:\n",
        "spool: spool\nstate: state\nformats: [formats]\nlog_level: debug\nmin_free: 0\nmax_unpacked: 1GiB\n"
        "max_ratio: 5\nmax_reject_bytes: 100kB\nmax_line: 1KiB512B\nmax_claims: 5\nworkers: 2\n"
        "max_done_size: 10GB\nmax_csv_size: 0\nmax_rejects_size: 1GiB\nmax_failed_size: 5000\nfold_after: 48h\nremember: 400d\n",
        "expect_sweep: 1h\nmax_wait: 90s\nserve: {listen: '[::1]:0', token_file: token}\n",
        "serve: {listen: 127.0.0.1:8099}\n",
        "serve: {listen: 'unix:run/serve.sock'}\n",
        "serve: {listen: 0.0.0.0:8099, token_file: token}\n",
        "serve: {listen: 0.0.0.0:8099, tokens_file: tokens}\n",
        "serve:\n",
        "spool: '${HOME:-/x}/spool'\nworkers: ${CARAVEL_TEST_WORKERS:-4}\nlog_level: ${CARAVEL_TEST_LEVEL:-info}\n"
        "log_format: json\nmin_free: '${CARAVEL_TEST_FREE:-1GiB}'\n"
        "feeds: {hrt: {settle: '${CARAVEL_TEST_SETTLE:-2s}', attach_csv: '${CARAVEL_TEST_CSV:-no}'}}\n",
        "log_format: logfmt\n",
        "stores: {s: {type: sqlite, path: rows.db, batch_rows: 10, batch_bytes: 4MiB}}\n",
        "stores: {c: {type: couchdb, url: 'http://127.0.0.1:1', database: d, documents: rows, gzip: true,\n"
        "  create_database: false, connections: 4, timeout: 1s, netrc: false}}\n",
        "stores: {p: {type: postgresql, url: 'postgresql://db.example.org/d?sslmode=verify-full', user: u,\n"
        "  schema: rows, create: false, documents: rows, timeout: 5s, batch_rows: 10, batch_bytes: 1MiB}}\n",
        "stores: {p: {type: postgresql, url: 'postgresql://u@db:5433/d'}}\n",
        "stores: {p: {type: postgresql, url: 'service=far'}}\n",
        "feeds: {hrt: {drop: x, match: '*.log', format: auto, timezone: Europe/Rome, notice: poll,\n"
        "  settle: 500ms, year: guess, manifest: ignore, manifest_wait: 1h30m, expect_every: 15m,\n"
        "  forget_source: 30d, max_rejects: 5%, keep_done: 1d, keep_csv: 0s, keep_rejects: 30d, keep_failed: 1h, attach_csv: false,\n"
        "  accept_unterminated: yes, store: local}}\n",
        "feeds: {hrt: {max_rejects: 12}}\n",
    ],
}

BAD = {
    "format": [
        "just text\n",
        "about: no name\n",
        PATTERN.replace("format: x", "format: auto"),
        PATTERN.replace("format: x", "format: ''"),
        PATTERN + "abuot: x\n",
        PATTERN + "about: [a]\n",
        PATTERN + "identity: lines\n",
        PATTERN + "detect: perhaps\n",
        PATTERN + "blanks: some\n",
        PATTERN + "reader: xml\n",
        PATTERN + "reader: csv\n",
        PATTERN + "key: ''\n",
        PATTERN.replace("columns: [D, T, A]", "columns: A"),
        PATTERN.replace("columns: [D, T, A]", "columns: []"),
        PATTERN.replace("columns: [D, T, A]", "columns: [D, T, A, A]"),
        PATTERN.replace("columns: [D, T, A]\n", ""),
        PATTERN.replace("[D, T]", "[]", 1),
        PATTERN.replace("[D, T]", "[D, T, A, B]", 1),
        PATTERN.replace("[D, T]", "['', T]", 1),
        PATTERN.replace("time: [D, T]\n", ""),
        PATTERN.replace(KIND, ""),
        PATTERN.replace(KIND, "kinds: []\n"),
        PATTERN.replace("kind: k, ", ""),
        PATTERN.replace("kind: k", "kind: k, acton: drop"),
        PATTERN.replace("kind: k", "kind: k, action: dorp"),
        PATTERN.replace("kind: k", "kind: k, set: [A]"),
        PATTERN.replace("kind: k", "kind: k, action: drop, set: {A: 1}"),
        PATTERN + "encoding: utf-32\n",
        PATTERN + "separator: ';'\n",
        PATTERN + "skip: 1\n",
        PATTERN + "max_record: 1MiB\n",
        RECORD + "continues: {}\n",
        RECORD + "continues: {wehn: x}\n",
        RECORD + "continues: {when: '^x', starts: '{date}'}\n",
        RECORD + "continues: {when: '^x'}\nstarts: '{date}'\n",
        POSITION + "starts: '{date}'\n",
        POSITION + "separator: x\n",
        POSITION + "separator: ';;'\n",
        POSITION + "separator: ''\n",
        POSITION + "quote: '`'\n",
        POSITION + "decimal: dot\n",
        POSITION + "skip: -1\n",
        POSITION + "header: false\n",
        POSITION + "columns_extra: more\n",
        POSITION + "max_record: 1\n",
        "format: x\nreader: jsonl\nidentity: position\nquote: none\n",
        POSITION + "blanks: any\n",
        POSITION + "kinds: []\n",
        POSITION + "time: [a, b, c, d]\n",
        "format: x\nreader: csv\n",
    ],
    "caravel": [
        "[a]\n",
        "sppol: x\n",
        "spool: ''\n",
        "spool: ~/x\n",
        "formats: formats\n",
        "log_level: loud\n",
        "log_format: xml\n",
        "workers: '${1x}'\n",
        "stores: {c: {type: couchdb, url: 'http://127.0.0.1:1', database: d, user: u, password_file: '${HOME}'}}\n",
        "min_free: 4 MiB\n",
        "max_ratio: 0\n",
        "workers: 0\n",
        "max_claims: many\n",
        "expect_sweep: 10\n",
        "max_wait: soon\n",
        "serve: 127.0.0.1:8099\n",
        "serve: {listen: 0.0.0.0:8099}\n",
        "serve: {listen: example.org:8099, token_file: token}\n",
        "serve: {listen: 0.0.0.0:8099, tokens_file: []}\n",
        "serve: {listen: 127.0.0.1}\n",
        "serve: {listen: 'unix:'}\n",
        "serve: {token: x}\n",
        "stores: [a]\n",
        "stores: {a b: {type: sqlite}}\n",
        "stores: {a: {}}\n",
        "stores: {a: {type: mysql}}\n",
        "stores: {a: {type: sqlite, url: x}}\n",
        "stores: {a: {type: couchdb, path: x, url: 'http://h', database: d}}\n",
        "stores: {a: {type: couchdb, database: d}}\n",
        "stores: {a: {type: couchdb, url: 'http://h'}}\n",
        "stores: {a: {type: couchdb, url: 'http://u:p@h', database: d}}\n",
        "stores: {a: {type: couchdb, url: 'ftp://h', database: d}}\n",
        "stores: {a: {type: couchdb, url: 'http://h', database: d, documents: all}}\n",
        "stores: {a: {type: couchdb, url: 'http://h', database: d, connections: 99}}\n",
        "stores: {a: {type: postgresql}}\n",
        "stores: {a: {type: postgresql, url: 'postgresql://u:p@h/d'}}\n",
        "stores: {a: {type: postgresql, url: 'host=h password=p'}}\n",
        "stores: {a: {type: postgresql, url: 'mysql://h/d'}}\n",
        "stores: {a: {type: postgresql, url: 'postgresql://h/d', documents: feed}}\n",
        "stores: {a: {type: postgresql, url: 'postgresql://h/d', create: perhaps}}\n",
        "stores: {a: {type: postgresql, url: 'postgresql://h/d', password: x}}\n",
        "stores: {a: {type: sqlite, password: x}}\n",
        "stores: {a: {type: sqlite, batch_rows: 0}}\n",
        "feeds: [hrt]\n",
        "feeds: {HRT: {}}\n",
        "feeds: {mapping: {}}\n",
        "feeds: {hrt: {match: 'a/*'}}\n",
        "feeds: {hrt: {match: '*.log.gz'}}\n",
        "feeds: {hrt: {settle: 2}}\n",
        "feeds: {hrt: {settle: 2 s}}\n",
        "feeds: {hrt: {year: perhaps}}\n",
        "feeds: {hrt: {manifest: always}}\n",
        "feeds: {hrt: {notice: often}}\n",
        "feeds: {hrt: {max_rejects: 101%}}\n",
        "feeds: {hrt: {max_rejects: few}}\n",
        "feeds: {hrt: {attach_csv: perhaps}}\n",
        "feeds: {hrt: {kep_done: 1d}}\n",
    ],
}


def shipped_files():
    for folder, _, names in os.walk(os.path.join(SOURCE, "etc")):
        if folder.endswith("/kubernetes"):  # Kubernetes' own format: tests/packages/manifests_test.py
            continue
        for name in names:
            if name.endswith(".yaml"):
                yield os.path.join(folder, name)


def maps_with_keys(part, pointer=""):
    """The pointers of all maps of a schema that list their keys and refuse others."""
    if isinstance(part, dict):
        if part.get("additionalProperties") is False and part.get("properties"):
            yield pointer
        for key, inner in part.items():
            yield from maps_with_keys(inner, f"{pointer}/{key}")
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from maps_with_keys(inner, f"{pointer}/{place}")


class SchemaTest(unittest.TestCase):
    def test_the_schemas_are_schemas(self):
        for content in SCHEMAS.values():
            jsonschema.Draft7Validator.check_schema(content)

    def test_they_know_the_keys_that_the_readers_know_and_no_others(self):
        for level in LEVELS:
            with self.subTest(level.name + level.pointer):
                self.assertEqual(level.schema_keys(), level.reader_keys())

    def test_every_map_of_the_schemas_is_compared_with_a_reader(self):
        for name, content in SCHEMAS.items():
            self.assertEqual(sorted(maps_with_keys(content)),
                             sorted(level.pointer for level in LEVELS if level.name == name))

    def test_every_key_says_what_it_is_for(self):
        for level in LEVELS:
            part = SCHEMAS[level.name]
            for step in filter(None, level.pointer.split("/")):
                part = part[int(step) if isinstance(part, list) else step]
            for key, value in part["properties"].items():
                with self.subTest(key):
                    self.assertTrue("description" in value or "const" in value)

    def test_shipped_files_are_valid_and_lead_their_editors_to_the_schema(self):
        ran = 0
        for path in shipped_files():
            with self.subTest(path):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                led = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
                self.assertTrue(led, "its first line names no schema")
                name = "format" if "/formats/" in path else "caravel"
                # What is installed leads to what is installed.
                place = led[1].replace("/usr/share/caravel", os.path.join(os.path.abspath(SOURCE), "etc"))
                self.assertEqual(os.path.abspath(os.path.join(os.path.dirname(path), place)),
                                 os.path.abspath(os.path.join(SOURCE, "etc/schema", name + ".schema.json")))
                jsonschema.Draft7Validator(SCHEMAS[name]).validate(yaml.load(text, TextLoader))
                ran += 1
        self.assertGreaterEqual(ran, 9)

    def test_both_take_what_is_right(self):
        for name, texts in GOOD.items():
            for text in texts:
                with self.subTest(text):
                    taken, said = load(name, text)
                    self.assertTrue(taken, said)
                    jsonschema.Draft7Validator(SCHEMAS[name]).validate(yaml.load(text, TextLoader))

    def test_both_refuse_what_is_wrong(self):
        for name, texts in BAD.items():
            for text in texts:
                with self.subTest(text):
                    taken, said = load(name, text)
                    self.assertFalse(taken, said)
                    self.assertFalse(schema_takes(name, text), "the schema takes it")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
