"""Provisioned concurrency: environments of a version that are initialised before anybody calls.

"Configuring provisioned concurrency for a function" in the Lambda developer guide.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .configuration import FunctionConfiguration
from .environment import Environment

# set_status(ARN with its qualifier, allocated, available, status, reason)
SetStatus = Callable[[str, int, int, str, str | None], None]
_INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"


@dataclass(eq=False)
class _Provision:
    """What one version or alias has. Nothing is used before all are initialised."""

    configuration: FunctionConfiguration
    wanted: int
    idle: list[Environment] = field(default_factory=list)
    all: set[Environment] = field(default_factory=set)
    ready: bool = False
    task: asyncio.Task | None = None


class ProvisionedConcurrency:
    """Keeps the environments that were asked for. Belongs to the event loop.

    `create` makes an environment that is not started, `end` shuts one down.
    """

    def __init__(
        self,
        create: Callable[[FunctionConfiguration, str], Awaitable[Environment]],
        end: Callable[[Environment, str], None],
        set_status: SetStatus,
    ):
        self._create = create
        self._end = end
        self._set_status = set_status
        self._provisions: dict[str, _Provision] = {}

    def provide(self, arn: str, configuration: FunctionConfiguration, wanted: int) -> None:
        """Have so many environments for a version or alias, of the version it leads to now."""
        self.release(arn)
        provision = self._provisions[arn] = _Provision(configuration, wanted)
        self._set_status(arn, 0, 0, "IN_PROGRESS", None)
        provision.task = asyncio.create_task(self._allocate(arn, provision))

    def release(self, arn: str) -> None:
        """Have none any more: those that are idle end now, the others after their invocation."""
        provision = self._provisions.pop(arn, None)
        if provision:
            if provision.task:
                provision.task.cancel()
            for environment in provision.idle:
                self._end(environment, "released")

    def close(self) -> None:
        """Begin no more environments."""
        for provision in self._provisions.values():
            if provision.task:
                provision.task.cancel()
        self._provisions.clear()

    def total(self, function: str) -> int:
        """What a function's versions and aliases have asked for, all together."""
        return sum(
            provision.wanted
            for arn, provision in self._provisions.items()
            if arn.rpartition(":")[0] == function
        )

    def available(self, arn: str) -> int:
        """How many environments a version or alias has for its calls, idle or not."""
        provision = self._provisions.get(arn)
        return len(provision.all) if provision and provision.ready else 0

    def take(self, arn: str, configuration: FunctionConfiguration) -> Environment | None:
        """An idle environment for an invocation by this ARN; None where there is none."""
        provision = self._provisions.get(arn)
        if provision is None or not provision.ready or provision.configuration != configuration:
            return None
        while provision.idle:
            environment = provision.idle.pop()
            if environment.is_usable:
                return environment
            self._replace(arn, provision, environment)
        return None

    def give_back(self, arn: str, environment: Environment) -> None:
        """The invocation is over."""
        provision = self._provisions.get(arn)
        if provision is None or environment not in provision.all:
            self._end(environment, "released")
        elif environment.is_usable:
            provision.idle.append(environment)
        else:
            self._replace(arn, provision, environment)

    def _replace(self, arn: str, provision: _Provision, environment: Environment) -> None:
        provision.all.discard(environment)
        self._end(environment, "crashed")
        if provision.task is None or provision.task.done():
            provision.task = asyncio.create_task(self._allocate(arn, provision))

    async def _allocate(self, arn: str, provision: _Provision) -> None:
        """Initialise what is missing, two at a time, and say how far it is."""
        while (missing := provision.wanted - len(provision.all)) > 0:
            made = await asyncio.gather(*(self._start(provision) for _ in range(min(missing, 2))))
            if not all(environment.is_initialised for environment in made):
                self._set_status(arn, 0, 0, "FAILED", _INIT_FAILED)
                return
            count = len(provision.all)
            if not provision.ready and count < provision.wanted:
                self._set_status(arn, count, 0, "IN_PROGRESS", None)
        provision.ready = True
        self._set_status(arn, provision.wanted, provision.wanted, "READY", None)

    async def _start(self, provision: _Provision) -> Environment:
        environment = await self._create(provision.configuration, "provisioned-concurrency")
        try:
            await environment.start()
        except BaseException:
            self._end(environment, "failed to start")
            raise
        if environment.is_initialised:
            provision.all.add(environment)
            provision.idle.append(environment)
        else:
            self._end(environment, "failed to start")
        return environment
