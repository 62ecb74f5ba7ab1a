"""Token buckets: each request takes a token; `rate` new ones come each second, up to `burst`.

"Throttle requests to your REST APIs" and "… HTTP APIs": first what is nearest to the caller (a key's
usage plan, a method or route, its stage's default), then the account's, which all APIs of any kind in
a region share.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from .descriptions import Throttle

Limit = tuple[tuple[str, ...], Throttle]  # whose bucket, and what it holds
# New WebSocket connections in a region (facts G2); how many at once is not documented.
NEW_CONNECTIONS = Throttle(500, 500)


@dataclass
class AccountThrottle:
    """What an account may ask of its APIs in a region, each second and at once (facts G2)."""

    rate: float = 10_000
    burst: int = 5_000


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
    """All buckets of all APIs; a bucket whose settings change begins full again."""

    def __init__(
        self, account: AccountThrottle | None = None, clock: Callable[[], float] = time.monotonic
    ):
        self._account = account or AccountThrottle()
        self._clock = clock
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def admit(self, region: str, *limits: Limit) -> bool:
        """Whether a request may go on now: a token of each limit in turn, of the account's last.

        A limit that says nothing is none; one that says only one of rate and burst has the account's other.
        """
        for key, wanted in limits:
            if wanted != Throttle() and not self._take(key, wanted):
                return False
        return self._take((region,), Throttle())

    def _take(self, key: tuple[str, ...], wanted: Throttle) -> bool:
        rate = self._account.rate if wanted.rate is None else wanted.rate
        burst = self._account.burst if wanted.burst is None else wanted.burst
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = self._buckets[key] = TokenBucket(rate, burst, now)
        return bucket.take(now)
