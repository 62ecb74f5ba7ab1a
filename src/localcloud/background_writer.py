"""A thread that writes log events, one after the other, while whoever has them goes on."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)


class BackgroundWriter:
    """Calls `write` with each item that was put, in order, in a thread of the name given."""

    def __init__(self, name: str, write: Callable[..., None]):
        self._write = write
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, *item: Any) -> None:
        """Queue the arguments of one call."""
        self._queue.put(item)

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._write(*item)
            except Exception:  # one log must not end all
                _log.exception("log events could not be written")
