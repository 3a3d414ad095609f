"""The time that jumps while the program runs: a year both ways, the end of summer time, a suspended or
stopped machine, and many small steps. Afterwards the right time is back, which is one more jump."""
import calendar
import os
import signal
import time

from attacks import Attack
from verdict import judge_ending

YEAR, DAY, HOUR = 365 * 86400, 86400, 3600


def steps_of(kind, chance):
    """(milliseconds, seconds of the wall clock, seconds of the steady clock)"""
    at = chance.randrange(0, 1500)
    if kind == "year-forward":
        return [(at, YEAR, 0)]
    if kind == "year-back":
        return [(at, -YEAR, 0)]
    if kind == "there-and-back":
        return [(at, YEAR, 0), (at + chance.randrange(50, 1500), -YEAR, 0)]
    if kind == "back-and-there":
        return [(at, -YEAR, 0), (at + chance.randrange(50, 1500), YEAR, 0)]
    if kind == "suspended":   # CLOCK_MONOTONIC stands still meanwhile
        return [(at, HOUR, 0)]
    if kind == "stopped":     # and here it goes on
        return [(at, HOUR, HOUR)]
    if kind == "summer-ends":  # 2026-11-01, 05:59:59 UTC: an hour later New York has the same time again
        begin = calendar.timegm((2026, 11, 1, 5, 59, 59)) - int(time.time())
        return [(0, begin, 0), (at, HOUR, 0)]
    if kind == "midnight":
        return [(0, DAY - int(time.time()) % DAY - 1, 0)]
    if kind == "1970":
        return [(at, 5 - int(time.time()), 0)]
    return [(n * 40, chance.choice((-DAY, -HOUR, -1, 1, HOUR, DAY)), 0) for n in range(60)]


KINDS = ("year-forward", "year-back", "there-and-back", "back-and-there", "suspended", "stopped",
         "summer-ends", "midnight", "1970", "jitter", "sigstop")


class Clocks(Attack):
    row = "clocks"
    category = "clock"
    share = 0.5

    def draw(self, chance):
        return f"clock:{self.draw_scenario(chance).name}:{chance.choice(KINDS)}:{chance.randrange(10**6)}"

    def harm(self, scenario, host, parts, chance, verdict):
        host.any_year = scenario.kind == "capture"
        options = []
        stops = [chance.uniform(0.05, 1)] if parts[0] == "sigstop" else []
        if not stops:
            for step in steps_of(parts[0], chance):
                options += ["--clock", ":".join(map(str, step))]

        def stop_for_a_while(run):
            if stops and run.program:
                stops.clear()
                os.kill(run.program, signal.SIGSTOP)
                time.sleep(1.5)
                os.kill(run.program, signal.SIGCONT)
        zone = os.environ.get("TZ")
        os.environ["TZ"] = "America/New_York"
        try:
            ending = scenario.attack(host, options, on_tick=stop_for_a_while if stops else None,
                                     **({"tick": stops[0]} if stops else {}))
        finally:
            os.environ.pop("TZ")
            if zone:
                os.environ["TZ"] = zone
        judge_ending(verdict, ending, "the run with another time")
