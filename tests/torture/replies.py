"""Replies of a CouchDB with bytes changed by chance, as a broken proxy or an enemy in the middle of the
way makes them. Nothing that was not stored may count as stored, whatever else comes of it."""
from attacks import Attack
from couch import Reply
from files import damaged
from verdict import judge_ending


class Replies(Attack):
    """Some dozens of damaged replies in a run; each counts as tried."""
    row = "replies"
    category = "replies"
    share = 0.5
    patient = True

    def __init__(self, scenarios, place):
        super().__init__([scenario for scenario in scenarios
                          if scenario.couch and scenario.kind in ("watch", "sweep", "process")], place)

    def draw(self, chance):
        return f"replies:{self.draw_scenario(chance).name}:{chance.randrange(10**9)}"

    def harm(self, scenario, host, parts, chance, verdict):
        share = chance.choice((0.1, 0.5, 0.9))
        verdict.tried = 0

        def misbehave(request, answer):
            if chance.random() > share:
                return None
            # Every request is carried out: a client that takes a damaged reply for an honest one can be
            # wrong only about refusals. Those of store_modes.py are about what was not carried out.
            honest = answer()
            verdict.tried += 1
            how = chance.randrange(4)
            if how == 0:
                return damaged(chance, honest.data())
            if how == 1:
                return honest.data()[:chance.randrange(len(honest.data()))]
            return Reply(chance.choice((honest.status, honest.status, 200, 500)), damaged(chance, honest.body))
        scenario.couch.misbehave = misbehave
        judge_ending(verdict, scenario.attack(host, []), "the run with damaged replies")
        scenario.couch.misbehave = None
        verdict.tried = max(1, verdict.tried)
