"""A real PostgreSQL server with data of its own on a free port of loopback, for end-to-end tests and
scripts/bench. Its programs: $CARAVEL_POSTGRES_BIN, else the newest of /usr/lib/postgresql. They refuse to run as
root: then the server is the user postgres."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class NoServer(Exception):
    """There is no server here, or it cannot be started."""


def program(name):
    folder = os.environ.get("CARAVEL_POSTGRES_BIN")
    found = [os.path.join(folder, name)] if folder else sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    if not found or not os.path.exists(found[-1]):
        raise NoServer(f"no {name} of PostgreSQL here (scripts/setup)")
    return found[-1]


class Postgres:
    """Tests say `safe=False`: what a power loss takes is not what they are about. `follows`: a server that runs, of
    which this one is a standby."""

    def __init__(self, safe=True, follows=None):
        self.account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.folder = tempfile.mkdtemp(prefix="caravel-postgres-")
        if self.account:
            shutil.chown(self.folder, **{key: self.account[key] for key in ("user", "group")})
            pwd.getpwnam("postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.safe = safe
        self.process = None
        data = os.path.join(self.folder, "data")
        if follows:
            self.run([program("pg_basebackup"), "-D", data, "-R", "-h", "127.0.0.1", "-p", str(follows.port), "-U",
                      "postgres", "-c", "fast", "--no-sync"])
        else:
            self.run([program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync"])

    def run(self, command, text=None):
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=self.folder,
                              **self.account)
        if done.returncode != 0:
            raise NoServer(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", os.path.join(self.folder, "data"), "-k", self.folder, "-p",
                 str(self.port), "-c", "listen_addresses=127.0.0.1", *([] if self.safe else ["-c", "fsync=off"])],
                stdout=log, stderr=log, cwd=self.folder, **self.account)
        deadline = time.monotonic() + 120
        while True:  # no event tells that it takes connections
            try:
                self.sql("select 1")
                return self
            except NoServer:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.folder, "server.log"), encoding="utf-8") as log:
                        raise NoServer("postgres does not come up: " + log.read()[-2000:]) from None
                time.sleep(0.02)

    def stop(self, how=signal.SIGINT):
        """SIGINT ends all sessions and the server; SIGQUIT is as good as a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self):
        return [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                str(self.port), "-U", "postgres", "-d", "postgres"]

    def sql(self, statements):
        """What they print: a row a line, with '|' between its values."""
        return self.run(self.psql(), statements).rstrip("\n")

    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
