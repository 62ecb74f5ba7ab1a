"""Sandboxes started in advance, before it is known which function they are for.

As on AWS, what stands ready is the empty sandbox with the runtime's own software; a function's Init is
all its own.
"""

import asyncio
from collections.abc import Callable

from .sandbox import Sandbox

# New ones are started when none was asked for during this time, so that they take no processor time
# from the Init that the last one is for.
_REFILL_AFTER_S = 0.2


class SandboxPool:
    """Keeps one sandbox ready, and up to `spares` where functions are used. Belongs to the event loop."""

    def __init__(self, make: Callable[[], Sandbox], spares: int):
        self._make = make
        self._spares = spares
        self._taken = 0
        self._ready: list[Sandbox] = []
        self._timer: asyncio.TimerHandle | None = None

    def fill_later(self) -> None:
        """Start what is missing, one at a time, when there is a moment's peace."""
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_REFILL_AFTER_S, self._fill)

    def take(self) -> Sandbox:
        """Return the oldest that stands ready, or a new one."""
        self._taken += 1
        self.fill_later()
        while self._ready:
            sandbox = self._ready.pop(0)
            if sandbox.is_alive:
                return sandbox
            sandbox.destroy()
        return self._make()

    def close(self) -> None:
        """End those that stand ready."""
        if self._timer:
            self._timer.cancel()
        for sandbox in self._ready:
            sandbox.destroy()
        self._ready.clear()

    def _fill(self) -> None:
        for sandbox in [sandbox for sandbox in self._ready if not sandbox.is_alive]:
            self._ready.remove(sandbox)
            sandbox.destroy()
        if len(self._ready) < min(self._spares, 1 + self._taken):
            self._ready.append(self._make())
            self.fill_later()
