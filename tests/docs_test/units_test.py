#!/usr/bin/env python3
"""The units: systemd takes them, each is fenced in well, and one command moves all of them.

    units_test.py SYSTEMD_ANALYZE SOURCE_DIR
"""
import configparser
import glob
import os
import re
import subprocess
import sys
import unittest

ANALYZE, SOURCE = sys.argv[1:3]
UNITS = sorted(glob.glob(f"{SOURCE}/etc/systemd/*") + glob.glob(f"{SOURCE}/etc/capture-host/*.service"))
MOST_EXPOSURE = 1.5  # of 10; systemd calls up to 2 "OK"


def analyze(*arguments):
    done = subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def read(path):
    """A unit's settings: the last of those that stand more than once."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str
    parser.read(path)
    return parser


class Units(unittest.TestCase):
    def test_systemd_takes_them(self):
        self.assertIn("caravel.target", map(os.path.basename, UNITS))
        # What is not installed here is no fault of a unit.
        said = [line for line in analyze("verify", "--man=no", *UNITS).splitlines()
                if "caravel" in line and "is not executable" not in line]
        self.assertEqual(said, [])

    def test_each_service_is_fenced_in(self):
        for path in UNITS:
            if not path.endswith(".service"):
                continue
            with self.subTest(unit=os.path.basename(path)):
                said = analyze("security", "--offline=true", path)
                level = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])
                self.assertLessEqual(level, MOST_EXPOSURE, said)

    def test_the_target_moves_all_of_them(self):
        for path in UNITS:
            name = os.path.basename(path)
            # The timer starts the sweep; the agent's unit of hosts without the package stands alone.
            if name in ("caravel.target", "caravel-sweep.service", "caravel-tail.service"):
                continue
            with self.subTest(unit=name):
                unit = read(path)
                self.assertEqual(unit["Unit"]["PartOf"], "caravel.target")
                self.assertIn("caravel.target", unit["Install"]["WantedBy"])

    def test_what_they_run_takes_their_options(self):
        for path in UNITS:
            unit = read(path)
            if unit.has_option("Service", "ExecStart"):
                with self.subTest(unit=os.path.basename(path)):
                    self.assertRegex(unit["Service"]["ExecStart"],
                                     r"^/usr/bin/caravel (watch|sweep|serve) --config /etc/caravel/\S+\.yaml$|"
                                     r"^/usr/bin/caravel-tail --config ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
