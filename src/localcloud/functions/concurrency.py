"""How many invocations may run at once, how fast that may grow, and what is throttled.

"Understanding Lambda function scaling" and "Lambda scaling behavior" in the Lambda developer guide: the
account's limit, reserved concurrency, 1,000 new environments in ten seconds for each function, and ten
requests a second for each unit of concurrency. Which Reason stands for which limit is read from the
names of the Invoke API's reasons; for the growth of environments it is a guess.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

_SCALING_PERIOD_S = 10


class Throttled(Exception):
    """No environment may be used; `reason` is one of the Invoke API's Reason values."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass
class Limits:
    """The numbers of AWS, settable so that a laptop can show them.

    `scaling_rate` is in new environments for each function in ten seconds; `request_rate` in requests
    a second for each unit of concurrency.
    """

    account_concurrency: int = 1000
    scaling_rate: int = 1000
    request_rate: int = 10


class _Bucket:
    """Tokens that come back at a steady rate, up to a number. It begins full."""

    def __init__(self):
        self._tokens: float | None = None
        self._seen = 0.0

    def take(self, per_second: float, most: float) -> bool:
        """Take a token, if there is one."""
        now = asyncio.get_running_loop().time()
        tokens = most if self._tokens is None else self._tokens
        tokens = min(most, tokens + (now - self._seen) * per_second)
        self._seen = now
        self._tokens = max(tokens - 1, 0) if tokens >= 1 else tokens
        return tokens >= 1


@dataclass
class _Use:
    """What one function, all its versions together, has running on demand."""

    running: int = 0
    requests: _Bucket = field(default_factory=_Bucket)
    growth: _Bucket = field(default_factory=_Bucket)


class Concurrency:
    """Counts what runs on demand and refuses what is too much. Belongs to the event loop.

    `unreserved()` is what the account has for all functions without a reservation of their own.
    """

    def __init__(self, limits: Limits, unreserved: Callable[[], int]):
        self._limits = limits
        self._unreserved = unreserved
        self._uses: dict[str, _Use] = {}
        self._unreserved_running = 0
        self._requests = _Bucket()

    def check_rate(self, function: str, reserved: int | None) -> None:
        """An invocation has come, for whatever kind of environment. Raises Throttled."""
        if reserved is None:
            bucket, limit = self._requests, self._limits.account_concurrency
            reason = "FunctionInvocationRateLimitExceeded"
        else:
            bucket, limit = self._use(function).requests, reserved
            reason = "ReservedFunctionInvocationRateLimitExceeded"
        rate = limit * self._limits.request_rate
        if rate and not bucket.take(rate, rate):
            raise Throttled(reason)

    def enter(self, function: str, reserved: int | None, provisioned: int) -> None:
        """An invocation is to run on demand. Raises Throttled; else `leave` has to follow.

        `provisioned` is what the function has provisioned, which counts within its reservation.
        """
        use = self._use(function)
        if reserved is None:
            if self._unreserved_running >= self._unreserved():
                raise Throttled("ConcurrentInvocationLimitExceeded")
            self._unreserved_running += 1
        elif use.running >= reserved - provisioned:
            raise Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        use.running += 1

    def check_growth(self, function: str) -> None:
        """The invocation needs a new environment. Raises Throttled."""
        rate = self._limits.scaling_rate
        if not self._use(function).growth.take(rate / _SCALING_PERIOD_S, rate):
            raise Throttled("ConcurrentInvocationLimitExceeded")

    def leave(self, function: str, reserved: int | None) -> None:
        """The invocation is over; `reserved` as it was when it entered."""
        self._use(function).running -= 1
        if reserved is None:
            self._unreserved_running -= 1

    def _use(self, function: str) -> _Use:
        return self._uses.setdefault(function, _Use())
