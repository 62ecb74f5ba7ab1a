"""Asynchronous invocation: the caller has its 202, the event waits here for an environment.

A function error is tried twice more, after one and two minutes; a throttled event goes back to the
queue with a growing delay until it is too old ("How Lambda handles errors and retries with
asynchronous invocation"). `speed` makes the clock of these delays run faster.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from .configuration import Outcome
from .scheduler import Throttled

RETRY_DELAYS_S = (60.0, 120.0)
MAX_EVENT_AGE_S = 21_600.0
_log = logging.getLogger(__name__)


class EventQueue:
    """Runs events in the background; belongs to the event loop."""

    def __init__(self, speed: float = 1.0):
        self.speed = speed
        self._tasks: set[asyncio.Task] = set()

    def put(self, invoke: Callable[[], Awaitable[Outcome]]) -> None:
        """Take an event. `invoke` is called once for each try, with the same request id inside."""
        task = asyncio.create_task(self._deliver(invoke))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def close(self) -> None:
        """Drop what still waits."""
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, invoke: Callable[[], Awaitable[Outcome]]) -> None:
        retries = iter(RETRY_DELAYS_S)
        back_off = 1.0
        queued = time.monotonic()
        while True:
            try:
                outcome = await invoke()
            except Throttled:
                if (time.monotonic() - queued) * self.speed > MAX_EVENT_AGE_S:
                    return
                await asyncio.sleep(back_off / self.speed)
                back_off = min(back_off * 2, 300.0)
                continue
            if not outcome.failed:
                return
            delay = next(retries, None)
            if delay is None:
                return
            await asyncio.sleep(delay / self.speed)

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _log.error("an event could not be delivered", exc_info=task.exception())
