"""Runs of checks that start at once: each is forked from a process that has loaded pytest and boto3.

The checks themselves are loaded anew in each run.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from .results import CheckResult
from .stages import Stage

_GRACE_S = 20
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([f"{__package__}.preloaded", __name__])


class Run:
    """One stage's checks, running in a process of their own in the cloud in use."""

    def __init__(self, stage: Stage, workspace: Path):
        self.stage = stage
        self._messages, theirs = _context.Pipe(duplex=False)
        self._process = _context.Process(target=_work, args=(theirs, stage, workspace))
        self._process.start()
        theirs.close()
        self._stopped = False

    def follow(self, tell: Callable[[str, object], None]) -> None:
        """Until it ends, tell what happens: ("started", sentence), ("ended", CheckResult), and at last
        ("finished", StageResult), or ("finished", None) if it was stopped or died."""
        try:
            while True:
                kind, value = self._messages.recv()
                if kind == "finished":
                    break
                tell(kind, value)
        except EOFError:
            value = None
        self._process.join()
        tell("finished", value)

    def stop(self) -> None:
        """Let it end early, and remove what it has made."""
        # A second signal would keep it from tidying up.
        if not self._stopped and self._process.is_alive():
            self._stopped = True
            os.kill(self._process.pid, signal.SIGINT)

    def end(self) -> None:
        """Stop it, and wait until it has ended."""
        self.stop()
        self._process.join(_GRACE_S)
        self._process.kill()


def _work(messages: Connection, stage: Stage, workspace: Path) -> None:
    from .run import Listener, grade

    os.setsid()  # Ctrl-C is for the process that started this one, which says what is to be done

    class Teller(Listener):
        def started(self, stage: Stage, wants: str) -> None:
            messages.send(("started", wants))

        def ended(self, stage: Stage, result: CheckResult) -> None:
            messages.send(("ended", result))

    result = None
    with contextlib.suppress(KeyboardInterrupt):
        (result,) = grade([stage], workspace, listener=Teller())
    messages.send(("finished", result))
