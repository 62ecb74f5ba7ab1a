"""Token buckets: each request takes a token; `rate` new ones come each second, up to `burst`.

"Throttle requests to your HTTP APIs": a route's own settings or the stage's defaults, then the
account's, which all its APIs in a region share.
"""

import time
from collections.abc import Callable

from .descriptions import Api, Route, Stage, Throttle, WebSocketApi

ACCOUNT = Throttle(10_000, 5_000)  # facts G2
# New WebSocket connections (facts G2); how many at once is not documented.
CONNECTIONS = Throttle(500, 500)


class TokenBucket:
    """Full at first. `now` is in seconds, of any clock that only goes forward."""

    def __init__(self, rate: float, burst: float, now: float):
        self.rate, self.burst = rate, burst
        self._tokens, self._filled = float(burst), now

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttles:
    """The buckets of all routes and regions; a bucket whose settings change begins full again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def admit(self, api: Api, stage: Stage, route: Route) -> bool:
        """Whether a request may go on now."""
        wanted = stage.settings_of(route).throttle
        if wanted != Throttle() and not self._take((api.id, stage.name, route.key), wanted):
            return False
        return self._take((api.region,), ACCOUNT)

    def admit_connection(self, api: WebSocketApi) -> bool:
        """Whether another WebSocket connection may be opened now."""
        return self._take((api.region, "connections"), CONNECTIONS)

    def _take(self, key: tuple[str, ...], wanted: Throttle) -> bool:
        rate = ACCOUNT.rate if wanted.rate is None else wanted.rate
        burst = ACCOUNT.burst if wanted.burst is None else wanted.burst
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = self._buckets[key] = TokenBucket(rate, burst, now)
        return bucket.take(now)
