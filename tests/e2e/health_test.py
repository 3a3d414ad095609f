"""What a person is told of a host that cannot work: check, status, the log; and the ways out."""
import contextlib
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

import harness
from harness import HostTest, location, wait_for

SERVICE = 12345  # a user without an entry: root looks with its rights


def lines(count, vehicle="V.1.100"):
    return "".join(location(second, vehicle) for second in range(count))


def can_unshare(*what):
    return subprocess.run(["unshare", *what, "true"], capture_output=True, check=False).returncode == 0


class Check(HostTest):
    """`check` exits with 1, names the place, and says what to do."""

    def sound(self, **settings):
        host = self.host(**settings)
        os.makedirs(host.path("spool/drop"))
        host.drop(lines(20), "a-2012-03-09.log")
        host.run("sweep", expect=0)
        host.run("check", expect=0)
        return host

    def fault(self, host, *words, wrapper=()):
        before = self.tree(host)
        said = host.run("check", wrapper=wrapper, expect=1).stdout
        faults = [line for line in said.splitlines() if line.startswith("  FAULT")]
        self.assertTrue(any(all(word in line for word in words) for line in faults), said)
        self.assertEqual(before, self.tree(host), "check has changed something")

    @staticmethod
    def tree(host):
        """Names, modes, owners and times of all but the ledger's own companions (SQLite)."""
        found = {}
        for folder, folders, files in os.walk(host.path("spool")):
            for name in [*folders, *files]:
                status = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (status.st_mode, status.st_uid, status.st_size,
                                                     status.st_mtime_ns)
        return found

    def test_a_damaged_ledger(self):
        host = self.sound()
        with open(host.path("state/ledger.db"), "r+b") as file:
            file.write(b"this is no database, this is no database")
        self.fault(host, "ledger.db", "is damaged", "caravel ledger rebuild")
        # And so does every command that needs it.
        with open(host.path("buses.csv"), "w", encoding="utf-8") as file:
            file.write("vid,bus\n1,V.1.1\n")
        for command in (["status"], ["sweep"], ["watch"], ["explain", "a-2012-03-09.log"], ["ledger", "export"],
                        ["process", host.path("buses.csv")],
                        ["mapping", "-m", "vehicle", "-e", "2012-03-09", host.path("buses.csv")]):
            said = host.run(*command, expect=1).stderr
            self.assertIn("caravel ledger rebuild", said, command)

    def test_a_page_in_the_middle_of_the_ledger(self):
        host = self.sound()
        for round_ in range(30):
            host.drop(lines(3, f"V.1.{round_}"), f"b{round_}-2012-03-09.log")
        host.run("sweep", expect=0)
        size = os.path.getsize(host.path("state/ledger.db"))
        with open(host.path("state/ledger.db"), "r+b") as file:
            file.seek(size // 2 // 4096 * 4096)
            file.write(b"\xff" * 4096)
        self.fault(host, "ledger", "is damaged", "caravel ledger rebuild")

    def test_too_little_room(self):
        host = self.sound()
        with open(host.config, "a", encoding="utf-8") as file:
            file.write("min_free: 900000GiB\n")
        self.fault(host, "spool", "less than min_free (878.9 TiB)", "make room")
        self.assertIn("min_free", host.run("status", expect=0).stdout)
        self.assertEqual(1, len(host.status()["full_disks"]))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_full_disk(self):
        host = self.sound()
        script = ('mount -t tmpfs -o size=256k none state && cp ledger.copy state/ledger.db && '
                  'dd if=/dev/zero of=state/full bs=4k status=none 2>/dev/null; exec "$@"')
        shutil.copy(host.path("state/ledger.db"), host.path("ledger.copy"))
        inner = ["unshare", "-m", "sh", "-c", f"cd {host.folder} && {script}", "sh"]
        self.fault(host, "state", "No space left", "make room", wrapper=inner)
        self.fault(host, "state", "0 bytes free", wrapper=inner)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_disk_that_is_mounted_read_only(self):
        host = self.sound()
        for folder in ("spool/csv", "spool/rejects", "spool/failed", "spool/done", "spool/work", "state",
                       "spool/drop"):
            with self.subTest(folder):
                place = host.path(folder)
                script = f'mount --bind {place} {place} && mount -o remount,bind,ro {place} && exec "$@"'
                self.fault(host, folder, "Read-only file system", "mount it writable",
                           wrapper=["unshare", "-m", "sh", "-c", script, "sh"])

    def test_what_stands_in_the_place_of_a_folder(self):
        host = self.sound()
        for folder in ("work", "csv", "done", "rejects", "failed"):
            for kind in ("a file", "a symbolic link"):
                with self.subTest(f"{folder}: {kind}"):
                    place = host.path("spool", folder)
                    os.rename(place, host.path("away"))
                    if kind == "a file":
                        open(place, "w", encoding="utf-8").close()
                    else:
                        os.symlink(host.path("away"), place)
                    self.fault(host, place, kind, "move it away")
                    os.unlink(place)
                    os.rename(host.path("away"), place)
        os.rename(host.path("state"), host.path("away"))
        open(host.path("state"), "w", encoding="utf-8").close()
        self.fault(host, "state", "is no directory", "move it away")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_folders_that_the_service_may_not_write(self):
        """The spool belongs to the service's user; root asks for that user."""
        host = self.sound()
        os.chmod(self.folder, 0o755)
        os.chmod(host.folder, 0o755)
        for folder, folders, files in os.walk(host.folder):
            for name in [*folders, *files]:
                os.chown(os.path.join(folder, name), SERVICE, SERVICE)
        host.run("check", expect=0)
        for folder in ("spool/work", "spool/csv", "spool/done", "spool/rejects", "spool/failed", "state",
                       "spool/drop"):
            with self.subTest(folder):
                mode = os.stat(host.path(folder)).st_mode & 0o7777
                os.chmod(host.path(folder), 0o500)
                self.fault(host, folder, "Permission denied", f"uid {SERVICE}")
                os.chmod(host.path(folder), mode)
        os.chown(host.path("spool/failed"), 0, 0)
        self.fault(host, "spool/failed", "belongs to another user", "chown")
        os.chown(host.path("spool/failed"), SERVICE, SERVICE)
        os.chown(host.path("state/ledger.db"), 0, 0)
        self.fault(host, "state/ledger.db", "cannot be written")

    def test_a_foreign_claims_directory(self):
        host = self.sound()
        place = host.path("spool/drop/.caravel")

        def make_wide():
            os.mkdir(place)
            os.chmod(place, 0o777)
        for make, word in ((lambda: os.symlink("/tmp", place), "a symbolic link"),
                           (lambda: open(place, "w", encoding="utf-8").close(), "no directory"),
                           (make_wide, "mode 0777")):
            with self.subTest(word):
                make()
                self.fault(host, ".caravel", word, "move it away")
                os.rmdir(place) if os.path.isdir(place) and not os.path.islink(place) else os.unlink(place)
        if os.geteuid() == 0:
            os.mkdir(place, 0o700)
            os.chown(place, SERVICE, SERVICE)
            self.fault(host, ".caravel", f"uid {SERVICE}", "move it away")

    def test_drop_directories_that_are_none(self):
        host = self.host(feed="    drop: ../there/drop\n")
        os.makedirs(host.path("there/drop"))
        host.run("sweep", expect=0)
        host.run("check", expect=0)
        os.rename(host.path("there/drop"), host.path("there/away"))
        self.fault(host, "there/drop", "is missing", "make it")
        open(host.path("there/drop"), "w", encoding="utf-8").close()
        self.fault(host, "there/drop", "is no directory", "make a directory")
        os.unlink(host.path("there/drop"))
        os.symlink("nowhere", host.path("there/drop"))
        self.fault(host, "there/drop", "symbolic link to what is not there")
        os.unlink(host.path("there/drop"))
        os.rename(host.path("there"), host.path("gone"))
        self.fault(host, "there/drop", "for there is no", "there: ")
        # The first start makes one directory in the spool, and none above it.
        host = self.host(feed="    drop: one/two\n")
        self.fault(host, "one/two", "is missing")
        os.makedirs(host.path("spool/one"))
        self.assertIn("will be made", host.run("check", expect=0).stdout)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_drop_directory_that_the_service_may_not_read(self):
        host = self.host(feed="    drop: ../there/drop\n")
        os.makedirs(host.path("there/drop"))
        host.run("sweep", expect=0)
        os.chmod(self.folder, 0o755)
        for folder, folders, files in os.walk(host.folder):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(folder, name), SERVICE, SERVICE)
        host.run("check", expect=0)
        os.chmod(host.path("there/drop"), 0o300)
        self.fault(host, "there/drop", "cannot be read", "readable")
        os.chmod(host.path("there/drop"), 0o700)
        os.chmod(host.path("there"), 0o600)
        self.fault(host, "there/drop", "cannot be read", "searchable")


class Status(HostTest):
    def test_a_drop_directory_that_goes_away_and_comes_back(self):
        host = self.host(feed="    drop: ../elsewhere\n    settle: 200ms\n")
        os.mkdir(host.path("elsewhere"))
        host.start()
        for round_ in range(2):  # a second outage in the same words is told of as well
            os.rename(host.path("elsewhere"), host.path("away"))
            wait_for("the log to name it", lambda: host.log().count("drop directory: ") == round_ + 1)
            said = host.run("status", expect=0).stdout
            self.assertIn(f"{host.path('elsewhere')} is missing", said)
            drop = host.status()["drop_directories"][0]
            self.assertEqual(("hrt", "missing"), (drop["feed"], drop["state"]))
            self.assertIn("is missing", host.run("check", expect=1).stdout)
            os.rename(host.path("away"), host.path("elsewhere"))
            with open(host.path(f"elsewhere/b{round_}-2012-03-09.log"), "w", encoding="utf-8") as file:
                file.write(lines(5, f"V.1.{round_}"))
            host.wait_until_ended(round_ + 1)
            self.assertNotIn("is missing", host.run("status", expect=0).stdout)
            self.assertEqual("ok", host.status()["drop_directories"][0]["state"])
        self.assertEqual(2, host.log().count("is there again"))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_parent_that_may_not_be_read(self):
        """It cannot be watched; the directory itself can."""
        host = self.host(feed="    drop: ../there/drop\n    settle: 200ms\n")
        os.makedirs(host.path("there/drop"))
        os.makedirs(host.path("spool"))
        os.chmod(self.folder, 0o755)
        for name in ("spool", "there/drop", ""):
            os.chown(host.path(name), SERVICE, SERVICE)
        os.chmod(host.path("there"), 0o711)
        user = ["setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups"]
        host.run("sweep", wrapper=user, expect=0)
        self.assertIn("may not be read", host.run("check", wrapper=user, expect=0).stdout)
        with open(host.path("watch.log"), "wb") as log:
            host.watcher = subprocess.Popen([*user, harness.CARAVEL, "watch", "--config", host.config],
                                            stderr=log, cwd=host.folder)
        wait_for("the watcher", lambda: "watching" in host.log())
        for round_ in range(2):
            with open(host.path(f"there/drop/a{round_}-2012-03-09.log"), "w", encoding="utf-8") as file:
                file.write(lines(5, f"V.1.{round_}"))
            wait_for("the extract", lambda: len(host.done()) == round_ + 1)
            if round_ == 0:
                os.rmdir(host.path("there/drop"))
                wait_for("the log to name it", lambda: "drop directory: " in host.log())
                os.mkdir(host.path("there/drop"))
                os.chown(host.path("there/drop"), SERVICE, SERVICE)
                wait_for("it to be back", lambda: "is there again" in host.log())
        host.stop()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_disk_that_is_unmounted_under_the_watcher(self):
        host = self.host(feed="    drop: ../disk/drop\n    settle: 200ms\n")
        os.makedirs(host.path("disk/drop"))
        if subprocess.run(["mount", "-t", "tmpfs", "none", host.path("disk/drop")], capture_output=True,
                          check=False).returncode:
            self.skipTest("nothing can be mounted here")
        unmount = ["umount", "-l", host.path("disk/drop")]
        self.addCleanup(subprocess.run, unmount, check=False, capture_output=True)
        host.start()
        subprocess.run(unmount, check=True)
        # No event tells of it. Any other one makes the watcher look; so does the scan of each minute.
        os.mkdir(host.path("disk/other"))
        wait_for("the log to name it", lambda: "is not mounted any more" in host.log())
        self.assertEqual("unmounted", host.status()["drop_directories"][0]["state"])
        self.assertIn("is not mounted any more", host.run("status", expect=0).stdout)
        host.stop()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_file_system_of_fstab_that_is_not_mounted(self):
        host = self.host(feed="    drop: ../disk/drop\n")
        os.makedirs(host.path("disk/drop"))
        fstab = host.path("fstab")
        with open(fstab, "w", encoding="utf-8") as file:
            file.write(f"# a comment\nUUID=0 none swap sw 0 0\nLABEL=x {host.path('disk')} ext4 noauto 0 0\n")
        if not os.path.exists("/etc/fstab"):
            self.skipTest("no /etc/fstab to cover")
        inner = ["unshare", "-m", "sh", "-c", f'mount --bind {fstab} /etc/fstab && exec "$@"', "sh"]
        self.assertIn("is not mounted", host.run("status", wrapper=inner, expect=0).stdout)
        self.assertIn("not mounted", host.run("status", "--json", wrapper=inner, expect=0).stdout)
        self.assertIn("is not mounted", host.run("check", wrapper=inner, expect=1).stdout)
        host.run("check", expect=0)


@unittest.skipUnless(can_unshare("-Ur"), "no user namespaces here")
class Inotify(HostTest):
    """In a user namespace of its own, whose limits are nobody else's."""

    def inner(self, script, timeout=60):
        return subprocess.run(["unshare", "-Ur", "bash", "-c", script], capture_output=True, text=True,
                              timeout=timeout * 4, check=False,
                              env={**os.environ, "CARAVEL": harness.CARAVEL})

    WATCH = """
        wait_for() { for ((i = 0; i < 600; i++)); do eval "$1" && return; sleep .1; done; echo "no: $1"; }
        %s > /proc/sys/user/max_inotify_%s
        cd %s; "$CARAVEL" check --config caravel.yaml > check.out; echo "check $?"
        "$CARAVEL" watch --config caravel.yaml 2> watch.log & p=$!
        wait_for 'grep -q watching watch.log'
        cp first spool/drop/a-2012-03-09.log
        wait_for 'ls spool/done/*/*/*/a-* > /dev/null 2>&1'
        "$CARAVEL" status --config caravel.yaml > status.out
        "$CARAVEL" status --json --config caravel.yaml > status.json
        "$CARAVEL" check --config caravel.yaml > check.out; echo "check $?"
        for again in 1 2; do
          echo 100 > /proc/sys/user/max_inotify_%s
          wait_for '[ $(grep -c "events tell of new files again" watch.log) = $again ]'
          "$CARAVEL" status --config caravel.yaml > after.out
          [ $again = 1 ] || break
          %s > /proc/sys/user/max_inotify_%s
          mv spool/drop away; wait_for '! [ -e spool/drop ]'; mkdir spool/drop
          wait_for '[ $(grep -c "no event tells" watch.log) = 2 ]'
        done
        cp second spool/drop/b-2012-03-09.log
        wait_for 'ls spool/done/*/*/*/b-* > /dev/null 2>&1'
        kill $p; wait $p; echo "watch $?"
        """

    def prepare(self, notice="auto"):
        host = self.host(feed=f"    settle: 200ms\n    notice: {notice}\n")
        os.makedirs(host.path("spool/drop"))
        for name, vehicle in (("first", "V.1.1"), ("second", "V.1.2")):
            with open(host.path(name), "w", encoding="utf-8") as file:
                file.write(lines(3, vehicle))
        return host

    def text(self, host, name):
        with open(host.path(name), encoding="utf-8") as file:
            return file.read()

    def test_out_of_watches_it_polls_and_comes_back_to_events(self):
        host = self.prepare()
        done = self.inner(self.WATCH % ("echo 0", "watches", host.folder, "watches", "echo 0", "watches"))
        self.assertEqual("check 1\ncheck 1\nwatch 0\n", done.stdout, done.stderr + host.log())
        for name in ("check.out", "watch.log", "status.out"):
            said = self.text(host, name)
            self.assertIn("raise the sysctl user.max_inotify_watches (now 0)", said, name)
        drop = json.loads(self.text(host, "status.json"))["drop_directories"][0]
        self.assertEqual("polled", drop["state"])
        self.assertNotIn("sysctl", self.text(host, "after.out"))
        # Said when it begins, and when it begins again; not with every scan.
        self.assertEqual(2, host.log().count("no event tells of new files"), host.log())

    def test_out_of_instances_as_well(self):
        host = self.prepare()
        script = self.WATCH % ("echo 0", "instances", host.folder, "instances", "echo 0", "instances")
        # An instance that is open stays: there is no second outage.
        script = script.replace("for again in 1 2", "for again in 1").replace("[ $again = 1 ] || break",
                                                                              "break")
        done = self.inner(script)
        self.assertEqual("check 1\ncheck 1\nwatch 0\n", done.stdout, done.stderr + host.log())
        for name in ("check.out", "watch.log", "status.out"):
            self.assertIn("raise the sysctl user.max_inotify_instances (now 0)", self.text(host, name), name)
        self.assertNotIn("sysctl", self.text(host, "after.out"))

    def test_who_polls_needs_no_inotify(self):
        for limit in ("watches", "instances"):
            with self.subTest(limit):
                host = self.prepare("poll")
                script = self.WATCH % ("echo 0", limit, host.folder, limit, "echo 0", limit)
                begin, end = script.index("        for again"), script.index("        cp second")
                done = self.inner(script[:begin] + script[end:])
                self.assertEqual("check 0\ncheck 0\nwatch 0\n", done.stdout, done.stderr + host.log())
                self.assertNotIn("inotify", host.log())
                self.assertNotIn("inotify", self.text(host, "status.out"))


class Ledger(HostTest):
    """A ledger that is damaged or lost: nothing is lost, nothing doubled."""

    def loaded(self, count=12):
        host = self.host()
        os.makedirs(host.path("spool/drop"))
        for number in range(count):
            host.drop(lines(10, f"V.1.{number}"), f"a{number}-2012-03-09.log")
        host.drop("no line of this format\n" * 30, "bad-2012-03-09.log")
        host.run("sweep", expect=1)
        self.assertEqual(10 * count, host.count())
        return host

    def ledger_rows(self, host, query="select feed, name, state, sha256, lines, rows, stored, already_there, "
                                      "dropped, rejected, failed, done_path, time_used from extracts order by name"):
        with contextlib.closing(sqlite3.connect(host.path("state/ledger.db"))) as database:
            return database.execute(query).fetchall()

    def replay(self, host, count):
        """All of it again, under other names: no row is stored a second time."""
        before = host.count()
        for path in glob.glob(host.path("spool/done/*/*/*/a*")):
            shutil.copy(path, host.path("spool/drop", "again-" + os.path.basename(path)))
        host.run("sweep")
        self.assertEqual(before, host.count())
        self.assertEqual(0, len(host.in_work()))
        self.assert_counts_add_up(host)

    DAMAGES = {
        "the header": lambda data: b"this is no database" * 4 + data[76:],
        "all of the first page": lambda data: b"\0" * 4096 + data[4096:],
        "cut off": lambda data: data[:len(data) * 2 // 3],
        "rubbish in the middle": lambda data: data[:3 * 4096] + b"\x5a" * 4096 + data[4 * 4096:],
    }

    def test_rebuild_brings_back_what_can_be_read(self):
        for damage, change in self.DAMAGES.items():
            with self.subTest(damage):
                host = self.loaded()
                before = self.ledger_rows(host)
                with open(host.path("state/ledger.db"), "rb") as file:
                    data = file.read()
                with open(host.path("state/ledger.db"), "wb") as file:
                    file.write(change(data))
                said = host.run("ledger", "rebuild", expect=0).stdout
                kept = glob.glob(host.path("state/ledger.db.damaged-*"))
                self.assertEqual(1, len(kept), said)
                with open(kept[0], "rb") as file:
                    self.assertEqual(change(data), file.read())
                self.assertIn(kept[0], said)
                after = self.ledger_rows(host)
                self.assertEqual([row[:5] for row in before if row[2] == "done"],
                                 [row[:5] for row in after if row[2] == "done"], said)
                self.assertEqual([row[1:3] for row in before], [row[1:3] for row in after])
                if damage in ("the header", "all of the first page"):
                    self.assertEqual(before, after)
                self.assertEqual(0o600, os.stat(host.path("state/ledger.db")).st_mode & 0o777)
                host.run("check", expect=0)
                self.replay(host, 12)
                host.run("explain", "a1-2012-03-09.log", expect=0)

    def test_rubbish_and_a_missing_file_yield_what_done_and_the_store_know(self):
        for missing in (False, True):
            with self.subTest(missing=missing):
                host = self.loaded()
                before = self.ledger_rows(host)
                os.unlink(host.path("state/ledger.db"))
                if not missing:
                    with open(host.path("state/ledger.db"), "wb") as file:
                        file.write(os.urandom(50000))
                said = host.run("ledger", "rebuild", expect=0).stdout
                after = self.ledger_rows(host)
                # Name, state, digest, lines: of a failed one only that it failed, and why.
                self.assertEqual([row[:5] for row in before if row[2] == "done"],
                                 [row[:5] for row in after if row[2] == "done"], said)
                self.assertEqual(["bad-2012-03-09.log"], [row[1] for row in after if row[2] == "failed"])
                self.assertIn("max_rejects", host.run("explain", "bad-2012-03-09.log").stdout)
                self.replay(host, 12)

    def test_a_ledger_that_is_moved_away(self):
        """Also with extracts in work, whose rows are half stored."""
        host = self.loaded()
        work = host.path("spool/work/20120309T100000Z-0123456789ab")
        os.mkdir(work)
        with open(os.path.join(work, "w-2012-03-09.log"), "w", encoding="utf-8") as file:
            file.write(lines(10, "V.1.3") + lines(5, "V.1.99"))
        os.rename(host.path("state/ledger.db"), host.path("away.db"))
        said = host.run("sweep", expect=0).stderr
        self.assertIn("caravel ledger rebuild", said)
        self.assertEqual(125, host.count())
        self.assertIn("w-2012-03-09.log", host.done())
        self.replay(host, 12)

    def test_it_refuses_while_somebody_has_the_ledger(self):
        host = self.loaded()
        host.start()
        said = host.run("ledger", "rebuild", expect=1).stderr
        self.assertIn("caravel watch", said)
        self.assertIn("stop it first", said)
        host.stop()
        with contextlib.closing(sqlite3.connect(host.path("state/ledger.db"))) as database:
            database.execute("select count(*) from extracts").fetchall()
            said = host.run("ledger", "rebuild", expect=1).stderr
            self.assertIn(f"pid {os.getpid()} has it open", said)
        self.assertEqual([], glob.glob(host.path("state/ledger.db.*damaged*")))

    def test_killed_at_each_step_it_is_finished_by_the_next(self):
        for call in ("rename", "link", "unlink", "fsync", "pwrite64"):
            for number in (1, 2, 3, 5):
                with self.subTest(f"{call} {number}"):
                    host = self.loaded(3)
                    before = self.ledger_rows(host)
                    with open(host.path("state/ledger.db"), "r+b") as file:
                        file.write(b"this is no database" * 4)
                    wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                               "-e", f"inject={call}:signal=KILL:when={number}"]
                    killed = host.run("ledger", "rebuild", wrapper=wrapper).returncode
                    if killed == 0:
                        continue
                    # Nobody goes on with half of it: either it is still damaged, or all was done.
                    if host.run("status").returncode != 0:
                        host.run("sweep", expect=1)
                        host.run("ledger", "rebuild", expect=0)
                    self.assertEqual(before, self.ledger_rows(host))
                    self.assertEqual(1, len(glob.glob(host.path("state/ledger.db.damaged-*[0-9Z]"))))
                    self.assertEqual([], glob.glob(host.path("state/*rebuil*")))
                    host.run("check", expect=0)

    def test_the_years_memory_and_manifests_come_back(self):
        host = self.host(feed="    year: strict\n")
        os.makedirs(host.path("spool/drop"))
        with open(host.path("plain"), "w", encoding="utf-8") as file:
            file.write(lines(3))
        host.run("process", "--year", "2011", host.path("plain"), expect=0)
        data = lines(4, "V.1.7")
        name = "x.log.host.0123abcd.00000001.log"
        digest = hashlib.sha256(data.encode()).hexdigest()
        manifest = ("version=1\nhost=host\nlog=/x.log\ndevice=1\ninode=2\nrun=0123abcd\nsequence=1\n"
                    f"first_line={'0' * 32}\nfirst=0\nlast={len(data)}\nbytes={len(data)}\nlines=4\n"
                    f"sha256={digest}\ncut=2012-03-09T12:00:00.000Z\n")
        host.drop(data, name)
        host.drop(manifest, name + ".manifest")
        host.run("sweep", expect=0)
        tables = {table: self.ledger_rows(host, f"select * from {table}")
                  for table in ("known_times", "manifests", "sources", "stores")}
        self.assertTrue(all(tables.values()), tables)
        with open(host.path("state/ledger.db"), "r+b") as file:
            file.write(b"this is no database" * 4)
        host.run("ledger", "rebuild", expect=0)
        for table, rows in tables.items():
            self.assertEqual(rows, self.ledger_rows(host, f"select * from {table}"), table)
        # And without any of the old file: the manifest lies in done/.
        os.unlink(host.path("state/ledger.db"))
        host.run("ledger", "rebuild", expect=0)
        self.assertEqual([(name, digest)], self.ledger_rows(host, "select name, sha256 from manifests"))
        self.assertEqual([("0123abcd", 2)], self.ledger_rows(host, "select run, next from sources"))

    def test_a_store_that_does_not_answer(self):
        couch = f"  couch: {{type: couchdb, url: 'http://127.0.0.1:{harness.free_port()}', database: x}}\n"
        host = self.host(stores=couch, feeds="  web: {match: '*.web', format: nginx, store: couch}\n")
        os.makedirs(host.path("spool/drop"))
        host.run("sweep", expect=0)
        with open(host.path("state/ledger.db"), "r+b") as file:
            file.write(b"this is no database" * 4)
        said = host.run("ledger", "rebuild", expect=1).stdout
        self.assertIn("NOT asked: feed web", said)
        host.run("status", expect=0)

    def test_export_is_lines_of_json(self):
        host = self.loaded(2)
        rows = [json.loads(line) for line in host.run("ledger", "export", "--json", expect=0).stdout.splitlines()]
        names = sorted(row["name"] for row in rows if row["table"] == "extracts")
        self.assertEqual(["a0-2012-03-09.log", "a1-2012-03-09.log", "bad-2012-03-09.log"], names)
        self.assertTrue(all(row["lines"] == 10 for row in rows
                            if row["table"] == "extracts" and row["state"] == "done"))
        for wrong in ([], ["export", "rebuild"], ["rebiuld"]):
            host.run("ledger", *wrong, expect=2)


if __name__ == "__main__":
    harness.main()
