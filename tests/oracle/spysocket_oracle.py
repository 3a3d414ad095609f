#!/usr/bin/env python3
"""What the spysocket formats must make of an extract, said a second time and in another language.

Written from the rules alone (docs/formats.md has them), never from the C++, so that a mistake has to
be made twice to pass. Slow and plain on purpose: a line at a time, a list of words, one test each.

    spysocket_oracle.py --year 2012 [--format spysocket] [--rejects FILE] [--summary] EXTRACT

prints the CSV. --rejects writes `line,offset` of each rejected line; --summary prints the counts to
stderr.
"""
import argparse
import re
import sys

COLUMNS = (b"Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid,"
           b"Route,Direction,Stop")
V2_STEM = (b",Lat/Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DROPPED = "dropped"


class Reject(Exception):
    pass


def need(condition):
    if not condition:
        raise Reject


def matched(pattern, value):
    found = re.fullmatch(pattern, value, re.DOTALL)
    need(found)
    return found


def integer(value):
    return matched(rb"-?[0-9]+", value)[0]


def time(value):
    found = matched(rb"([0-9]{2}):([0-9]{2}):([0-9]{2})", value)
    need(int(found[1]) <= 23 and int(found[2]) <= 59 and int(found[3]) <= 60)
    return value


def real_date(year, month, day):
    need(1 <= month <= 12)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    need(1 <= day <= DAYS[month - 1] + (month == 2 and leap))
    return b"%04d-%02d-%02d" % (year, month, day)


def day_of_year(value, year):
    found = matched(rb"([0-9]{2})/([0-9]{2})", value)
    return real_date(year, int(found[1]), int(found[2]))


def implied_point(value):
    """Digits whose point was left out after two; one digit must follow it."""
    found = matched(rb"(-?[0-9]{2})([0-9]+)", value)
    return found[1] + b"." + found[2]


def position(value):
    """`a/b`: (no fix?, latitude, longitude)."""
    if value == b"0/0":
        return True, b"", b""
    parts = value.split(b"/")
    need(len(parts) == 2)
    return False, implied_point(parts[0]), implied_point(parts[1])


def bracketed(word):
    need(len(word) >= 2 and word.startswith(b"[") and word.endswith(b"]"))
    return b"V" if word == b"[Valid]" else b"I"


def labelled(word, label):
    need(word.startswith(label))
    return word[len(label):]


def spysocket(line, year):
    words = [word for word in re.split(rb"[ \t]+", line) if word]
    need(len(words) in (13, 21))
    when, day, vehicle = time(words[0]), day_of_year(words[1], year), words[2]
    route = direction = stop = b""
    dwells = False
    if len(words) == 13:
        need(words[4] == b"MT_LOCATION")
        rest = words[5:]
    else:
        need(words[4] == b"MT_TIMEPOINTCROSSING")
        time(labelled(words[5], b"Time:"))
        if words[6] != b"Arrival":
            integer(labelled(words[6], b"Dwell:"))
            dwells = True
        route = integer(labelled(words[7], b"Rte:"))
        direction = integer(labelled(words[8], b"Dir:"))
        integer(labelled(words[9], b"TP:"))
        stop = integer(labelled(words[10], b"Stop:"))
        integer(labelled(words[11], b"Svc:"))
        integer(labelled(words[12], b"Blk:"))
        rest = words[13:]
    no_fix, lat, lon = position(labelled(rest[0], b"Lat/Lon:"))
    located = bracketed(rest[1])
    adherence = integer(labelled(rest[2], b"Adher:"))
    adheres = bracketed(rest[3])
    integer(labelled(rest[4], b"Odom:"))
    bracketed(rest[5])
    need(rest[6] in (b"DGPS:On", b"DGPS:Off"))
    integer(labelled(rest[7], b"FOM:"))
    if dwells or no_fix:
        return DROPPED
    return [day, when, vehicle, lat, lon, located, adherence, adheres, route, direction, stop]


def flag(value):
    need(value in (b"V", b"I"))
    return value


def csv_word(value):
    return matched(rb'[^ \t,"]+', value)[0]


def v2(line, year, name, stop_name):
    stem = b"Time,Date," + name + V2_STEM
    tail = b",Route,Direction," + stop_name
    if line in (stem, stem + tail, stem + b"[" + tail + b"]"):
        return DROPPED
    fields = line.split(b",")
    need(len(fields) in (7, 10))
    when, day, vehicle = time(fields[0]), day_of_year(fields[1], year), csv_word(fields[2])
    no_fix, lat, lon = position(fields[3])
    row = [day, when, vehicle, lat, lon, flag(fields[4]), integer(fields[5]), flag(fields[6])]
    row += [integer(field) for field in fields[7:]] or [b"", b"", b""]
    return DROPPED if no_fix else row


def v3(line, _year):
    if line == COLUMNS:
        return DROPPED
    fields = line.split(b",")
    need(len(fields) == 11)
    found = matched(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})", fields[0])
    real_date(int(found[1]), int(found[2]), int(found[3]))
    time(fields[1])
    csv_word(fields[2])
    no_fix = fields[3:5] == [b"0", b"0"]
    for coordinate in fields[3:5]:
        need(no_fix or re.fullmatch(rb"-?[0-9]{2}\.[0-9]+", coordinate))
    flag(fields[5])
    integer(fields[6])
    flag(fields[7])
    if fields[8:] != [b"", b"", b""]:
        for field in fields[8:]:
            integer(field)
    return DROPPED if no_fix else fields


FORMATS = {
    "spysocket": spysocket,
    "spysocket-v2.1": lambda line, year: v2(line, year, b"RID", b"StopID"),
    "spysocket-v2.2": lambda line, year: v2(line, year, b"Vehicle", b"Stop"),
    "spysocket-v3": v3,
}


def quoted(value):
    if re.search(rb'[,"\r\n]', value):
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value


class Answer:
    """The CSV; the rejects as (line number, byte offset, bytes as they came); the cut-off line."""

    def __init__(self):
        self.csv = [COLUMNS]
        self.rejects = []
        self.cut = None
        self.lines = self.rows = self.dropped = 0

    def csv_bytes(self):
        return b"\n".join(self.csv) + b"\n"


def judge(content, format_name, year):
    """What becomes of `content`, the bytes of one unpacked extract."""
    answer = Answer()
    parse = FORMATS[format_name]
    at = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    while at < len(content):
        end = content.find(b"\n", at)
        came = content[at:] if end < 0 else content[at:end]
        answer.lines += 1
        try:
            need(end >= 0)
            line = (came[:-1] if came.endswith(b"\r") else came).strip(b" \t")
            if not line:
                answer.dropped += 1
                at = len(content) if end < 0 else end + 1
                continue
            need(b"\0" not in line)
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                raise Reject from None
            row = parse(line, year)
            if row is DROPPED:
                answer.dropped += 1
            else:
                answer.rows += 1
                answer.csv.append(b",".join(quoted(value) for value in row))
        except Reject:
            answer.rejects.append((answer.lines, at, came))
            if end < 0:
                answer.cut = came
        if end < 0:
            break
        at = end + 1
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--year", type=int, required=True)
    parser.add_argument("--format", choices=sorted(FORMATS), default="spysocket")
    parser.add_argument("--rejects")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("extract")
    options = parser.parse_args()
    with open(options.extract, "rb") as extract:
        answer = judge(extract.read(), options.format, options.year)
    sys.stdout.buffer.write(answer.csv_bytes())
    if options.rejects:
        with open(options.rejects, "w", encoding="ascii") as rejects:
            for line, offset, _ in answer.rejects:
                rejects.write(f"{line},{offset}\n")
    if options.summary:
        print(f"lines={answer.lines} rows={answer.rows} dropped={answer.dropped} "
              f"rejected={len(answer.rejects)}", file=sys.stderr)


if __name__ == "__main__":
    main()
