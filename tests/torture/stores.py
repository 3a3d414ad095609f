"""Stores that misbehave: for one request, for some, or for as long as it is looked at. Afterwards the
store is well again, and everything must be there."""
import os

import store_modes
from attacks import Attack, LastingFault
from couch import Reply
from verdict import judge_ending


class StoreModes(Attack):
    row = "store modes"
    category = "store"
    share = 1.0
    patient = True

    def __init__(self, scenarios, place):
        super().__init__([scenario for scenario in scenarios
                          if scenario.couch and scenario.kind in ("watch", "sweep", "feeds")], place)
        self.modes = store_modes.modes()
        self.forgetful = {"made-anew": forget_all, "loses-rows": forget_some}

    def draw(self, chance):
        scenario = self.draw_scenario(chance)
        mode = chance.choice(sorted([*self.modes, *self.forgetful]))
        how_long = chance.choice(("1", "3", "ever"))
        first = chance.randint(1, 24)
        if mode in store_modes.REFUSALS:
            how_long, first = "ever", 1  # a refusal of some rows is an answer: they become rejects
        return f"store:{scenario.name}:{mode}:{how_long}:{first}:{chance.randrange(10**6)}"

    def harm(self, scenario, host, parts, chance, verdict):
        if parts[0] in self.forgetful:
            return self.forget(self.forgetful[parts[0]], scenario, host, parts, chance, verdict)
        mode, how_long, first = self.modes[parts[0]](), parts[1], int(parts[2])
        most = 10**9 if how_long == "ever" else int(how_long)
        seen = [0]

        def misbehave(request, answer):
            seen[0] += 1
            return mode(request, answer) if first <= seen[0] < first + most else None
        scenario.couch.misbehave = misbehave
        if how_long == "ever":
            look = LastingFault(scenario, host, 1.5)
            ending = scenario.attack(host, [], look.on_quiet, look.on_tick)
            look.judge(verdict, ending, met=seen[0] >= first)
        else:
            ending = scenario.attack(host, [])
        judge_ending(verdict, ending, "the run with the bad store")
        scenario.couch.misbehave = None
        for line in host.said().splitlines():
            verdict.add("other", len(line) > 20_000 or any(c in line for c in "\x1b\x07\u202e\u2028\x85"),
                        f"a message of {len(line)} bytes, or with raw text of the server: {line[:200]!r}")
        verdict.add("other", os.path.getsize(host.messages) > 1 << 20 if os.path.exists(host.messages) else 0,
                    "more than 1 MiB of messages")

    def forget(self, how, scenario, host, parts, chance, verdict):
        """The store loses what it had acknowledged; `process --verify` finds out, and mends it."""
        seen = [0]

        def misbehave(request, _answer):
            seen[0] += 1
            return how(scenario.couch, request, chance) if seen[0] == int(parts[2]) else None
        scenario.couch.misbehave = misbehave
        judge_ending(verdict, scenario.attack(host, []), "the run with the store that forgets")
        scenario.couch.misbehave = None
        problem = scenario.recover(host)
        verdict.add("other", problem is not None, f"not settled: {problem}")
        host.loaded_again = True
        done = host.run("process", "--verify", "--all")
        verdict.add("other", done.returncode not in (0, 3), f"process --verify ends with {done.returncode}")


def forget_all(couch, _request, _chance):
    """The database is deleted and made again. CouchDB then answers requests in flight like this."""
    with couch.lock:
        couch.documents.clear()
        couch.born = str(int(couch.born) + 1)
    return Reply(500, [{"error": "internal_server_error", "reason": "No DB shards could be opened."}])


def forget_some(couch, _request, chance):
    with couch.lock:
        for key in chance.sample(sorted(couch.documents), len(couch.documents) // 3):
            del couch.documents[key]
    return None
