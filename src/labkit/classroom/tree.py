"""One submission's process tree: namespaces of its own, limits, and the way in and out.

The tree runs grading_process.py, which is ours; functions run below it, in bubblewrap. The tree has no
network but its own loopback, sees neither the class nor its results, and nothing of it is left when its
first process has ended. Jobs go in as one line of JSON, answers come out as lines of JSON.
"""

import contextlib
import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import localcloud

from .. import project

_NAMESPACES = (
    "unshare", "--user", "--map-root-user", "--net", "--pid", "--ipc", "--mount", "--fork",
    "--kill-child", "--mount-proc",
)  # fmt: skip
_FOLDER_MB = 1024
_OPEN_FILES = 4096
# A single process of the tree; what a stage may take in all is the grading process's to watch.
_PROCESSOR_S = 600
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")


_running: set[subprocess.Popen] = set()
_ended = threading.Event()


class Ended(Exception):
    """The grading is over: no tree is started any more."""


class NotConfined(Exception):
    """Code that nobody trusts can't be run here; the text says why."""


@functools.cache
def require_confinement() -> None:
    """Make sure that trees can be closed here. Raises NotConfined where they can't."""
    try:
        localcloud.require_confinement()
    except RuntimeError as error:
        raise NotConfined(str(error)) from None
    probe = subprocess.run([*_NAMESPACES, "true"], capture_output=True, text=True)
    if probe.returncode:
        raise NotConfined(f"unshare: {probe.stderr.strip()}")


def run(
    job: dict[str, Any], *, trusted: bool, hidden: Sequence[Path] = ()
) -> Iterator[dict[str, Any]]:
    """Start a tree, give it the job, and yield what it answers until it has ended.

    `hidden` are folders that it must not see. Closing the iterator ends the tree.
    """
    if _ended.is_set():
        raise Ended
    folder = Path(tempfile.mkdtemp(prefix="lab-grade-"))
    process = None
    try:
        process = subprocess.Popen(
            _command(folder, trusted, hidden), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("LAB_DEBUG") else None,
            env=_environment(folder), cwd=project.ROOT, start_new_session=True,
        )  # fmt: skip
        _running.add(process)
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()  # and stays open: its end tells the tree that nobody waits any more
        except BrokenPipeError:
            return
        for line in process.stdout:
            yield json.loads(line)
    finally:
        if process:
            _running.discard(process)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdin.close()
            process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def end_all() -> None:
    """End every tree of this process, and start none any more."""
    _ended.set()
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _command(folder: Path, trusted: bool, hidden: Sequence[Path]) -> list[str]:
    python = [sys.executable, "-m", f"{__package__}.grading_process"]
    if trusted:
        return python
    mounts = [("size=4k,mode=0000", path.resolve()) for path in hidden if path.is_dir()]
    mounts.append((f"size={_FOLDER_MB}m,mode=0700", folder))
    script = " && ".join(
        [f"ulimit -n {_OPEN_FILES}", f"ulimit -t {_PROCESSOR_S}", "ulimit -c 0",
         *(f"mount -t tmpfs -o {options} tmpfs {shlex.quote(str(path))}" for options, path in mounts),
         f"cd {shlex.quote(str(project.ROOT))}", f"exec {shlex.join(python)}"]
    )  # fmt: skip
    return [*_NAMESPACES, "sh", "-c", script]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": str(project.ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder),
        "TMPDIR": str(folder), "LAB_WORK": str(folder / "work"), "LAB_TARGET": "local",
    }  # fmt: skip
