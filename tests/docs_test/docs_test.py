#!/usr/bin/env python3
"""The documentation is run.

    docs_test.py readme CARAVEL SOURCE_DIR    runs README.md's blocks that are marked ```sh test, in
                                              order, in a scratch copy; a block that is followed by
                                              ```text output must print just that
    docs_test.py describe CARAVEL SOURCE_DIR  the same of docs/describe.md
    docs_test.py config CARAVEL SOURCE_DIR    loads every etc/*.yaml with `caravel check`
    docs_test.py format CARAVEL SOURCE_DIR    every etc/formats/*.yaml compiles
    docs_test.py promises CARAVEL SOURCE_DIR  the tests that docs/reliability.md names exist
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def scratch_copy(source, folder):
    for part in ("README.md", "etc", "tests/data"):
        origin, target = os.path.join(source, part), os.path.join(folder, part)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        (shutil.copytree if os.path.isdir(origin) else shutil.copy)(origin, target)


def shell(script, folder, caravel):
    """Runs a block as a person would, `caravel` being on the PATH."""
    environment = dict(os.environ, PATH=os.path.dirname(caravel) + ":" + os.environ["PATH"])
    environment.pop("CARAVEL_CONFIG", None)
    return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          check=False)


def run_readme(caravel, source, folder):
    return run_page("README.md", caravel, source, folder)


def run_describe(caravel, source, folder):
    return run_page("docs/describe.md", caravel, source, folder)


def run_page(page, caravel, source, folder):
    with open(os.path.join(source, page), encoding="utf-8") as file:
        blocks = [(info.strip(), body) for info, body in FENCE.findall(file.read())]
    failed = ran = 0
    for (info, script), following in zip(blocks, blocks[1:] + [("", "")]):
        if not info.startswith("sh test"):
            continue
        ran += 1
        expected = int((re.search(r"exit=(\d+)", info) or [0, 0])[1])
        run = shell(script, folder, caravel)
        if run.returncode != expected:
            failed += 1
            print(f"--- exit code {run.returncode} instead of {expected}:\n{script}{run.stdout}{run.stderr}")
        elif following[0] == "text output" and run.stdout != following[1]:
            failed += 1
            print(f"--- other output than {page} says:\n{script}--- printed:\n{run.stdout}{run.stderr}")
    print(f"{ran} blocks of {page} run, {failed} failed")
    return failed == 0 and ran > 0


def run_config(caravel, source, folder):
    """Exit code 1 says that a store does not answer, which is as it should be here; 2 would be a
    mistake in the file."""
    failed = ran = 0
    for name in sorted(os.listdir(os.path.join(source, "etc"))):
        if not name.endswith(".yaml"):
            continue
        with open(os.path.join(source, "etc", name), encoding="utf-8") as file:
            text = file.read()
        for place in ("/var/spool/caravel", "/var/lib/caravel", "/etc/caravel"):
            text = text.replace(place, folder + place)
        # What an administrator makes before the first start.
        for place in ("/var/spool/caravel/drop", "/var/lib/caravel", "/etc/caravel/formats"):
            os.makedirs(folder + place, exist_ok=True)
        for password_file in re.findall(r"password_file: *(\S+)", text):
            with open(os.open(password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
                file.write("secret-of-the-docs-test\n")
        path = os.path.join(folder, "etc/caravel", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        run = shell(f"caravel check --config '{path}'", folder, caravel)
        ran += 1
        said = run.stdout + run.stderr
        if run.returncode not in (0, 1) or "secret-of-the-docs-test" in said:
            failed += 1
            print(f"--- {name}: exit code {run.returncode}\n{said}")
    print(f"{ran} configurations of etc/ checked, {failed} failed")
    return failed == 0 and ran > 0


def run_format(caravel, source, folder):
    failed = ran = 0
    empty = os.path.join(folder, "empty.log")
    with open(empty, "wb"):
        pass
    for name in sorted(os.listdir(os.path.join(source, "etc/formats"))):
        if not name.endswith(".yaml"):
            continue
        ran += 1
        run = shell(f"caravel format --year 2012 --format '{name[:-5]}' '{empty}'", folder, caravel)
        if run.returncode != 0:
            failed += 1
            print(f"--- {name}: exit code {run.returncode}\n{run.stdout}{run.stderr}")
    print(f"{ran} formats of etc/formats loaded, {failed} failed")
    return failed == 0 and ran > 0


def names_of_tests(source):
    """Suite.Name of each GoogleTest, and "file.py: test_name" of each method."""
    names = set()
    for folder, _, files in os.walk(os.path.join(source, "tests")):
        for name in files:
            if not name.endswith(("_test.cc", "_test.py")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            names.update(".".join(test) for test in
                         re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", text, re.MULTILINE))
            names.update(f"{name}: {test}" for test in re.findall(r"^    def (test_\w+)", text, re.MULTILINE))
    return names


def run_promises(_caravel, source, _folder):
    """A test that is renamed or dropped must not leave a promise without its proof."""
    there = names_of_tests(source)
    failed = ran = 0
    python_file = None  # of a name without one: that of the name before it
    with open(os.path.join(source, "docs/reliability.md"), encoding="utf-8") as file:
        rows = [line for line in file if line.startswith("| ")]
    for name in re.findall(r"`([^`]+)`", "".join(rows)):
        if re.fullmatch(r"test_\w+", name):
            name = f"{python_file}: {name}"
        elif re.fullmatch(r"\w+_test\.py: test_\w+", name):
            python_file = name.split(":")[0]
        elif not re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+", name):
            continue
        ran += 1
        if name not in there:
            failed += 1
            print(f"--- docs/reliability.md names {name}, which is no test")
    print(f"{ran} tests of docs/reliability.md looked for, {failed} missing")
    return failed == 0 and ran > 0


def main():
    what, caravel, source = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="caravel-docs-") as folder:
        scratch_copy(source, folder)
        run = {"readme": run_readme, "describe": run_describe, "config": run_config, "format": run_format,
               "promises": run_promises}[what]
        good = run(os.path.abspath(caravel), source, folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
