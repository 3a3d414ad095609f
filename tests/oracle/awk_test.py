#!/usr/bin/env python3
"""The awk program of scripts/bench does the same work as the format: compares it with the oracle."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import generate_spysocket  # noqa: E402
import spysocket_oracle  # noqa: E402

failed = False
for seed in range(4):
    damage = (0.0, 0.5)[seed % 2]
    content = generate_spysocket.Generator(seed, "spysocket", damage).extract(3000)
    lines = [line for line in content.replace(b"\r", b"").split(b"\n")
             if line and not re.search(rb'[^\t -~]|[,"]', line)]
    content = b"\n".join(lines) + b"\n"
    expected = spysocket_oracle.judge(content, "spysocket", 2012)
    with tempfile.NamedTemporaryFile(suffix=".log") as extract:
        extract.write(content)
        extract.flush()
        run = subprocess.run(
            ["mawk", "-v", "year=2012", "-f", os.path.join(HERE, "../bench/spysocket.awk"),
             extract.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    ours, theirs = run.stdout.splitlines(), expected.csv_bytes().splitlines()
    different = [pair for pair in zip(theirs, ours) if pair[0] != pair[1]][:1]
    if len(ours) != len(theirs) or different:
        failed = True
        print(f"seed {seed}: oracle {len(theirs)} lines, awk {len(ours)}; first: {different}")
    print(f"seed {seed}: {len(theirs)} lines compared, {len(expected.rejects)} rejects; "
          f"awk: {run.stderr.decode().strip()}")
sys.exit(failed)
