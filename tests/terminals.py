"""A command in a terminal of its own (a pseudo-terminal), as a person sits before it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

WAIT_S = 120
# In a session of its own, the process makes the terminal its own, so that Ctrl-C reaches it.
_AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "labkit.cli", *sys.argv[1:]])
"""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """`lab ARGUMENTS` in a kit's copy; a context manager that ends it."""

    def __init__(self, kit, *arguments: str, **environment: str):
        self._command = [sys.executable, "-c", _AT_TERMINAL, *arguments]
        self._kit = kit
        self._environment = (
            kit.environment | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment
        )
        self.raw = ""
        self._seen = 0

    def __enter__(self) -> "Terminal":
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            self._command, cwd=self._kit.folder, env=self._environment, start_new_session=True,
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._end)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._end, keys.encode())

    def wait_for(self, words: str) -> str:
        """Wait until the words are shown, after those of the last call; return all of it."""
        deadline, since = time.monotonic() + WAIT_S, self._seen
        while (at := (shown := _ESCAPES.sub("", self.raw)).find(words, since)) < 0:
            alive = self._read(deadline - time.monotonic())
            assert alive, f"{words!r} was not shown:\n{shown[since:]}"
        self._seen = at + len(words)
        return shown[since : self._seen]

    def ended(self) -> int:
        """Wait for the end and return the exit code."""
        deadline = time.monotonic() + WAIT_S
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(timeout=WAIT_S)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._end], [], [], max(seconds, 0))[0]:
            return False
        try:
            piece = os.read(self._end, 1 << 16)
        except OSError:  # Linux says EIO when the other side has closed
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)
