"""The sending scripts against a real sshd, with accounts that may do next to nothing: the lines of
etc/capture-host/authorized_keys, and its sshd_config.example as it stands."""
import fcntl
import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

import ssh_server

BINARY = os.environ["CARAVEL_TAIL_BINARY"]
SOURCE = os.environ["CARAVEL_SOURCE_DIR"]
EXAMPLES = os.path.join(SOURCE, "etc/capture-host")
RRSYNC = "/usr/bin/rrsync"

# What the example's comments ask the administrator to do. It is done in a mount namespace of its own,
# so that the rest of the machine never sees the account.
PREPARE = """
set -e
for file in passwd group; do cp /etc/$file "$1/$file"; done
echo "caravel-drop:x:61234:61234::/srv/caravel:/usr/sbin/nologin" >>"$1/passwd"
printf "caravel-drop:x:61234:\\ncaravel:x:61235:\\n" >>"$1/group"
for file in passwd group; do mount --bind "$1/$file" /etc/$file; done
mount -t tmpfs -o mode=755 tmpfs /srv
mount -t tmpfs -o mode=755 tmpfs /etc/ssh
install -d -o root -g root -m 755 /srv/caravel
install -d -o caravel-drop -g caravel -m 2770 /srv/caravel/drop
install -d -m 755 /etc/ssh/authorized_keys.d
install -m 644 "$2" /etc/ssh/authorized_keys.d/caravel-drop
shift 2
exec "$@"
"""


def read(path):
    with open(path, "rb") as file:
        return file.read()


@unittest.skipIf(ssh_server.missing(), f"no {ssh_server.missing()}")
class RestrictedAccount(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="caravel-account.")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        os.chmod(self.root, 0o755)
        os.makedirs(self.path("logs"))
        self.log = self.path("logs/odd 'name\" [x] $y.log")
        with open(self.log, "wb") as log:
            log.write(b"a\nb\n")

    def path(self, name):
        return os.path.join(self.root, name)

    def serve(self, **settings):
        self.sshd = ssh_server.Sshd(self.path("ssh"), **settings)
        self.addCleanup(self.sshd.stop)
        self.sshd.start()

    def environment(self):
        return {**os.environ, "CARAVEL_SSH_OPTIONS": " ".join(self.sshd.options)}

    def tail(self, *more):
        return subprocess.run(
            [BINARY, "--outbox", self.path("outbox"), "--state", self.path("state/state"), "--from",
             "start", "--once", *more, self.log],
            env=self.environment(), capture_output=True, text=True, timeout=60)

    def deliver(self, script, target, drop):
        """One extract and its manifest arrive; sent again, they take the place of themselves."""
        command = f"{SOURCE}/scripts/{script} '{target}' {{}}"
        result = self.tail("--send", command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(os.listdir(drop)), 2)
        [extract] = [name for name in glob.glob(os.path.join(glob.escape(drop), "*.log"))]
        self.assertEqual(read(extract), b"a\nb\n")
        self.assertIn(f"sha256={hashlib.sha256(b'a' + bytes([10]) + b'b' + bytes([10])).hexdigest()}",
                      read(extract + ".manifest").decode())
        place = ":".join(re.search(r"\.([0-9a-f]{8})\.(\d{8})\.log$", extract).groups())
        subprocess.run([BINARY, "--outbox", self.path("outbox"), "--resend", place], check=True)
        result = self.tail("--send", command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(os.listdir(drop)), 2)
        return extract

    def forced_command(self, program, home):
        """From the example, with another directory."""
        for line in read(os.path.join(EXAMPLES, "authorized_keys")).decode().splitlines():
            found = re.match(r'restrict,command="([^"]*)"', line)
            if found and program in found[1]:
                self.assertIn("/srv/caravel", found[1])
                return found[1].replace("/srv/caravel", home)
        raise AssertionError(f"no line for {program}")

    def test_a_key_that_may_only_internal_sftp(self):
        os.makedirs(self.path("home/drop here"))
        self.serve(forced=self.forced_command("internal-sftp", self.path("home")))
        # The address in brackets, as an IPv6 address must be written.
        host = self.sshd.host.replace("@", "@[") + "]"
        self.deliver("send-scp", f"{host}:drop here", self.path("home/drop here"))
        nowhere = subprocess.run([f"{SOURCE}/scripts/send-scp", f"{self.sshd.host}:nowhere", self.log],
                                 env=self.environment(), capture_output=True)
        self.assertNotEqual(nowhere.returncode, 0)

    @unittest.skipUnless(shutil.which("rsync") and os.path.exists(RRSYNC), "no rsync or rrsync")
    def test_a_key_that_may_only_rrsync(self):
        os.makedirs(self.path("home/drop"))
        self.serve(forced=self.forced_command("rrsync", self.path("home")))
        # Another host is sending: rrsync of rsync 3.5.0 locks the directory for so long.
        other = os.open(self.path("home/drop"), os.O_RDONLY)
        self.addCleanup(os.close, other)
        fcntl.flock(other, fcntl.LOCK_EX)
        self.deliver("send-rsync", f"{self.sshd.host}:.", self.path("home/drop"))
        # A directory that does not exist is an error, and is not made.
        nowhere = subprocess.run([f"{SOURCE}/scripts/send-rsync", f"{self.sshd.host}:drop", self.log],
                                 env=self.environment(), capture_output=True)
        self.assertNotEqual(nowhere.returncode, 0)
        self.assertEqual(len(os.listdir(self.path("home/drop"))), 2)

    @unittest.skipUnless(os.geteuid() == 0 and subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/srv"],
        capture_output=True).returncode == 0, "needs root and mount namespaces")
    def test_the_fenced_account_can_only_drop(self):
        os.makedirs(self.path("fence"))
        self.serve(include=os.path.join(EXAMPLES, "sshd_config.example"),
                   within=["unshare", "--mount", "sh", "-c", PREPARE, "sh", self.path("fence"),
                           self.path("ssh/user.pub")])
        spool = f"/proc/{self.sshd.process.pid}/root/srv/caravel"
        account = f"caravel-drop@{self.sshd.address}"
        extract = self.deliver("send-scp", f"{account}:drop", os.path.join(spool, "drop"))
        status = os.stat(extract)
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid),
                         (0o640, 61234, 61235))
        name = os.path.basename(extract)
        for command in ("ls drop", "put -f {log} x", "mkdir drop/d", "rm drop/{name}",
                        "get drop/{name} {root}/got", "cp drop/{name} drop/copy",
                        "symlink / drop/link", "ln drop/{name} drop/hard", "put {log} ../x"):
            with self.subTest(command):
                batch = command.format(log=f'"{self.quoted(self.log)}"', name=f'"{self.quoted(name)}"',
                                       root=self.root)
                tried = subprocess.run(["sftp", "-q", "-b", "-", *self.sshd.options, account],
                                       input=batch + "\n", text=True, capture_output=True)
                self.assertNotEqual(tried.returncode, 0, batch + tried.stdout + tried.stderr)
        self.assertEqual(len(os.listdir(os.path.join(spool, "drop"))), 2)
        self.assertEqual(os.listdir(spool), ["drop"])
        shell = subprocess.run(["ssh", *self.sshd.options, account, "true"], capture_output=True,
                               input=b"")
        self.assertNotEqual(shell.returncode, 0)

    @staticmethod
    def quoted(text):
        return text.replace("\\", "\\\\").replace('"', '\\"')


if __name__ == "__main__":
    unittest.main(verbosity=2)
