"""Compiles writer programs and knows where they and the npm packages are: below build/loggers."""
import glob
import hashlib
import os
import subprocess
import threading

from kit import PYTHON, WRITERS

JARS = ["/usr/share/java/" + name for name in (
    "log4j-1.2.jar", "log4j-api.jar", "log4j-core.jar", "logback-classic.jar", "logback-core.jar",
    "slf4j-api.jar")]
LIBRARIES = {
    "spdlog": ["-lspdlog", "-lfmt"],
    "boost_log": ["-DBOOST_LOG_DYN_LINK", "-lboost_log", "-lboost_filesystem", "-lboost_thread",
                  "-lboost_system"],
    "glog": ["-lglog"], "log4cplus": ["-llog4cplus"], "log4cxx": ["-llog4cxx"],
    "poco": ["-lPocoFoundation"], "easylogging": ["/usr/include/easylogging++.cc"],
}


class Builder:
    def __init__(self, folder):
        self.folder, self.locks, self.lock = folder, {}, threading.Lock()
        # What scripts/loggers --setup installs; and what all tests have.
        self.node_modules = [f"{folder}/node_modules", f"{os.path.dirname(os.path.dirname(folder))}/node_modules"]

    def npm_module(self, name):
        """Its folder; None if it is not installed."""
        return next(filter(os.path.isdir, (f"{modules}/{name}" for modules in self.node_modules)), None)

    def environment(self):
        return {"NODE_PATH": ":".join(self.node_modules), "TZ": "UTC", "LC_ALL": "C.UTF-8",
                "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}

    def command(self, program):
        """How a file of writers/ is run; it is compiled first, if it must be."""
        path = f"{WRITERS}/{program}"
        stem, kind = os.path.splitext(program)
        if kind == ".java":
            classes = self.built(path, lambda target: [
                "javac", "-nowarn", "-proc:none", "-cp", ":".join(JARS), "-d", target, path])
            return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx64m", "-cp",
                    ":".join([classes, *JARS]), stem]
        if kind == ".cc":
            return [self.built(path, lambda target: [
                "g++", "-std=c++17", "-O0", "-w", "-o", target, path, *LIBRARIES[stem], "-lpthread"])]
        if kind == ".erl":
            folder = self.built(path, lambda target: ["erlc", "-o", target, path])
            return ["erl", "-noshell", "-pa", folder, "-s", stem, "main", "-extra"]
        return [{".py": PYTHON, ".js": "node", ".rb": "ruby", ".pl": "perl"}[kind], path]

    def built(self, source, command):
        """Where the outcome of `command(target)` is. It is kept for as long as the source stays the same."""
        with open(source, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()[:16]
        target = f"{self.folder}/bin/{os.path.basename(source)}-{digest}"
        with self.lock:
            lock = self.locks.setdefault(target, threading.Lock())
        with lock:
            if not os.path.exists(target):
                new = target + ".new"
                os.makedirs(os.path.dirname(new) if source.endswith(".cc") else new, exist_ok=True)
                subprocess.run(["nice", "-n", "15", *command(new)], check=True, capture_output=True)
                for old in glob.glob(f"{self.folder}/bin/{os.path.basename(source)}-*"):
                    if old != new:
                        subprocess.run(["rm", "-r", old], check=True)
                os.rename(new, target)
        return target
