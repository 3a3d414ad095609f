"""What is attacked: one class for each way in which the program works. A scenario makes a folder from
its template, runs the program under the injector, recovers as a person or the system would, and
compares with the truth."""
import os
import shutil
import tempfile

import content
from host import Host, compare
from injection import Injected

FORMATS = os.path.join(os.environ["CARAVEL_SOURCE_DIR"], "etc/formats/")
FEEDS = """spool: spool
state: state
stores:
  local: {{type: sqlite, path: rows.db, batch_rows: 25}}
  couch: {{type: couchdb, url: "http://127.0.0.1:{port}", database: feed, batch_rows: 25, timeout: 2s}}
min_free: 0
feeds:
  hrt: {{match: '*.log', keep_done: 30000d, format: spysocket, store: {store}, settle: 1ms, manifest_wait: {manifest_wait}}}
"""
OTHER_FEED = "  other: {{match: '*.txt', keep_done: 30000d, drop: other, format: spysocket, store: {store}, settle: 1ms}}\n"


class Scenario:
    """`store`: local or couch; then `couch` is the server to store in."""
    weight = 1.0           # how often it is drawn
    manifest_wait = "60ms"
    broken_transfer = True
    kept_by_others = ()    # what in its folder only other programs write
    quiet_ms = 1500        # a sweep holds out for a second
    exact = True           # each extract is loaded once, whatever happens
    marks = (" warning: ", " error: ")  # of the words that explain a wait
    config = FEEDS + OTHER_FEED
    drops = ("spool/drop", "spool/other")
    stores = ("local", "couch")

    def __init__(self, tools, store, templates, couch=None, patient=False):
        self.tools, self.store, self.couch = tools, store, couch
        if patient:
            # A fault may hold a manifest up, and an extract is read without it after `manifest_wait`.
            self.manifest_wait, self.broken_transfer = "10s", False
        self.name = f"{self.kind}-{store}{'-patient' if patient else ''}"
        self.template = os.path.join(templates, self.name)
        self.extracts = self.make_extracts()
        self.truth = content.Truth(self.extracts)
        os.makedirs(self.template)
        self.prepare(Host(tools, self.template))

    def make_extracts(self):
        made = content.some_extracts()
        sent = content.extracts_with_manifests(
            self.tools.agent, content.lines(range(1000, 1060), "V.3.1", day=f"{content.today():%m/%d}"))
        if self.broken_transfer:
            content.break_transfer(sent[-1])
        return made + sent

    def folder_of(self, extract):
        return "spool/drop" if extract.feed == "hrt" else "spool/other"

    def prepare(self, host):
        for extract in self.extracts:
            host.write_into_drop(extract, self.folder_of(extract))

    def open(self, folder):
        """A fresh copy of the template."""
        shutil.copytree(self.template, folder, symlinks=True)
        host = Host(self.tools, folder)
        if self.couch:
            self.couch.reset()
        host.write_config(self.config_text(host))
        return host

    def config_text(self, host):
        return self.config.format(port=self.couch.port if self.couch else 9, store=self.store,
                                  manifest_wait=self.manifest_wait, far=self.far_of(host))

    def far_of(self, host):
        """Where its drop directories are, if not in the folder."""
        return host.folder

    def start(self, host, options):
        prefixes = []
        for prefix in (host.folder + "/", host.beside + "/", "socket:", FORMATS):
            prefixes += ["--path-prefix", prefix]
        return Injected(self.tools.injector, [*prefixes, *options], self.command_line(host), host.folder,
                        host.messages)

    def bring_all(self, host):
        """All that would come while it runs comes now."""

    def command_line(self, host):
        raise NotImplementedError

    def attack(self, host, options, on_quiet=None, on_tick=None, limit=60, tick=1.0):
        """Under the injector until it ends by itself; at each silence, `on_quiet` (by default: it is
        told to end)."""
        return self.start(host, ["--quiet", self.quiet_ms, *options]).run(
            on_quiet or Injected.terminate, limit, on_tick, tick)

    def status(self, host):
        """What `caravel status` says while it runs; None if there is no such thing."""
        return host.status()

    def recover(self, host):
        """Without faults. The sentence says what is not settled; None if all is."""
        return host.settle()

    def compare(self, host):
        return compare(self.truth, host, self.exact and not host.loaded_again, self.drops,
                       self.couch)


class Sweep(Scenario):
    kind = "sweep"

    def command_line(self, host):
        return host.command("sweep")


class FarSweep(Sweep):
    """The drop directories are on another file system: claims lie in DROP/.caravel, and archiving is
    copying."""
    kind = "far"
    stores = ("local",)
    config = (FEEDS + OTHER_FEED).replace("settle: 1ms", "settle: 1ms, drop: {far}/drop", 1).replace(
        "drop: other", "drop: {far}/other")
    weight = 0.7

    def __init__(self, *arguments, **variant):
        self.far = tempfile.mkdtemp(dir=os.environ.get("TORTURE_FAR", "/var/tmp"))
        super().__init__(*arguments, **variant)

    def open(self, folder):
        host = super().open(folder)
        shutil.rmtree(self.far_of(host), ignore_errors=True)
        os.mkdir(self.far_of(host))
        for name in ("drop", "other"):
            shutil.copytree(host.path("spool", name), os.path.join(self.far_of(host), name))
            shutil.rmtree(host.path("spool", name))
        host.write_config(self.config_text(host))
        host.beside = self.far_of(host)
        self.drops = [os.path.join(host.beside, name) for name in ("drop", "other")]
        return host

    def far_of(self, host):
        return os.path.join(self.far, os.path.basename(host.folder))


class FeedsOnly(Sweep):
    """`documents: feed`: the CSV that is attached to the feed document is all that is stored."""
    kind = "feeds"
    stores = ("couch",)
    config = (FEEDS + OTHER_FEED).replace("database: feed,", "database: feed, documents: feed,").replace(
        "settle: 1ms", "settle: 1ms, attach_csv: true")

    def open(self, folder):
        host = super().open(folder)
        self.couch.rows_are_attached = True
        return host


class Process(Scenario):
    """Old extracts by hand, from a folder that the program must not change."""
    kind = "process"
    exact = False
    marks = ("",)  # a person reads all that it says
    config = FEEDS
    drops = ("spool/drop",)

    def make_extracts(self):
        return content.some_extracts(other_feed=None)

    def prepare(self, host):
        for extract in self.extracts:
            host.write_into_drop(extract, "old")

    def command_line(self, host):
        return host.command("process", host.path("old"))

    def recover(self, host):
        done = host.run("process", host.path("old"))
        if done.returncode not in (0, 1, 3):  # 1: the damaged one
            return f"process ends with {done.returncode}"
        return host.settle()

    def compare(self, host):
        verdict = compare(self.truth, host, self.exact and not host.loaded_again, self.drops,
                          self.couch, files=False)
        for extract in self.extracts:
            with open(host.path("old", extract.name), "rb") as file:
                verdict.add("lost", file.read() != extract.data, f"{extract.name} was changed")
        left = host.files_below("spool/work")
        verdict.add("other", len(left), f"left behind: {left[:3]}")
        return verdict


class Watch(Scenario):
    """Half of the extracts lie there when it starts; the others come once it is quiet."""
    kind = "watch"
    quiet_ms = 300

    def prepare(self, host):
        for extract in self.extracts[::2]:
            host.write_into_drop(extract, self.folder_of(extract))
        os.makedirs(host.path("spool/other"), exist_ok=True)

    def open(self, folder):
        host = super().open(folder)
        host.to_come = list(self.extracts[1::2])
        return host

    def command_line(self, host):
        return host.command("watch")

    def attack(self, host, options, on_quiet=None, on_tick=None, limit=60, tick=1.0):
        def bring_or_end(run):
            if host.to_come:
                self.bring_all(host)
            else:
                (on_quiet or Injected.terminate)(run)
        ending = super().attack(host, options, bring_or_end, on_tick, limit, tick)
        # What its sender had not brought yet comes while nobody watches.
        self.bring_all(host)
        return ending

    def bring_all(self, host):
        while host.to_come:
            extract = host.to_come.pop()
            host.drop(extract, self.folder_of(extract))


ALL = (Sweep, FarSweep, FeedsOnly, Process, Watch)
