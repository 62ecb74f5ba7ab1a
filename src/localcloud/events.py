"""The record of what happened: every Init, Invoke, freeze, Shutdown, throttle and delivery.

One entry is a dict: `sequence` (1, 2, 3 ... in the order of happening), `time` (Unix seconds), `type`,
and the fields of its type. ENTRY_FIELDS is the schema; docs/record.md explains it.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

_Types = type | tuple[type, ...]
_NUMBER = (int, float)
_TEXT_OR_NONE = (str, type(None))
_ENVIRONMENT = {"function": str, "environment": str}
_REQUEST = {"function": str, "request_id": str}

# What an entry has besides sequence, time and type. `function` is an ARN, with the version unless
# that is $LATEST; durations are in ms.
ENTRY_FIELDS: Mapping[str, Mapping[str, _Types]] = {
    # An execution environment's life.
    "init.start": {**_ENVIRONMENT, "phase": str, "initialization_type": str},
    "init.end": {**_ENVIRONMENT, "phase": str, "duration_ms": _NUMBER, "error_type": _TEXT_OR_NONE},
    "invoke.start": {**_ENVIRONMENT, "request_id": str, "initialization_type": str},
    "invoke.end": {
        **_ENVIRONMENT,
        "request_id": str,
        "duration_ms": _NUMBER,
        "billed_ms": int,
        "init_ms": (int, float, type(None)),
        "max_memory_mb": int,
        "failed": bool,
        "error_type": _TEXT_OR_NONE,
    },
    "freeze": _ENVIRONMENT,
    "shutdown": {**_ENVIRONMENT, "reason": str},
    # A request's way to an environment. `resource` is the function as it was named: name or
    # name:qualifier; `reserved` says whether it has reserved concurrency, `provisioned` how many
    # provisioned environments that name has.
    "request": {**_REQUEST, "resource": str, "reserved": bool, "provisioned": int},
    "throttle": {"function": str, "reason": str},
    "recursion": {**_REQUEST, "resource": str},
    # Asynchronous invocation.
    "async.queued": {**_REQUEST, "resource": str},
    "async.taken": {**_REQUEST, "resource": str, "age_ms": _NUMBER, "attempt": int},
    "async.retry": {**_REQUEST, "reason": str, "delay_s": _NUMBER},
    "async.dropped": {**_REQUEST, "resource": str, "condition": str},
    # What was brought to a function (by S3, an event source, ...) and what Lambda sent on.
    "delivery": {"function": str, "source": str, "count": int},
    "destination": {
        **_REQUEST,
        "resource": str,
        "kind": str,
        "target": str,
        "error": _TEXT_OR_NONE,
    },
}


class Record:
    """Keeps the latest entries, oldest first. Any thread may add and read."""

    def __init__(self, size: int = 100_000):
        self._entries: deque[dict[str, Any]] = deque(maxlen=size)
        self._numbers = itertools.count(1)
        self._adding = threading.Lock()
        # Called with each entry as it is added, in the thread that adds it.
        self.listener: Callable[[dict[str, Any]], None] | None = None

    def add(self, kind: str, /, **fields: Any) -> None:
        """Add an entry with the time of now."""
        with self._adding:
            entry = {"sequence": next(self._numbers), "time": time.time(), "type": kind, **fields}
            self._entries.append(entry)
        if self.listener is not None:
            self.listener(entry)

    def entries(self, since: int = 0, function: str | None = None) -> list[dict[str, Any]]:
        """The entries that are still kept: those after the sequence number `since`, and of one
        function (its name, or its ARN with or without a version) if one is given.
        """
        entries = list(self._entries)
        if since:
            entries = [entry for entry in entries if entry["sequence"] > since]
        if function is not None:
            entries = [entry for entry in entries if _is_of(entry.get("function", ""), function)]
        return entries


def _is_of(arn: str, function: str) -> bool:
    if arn == function or arn.startswith(f"{function}:"):
        return True
    parts = arn.split(":")
    return len(parts) > 6 and parts[6] == function
