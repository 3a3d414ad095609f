"""What a disk holds after a power cut: built from what was there before a run, and from the injector's
record of what the run did (injector/recorder.h).

Two kinds of file systems are played, `journal` and `posix`:

  journal  names change in order (ext4, xfs, btrfs): any fsync makes all earlier changes of names durable,
           and of the later ones the first few may have got to the disk
  posix    little more than the standard says: an fsync of a directory makes the changes in it durable,
           and of all others any may be lost or kept, by chance; only a directory that a name is kept in
           is kept too

Bytes that were not synced are lost, kept, kept up to a point, or kept in part, in pieces of 512 or 4096
bytes, by chance. SQLite's -shm files never come back: they are memory that has a name."""
import os
import shutil
import stat
import urllib.parse


class Node:
    """A file or a directory. `data` and `entries` are what is durable."""

    def __init__(self, kind, mode):
        self.kind, self.mode = kind, mode
        self.data = bytearray()
        self.pending = []      # changes of bytes that were not synced
        self.entries = {}      # name -> node
        self.changed = {}      # name -> number of the last change that became durable
        self.mtime = None
        self.target = ""


class Change:
    """One change of names: all of it gets to the disk, or none."""

    def __init__(self, number, entries):
        self.number, self.entries = number, entries  # entries: (directory, name, node or None)

    def apply(self):
        for directory, name, node in self.entries:
            if directory.changed.get(name, -1) > self.number:
                continue  # a later change of this name is durable already
            directory.changed[name] = self.number
            if node is None:
                directory.entries.pop(name, None)
            else:
                directory.entries[name] = node


class Disk:
    """The folder `top`, as it is now: all of it counts as durable."""

    def __init__(self, top, kind, keep=()):
        self.top, self.kind, self.keep = top, kind, keep
        self.nodes = {}
        self.names = {}     # (id of directory, name) -> id: as the program sees them
        self.changes = []   # of names, that are not durable yet
        self.number = 0
        self.root = self.look(top)

    def look(self, path):
        status = os.lstat(path)
        identity = f"{status.st_dev}:{status.st_ino}"
        node = Node("file", stat.S_IMODE(status.st_mode))
        node.mtime = status.st_mtime_ns
        if stat.S_ISDIR(status.st_mode):
            node.kind = "directory"
            for name in os.listdir(path):
                if path == self.top and name in self.keep:
                    continue
                child = self.look(os.path.join(path, name))
                node.entries[name] = child
                self.names[identity, name] = child.identity
        elif stat.S_ISLNK(status.st_mode):
            node.kind, node.target = "symlink", os.readlink(path)
        else:
            with open(path, "rb") as file:
                node.data = bytearray(file.read())
        node.identity = identity
        self.nodes[identity] = node
        return node

    # What the program did.

    def play(self, record):
        """The record up to its end, or to where the power cut it."""
        with open(record, "rb") as file:
            whole = file.read()
        at = 0
        while True:
            end = whole.find(b"\n", at)
            if end < 0:
                return
            words = whole[at:end].decode("ascii").split(" ")
            at = end + 1
            data = b""
            if words[1] == "write":
                size = int(words[4])
                data = whole[at:at + size]
                if len(data) < size:
                    return
                at += size + 1
            self.number += 1
            getattr(self, "on_" + words[1])(words[2:], data)

    def made(self, directory, name, identity, kind, mode):
        node = Node(kind, mode)
        node.identity = identity
        self.nodes[identity] = node
        if directory is not None:
            self.change((directory, name, node))

    def change(self, *entries):
        """Names that the program changed: (id of directory, name, node or None)."""
        known = []
        for directory, name, node in entries:
            if directory not in self.nodes:
                continue  # outside of the folder
            known.append((self.nodes[directory], name, node))
            self.names[directory, name] = node.identity if node else None
        if known:
            self.changes.append(Change(self.number, known))

    def named(self, directory, name):
        identity = self.names.get((directory, name))
        return self.nodes.get(identity)

    def on_create(self, words, _):
        self.made(words[0], plain(words[1]), words[2], "file", int(words[3]))

    def on_mkdir(self, words, _):
        self.made(words[0], plain(words[1]), words[2], "directory", int(words[3]))

    def on_tmpfile(self, words, _):
        self.made(None, None, words[0], "file", int(words[1]))

    def on_symlink(self, words, _):
        node = Node("symlink", 0o777)
        node.target, node.identity = plain(words[2]), f"symlink:{self.number}"
        self.nodes[node.identity] = node
        self.change((words[0], plain(words[1]), node))

    def on_link(self, words, _):
        node = self.nodes.get(words[0])
        if node:
            self.change((words[1], plain(words[2]), node))

    def on_unlink(self, words, _):
        self.change((words[0], plain(words[1]), None))

    def on_rename(self, words, _):
        source, name, target, new_name = words[0], plain(words[1]), words[2], plain(words[3])
        node = self.named(source, name)
        if node:
            self.change((source, name, None), (target, new_name, node))

    def on_write(self, words, data):
        self.change_bytes(words[0], ("write", int(words[1]), data))

    def on_size(self, words, _):
        self.change_bytes(words[0], ("size", int(words[1]), b""))

    def on_punch(self, words, _):
        self.change_bytes(words[0], ("write", int(words[1]), bytes(int(words[2]))))

    def change_bytes(self, identity, change):
        node = self.nodes.get(identity)
        if node:
            node.pending.append(change)
            node.mtime = None

    def on_times(self, words, _):
        node = self.nodes.get(words[0])
        if node:
            node.mtime = int(words[1])

    def on_sync(self, words, _):
        node = self.nodes.get(words[0])
        if node is None:
            return
        for change in node.pending:
            apply_bytes(node.data, *change)
        node.pending = []
        if self.kind == "journal":
            self.keep_changes(self.changes)
            self.changes = []
        elif node.kind == "directory":
            touched = self.with_directories(
                [change for change in self.changes
                 if any(directory is node for directory, _, _ in change.entries)])
            self.keep_changes(touched)
            self.changes = [change for change in self.changes if change not in touched]

    def on_syncall(self, _words, _):
        for identity in list(self.nodes):
            self.on_sync([identity], b"")

    @staticmethod
    def keep_changes(changes):
        for change in changes:
            change.apply()

    def with_directories(self, kept):
        """And the changes that made the directories in which those are: no file system that we know
        keeps a name, and forgets the directory that it is in."""
        needed = {directory for change in kept for directory, _, node in change.entries if node}
        for change in reversed(self.changes):
            if change not in kept and any(node in needed for _, _, node in change.entries):
                kept.append(change)
                needed.update(directory for directory, _, node in change.entries if node)
        return sorted(kept, key=lambda change: change.number)

    # The power cut.

    def cut(self, chance):
        """Decides what else got to the disk."""
        if self.kind == "journal":
            self.keep_changes(self.changes[:chance.randint(0, len(self.changes))])
        else:
            share = chance.choice((0.0, 0.5, 1.0))
            kept = [change for change in self.changes if chance.random() < share]
            self.keep_changes(self.with_directories(kept))
        for node in self.nodes.values():
            if node.pending:
                survive(node, chance)

    def build(self):
        """Puts that state in the place of the folder's content; what was to be kept stays. Files and
        directories that are still there keep their inodes and times, as on a disk that lost power."""
        stash = self.top + ".stash"
        os.mkdir(stash)
        self.stash_all(self.top, stash)
        self.put(self.root, self.top, stash, {})
        shutil.rmtree(stash)

    def stash_all(self, folder, stash):
        for name in os.listdir(folder):
            if folder == self.top and name in self.keep:
                continue
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                self.stash_all(path, stash)
            identity = f"{status.st_dev}:{status.st_ino}"
            node = self.nodes.get(identity)
            if node and node.mtime is None:
                node.mtime = status.st_mtime_ns
            os.rename(path, os.path.join(stash, identity))

    def put(self, node, path, stash, written):
        old = os.path.join(stash, node.identity)
        if node.kind == "symlink":
            os.symlink(node.target, path)
            return
        if node in written:
            os.link(written[node], path)
            return
        # An inode that was given away again is another file by now.
        if self.nodes.get(node.identity) is node and os.path.exists(old) and path != self.top:
            os.rename(old, path)
        if node.kind == "directory":
            os.makedirs(path, exist_ok=True)
            for name, child in node.entries.items():
                if not name.endswith("-shm"):
                    self.put(child, os.path.join(path, name), stash, written)
        else:
            written[node] = path
            with open(path, "r+b" if os.path.exists(path) else "xb") as file:
                file.truncate(0)
                file.write(node.data)
        os.chmod(path, node.mode)
        if node.kind == "file" and node.mtime is not None:
            os.utime(path, ns=(node.mtime, node.mtime))


def plain(word):
    return "" if word == "%" else urllib.parse.unquote(word, errors="surrogateescape")


def apply_bytes(data, kind, at, more):
    if kind == "size":
        if at <= len(data):
            del data[at:]
        else:
            data.extend(bytes(at - len(data)))
        return
    if at > len(data):
        data.extend(bytes(at - len(data)))
    data[at:at + len(more)] = more


def survive(node, chance):
    """Which of the bytes that were not synced got to the disk."""
    how = chance.choice(("none", "none", "all", "first", "torn", "torn", "zeros"))
    if how == "none":
        return
    pending = node.pending
    if how == "first":
        pending = pending[:chance.randint(0, len(pending))]
    piece = chance.choice((512, 4096))
    for kind, at, data in pending:
        if kind == "size" or how in ("all", "first"):
            apply_bytes(node.data, kind, at, data)
            continue
        if how == "zeros":  # the size was noted, and the bytes were not
            if at + len(data) > len(node.data):
                apply_bytes(node.data, "size", at + len(data), b"")
            continue
        offset = 0
        while offset < len(data):
            size = min(piece - (at + offset) % piece, len(data) - offset)
            if chance.random() < 0.5:
                apply_bytes(node.data, "write", at + offset, data[offset:offset + size])
            offset += size
