"""Which environment takes an invocation: an idle one, a new one, or none.

One environment runs one invocation at a time. A function's concurrency is what it has running; the
account's limit and a function's reserved concurrency cap it, and what is over is throttled.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..events import Record
from .configuration import FunctionConfiguration, Invocation, Outcome
from .environment import Environment, State

_MEMORY_WATCH_S = 0.02
# To find what else a function has started costs more than to look at its runtime.
_TURNS_TO_ALL_PROCESSES = 3


class Throttled(Exception):
    """No environment may be used; `reason` is one of the Invoke API's Reason values."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass
class _Pool:
    configuration: FunctionConfiguration
    idle: list[Environment] = field(default_factory=list)
    running: int = 0
    timers: dict[Environment, asyncio.TimerHandle] = field(default_factory=dict)


class Scheduler:
    """Keeps the environments of all functions. Belongs to the event loop.

    `create` makes an environment that is not started. `idle_timeout_s` reaps an environment that
    nobody used for so long; `max_age_s` replaces one however busy it is.
    """

    def __init__(
        self,
        create: Callable[[FunctionConfiguration], Awaitable[Environment]],
        record: Record,
        account_concurrency: int = 1000,
        idle_timeout_s: float = 600.0,
        max_age_s: float = 7200.0,
    ):
        self._create = create
        self._record = record
        self.account_concurrency = account_concurrency
        self._idle_timeout_s = idle_timeout_s
        self._max_age_s = max_age_s
        self._pools: dict[str, _Pool] = {}
        # All that live, those of replaced and deleted functions that are still busy included.
        self._environments: set[Environment] = set()
        self._running = 0
        self._watch: asyncio.Task | None = None

    async def invoke(
        self, configuration: FunctionConfiguration, invocation: Invocation, reserved: int | None
    ) -> Outcome:
        """Run an invocation. Raises Throttled where the concurrency limits forbid it."""
        pool = self._pool(configuration)
        if reserved is not None and pool.running >= reserved:
            self._throttle(configuration, "ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._running >= self.account_concurrency:
            self._throttle(configuration, "ConcurrentInvocationLimitExceeded")
        pool.running += 1
        self._running += 1
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_memory())
        try:
            environment = self._take_idle(pool)
            if environment is None:
                environment = await self._create(configuration)
                self._environments.add(environment)
                try:
                    await environment.start()
                except BaseException:
                    self._end(pool, environment, "failed to start")
                    raise
            outcome = await environment.invoke(invocation)
            self._give_back(pool, environment)
            return outcome
        finally:
            pool.running -= 1
            self._running -= 1

    def retire(self, arn: str) -> None:
        """End the idle environments of a function that was deleted; busy ones end when done."""
        pool = self._pools.pop(arn, None)
        if pool:
            self._drain(pool, "deleted")

    async def close(self) -> None:
        """End every environment; those with extensions get their time to."""
        if self._watch:
            self._watch.cancel()
        for pool in self._pools.values():
            for timer in pool.timers.values():
                timer.cancel()
        ends = [environment.shutdown("stopped") for environment in self._environments]
        await asyncio.gather(*filter(None, ends))
        self._environments.clear()
        self._pools.clear()

    def _pool(self, configuration: FunctionConfiguration) -> _Pool:
        pool = self._pools.get(configuration.arn)
        if pool is None or pool.configuration != configuration:
            fresh = _Pool(configuration)
            if pool is not None:  # new code or configuration: the old environments go
                self._drain(pool, "replaced")
            self._pools[configuration.arn] = pool = fresh
        return pool

    def _take_idle(self, pool: _Pool) -> Environment | None:
        while pool.idle:
            environment = pool.idle.pop()
            pool.timers.pop(environment).cancel()
            if environment.is_usable and not self._is_old(environment):
                return environment
            self._end(pool, environment, "max age" if environment.is_usable else "crashed")
        return None

    def _give_back(self, pool: _Pool, environment: Environment) -> None:
        reason = None
        if not environment.is_usable:
            reason = "crashed"
        elif self._pools.get(pool.configuration.arn) is not pool:
            reason = "replaced"
        elif self._is_old(environment):
            reason = "max age"
        if reason:
            self._end(pool, environment, reason)
            return
        pool.idle.append(environment)
        pool.timers[environment] = asyncio.get_running_loop().call_later(
            self._idle_timeout_s, self._reap, pool, environment
        )

    def _reap(self, pool: _Pool, environment: Environment) -> None:
        with contextlib.suppress(ValueError):
            pool.idle.remove(environment)
        self._end(pool, environment, "idle")

    def _drain(self, pool: _Pool, reason: str) -> None:
        while pool.idle:
            self._end(pool, pool.idle.pop(), reason)

    def _end(self, pool: _Pool, environment: Environment, reason: str) -> None:
        timer = pool.timers.pop(environment, None)
        if timer:
            timer.cancel()
        self._environments.discard(environment)
        environment.shutdown(reason)

    def _is_old(self, environment: Environment) -> bool:
        return time.monotonic() - environment.created > self._max_age_s

    def _throttle(self, configuration: FunctionConfiguration, reason: str) -> None:
        self._record.add("throttle", function=configuration.arn, reason=reason)
        raise Throttled(reason)

    async def _watch_memory(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(_MEMORY_WATCH_S)
            if not self._running:
                continue
            for environment in list(self._environments):
                if environment.state in (State.INIT, State.BUSY):
                    environment.check_memory(turn % _TURNS_TO_ALL_PROCESSES == 0)
