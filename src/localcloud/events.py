"""The record of what happened: every Init, Invoke, freeze, Shutdown, throttle and delivery.

One entry is a dict with `time` (Unix seconds), `type` and what belongs to it; durations are in ms.
Types: init.start, init.end, invoke.start, invoke.end, freeze, shutdown, throttle, delivery.
"""

import time
from collections import deque
from typing import Any


class Record:
    """Keeps the latest entries, oldest first."""

    def __init__(self, size: int = 100_000):
        self._entries: deque[dict[str, Any]] = deque(maxlen=size)

    def add(self, kind: str, **fields: Any) -> None:
        """Add an entry with the time of now."""
        self._entries.append({"time": time.time(), "type": kind, **fields})

    def entries(self) -> list[dict[str, Any]]:
        """All entries that are still kept."""
        return list(self._entries)
