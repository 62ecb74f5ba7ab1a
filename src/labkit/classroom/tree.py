"""The process tree in which one stage of a submission is graded: the way in and out.

The tree runs grading_process.py, which is ours; functions run below it, in bubblewrap. The tree has no
network but its own loopback, sees neither the class nor its results, and nothing of it is left when its
first process has ended. It is forked from a host (tree_host.py), of which a grader has one. A job goes in
as one line of JSON, and its answer comes out as another.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import localcloud

from .. import project

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")

_running: set["_Tree"] = set()
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
    with tempfile.TemporaryDirectory(prefix="lab-grade-") as folder:
        probe = subprocess.run(
            [sys.executable, "-m", f"{__package__}.walls", folder],
            env=_environment(folder), cwd=project.ROOT, capture_output=True, text=True,
        )  # fmt: skip
    if not probe.stdout:
        raise NotConfined(probe.stderr.strip())


def run(
    job: dict[str, Any], *, trusted: bool, hidden: Sequence[Path] = ()
) -> Iterator[dict[str, Any]]:
    """Start a tree, give it the job, and yield what it answers until it has ended.

    `hidden` are folders that it must not see. Closing the iterator ends the tree.
    """
    if _ended.is_set():
        raise Ended
    asked = {
        "stage": job["stage"], "confined": not trusted,
        "hidden": [str(path.resolve()) for path in hidden],
    }  # fmt: skip
    with _Tree(asked) as tree:
        try:
            tree.input.write(json.dumps(job).encode() + b"\n")
            tree.input.flush()  # and stays open: its end tells the tree that nobody waits any more
        except BrokenPipeError:
            return
        for line in tree.output:
            yield json.loads(line)


def end_all() -> None:
    """End every tree of this process, and start none any more."""
    _ended.set()
    for tree in list(_running):
        tree.kill()


class _Tree:
    """A tree that was asked for, its pipes, and the pidfd of its first process."""

    def __init__(self, asked: dict[str, Any]):
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        try:
            self._process = _host.grow(asked, [read, write])
        finally:
            os.close(read)
            os.close(write)
        self.input, self.output = os.fdopen(self._write, "wb"), os.fdopen(self._read, "rb")

    def __enter__(self) -> "_Tree":
        _running.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _running.discard(self)
        self.kill()
        select.select([self._process], [], [])  # until it has ended
        for each in (self.input, self.output):
            with contextlib.suppress(BrokenPipeError):
                each.close()
        os.close(self._process)

    def kill(self) -> None:
        """Kill its first process, with which all of it ends."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)


class _Host:
    """The process that trees are forked from, started with the first one, and anew where it has died."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen | None = None
        self._folder = ""

    def grow(self, asked: dict[str, Any], descriptors: Sequence[int]) -> int:
        """Fork a tree with these standard streams, and return the pidfd of its first process.

        Raises OSError where the host can't be started.
        """
        message = json.dumps(asked).encode()
        with self._turn:
            for _ in range(2):
                if self._socket is None:
                    self._start()
                with contextlib.suppress(OSError):
                    socket.send_fds(self._socket, [message], descriptors)
                    answer, given, _, _ = socket.recv_fds(self._socket, 1, 1)
                    if answer:
                        return given[0]
                self.end()
        raise OSError("the process that trees are forked from ends at once: LAB_DEBUG=1 shows why")

    def _start(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="lab-grade-")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.tree_host", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if not os.environ.get("LAB_DEBUG") else None,
                env=_environment(self._folder), cwd=project.ROOT, start_new_session=True,
            )  # fmt: skip

    def end(self) -> None:
        """End it; trees that run go on."""
        if self._socket:
            self._socket.close()
            self._socket = None
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": str(project.ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1", "HOME": folder,
        "TMPDIR": folder, "LAB_WORK": f"{folder}/work", "LAB_TARGET": "local",
        "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip


_host = _Host()
atexit.register(_host.end)
