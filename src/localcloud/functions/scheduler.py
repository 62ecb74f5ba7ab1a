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
from .concurrency import Concurrency, Throttled
from .configuration import FunctionConfiguration, Invocation, Outcome
from .environment import Environment, State
from .provisioned import ProvisionedConcurrency, SetStatus

_MEMORY_WATCH_S = 0.02
# To find what else a function has started costs more than to look at its runtime.
_TURNS_TO_ALL_PROCESSES = 3


@dataclass
class _Pool:
    configuration: FunctionConfiguration
    idle: list[Environment] = field(default_factory=list)
    timers: dict[Environment, asyncio.TimerHandle] = field(default_factory=dict)


class Scheduler:
    """Keeps the environments of all functions. Belongs to the event loop.

    `create(configuration, initialization type)` makes an environment that is not started.
    `idle_timeout_s` reaps an environment that nobody used for so long; `max_age_s` replaces one
    however busy it is.
    """

    def __init__(
        self,
        create: Callable[[FunctionConfiguration, str], Awaitable[Environment]],
        concurrency: Concurrency,
        set_status: SetStatus,
        record: Record,
        idle_timeout_s: float = 600.0,
        max_age_s: float = 7200.0,
    ):
        self._create = create
        self._concurrency = concurrency
        self._record = record
        self._idle_timeout_s = idle_timeout_s
        self._max_age_s = max_age_s
        self._pools: dict[str, _Pool] = {}
        # All that live, those of replaced and deleted functions that are still busy included.
        self._environments: set[Environment] = set()
        self.provisioned = ProvisionedConcurrency(self._make, self._end, set_status)
        self._ending: set[asyncio.Task] = set()
        self._watch: asyncio.Task | None = None

    async def invoke(
        self, configuration: FunctionConfiguration, invocation: Invocation, reserved: int | None
    ) -> Outcome:
        """Run an invocation. Raises Throttled where the concurrency limits forbid it."""
        function = configuration.function_arn
        invoked = invocation.invoked_arn
        try:
            self._concurrency.check_rate(function, reserved)
            environment = self.provisioned.take(invoked, configuration)
            if environment is not None:
                outcome = await environment.invoke(invocation)
                self.provisioned.give_back(invoked, environment)
                return outcome
            provisioned = self.provisioned.total(function)
            self._concurrency.enter(function, reserved, provisioned)
            try:
                return await self._invoke_on_demand(configuration, invocation)
            finally:
                self._concurrency.leave(function, reserved)
        except Throttled as throttled:
            self._record.add("throttle", function=configuration.arn, reason=throttled.reason)
            raise

    async def _invoke_on_demand(
        self, configuration: FunctionConfiguration, invocation: Invocation
    ) -> Outcome:
        pool = self._pool(configuration)
        environment = self._take_idle(pool)
        if environment is None:
            self._concurrency.check_growth(configuration.function_arn)
            environment = await self._make(configuration, "on-demand")
            try:
                await environment.start()
            except BaseException:
                self._end(environment, "failed to start")
                raise
        outcome = await environment.invoke(invocation)
        self._give_back(pool, environment)
        return outcome

    def retire(self, arn: str) -> None:
        """End the idle environments of a function that was deleted; busy ones end when done."""
        pool = self._pools.pop(arn, None)
        if pool:
            self._drain(pool, "deleted")

    def configurations(self) -> list[FunctionConfiguration]:
        """What the environments that live were made of."""
        return [environment.configuration for environment in self._environments]

    async def close(self) -> None:
        """End every environment; those with extensions get their time to."""
        if self._watch:
            self._watch.cancel()
        for pool in self._pools.values():
            for timer in pool.timers.values():
                timer.cancel()
        self.provisioned.close()
        for environment in list(self._environments):
            self._end(environment, "stopped")
        await asyncio.gather(*self._ending)
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
            self._end(environment, "max age" if environment.is_usable else "crashed")
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
            self._end(environment, reason)
            return
        pool.idle.append(environment)
        pool.timers[environment] = asyncio.get_running_loop().call_later(
            self._idle_timeout_s, self._reap, pool, environment
        )

    def _reap(self, pool: _Pool, environment: Environment) -> None:
        with contextlib.suppress(ValueError):
            pool.idle.remove(environment)
        del pool.timers[environment]
        self._end(environment, "idle")

    def _drain(self, pool: _Pool, reason: str) -> None:
        for timer in pool.timers.values():
            timer.cancel()
        pool.timers.clear()
        while pool.idle:
            self._end(pool.idle.pop(), reason)

    async def _make(self, configuration: FunctionConfiguration, kind: str) -> Environment:
        environment = await self._create(configuration, kind)
        self._environments.add(environment)
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_memory())
        return environment

    def _end(self, environment: Environment, reason: str) -> None:
        self._environments.discard(environment)
        ending = environment.shutdown(reason)
        if ending:  # its extensions have their time
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _is_old(self, environment: Environment) -> bool:
        return time.monotonic() - environment.created > self._max_age_s

    async def _watch_memory(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(_MEMORY_WATCH_S)
            for environment in list(self._environments):
                if environment.state in (State.INIT, State.BUSY):
                    environment.check_memory(turn % _TURNS_TO_ALL_PROCESSES == 0)
