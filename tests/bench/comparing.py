"""The release build of another revision, made in a git worktree of its own for as long as it is measured."""
import contextlib
import os
import shutil
import subprocess
import tempfile

from anchors import ROOT


def run(command, folder, progress):
    progress(" ".join(command[:4]))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(command)}: exit code {done.returncode}\n"
                         f"{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout.strip()


@contextlib.contextmanager
def release_build(revision, progress=lambda text: None, root=ROOT):
    """Gives the path of `revision`'s caravel. ccache makes it quick where the sources are the same."""
    commit = run(["git", "rev-parse", "--verify", f"{revision}^{{commit}}"], root, progress)
    folder = tempfile.mkdtemp(prefix="caravel-bench-build-", dir=os.environ.get("TMPDIR", "/tmp"))
    tree = os.path.join(folder, "tree")
    try:
        run(["git", "worktree", "add", "--detach", tree, commit], root, progress)
        run(["cmake", "--preset", "release"], tree, progress)
        run(["cmake", "--build", "--preset", "release", "--target", "caravel"], tree, progress)
        yield os.path.join(tree, "build/release/watcher/caravel")
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=root, check=False,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
