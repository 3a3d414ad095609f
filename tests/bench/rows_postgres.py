"""Loading into PostgreSQL, beside what PostgreSQL itself offers: psql's copy of the ready CSV."""
import contextlib
import os
import sys

import hosts
from figures import Figure, Missing, Wrong
from measurement import row
from measuring import Run
from rows_store import expected_rows

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from postgres import NoServer, Postgres  # noqa: E402


@contextlib.contextmanager
def a_server():
    """Durable, as it comes: what it says is stored is on the disk."""
    try:
        server = Postgres()
    except NoServer as missing:
        raise Missing(str(missing)) from missing
    try:
        yield server.start()
    finally:
        server.remove()


class Loads:
    """`caravel process` into an empty schema, and psql's copy of the rows that came of it into such a table."""

    def __init__(self, bench, server, given):
        self.bench, self.server, self.given = bench, server, given
        self.rows = expected_rows(bench, given)
        self.store = f"{{type: postgresql, url: '{server.url()}', schema: bench}}"
        self.ours(bench.programs[0], 1)
        self.csv = os.path.join(server.folder, "ready.csv")
        server.sql(f"create schema ready; create table ready.hrt (like bench.hrt including all);\n"
                   f"\\copy (select * from bench.hrt order by _id) to '{self.csv}' csv\n")

    def check(self, schema):
        """A checkpoint that is due of one load must not fall into the next."""
        found = int(self.server.sql(f"select count(*) from {schema}.hrt"))
        self.server.sql("checkpoint")
        if found != self.rows:
            raise Wrong(f"{found} rows in the store instead of {self.rows}")

    def ours(self, caravel, times):
        self.server.sql("drop schema if exists bench cascade; checkpoint")
        host = hosts.Host(self.bench.place("host"), (self.store,))
        runs = []
        for _ in range(times):
            runs.append(Run(host.process_command(caravel, self.given.path)))
            self.check("bench")
        self.bench.forget_hosts(host)
        return runs

    def copied(self):
        self.server.sql("truncate ready.hrt; checkpoint")
        # -c, and none of the options that psql() has for a script.
        run = Run([*self.server.psql(), "-c", f"\\copy ready.hrt from '{self.csv}' csv"])
        self.check("ready")
        return run


@row("postgres")
def postgres_rate(bench):
    """process into PostgreSQL, rows a second: psql \\copy of the ready CSV; then the same extract again"""
    given = bench.input("spysocket", bench.scale.store)
    with a_server() as server:
        loads = Loads(bench, server, given)
        found, (copies,) = bench.in_turns(lambda caravel: loads.ours(caravel, 2), [loads.copied], bench.scale.rounds)
    first = [loads.rows / min(runs[0].seconds for runs in rounds) for rounds in found]
    again = [loads.rows / min(runs[1].seconds for runs in rounds) for rounds in found]
    return [Figure("process into PostgreSQL, rows/s", first, "", loads.rows / min(run.seconds for run in copies),
                   "psql \\copy", ">= 0.7 x", "more"),
            Figure("the same extract again, rows/s", again, "", first[0], "the first load", ">= 1.0 x", "more"),
            Figure("the first load, our CPU/row", [min(runs[0].cpu for runs in rounds) / loads.rows * 1e6
                                                   for rounds in found], "us"),
            Figure("the same, peak memory", [max(runs[0].peak_mib for runs in rounds) for rounds in found], "MiB",
                   target="< 64")]
