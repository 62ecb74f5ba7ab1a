"""Asynchronous invocation: the caller has its 202, the event waits here for an environment.

A function error is tried twice more, after one and two minutes; an event that finds no room goes back
to the queue with a growing delay, which uses up no retry, until it is too old ("How Lambda handles
errors and retries with asynchronous invocation", Lambda developer guide; facts A13).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..control_plane.functions import FunctionNotFound, Target
from ..events import Record
from .concurrency import Throttled
from .configuration import EventInvokeSettings, Outcome
from .destinations import Destinations
from .event_clock import EventClock
from .invocation_record import DeadLetter, InvocationRecord
from .lineage import RecursionStopped

RETRY_DELAYS_S = (60.0, 120.0)
FIRST_BACK_OFF_S = 1.0
MAX_BACK_OFF_S = 300.0
# Of those that can be configured only one may be there; recursion has none that is documented.
RECURSION_CONDITION = "RecursiveInvocationDetected"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One event of an asynchronous invocation. `find` finds the function anew for each try."""

    request_id: str
    payload: bytes
    invoked_arn: str
    trace_id: str
    find: Callable[[], Target]

    @property
    def resource(self) -> str:
        """The function as it was named: name or name:qualifier."""
        return self.invoked_arn.split(":", 6)[6]


@dataclass
class _Progress:
    """What has come of an event so far."""

    queued: float
    settings: EventInvokeSettings
    invocations: int = 0
    outcome: Outcome | None = None


class EventQueue:
    """Runs events in the background; belongs to the event loop.

    `invoke(target, event)` makes one try; `settings(invoked_arn)` are the function's settings.
    """

    def __init__(
        self,
        clock: EventClock,
        invoke: Callable[[Target, Event], Awaitable[Outcome]],
        settings: Callable[[str], EventInvokeSettings],
        destinations: Destinations,
        record: Record,
    ):
        self._clock = clock
        self._invoke = invoke
        self._settings = settings
        self._destinations = destinations
        self._record = record
        self._tasks: set[asyncio.Task] = set()

    def put(self, event: Event) -> asyncio.Task:
        """Take an event. The task that is returned is done when nothing more is to come of it."""
        self._add("async.queued", event, resource=event.resource)
        task = asyncio.create_task(self._deliver(event))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def close(self) -> None:
        """Drop what still waits."""
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, event: Event) -> None:
        progress = _Progress(self._clock.now(), self._settings(event.invoked_arn))
        back_off = FIRST_BACK_OFF_S
        while True:
            try:
                target = event.find()
            except FunctionNotFound:
                self._drop(event, "FunctionNotFound")
                return
            progress.settings = self._settings(event.invoked_arn)
            if target.reserved_concurrency == 0:
                await self._fail(event, target, progress, "ZeroReservedConcurrency")
                return
            age_s = self._clock.now() - progress.queued
            if age_s >= progress.settings.maximum_event_age_s:
                await self._fail(event, target, progress, "EventAgeExceeded")
                return
            try:
                outcome = await self._try(event, target, progress, age_s)
            except RecursionStopped:
                await self._fail(event, target, progress, RECURSION_CONDITION)
                return
            except Throttled:
                await self._wait(event, progress, "throttle", back_off)
            except Exception:
                _log.exception("%s could not be invoked", event.resource)
                await self._wait(event, progress, "system error", back_off)
            else:
                if not outcome.failed:
                    await self._succeed(event, target, progress)
                    return
                if not await self._retry(event, target, progress):
                    return
                back_off = FIRST_BACK_OFF_S
                continue
            back_off = min(back_off * 2, MAX_BACK_OFF_S)

    async def _try(
        self, event: Event, target: Target, progress: _Progress, age_s: float
    ) -> Outcome:
        attempt = progress.invocations + 1
        outcome = await self._invoke(target, event)
        progress.invocations, progress.outcome = attempt, outcome
        age_ms = age_s * 1000
        self._add("async.taken", event, resource=event.resource, age_ms=age_ms, attempt=attempt)
        return outcome

    async def _wait(self, event: Event, progress: _Progress, reason: str, delay_s: float) -> None:
        left = progress.queued + progress.settings.maximum_event_age_s - self._clock.now()
        delay_s = max(min(delay_s, left), 0.0)
        self._add("async.retry", event, reason=reason, delay_s=delay_s)
        await self._clock.sleep(delay_s)

    async def _retry(self, event: Event, target: Target, progress: _Progress) -> bool:
        """After a function error: wait for the next try; False where there is none."""
        retries = progress.invocations - 1
        if retries >= progress.settings.maximum_retry_attempts:
            await self._fail(event, target, progress, "RetriesExhausted")
            return False
        delay_s = RETRY_DELAYS_S[retries]
        age_s = self._clock.now() - progress.queued
        if age_s + delay_s > progress.settings.maximum_event_age_s:
            # Recorded from AWS (March 2023): not kept until then, its invoke count stays 1.
            await self._fail(event, target, progress, "EventAgeExceeded")
            return False
        self._add("async.retry", event, reason="function error", delay_s=delay_s)
        await self._clock.sleep(delay_s)
        return True

    async def _succeed(self, event: Event, target: Target, progress: _Progress) -> None:
        if progress.settings.on_success:
            record = self._invocation_record(event, progress, "Success")
            await self._destinations.send(
                "on-success", progress.settings.on_success, target, record
            )

    async def _fail(
        self, event: Event, target: Target, progress: _Progress, condition: str
    ) -> None:
        self._drop(event, condition)
        record = self._invocation_record(event, progress, condition)
        if progress.settings.dead_letter_arn:
            letter = DeadLetter(record)
            await self._destinations.bury(progress.settings.dead_letter_arn, target, letter)
        if progress.settings.on_failure:
            await self._destinations.send(
                "on-failure", progress.settings.on_failure, target, record
            )

    def _invocation_record(
        self, event: Event, progress: _Progress, condition: str
    ) -> InvocationRecord:
        return InvocationRecord(
            event.request_id, event.invoked_arn, event.trace_id, condition, progress.invocations,
            event.payload, progress.outcome,
        )  # fmt: skip

    def _drop(self, event: Event, condition: str) -> None:
        self._add("async.dropped", event, resource=event.resource, condition=condition)

    def _add(self, kind: str, event: Event, **fields) -> None:
        self._record.add(kind, function=event.invoked_arn, request_id=event.request_id, **fields)

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _log.error("an event could not be delivered", exc_info=task.exception())
