"""Pictures of the page and the terminal, of a run of some minutes: pictures.py FOLDER (scripts/pictures)."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import harness
from harness import CARAVEL, SOURCE, Host, location, wait_for

MINUTES = float(os.environ.get("CARAVEL_PICTURE_MINUTES", "12"))
RUN = "5f0c81d2"
LOG_LINE = '198.51.100.{} - - [09/Mar/2012:09:{:02}:{:02} +0000] "GET /stops/{} HTTP/1.1" 200 {} "-" "curl"\n'


def drop_something(host, sequence, chance):
    """What senders of two feeds bring now and then."""
    begin = sequence * 120
    text = "".join(location(begin + second % 120, f"V.1.{chance.randint(100, 140)}")
                   for second in range(chance.randint(80, 400)))
    if sequence % 9 == 4:
        text += "09:48:00 03/09 V.1.100 H.0.0 MT_LOCATION Lat/Lon:3677\n" * chance.randint(1, 4)
    # One is lost on its way.
    if sequence != 6:
        host.drop(text, f"buses-2012-03-09.log.depot2.{RUN}.{sequence:08}.log")
    name = host.path(f"web/access-{sequence:04}.log")
    with open(name + ".tmp", "w", encoding="utf-8") as file:
        for _ in range(chance.randint(50, 900)):
            file.write(LOG_LINE.format(chance.randint(1, 99), chance.randint(0, 59), chance.randint(0, 59),
                                       chance.randint(1, 999), chance.randint(200, 9000)))
    os.rename(name + ".tmp", name)


def run(host, folder):
    host.start()
    log_name = host.path("serve.log")
    with open(log_name, "wb") as log:
        server = subprocess.Popen([CARAVEL, "serve", "--config", host.config], stderr=log,
                                  env=dict(os.environ, PORT="0"))
    chance = random.Random(7)
    try:
        end = time.monotonic() + MINUTES * 60
        sequence = 0
        while time.monotonic() < end:
            sequence += 1
            drop_something(host, sequence, chance)
            time.sleep(chance.uniform(2, 14))  # senders come when they like
        host.drop("another program's line\n" * 60, "buses-2012-03-10.log")
        host.drop("notes\n", "readme.txt")
        wait_for("the failure", lambda: host.status()["failed_total"] == 1)
        wait_for("an empty feed", lambda: host.status()["waiting_total"] == 0)
        with open(log_name, encoding="utf-8") as log:
            url = re.search(r"serving at (\S+)", log.read())[1]
        subprocess.run(["node", os.path.join(SOURCE, "tests/e2e/page_check.mjs"),
                        os.path.join(SOURCE, "build/browser/node_modules"), url + "/", folder], check=True)
    finally:
        server.terminate()
        server.wait()
        host.kill()


def main():
    folder = tempfile.mkdtemp(prefix="caravel-pictures-")
    try:
        for name in ("spool/drop", "web"):
            os.makedirs(os.path.join(folder, name))
        host = Host(folder, feed="    timezone: America/New_York\n    manifest: ignore\n",
                    feeds=f"  web: {{drop: {folder}/web, match: '*.log', format: nginx, store: local}}\n")
        run(host, os.path.abspath(sys.argv[1]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    harness.wait_for("the program", lambda: os.path.exists(CARAVEL))
    main()
