#!/usr/bin/env python3
"""Makes extracts like the real ones, and damages some of their lines. The same arguments make the
same bytes.

    generate_spysocket.py --seed 1 --lines 1000 [--damage 0.2] [--format spysocket-v3] > extract.log
"""
import argparse
import random
import sys

FORMATS = ("spysocket", "spysocket-v2.1", "spysocket-v2.2", "spysocket-v3")
V2_STEM = "Lat/Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid"
HEADERS = {
    "spysocket-v2.1": [f"Time,Date,RID,{V2_STEM}{tail}"
                       for tail in ("", ",Route,Direction,StopID", "[,Route,Direction,StopID]")],
    "spysocket-v2.2": [f"Time,Date,Vehicle,{V2_STEM}{tail}"
                       for tail in ("", ",Route,Direction,Stop", "[,Route,Direction,Stop]")],
    "spysocket-v3": ["Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,"
                     "Adherence Valid/Invalid,Route,Direction,Stop"],
}
TIMES = ("23:59:60", "00:00:00", "24:00:00", "12:60:00", "12:00:61", "9:48:00", "09:48", "09-48-00",
         "09:48:00Z", "::", "")
DAYS = ("02/29", "02/30", "12/31", "01/01", "00/10", "10/00", "13/01", "04/31", "3/9", "03-09",
        "03/09/12", "")
DATES = ("2012-02-29", "2011-02-29", "1900-02-29", "2000-02-29", "2012-04-31", "2012-13-01",
         "2012-00-10", "2012-3-9", "12-03-09", "03/09", "9999-12-31", "")
POSITIONS = ("0/0", "0/5", "5/0", "00/00", "000/000", "-0/0", "0/-0", "12/34", "123/456",
             "-123/-456", "+368683096359/763270519248", "36.86/76.32", "368683096359",
             "368683096359/-763270519248/1", "/", "3686830963a9/-763270519248",
             "--368683096359/763270519248", "99999999999999999999999999/-88888888888888888888888", "")
COORDINATES = ("0", "0.0", "36.", ".5", "36", "-36.0", "136.5", "6.5", "00.0", "36.5.5", "+36.5",
               "-76.0914385940000000000000000001", "36.7a", "")
NUMBERS = ("0", "-0", "007", "-12", "--1", "+1", "1.5", "", "-", "x", "1e3", "2147483648",
           "99999999999999999999999999999999999999", "-9223372036854775809", "0x10", "1-")
BRACKETS = ("[Invalid]", "[Stale]", "[]", "[", "]", "[Valid", "Valid]", "Valid", "[valid]", "[[x]]",
            "[no fix]", "")
FLAGS = ("V", "I", "v", "X", "VI", "")
VEHICLES = ("V.1.9", "V", "Bus-7", "V.1.Ünïcode", "V,1", "V\x001", "V.1.'x'", "")


class Generator:
    def __init__(self, seed, format_name, damage):
        self.random = random.Random(f"{seed} {format_name}")
        self.format = format_name
        self.damage = damage
        self.second = 9 * 3600 + 48 * 60
        self.day = 9

    def time(self):
        self.second += self.random.choice((0, 0, 0, 1, 1, 2))
        if self.second >= 86400:
            self.second = 0
            self.day = min(self.day + 1, 31)
        return f"{self.second // 3600:02}:{self.second // 60 % 60:02}:{self.second % 60:02}"

    def degrees(self, whole):
        return str(whole) + str(self.random.randrange(10 ** 4, 10 ** self.random.randint(6, 10)))

    def position(self):
        if self.random.random() < 0.03:
            return "0", "0"
        return self.degrees(self.random.choice((36, 37))), self.degrees(-76)

    def bracket(self):
        return "[Valid]" if self.random.random() < 0.9 else "[Invalid]"

    def flag(self):
        return "V" if self.random.random() < 0.9 else "I"

    def number(self, most, least=0):
        return str(self.random.randint(least, most))

    def words(self):
        """One good line, as words."""
        if self.format == "spysocket":
            return self.spysocket_words()
        lat, lon = self.position()
        crossing = self.random.random() < 0.2
        stop = [self.number(200), self.number(9), self.number(5000)] if crossing else []
        if self.format == "spysocket-v3":
            if lat != "0":
                lat, lon = lat[:2] + "." + lat[2:], lon[:3] + "." + lon[3:]
            return [f"2012-03-{self.day:02}", self.time(), "V.1." + self.number(4999, 1000), lat, lon,
                    self.flag(), self.number(9, -9), self.flag(), *(stop or ["", "", ""])]
        vehicle = self.number(4999, 1000)
        if self.format == "spysocket-v2.2":
            vehicle = "V.1." + vehicle
        return [self.time(), f"03/{self.day:02}", vehicle, f"{lat}/{lon}", self.flag(),
                self.number(9, -9), self.flag(), *stop]

    def spysocket_words(self):
        when = self.time()
        words = [when, f"03/{self.day:02}", "V.1." + self.number(4999, 1000), "H.0.0"]
        if self.random.random() < 0.75:
            words.append("MT_LOCATION")
        else:
            moment = "Arrival" if self.random.random() < 0.5 else "Dwell:" + self.number(300)
            words += ["MT_TIMEPOINTCROSSING", "Time:" + when, moment, "Rte:" + self.number(200),
                      "Dir:" + self.number(9), "TP:" + self.number(999), "Stop:" + self.number(5000),
                      "Svc:" + self.number(9), "Blk:" + self.number(999)]
        return words + ["Lat/Lon:" + "/".join(self.position()), self.bracket(),
                        "Adher:" + self.number(9, -9), self.bracket(), "Odom:" + self.number(9999),
                        self.bracket(), "DGPS:" + self.random.choice(("On", "Off")),
                        "FOM:" + self.number(5)]

    def other_value(self, word):
        """Another value, good or bad, of the kind that `word` seems to be."""
        pick = self.random.choice
        label, colon, _ = word.partition(":")
        if colon and label and not label[0].isdigit():
            if label == "Lat/Lon":
                return "Lat/Lon:" + pick(POSITIONS)
            if label == "Time":
                return "Time:" + pick(TIMES)
            if label == "DGPS":
                return "DGPS:" + pick(("On", "Off", "on", "", "Onn", "0"))
            return label + ":" + pick(NUMBERS)
        if colon:
            return pick(TIMES)
        if word.startswith("["):
            return pick(BRACKETS)
        if word in ("V", "I"):
            return pick(FLAGS)
        if word == "Arrival":
            return pick(("Arrival:", "arrival", "Dwell:", "Dwell:x", "Dwell:-3", "Departure"))
        if "-" in word[1:]:
            return pick(DATES) if "/" not in word else pick(POSITIONS)
        if "/" in word:
            return pick(DAYS) if len(word) == 5 else pick(POSITIONS)
        if "." in word and not word.startswith(("V", "H")):
            return pick(COORDINATES)
        if word.startswith("V"):
            return pick(VEHICLES)
        return pick(NUMBERS)

    def harm_words(self, words):
        at = self.random.randrange(len(words))
        harm = self.random.randrange(7)
        if harm == 0:
            del words[at]
        elif harm == 1:
            words.insert(at, words[at])
        elif harm == 2:
            words.insert(at, self.random.choice(("x", "FOM:2", "[Valid]", "0", "MT_LOCATION")))
        elif harm == 3:
            other = self.random.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        elif harm == 4 and ":" in words[at]:
            label, _, value = words[at].partition(":")
            words[at] = self.random.choice((label.lower() + ":" + value, label + value,
                                            "X" + label + ":" + value, label + ": " + value,
                                            label + ":" + value + ":" + value, value))
        else:
            words[at] = self.other_value(words[at])

    def harm_bytes(self, line):
        at = self.random.randrange(len(line)) if line else 0
        harm = self.random.randrange(8)
        if harm <= 1:
            return line[:at]
        if harm <= 3:
            return line[:at] + bytes([self.random.randrange(256)]) + line[at + 1:]
        if harm == 4:
            return line[:at] + b"\0" * self.random.choice((1, 1, 20)) + line[at:]
        if harm == 5:
            bad = self.random.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x82",
                                      b"\xf5\x80\x80\x80", b"\x80", b"\xc3\xa9", b"\xf0\x9f\x9a\x8c"))
            return line[:at] + bad + line[at:]
        if harm == 6:
            return self.random.choice((b"", b"   ", b"\t", b"\r", b"\xef\xbb\xbf" + line, line + line,
                                       b"x" * 5000, line + b" " + line, line + b"\r", b"\0" * 80))
        return line[at:]

    def separator(self):
        if self.format != "spysocket":
            return ","
        return self.random.choice((" ", "  ", "\t", " \t ", "        "))

    def line(self):
        """One line with its end."""
        words = self.words()
        harmed = self.random.random() < self.damage
        if harmed and self.random.random() < 0.6:
            self.harm_words(words)
        spread = self.random.random() < 0.1
        gap = " " if self.format == "spysocket" else ","
        text = words[0]
        for word in words[1:]:
            text += (self.separator() if spread else gap) + word
        if harmed and self.random.random() < 0.15:
            text = self.random.choice((" ", "\t", "  ")) + text + self.random.choice(("", " ", "\t "))
        line = text.encode("utf-8")
        if harmed and self.random.random() < 0.5:
            line = self.harm_bytes(line)
        if self.format != "spysocket":
            line = line.replace(b'"', b"'")  # these formats' values hold no quotes
        return line + (b"\r\n" if harmed and self.random.random() < 0.2 else b"\n")

    def header(self):
        headers = HEADERS.get(self.format)
        return self.random.choice(headers).encode() + b"\n" if headers else b""

    def extract(self, lines):
        made = self.header() if self.random.random() < 0.8 else b""
        if self.random.random() < self.damage:
            made = b"\xef\xbb\xbf" + made
        body = []
        for _ in range(lines):
            if self.random.random() < self.damage / 100:
                body.append(self.header())
            body.append(self.line())
        made += b"".join(body)
        if self.random.random() < self.damage:
            made = made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self.random.random() < self.damage:
            made = made[:-self.random.choice((1, 2, 10, 40))]
        return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--damage", type=float, default=0.0, help="share of harmed lines, 0 to 1")
    parser.add_argument("--format", choices=FORMATS, default="spysocket")
    options = parser.parse_args()
    generator = Generator(options.seed, options.format, options.damage)
    sys.stdout.buffer.write(generator.extract(options.lines))


if __name__ == "__main__":
    main()
