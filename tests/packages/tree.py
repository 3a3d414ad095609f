"""A Debian of its own below a folder, which systemd starts as it starts a machine.

The base is made once by debootstrap(8). Each Tree is an overlay over it, in namespaces of its own (mounts,
processes, host name, IPC, network, cgroups): nothing of it reaches the system that runs the test.
"""
import os
import shutil
import signal
import subprocess
import time

PATIENCE = 180  # seconds, for a machine that is busy

START = r"""
set -e
root=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
# What has no namespace stays as it is: systemd-sysctl leaves a /proc/sys alone that it cannot write.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"; mount --bind /dev/$device "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  chroot "$root" /lib/systemd/systemd --unit=multi-user.target --log-target=console --show-status=no
"""


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def make_base(base, packages):
    """Debian 12 with systemd and `packages`, once."""
    stamp = os.path.join(base, "made-of")
    wanted = " ".join(sorted(packages))
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return
    shutil.rmtree(base, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--include={','.join(sorted(packages))}", "bookworm", base,
        stdout=subprocess.DEVNULL)
    for name in os.listdir(f"{base}/var/cache/apt/archives"):
        if name.endswith(".deb"):
            os.unlink(f"{base}/var/cache/apt/archives/{name}")
    # Nothing waits for a console, a disk or a network that is not there.
    for unit in ("console-getty.service", "getty.target", "systemd-udevd.service", "systemd-udev-trigger.service",
                 "systemd-timesyncd.service", "systemd-sysctl.service", "systemd-modules-load.service",
                 "systemd-remount-fs.service", "systemd-networkd.service", "systemd-resolved.service"):
        path = f"{base}/etc/systemd/system/{unit}"
        if not os.path.lexists(path):
            os.symlink("/dev/null", path)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


class Tree:
    def __init__(self, base, folder):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        for part in ("upper", "work", "root"):
            os.makedirs(os.path.join(folder, part))
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={base},upperdir={folder}/upper,workdir={folder}/work", self.root)
        self.systemd = None
        self.init = None

    def start(self):
        log = open(os.path.join(self.folder, "systemd.log"), "wb")
        self.systemd = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--cgroup",
             "bash", "-c", START, "bash", self.root],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        children = f"/proc/{self.systemd.pid}/task/{self.systemd.pid}/children"
        self.wait_for("systemd", lambda: open(children, encoding="ascii").read().split())
        self.init = open(children, encoding="ascii").read().split()[0]
        self.wait_for("systemd's start", lambda: self.call(
            "systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"))
        self.call("ip link set lo up", check=False)

    def call(self, script, check=True, user=None, stdin=""):
        """Runs a script in the tree, as it were on the machine."""
        command = ["bash", "-c", script]
        if user:
            command = ["runuser", "-u", user, "--", *command]
        enter = ["nsenter", "-t", self.init, "-m", "-p", "-u", "-i", "-n", "-C", f"--root=/proc/{self.init}/root",
                 "--wd=/"] if self.init else ["chroot", self.root]
        done = subprocess.run(
            [*enter, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TERM=dumb",
             "DEBIAN_FRONTEND=noninteractive", *command],
            capture_output=True, text=True, check=False, input=stdin)
        if check and done.returncode != 0:
            raise AssertionError(f"exit code {done.returncode}: {script}\n{done.stdout}{done.stderr}")
        return done

    def log(self):
        with open(os.path.join(self.folder, "systemd.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def put(self, *paths, to="/root"):
        for path in paths:
            shutil.copy2(path, f"{self.root}{to}")

    def wait_for(self, what, is_so):
        end = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > end or (self.systemd and self.systemd.poll() is not None):
                raise AssertionError(f"{what} did not come; see {self.folder}/systemd.log")
            time.sleep(0.2)

    def remove(self):
        if self.systemd:
            if self.init:
                os.kill(int(self.init), signal.SIGKILL)  # the first process: all others end with it
            self.systemd.wait()
        subprocess.run(["umount", "-l", self.root], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
