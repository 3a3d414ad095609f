"""How senders deliver, one test for each row of the table in docs/dropping.md: real programs, broken
off in the middle, and what is in the store afterwards."""
import ftplib
import getpass
import glob
import grp
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness
import ssh_server
from harness import SOURCE, location, wait_for

NAME = "bus-2012-03-09.log"
LINES = [location(second) for second in range(4000)]
CONTENT = "".join(LINES).encode()
CUT = len("".join(LINES[:400])) + 50  # in the middle of a line
SETTLE = 0.2  # seconds
NO_SSH = ssh_server.missing()


def limited_to(size):
    """Ends the process with SIGXFSZ at this size of a file that it writes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Sending(harness.HostTest):
    """What the tests of all senders share."""

    def setUp(self):
        super().setUp()
        self.source = os.path.join(self.folder, NAME)
        with open(self.source, "wb") as file:
            file.write(CONTENT)
        os.utime(self.source, (1331300000, 1331300000))
        self.loader = self.host(feed=f"    settle: {int(SETTLE * 1000)}ms\n",
                                feeds="  any:\n    drop: any\n    match: '*'\n    format: spysocket\n"
                                      f"    store: local\n    settle: {int(SETTLE * 1000)}ms\n")
        self.drop = self.loader.path("spool/drop")
        self.target = os.path.join(self.drop, NAME)
        self.loader.start()

    def times(self, feed="hrt"):
        if not os.path.exists(self.loader.path("rows.db")):
            return []
        if not self.loader.rows(f"select name from sqlite_master where name = '{feed}'"):
            return []
        return [time_ for time_, in self.loader.rows(f"select Time from {feed} order by Time")]

    def assert_rows(self, count, feed="hrt"):
        """Asserts that the store has the first `count` lines, each once, and nothing else."""
        self.assertEqual(self.times(feed), [line.split()[0] for line in LINES[:count]])

    def counts(self, feed="hrt"):
        return next(status["counts"] for status in self.loader.status()["feeds"] if status["name"] == feed)

    def arrived(self, name=NAME):
        """How much of a file has come, wherever it is by now."""
        for path in (os.path.join(self.drop, name), *glob.glob(self.loader.path("spool/work/*", name))):
            try:
                return os.path.getsize(path)
            except FileNotFoundError:
                pass
        return -1

    def assert_half_is_loaded(self):
        """What came is an extract; its last line, cut in the middle, is no row."""
        self.loader.wait_until_ended(1)
        with open(glob.glob(self.loader.path("spool/done/*/*/*", NAME))[0], "rb") as file:
            came = file.read()
        self.assertTrue(CONTENT.startswith(came) and 0 < len(came) < len(CONTENT), len(came))
        whole, end, rest = came.rpartition(b"\n")
        lines = (whole + end).count(b"\n")
        self.assert_rows(lines)
        if rest:
            with open(self.loader.path("spool/rejects", NAME + ".cut"), "rb") as file:
                self.assertEqual(file.read().rstrip(b"\n"), rest)
            with open(self.loader.path("spool/rejects", NAME + ".reasons.csv"), encoding="utf-8") as file:
                self.assertEqual(file.read().splitlines()[1:], [f"{lines + 1},{len(whole + end)},no line end (cut off?)"])
        self.assertEqual(self.counts()["rejected"], 1 if rest else 0)
        return lines

    def assert_nothing_is_taken(self):
        """Not even after much more than `settle`: another file, sent later, is through."""
        time.sleep(2 * SETTLE)
        self.loader.drop(LINES[0], "other-2012-03-09.log")
        self.loader.wait_until_ended(1)
        self.assert_rows(1)
        return 1

    def assert_whole(self, extracts, already_there=0):
        self.loader.wait_until_ended(extracts)
        self.assert_rows(len(LINES))
        counts = self.counts()
        self.assertEqual((counts["stored"], counts["already_there"], counts["failed"]),
                         (len(LINES), already_there, 0))
        self.assert_counts_add_up(self.loader)
        self.assertEqual([name for name in os.listdir(self.drop) if not name.startswith(".")], [])


class Local(Sending):
    """Programs on the loading host itself."""

    def cut_then_whole(self, *command):
        done = subprocess.run(command, preexec_fn=limited_to(CUT), check=False)
        self.assertEqual(done.returncode, -signal.SIGXFSZ)
        lines = self.assert_half_is_loaded()
        self.assertEqual(lines, 400)
        subprocess.run(command, check=True)
        self.assert_whole(2, already_there=lines)

    def test_cp(self):
        self.cut_then_whole("cp", "-p", self.source, self.drop)

    def test_mv(self):
        subprocess.run(["mv", self.source, self.drop], check=True)
        self.assert_whole(1)

    def other_file_system(self):
        here = os.stat(self.folder).st_dev
        if os.access("/dev/shm", os.W_OK) and os.stat("/dev/shm").st_dev != here:
            there = tempfile.mkdtemp(prefix="caravel-e2e-", dir="/dev/shm")
            self.addCleanup(shutil.rmtree, there)
            return there
        there = os.path.join(self.folder, "mounted")
        os.mkdir(there)
        if subprocess.run(["mount", "-t", "tmpfs", "none", there], capture_output=True, check=False).returncode:
            self.skipTest("there is no other file system here, and none can be mounted")
        self.addCleanup(subprocess.run, ["umount", there], check=True)
        return there

    def test_mv_from_another_file_system(self):
        source = shutil.copy2(self.source, self.other_file_system())
        self.cut_then_whole("mv", source, self.drop)
        self.assertFalse(os.path.exists(source))

    def test_curl_o(self):
        # The server sends half of the file, is silent for longer than `settle`, and closes the connection.
        halt, serve_all = threading.Event(), threading.Event()

        def serve(server):
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(10000)
                    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(CONTENT))
                    connection.sendall(CONTENT if serve_all.is_set() else CONTENT[:CUT])
                    if not serve_all.is_set():
                        halt.wait(harness.PATIENCE)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(harness.PATIENCE)
            thread = threading.Thread(target=serve, args=[server])
            thread.start()
            command = ["curl", "-sS", "--noproxy", "*", "-o", self.target,
                       f"http://127.0.0.1:{server.getsockname()[1]}/"]
            curl = subprocess.Popen(command, stderr=subprocess.PIPE)
            wait_for("half of it", lambda: self.arrived() > CUT - 5000)  # it writes whole pages
            wait_for("its claim", self.loader.in_work)
            time.sleep(SETTLE)
            self.assert_rows(0)
            halt.set()
            self.assertIn(b"(18)", curl.communicate()[1])
            lines = self.assert_half_is_loaded()
            serve_all.set()
            subprocess.run(command, check=True)
            thread.join()
        self.assert_whole(2, already_there=lines)


    @unittest.skipUnless(shutil.which("gio"), "there is no gio")
    def test_gio_copy(self):
        self.cut_then_whole("gio", "copy", self.source, self.target)

    def test_nginx_put(self):
        """By its system calls where client_body_temp_path is on another file system: a copy under a
        name that can be seen, then a rename (findings/nginx-put-name.sh shows them)."""
        def put(data):
            with open(self.target + ".0000000001", "wb") as file:
                file.write(data)
            if data == CONTENT:
                os.utime(file.name, (1331300000, 1331300000))
                os.rename(file.name, self.target)
        put(CONTENT[:CUT])  # nginx is killed
        there = self.assert_nothing_is_taken()
        put(CONTENT)
        self.assert_whole(2, already_there=there)


@unittest.skipUnless(shutil.which("proftpd"), "there is no proftpd")
class Ftp(Sending):
    """A real FTP server, and a sender that dies. In FTP the end of the connection is the end of the file:
    a server cannot tell a sender that was killed from one that has sent all (RFC 959, 3.4.1)."""

    def serve(self, *settings):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        folder = os.path.join(self.folder, "ftp")
        os.mkdir(folder)
        user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        secret = subprocess.run(["openssl", "passwd", "-5", "secret"], capture_output=True, text=True,
                                check=True).stdout.strip()
        with open(os.path.join(folder, "passwd"), "w", encoding="ascii") as file:
            file.write(f"drop:{secret}:{os.getuid()}:{os.getgid()}::{self.drop}:/bin/false\n")
        os.chmod(file.name, 0o600)
        with open(os.path.join(folder, "conf"), "w", encoding="ascii") as file:
            file.write("\n".join([
                "ServerType standalone", "DefaultAddress 127.0.0.1", f"Port {self.port}", "UseIPv6 off",
                f"User {user}", f"Group {group}", "RootLogin on", "RequireValidShell off",
                "AuthOrder mod_auth_file.c", f"AuthUserFile {folder}/passwd", f"PidFile {folder}/pid",
                f"ScoreboardFile {folder}/score", f"SystemLog {folder}/log", "WtmpLog off",
                "TransferLog none", "UseReverseDNS off", "DelayEngine off", "AllowOverwrite on",
                *settings]) + "\n")
        server = subprocess.Popen(["proftpd", "-n", "-c", file.name], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def answers():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    return connection.recv(3) == b"220"
            except OSError:
                return False
        wait_for("the FTP server", answers)

    def send(self, data, dies=False):
        client = ftplib.FTP(timeout=harness.PATIENCE)
        client.connect("127.0.0.1", self.port)
        client.login("drop", "secret")
        connection = client.transfercmd("STOR " + NAME)
        connection.sendall(data)
        if dies:
            wait_for("it", lambda: len(data) in (self.arrived(), self.arrived(f".in.{NAME}.")))
        connection.close()
        if dies:
            client.sock.close()
        else:
            client.voidresp()
        client.close()

    def half_then_whole(self):
        self.send(CONTENT[:CUT], dies=True)
        lines = self.assert_half_is_loaded()
        self.assertEqual(lines, 400)
        self.send(CONTENT)
        self.assert_whole(2, already_there=lines)

    def test_ftp_in_place(self):
        self.serve()
        self.half_then_whole()

    def test_ftp_with_hidden_stores(self):
        self.serve("HiddenStores on")
        self.half_then_whole()


class Editors(Sending):
    """By the system calls that they make, in a directory whose feed takes every name (`match: '*'`)."""

    def setUp(self):
        super().setUp()
        self.drop = self.loader.path("spool/any")
        self.target = os.path.join(self.drop, NAME)
        self.loader.stop()

    def write(self, path, data, flags=os.O_TRUNC, pause=0.0):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
        os.write(file, data[:CUT])
        time.sleep(pause)
        os.write(file, data[CUT:])
        os.close(file)

    def vim(self, data):
        """backupcopy=auto: a probe, the old file renamed to the backup, the new one written."""
        there = os.path.exists(self.target)
        if there:
            probe = os.path.join(self.drop, "4913")
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644))
            os.unlink(probe)
            os.rename(self.target, self.target + "~")
        with open(os.path.join(self.drop, f".{NAME}.swp"), "wb") as swap:
            swap.write(b"b0VIM")
            self.write(self.target, data)
        if there:
            os.unlink(self.target + "~")
        os.unlink(swap.name)

    def emacs(self, data):
        """A lock, an auto-save file, the old file renamed to the backup (which stays)."""
        lock, autosave = (os.path.join(self.drop, name) for name in (f".#{NAME}", f"#{NAME}#"))
        os.symlink("user@host.123:456", lock)
        self.write(autosave, b"12:00:00 typed in h")
        time.sleep(2 * SETTLE)
        try:
            os.rename(self.target, self.target + "~")
        except FileNotFoundError:
            pass
        self.write(self.target, data)
        os.unlink(autosave)
        os.unlink(lock)

    def nano(self, data):
        self.write(self.target, data, pause=2 * SETTLE)

    def saved_three_times(self, save):
        """The second save replaces a file that still waits, the third one comes after a file was taken.
        Lines that only the first version had are never loaded."""
        save(location(80000).encode() + CONTENT[:CUT])
        save("".join(LINES[:700]).encode())
        self.loader.start()
        wait_for("the rows", lambda: len(self.times("any")) >= 700)
        self.assert_rows(700, "any")
        save(CONTENT)
        wait_for("the rows", lambda: len(self.times("any")) >= len(LINES))
        wait_for("the end", lambda: not self.loader.in_work())
        self.assert_rows(len(LINES), "any")
        counts = self.counts("any")
        self.assertEqual((counts["stored"], counts["already_there"], counts["rejected"], counts["failed"]),
                         (len(LINES), 700, 0, 0))

    def test_vim(self):
        self.saved_three_times(self.vim)
        self.assertEqual(os.listdir(self.drop), [])

    def test_emacs(self):
        self.saved_three_times(self.emacs)
        self.assertEqual(os.listdir(self.drop), [NAME + "~"])

    def test_nano(self):
        self.saved_three_times(self.nano)
        self.assertEqual(os.listdir(self.drop), [])

    def test_a_new_file_renamed_over_the_old_one(self):
        def save(data):
            self.write(self.target + ".tmp", data, pause=2 * SETTLE)
            os.rename(self.target + ".tmp", self.target)
        self.saved_three_times(save)


@unittest.skipIf(NO_SSH, f"not here: {NO_SSH}")
class Remote(Sending):
    """Over ssh, from this host to itself."""

    sftp_server = "internal-sftp"

    def setUp(self):
        super().setUp()
        self.sshd = ssh_server.Sshd(os.path.join(self.folder, "ssh"), sftp=self.sftp_server)
        self.addCleanup(self.sshd.stop)
        self.sshd.start()

    def cut(self, *command, name=NAME, stdin=None, least=20000, where=None):
        """Runs the command until a part of the file has arrived, then cuts the connection."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        process.stdin.write(stdin or "")
        process.stdin.close()
        wait_for("some of it", where or (lambda: self.arrived(name) > least))
        # Kills the ssh process that the command started: the server sees the connection closed.
        self.assertTrue(ssh_server.kill_below(process.pid, lambda found: found[-1:]))
        with process.stderr:
            process.stderr.read()
        self.assertNotEqual(process.wait(harness.PATIENCE), 0)

    def scp(self, *more):
        return ["scp", "-q", "-p", *more, *self.sshd.options, self.source, f"{self.sshd.host}:{self.drop}/"]

    def slow_scp(self, *more):
        return self.scp("-l", "4000", *(more or ("-X", "buffer=8192")))

    def test_scp(self):
        self.cut(*self.slow_scp())
        lines = self.assert_half_is_loaded()
        subprocess.run(self.scp(), check=True)
        self.assert_whole(2, already_there=lines)

    def test_scp_by_its_old_protocol(self):
        self.cut(*self.slow_scp("-O"))
        lines = self.assert_half_is_loaded()
        # It sets the time by the name once it has closed the file, which may have been taken by then if it was held up.
        done = subprocess.run(self.scp("-O"), stderr=subprocess.PIPE, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        if done.returncode == 1:
            self.assertIn("set times: No such file or directory", done.stderr)
        self.assert_whole(2, already_there=lines)

    def test_scp_that_stalls(self):
        scp = subprocess.Popen(self.slow_scp())
        wait_for("some of it", lambda: self.arrived() > 20000)
        scp.send_signal(signal.SIGSTOP)
        try:
            wait_for("its claim", self.loader.in_work)
            wait_for("the reason", lambda: "open for writing" in self.loader.run("status").stdout)
            self.assert_rows(0)
        finally:
            scp.send_signal(signal.SIGCONT)
        self.assertEqual(scp.wait(harness.PATIENCE), 0)
        self.assert_whole(1)

    def sftp(self, *batch, slow=False, expect=0):
        command = ["sftp", "-q", "-b", "-", *self.sshd.options, self.sshd.host]
        text = "".join(line + "\n" for line in batch)
        if slow:
            return [*command[:1], "-l", "4000", "-B", "8192", "-R", "2", *command[1:]], text
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stderr

    def put(self, name, command="put"):
        return f'{command} "{self.source}" "{os.path.join(self.drop, name)}"'

    def rename(self, name):
        return f'rename "{os.path.join(self.drop, name)}" "{self.target}"'

    def test_sftp_put(self):
        command, batch = self.sftp(self.put(NAME), slow=True)
        self.cut(*command, stdin=batch)
        lines = self.assert_half_is_loaded()
        # The half file was taken by the loading host, so it cannot be continued.
        self.assertIn("No such file", self.sftp(self.put(NAME, "reput"), expect=1))
        self.sftp(self.put(NAME))
        self.assert_whole(2, already_there=lines)

    def put_and_rename(self, temporary, again="put"):
        batch = (self.put(temporary), self.rename(temporary))
        command, text = self.sftp(*batch, slow=True)
        self.cut(*command, stdin=text, name=temporary)
        there = self.assert_nothing_is_taken()
        self.sftp(self.put(temporary, again), self.rename(temporary))
        self.assert_whole(2, already_there=there)

    def test_sftp_put_and_rename(self):
        self.put_and_rename(f".{NAME}.part")

    def test_winscp(self):
        self.put_and_rename(f"{NAME}.filepart", again="reput")

    def test_send_scp(self):
        environment = {**os.environ, "CARAVEL_SSH_OPTIONS": " ".join(["-l 4000 -B 8192 -R 2", *self.sshd.options])}
        command = [f"{SOURCE}/scripts/send-scp", f"{self.sshd.host}:{self.drop}", self.source]
        sending = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        wait_for("some of it", lambda: any(
            name.endswith(".part") and os.path.getsize(os.path.join(self.drop, name)) > 20000
            for name in os.listdir(self.drop)))
        # A second send-scp leaves the first one, which is still sending, alone (75: try again later).
        self.assertEqual(subprocess.run(command, env=environment, capture_output=True, check=False).returncode, 75)
        self.assertTrue(self.sshd.cut())
        self.assertNotEqual(sending.wait(harness.PATIENCE), 0)
        there = self.assert_nothing_is_taken()
        subprocess.run(command, env=environment, check=True)
        self.assert_whole(2, already_there=there)

    def rsync(self, *more, slow=False):
        return ["rsync", "--times", "--whole-file", *(("--bwlimit=500",) if slow else ()), *more,
                "--rsh=ssh " + " ".join(self.sshd.options), self.source, f"{self.sshd.host}:{self.drop}/"]

    def rsync_began(self, pattern=f".{NAME}.*"):
        return lambda: glob.glob(os.path.join(self.drop, pattern))

    def rsync_wrote(self):
        """It writes 256 KiB at a time."""
        return any(os.path.getsize(path) for path in self.rsync_began()())

    def cut_rsync(self, *more, where=None):
        self.cut(*self.rsync(*more, slow=True), where=where or self.rsync_began())

    def test_rsync(self):
        self.cut_rsync()
        there = self.assert_nothing_is_taken()
        subprocess.run(self.rsync(), check=True)
        self.assert_whole(2, already_there=there)
        self.assertEqual(os.listdir(self.drop), [])

    def test_rsync_killed_on_the_loading_host(self):
        rsync = subprocess.Popen(self.rsync(slow=True), stderr=subprocess.DEVNULL)
        wait_for("it", self.rsync_began())
        ssh_server.kill_below(self.sshd.process.pid, reversed)
        self.assertNotEqual(rsync.wait(harness.PATIENCE), 0)
        there = self.assert_nothing_is_taken()
        subprocess.run(self.rsync(), check=True)
        self.assert_whole(2, already_there=there)
        self.assertRegex(" ".join(os.listdir(self.drop)), rf"^\.{re.escape(NAME)}\.\w{{6}}$")

    def test_rsync_partial(self):
        self.cut_rsync("--partial", where=self.rsync_wrote)
        lines = self.assert_half_is_loaded()
        subprocess.run(self.rsync("--partial"), check=True)
        self.assert_whole(2, already_there=lines)

    def test_rsync_partial_dir(self):
        self.cut_rsync("--partial-dir=.partial")
        there = self.assert_nothing_is_taken()
        subprocess.run(self.rsync("--partial-dir=.partial"), check=True)
        self.assert_whole(2, already_there=there)

    def test_rsync_inplace(self):
        self.cut_rsync("--inplace", where=lambda: self.arrived() > 0)
        lines = self.assert_half_is_loaded()
        # rsync's last step sets the file's time by its name; the file may have been taken before (23).
        self.assertIn(subprocess.run(self.rsync("--inplace"), stderr=subprocess.DEVNULL,
                                     check=False).returncode, (0, 23))
        self.assert_whole(2, already_there=lines)

    @unittest.skipUnless(shutil.which("lftp"), "there is no lftp")
    def test_lftp_with_a_temporary_name(self):
        """OpenSSH's plain rename, which lftp asks for, is a link and an unlink."""
        def lftp(*settings):
            user, host = self.sshd.host.split("@") if "@" in self.sshd.host else ("", self.sshd.host)
            return ["lftp", "-c", "; ".join([
                "set xfer:use-temp-file yes", "set net:max-retries 1", *settings,
                f'set sftp:connect-program "ssh -a -x {" ".join(self.sshd.options)}"',
                f"open -u {user or getpass.getuser()},x sftp://{host}", f"cd {self.drop}",
                f"put {self.source}"])]
        sending = subprocess.Popen(lftp("set net:limit-rate 100000"), stderr=subprocess.DEVNULL)
        wait_for("some of it", lambda: any(os.path.getsize(path) for path in
                                           glob.glob(os.path.join(self.drop, ".in.*"))))
        sending.kill()
        self.assertNotEqual(sending.wait(), 0)
        there = self.assert_nothing_is_taken()
        subprocess.run(lftp(), check=True)
        self.assert_whole(2, already_there=there)

    def test_rsync_delay_updates(self):
        self.cut_rsync("--delay-updates")
        there = self.assert_nothing_is_taken()
        subprocess.run(self.rsync("--delay-updates"), check=True)
        self.assert_whole(2, already_there=there)
        self.assertEqual(os.listdir(self.drop), [])


@unittest.skipIf(NO_SSH, f"not here: {NO_SSH}")
class WithoutPosixRename(Remote):
    """A server that renames by link and unlink, and never over another file."""

    sftp_server = "internal-sftp -P posix-rename"

    def test_sftp_put_and_rename_without_posix_rename(self):
        self.put_and_rename(f".{NAME}.part")

    def test_the_name_is_taken_still(self):
        self.loader.stop()
        self.sftp(self.put("1.part"), self.rename("1.part"))
        self.assertIn("Failure", self.sftp(self.put("2.part"), self.rename("2.part"), expect=1))
        self.loader.start()
        self.loader.wait_until_ended(1)
        self.sftp(self.rename("2.part"))
        self.assert_whole(2, already_there=len(LINES))


# The other server has tests of its own, and these are no tests of it.
for test in [name for name in dir(Remote) if name.startswith("test_")]:
    setattr(WithoutPosixRename, test, None)


class Table(unittest.TestCase):
    def test_each_row_names_its_test_and_each_test_has_a_row(self):
        with open(os.path.join(SOURCE, "docs/dropping.md"), encoding="utf-8") as file:
            named = re.findall(r"\| `(test_\w+)` \|$", file.read(), re.MULTILINE)
        tests = [name for case in (Local, Ftp, Editors, Remote, WithoutPosixRename)
                 for name in unittest.TestLoader().getTestCaseNames(case) if getattr(case, name)]
        self.assertEqual(sorted(named), sorted(tests))


if __name__ == "__main__":
    harness.main()
