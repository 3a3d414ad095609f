#!/usr/bin/env python3
"""`caravel format` with `reader: jsonl` against Python's json module, on generated hard cases: a line is a row if
Python takes it as an object whose names all differ, and each cell says the same value as the token in the line.
Usage: jsonl_test.py CARAVEL [SEEDS]"""
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile

csv.field_size_limit(1 << 24)
NUMBERS = ["0", "-0", "1", "-12", "1.50", "0.1e-7", "1E5", "1e400", "-1e-400", "9" * 40, "12345678901234567", "1.0000000000000001"]
STRINGS = ["", "text", "12", "true", "null", "007", "{}", "[1", "a \"b\" \\ /", "ü€𝄞", "tab\there", "line\nend\r", ",;", " x ",
           "\u2028", "\x00", "\ufeff1", "NaN"]
BROKEN = ["text", "[1]", "12", "\"a\"", "{", "{\"a\":1,}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":tru}", "{'a':1}",
          "{\"a\":1} x", "{\"a\":\"\\x\"}", "{\"a\":[1 2]}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":}}", "{\"a\":1}{\"b\":2}"]
NAMES = ["a", "b", "name with blanks", "ü", "d.e", "more?"]


def token(chance, depth=0):
    kind = chance.random()
    if kind < 0.35:
        return chance.choice(NUMBERS)
    if kind < 0.75 or depth > 3:
        return json.dumps(chance.choice(STRINGS) * chance.choice((1, 1, 1, 40)), ensure_ascii=chance.random() < 0.5)
    if kind < 0.85:
        return chance.choice(("true", "false", "null"))
    parts = [token(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    if kind < 0.93:
        return "[" + ", ".join(parts) + "]"
    return "{" + ", ".join(f'"{name}":{part}' for name, part in zip("xyz", parts)) + "}"


def same(cell, text):
    """Whether a cell says what the token says: numbers by their digits, all else by its value."""
    value = json.loads(text, parse_float=str, parse_int=str)
    if text[0] not in "\"[{":
        return cell == ("" if value is None else text)
    if isinstance(value, str):
        return cell == value or (cell.startswith('"') and json.loads(cell) == value)
    return json.loads(cell, parse_float=str, parse_int=str) == value


def table(chance):
    lines, wanted = ["{" + ",".join(f'"{name}":1' for name in NAMES) + "}"], [["1"] * len(NAMES)]
    for _ in range(chance.randint(1, 150)):
        if chance.random() < 0.15:
            lines.append(chance.choice(BROKEN))
            continue
        names = chance.sample(NAMES, chance.randint(0, len(NAMES)))
        tokens = {name: token(chance) for name in names}
        blank = chance.choice(("", " ", "\t"))
        lines.append("{" + ",".join(f'{blank}{json.dumps(name)}{blank}:{blank}{tokens[name]}' for name in names) + blank + "}")
        json.loads(lines[-1])
        wanted.append([tokens.get(name) for name in NAMES])
    return "\n".join(lines) + "\n", wanted


def main():
    caravel, seeds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    bad = rows = 0
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/formats")
        with open(f"{folder}/caravel.yaml", "w", encoding="utf-8") as file:
            file.write(f"spool: {folder}/spool\nstate: {folder}/state\nformats: [{folder}/formats]\n")
        with open(f"{folder}/formats/f.yaml", "w", encoding="utf-8") as file:
            file.write("format: f\nreader: jsonl\nidentity: position\n")
        for seed in range(seeds):
            text, wanted = table(random.Random(seed))
            run = subprocess.run([caravel, "format", "--config", f"{folder}/caravel.yaml", "--format", "f"],
                                 input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            got = list(csv.reader(io.StringIO(run.stdout.decode(), newline=""), strict=True))[1:]
            rows += len(wanted)
            different = [(cells, tokens) for cells, tokens in zip(got, wanted)
                         if any(not same(cell, part) if part else cell for cell, part in zip(cells, tokens))]
            if len(got) != len(wanted) or different:
                bad += 1
                print(f"seed {seed}: {len(wanted)} rows expected, {len(got)} came; {str(different[:1])[:400]}")
    print(f"{seeds} generated files, {rows} rows: {bad} files differ")
    return 1 if bad else 0


sys.exit(main())
