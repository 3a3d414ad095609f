"""A real sshd with keys of its own, and processes that may be killed: only those a test started."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

SSHD = "/usr/sbin/sshd"
PATIENCE = 30  # seconds; only a failure takes that long


def missing():
    """What these tests need and this machine has not, in words; empty if nothing."""
    programs = [SSHD, "ssh-keygen", "ssh", "scp", "sftp"]
    return ", ".join(name for name in programs if not shutil.which(name))


def descendants(pid):
    """The process ids below `pid`, parents before children."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in map(int, file.read().split()):
                    found += [child, *descendants(child)]
    except OSError:
        pass  # it ended meanwhile
    return found


def kill_below(root, choose, how=signal.SIGKILL):
    """Kills those of the processes below `root` that `choose` picks from the list. True if there
    was one."""
    killed = False
    for pid in choose(descendants(root)):
        try:
            process = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            # A pidfd stays with its process. Only then is looked whether that is still one of ours: the
            # number may have been given to another process before.
            if pid in descendants(root):
                signal.pidfd_send_signal(process, how)
                killed = True
        except ProcessLookupError:
            pass
        finally:
            os.close(process)
    return killed


class Sshd:
    """Listens at `address`; lets in one key as the user who runs the test. `within` is the command
    that starts it somewhere else (nsenter); `forced` is all that the key may do; `include` is a file
    with more settings."""

    def __init__(self, folder, address="127.0.0.1", port=None, within=(), sftp="internal-sftp",
                 forced=None, include=None):
        self.folder = folder
        self.address = address
        self.within = list(within)
        self.process = None
        self.starts = 0
        os.makedirs(folder)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)],
                           check=True)
        with open(self.path("user.pub"), encoding="ascii") as key, \
                open(self.path("keys"), "w", encoding="ascii") as keys:
            keys.write((f'restrict,command="{forced}" ' if forced else "") + key.read())
        if port is None:
            with socket.socket() as probe:
                probe.bind((address, 0))
                port = probe.getsockname()[1]
        self.port = port
        with open(self.path("config"), "w", encoding="ascii") as config:
            config.write(f"ListenAddress {address}:{port}\nHostKey {self.path('host')}\n"
                         f"AuthorizedKeysFile {self.path('keys')}\nStrictModes no\nUsePAM no\n"
                         "PidFile none\nPermitRootLogin prohibit-password\nMaxStartups 100\n"
                         "ClientAliveInterval 1\nClientAliveCountMax 3\nUseDNS no\n"
                         # The user's shell reads no startup files: they are not ours to kill.
                         f"SetEnv HOME={folder}\n"
                         f"Subsystem sftp {sftp}\n")
            if include:
                config.write(f"Include {include}\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def host(self):
        return f"{pwd.getpwuid(os.geteuid()).pw_name}@{self.address}"

    @property
    def options(self):
        """For ssh, scp and sftp alike, without a blank in any."""
        return ["-F", "none", "-i", self.path("user"),
                *[word for setting in (
                    f"Port={self.port}", "BatchMode=yes", "StrictHostKeyChecking=no",
                    f"UserKnownHostsFile={self.path('known')}", "LogLevel=ERROR", "ConnectTimeout=5",
                    "ServerAliveInterval=1", "ServerAliveCountMax=3", "IPQoS=none",
                    "KexAlgorithms=curve25519-sha256")  # half of the time that the default takes
                  for word in ("-o", setting)]]

    def start(self):
        # Each start has its own log: sessions may outlive their listener, and go on writing into theirs.
        self.starts += 1
        log_path = self.path(f"log{self.starts}")
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen([*self.within, SSHD, "-D", "-e", "-f", self.path("config")],
                                            stderr=log)
        # The log says when it listens; no test connection, which may have to come from another namespace.
        with open(log_path, "rb") as log:
            deadline = time.monotonic() + PATIENCE
            said = b""
            while b"Server listening" not in said:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"sshd does not start: {said.decode()[-1000:]}")
                said += log.read()
                time.sleep(0.01)

    def cut(self):
        """Kills all sessions, as a connection that is gone ends them. True if there was one."""
        return kill_below(self.process.pid, lambda sessions: sessions)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)  # no new session while the old ones go
            self.cut()
            self.process.kill()
            self.process.wait()
            self.process = None
