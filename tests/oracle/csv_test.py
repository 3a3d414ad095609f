#!/usr/bin/env python3
"""`caravel format` with `reader: csv` against Python's csv module: on generated hard cases in all dialects,
and on the files of npm's csv-spectrum. Usage: csv_test.py CARAVEL [SEEDS]"""
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIALECTS = [(separator, quote) for separator in ",;\t|" for quote in ('"', "'", None)]
csv.field_size_limit(1 << 24)


class Formatter:
    def __init__(self, caravel, folder):
        self.caravel, self.folder = caravel, folder
        os.makedirs(os.path.join(folder, "formats"))
        with open(os.path.join(folder, "caravel.yaml"), "w", encoding="utf-8") as file:
            file.write(f"spool: {folder}/spool\nstate: {folder}/state\nformats: [{folder}/formats]\n")

    def run(self, content, keys):
        """The rows of the CSV that comes out, header first, and the last line of stderr."""
        with open(os.path.join(self.folder, "formats", "f.yaml"), "w", encoding="utf-8") as file:
            json.dump({"format": "f", "reader": "csv", "identity": "position", **keys}, file)  # JSON is YAML
        path = os.path.join(self.folder, "extract.csv")
        with open(path, "wb") as file:
            file.write(content)
        run = subprocess.run([self.caravel, "format", "--config", f"{self.folder}/caravel.yaml", "--format", "f",
                              path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        rows = list(csv.reader(io.StringIO(run.stdout.decode(), newline=""), strict=True))
        return rows, (run.stderr.decode(errors="replace").splitlines() or [""])[-1]


def value(chance, separator, quote):
    kind = chance.random()
    if kind < 0.15:
        return ""
    if kind < 0.3:
        return str(chance.randint(-1000, 1000))
    if kind < 0.31:
        return "x" * chance.choice((70_000, 300_000))
    alphabet = "abcü€ 𝄞" + separator
    if quote:
        alphabet += quote + "\n\r" + quote + ",;|\t"
    if chance.random() < 0.02:
        alphabet += "\0"
    return "".join(chance.choice(alphabet) for _ in range(chance.randint(1, 12)))


def written(text, separator, quote, chance):
    """As a writer may write it: with quotes where they are needed, and sometimes where not."""
    special = {separator, quote, "\n", "\r"}
    if quote and (special & set(text) or text != text.strip(" \t\r") or chance.random() < 0.2):
        return quote + text.replace(quote, 2 * quote) + quote
    return text


def table(chance, separator, quote):
    width = chance.randint(2, 6)
    lines = [separator.join(f"name{i}" for i in range(width))]
    for _ in range(chance.randint(0, 200)):
        count = width if chance.random() < 0.95 else chance.randint(1, width + 2)
        values = [value(chance, separator, quote) for _ in range(count)]
        if not any(values):
            values[0] = "y"  # a line of tabs only would be dropped as a blank one
        if not quote:
            values = [text.replace(separator, "").strip(" \t") or "y" for text in values]
        lines.append(separator.join(written(text, separator, quote, chance) for text in values))
    end = chance.choice(("\n", "\r\n"))
    return ("\ufeff" if chance.random() < 0.2 else "") + end.join(lines) + end


def expected_rows(text, separator, quote):
    options = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator, strict=True,
                           **options))
    width = len(rows[0])
    return [rows[0]] + [row for row in rows[1:] if len(row) == width and not any("\0" in field for field in row)]


def generated(formatter, seeds):
    bad = rows = 0
    for seed in range(seeds):
        chance = random.Random(seed)
        separator, quote = DIALECTS[seed % len(DIALECTS)]
        text = table(chance, separator, quote)
        expected = expected_rows(text, separator, quote)
        keys = {"separator": "tab" if separator == "\t" else separator, "quote": quote or "none"}
        content, encoding = text.encode(), chance.random()
        if encoding < 0.2:
            keys["encoding"], content = "utf-16", text.lstrip("\ufeff").encode("utf-16")
        got, said = formatter.run(content, keys)
        rows += len(expected)
        if got == expected and f"{text.count(chr(10))} lines: {len(expected) - 1} rows" in said:
            continue
        bad += 1
        different = [pair for pair in zip(expected, got) if pair[0] != pair[1]][:1]
        print(f"seed {seed}, separator {separator!r}, quote {quote!r}: {len(expected)} rows expected, {len(got)} "
              f"came; first difference: {str(different)[:300]}; {said}")
    print(f"{seeds} generated files, {rows} rows: {bad} files differ")
    return bad


def spectrum(formatter):
    folder = os.path.join(os.environ.get("CARAVEL_NODE_MODULES", os.path.join(SOURCE, "node_modules")),
                          "csv-spectrum")
    bad = 0
    names = sorted(name[:-4] for name in os.listdir(os.path.join(folder, "csvs")))
    for name in names:
        with open(os.path.join(folder, "csvs", name + ".csv"), "rb") as file:
            content = file.read()
        with open(os.path.join(folder, "json", name + ".json"), "rb") as file:
            wanted = file.read()
        if name == "location_coordinates":
            continue  # a quote inside of a bare field, which RFC 4180 forbids; and its JSON is of other data
        if not content.endswith(b"\n"):
            content += b"\n"  # a last line without an end would be a reject, as of a transfer cut off
        (header, *rows), said = formatter.run(content, {})
        if [dict(zip(header, row)) for row in rows] != json.loads(wanted):
            bad += 1
            print(f"csv-spectrum, {name}: {rows}; {said}")
    print(f"csv-spectrum: {len(names)} files, {bad} differ")
    return bad + (len(names) != 12)


with tempfile.TemporaryDirectory() as place:
    under_test = Formatter(os.path.abspath(sys.argv[1]), place)
    sys.exit(1 if generated(under_test, int(sys.argv[2]) if len(sys.argv) > 2 else 240) + spectrum(under_test) else 0)
