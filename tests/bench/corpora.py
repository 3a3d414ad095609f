"""The inputs: logs of each kind, always the same bytes for the same size.

Each writer takes a path and how many bytes are wanted at least, writes whole lines, and returns how many
lines there are (a header line of a CSV counts).
"""
import os
import random
import time

import bench_extract

PATHS = ("/", "/stops", "/stops?q=12", "/route/73/shape.json", "/static/app.4f2a.js", "/api/v1/vehicles")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
          "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "curl/7.88.1",
          "Googlebot/2.1 (+http://www.google.com/bot.html)")
NOTES = ("on time", "late by a minute", "door open", "no fix", "detour at the bridge")
QUOTED = ("on time, then late", 'driver said "go"', "doors, lights, wipers", "stop 12, platform B")
# Lines are drawn until there are so many; then these come again, from another line on each time.
DRAWN = 4000


def repeat(path, least, draw, head=b""):
    made = random.Random(7)
    drawn = [draw(made, number) for number in range(DRAWN)]
    written, lines = len(head), 1 if head else 0
    with open(path, "wb") as file:
        file.write(head)
        while written < least:
            line = drawn[lines % DRAWN]
            file.write(line)
            written += len(line)
            lines += 1
    return lines


def clock(number):
    return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"


def spysocket(path, least):
    bench_extract.write_extract(path, least, piece_lines=500)
    return count_lines(path)


def small_spysocket(path, number, lines=10):
    """A small extract of lines that all become rows, and that no other number has; closes it last of all, and
    returns when (CLOCK_MONOTONIC, ns)."""
    content = "".join(
        f"{clock(36000 + line)} 03/09 V.{number + 1}.{1000 + line} H.0.0 MT_LOCATION "
        "Lat/Lon:367751738166/-76091438594 [Valid] Adher:3 [Valid] Odom:2668 [Valid] DGPS:On FOM:2\n"
        for line in range(lines))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(descriptor, content.encode())
    closed = time.monotonic_ns()
    os.close(descriptor)
    return closed


def damaged_spysocket(path, clean, share=100):
    """The lines of `clean`, every `share`th of which has another label near its end, so that it is a
    reject that was nearly a row, and as long as before; returns how many are."""
    rejects = 0
    with open(clean, "rb") as source, open(path, "wb") as file:
        for number, line in enumerate(source):
            if number % share == share - 1:
                line = line.replace(b" FOM:", b" FOX:")
                rejects += 1
            file.write(line)
    return rejects


def nginx(path, least):
    def draw(made, number):
        client = ".".join(str(made.randrange(1, 255)) for _ in range(4))
        referer = made.choice(("-", "https://example.org/", "https://example.org/stops"))
        return (f'{client} - - [09/Mar/2012:{clock(number // 3)} +0100] "GET {made.choice(PATHS)} HTTP/1.1" '
                f'{made.choice((200, 200, 200, 304, 404))} {made.randrange(0, 90000)} "{referer}" '
                f'"{made.choice(AGENTS)}"\n').encode()
    return repeat(path, least, draw)


CSV_HEAD = b"measured_at,sensor,vehicle,lat,lon,speed,note\n"


def csv_line(made, number, note):
    return (f"2012-03-09T{clock(number)}Z,{made.randrange(100)},V.1.{made.randrange(1000, 5000)},"
            f"36.{made.randrange(10 ** 6, 10 ** 7)},-76.{made.randrange(10 ** 6, 10 ** 7)},"
            f"{made.randrange(90)},{note}\n").encode()


def csv(path, least):
    return repeat(path, least, lambda made, number: csv_line(made, number, made.choice(NOTES)), CSV_HEAD)


def quoted_csv(path, least):
    """Each record has a quoted field, quoted as RFC 4180 has it and only where it must be: formatted it is
    the same text again."""
    def draw(made, number):
        note = made.choice(QUOTED).replace('"', '""')
        return csv_line(made, number, f'"{note}"')
    return repeat(path, least, draw, CSV_HEAD)


def jsonl(path, least):
    def draw(made, number):
        return (f'{{"ts":"2012-03-09T{clock(number)}Z","level":"{made.choice(("info", "warn"))}",'
                f'"id":{made.randrange(10 ** 6)},"vehicle":"V.1.{made.randrange(1000, 5000)}",'
                f'"lat":36.{made.randrange(10 ** 5, 10 ** 6)}1,"ok":{made.choice(("true", "false"))},'
                f'"took":{made.randrange(900)},"msg":"{made.choice(NOTES)}"}}\n').encode()
    return repeat(path, least, draw)


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
