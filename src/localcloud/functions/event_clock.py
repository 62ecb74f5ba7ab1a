"""A clock that can run faster than the day's: minutes between tries pass in moments."""

import asyncio
import contextlib
import time


class EventClock:
    """Seconds since its start, multiplied by `speed`, which may change at any time.

    Belongs to the event loop.
    """

    def __init__(self, speed: float = 1.0):
        self._speed = speed
        self._then = time.monotonic()
        self._passed = 0.0
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        """How many of its seconds pass in one of ours."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        # It goes on from now; who sleeps wakes accordingly.
        self._passed = self.now()
        self._then = time.monotonic()
        self._speed = speed
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Its time in s."""
        return self._passed + (time.monotonic() - self._then) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait until so many of its seconds have passed."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left / self._speed)
