"""Polls a DynamoDB or Kinesis stream for one event source mapping ("Using Lambda with DynamoDB",
"Using Lambda with Kinesis").

Each shard is read in order; a batch that fails holds its shard back until it succeeds or is given up.
Positions are kept in memory.
"""

import asyncio
import json
import logging
import time
import uuid

from ..control_plane import event_filter, streams
from ..control_plane.event_sources import EventSourceMapping
from ..control_plane.functions import FunctionNotFound
from ..control_plane.streams import StreamEntry
from ..functions.concurrency import Throttled
from ..functions.configuration import Outcome
from ..functions.lineage import RecursionStopped
from .batch_failures import failed_items
from .batch_record import BatchRecord
from .invoker import Invoker

# How long Lambda waits between tries is not documented; these grow from 1 s to a minute.
_FIRST_BACK_OFF_S = 1.0
_MAX_BACK_OFF_S = 60.0
_LOOK_AGAIN_S = 5.0
# By mapping and shard: the sequence number of the last record that is done with.
Checkpoints = dict[tuple[str, str], int]
_log = logging.getLogger(__name__)


class StreamPoller:
    """Takes a stream's records to a function until it is stopped. Belongs to the event loop."""

    def __init__(self, mapping: EventSourceMapping, invoker: Invoker, checkpoints: Checkpoints):
        self._mapping = mapping
        self._invoker = invoker
        self._checkpoints = checkpoints
        self._news: dict[str, asyncio.Event] = {}
        self._shards: dict[str, asyncio.Task] = {}
        self.wake()

    def wake(self) -> None:
        """There may be something to read, or a new shard."""
        for shard_id in streams.shard_ids(self._mapping.source_arn):
            if shard_id not in self._shards:
                key = (self._mapping.uuid, shard_id)
                if key not in self._checkpoints:
                    self._checkpoints[key] = streams.start(
                        self._mapping.source_arn, shard_id,
                        self._mapping.starting_position, self._mapping.starting_timestamp,
                    )  # fmt: skip
                self._news[shard_id] = asyncio.Event()
                self._shards[shard_id] = asyncio.create_task(self._run(shard_id))
        for news in self._news.values():
            news.set()

    def stop(self) -> None:
        """Read nothing more. A batch that is being processed is read again when the mapping goes on:
        delivery is at least once.
        """
        for task in self._shards.values():
            task.cancel()

    close = stop

    async def _run(self, shard_id: str) -> None:
        key = (self._mapping.uuid, shard_id)
        while True:
            try:
                batch = await self._collect(shard_id)
                if not batch:
                    continue
                wanted = [
                    each
                    for each in batch
                    if event_filter.matches(self._mapping.filters, each.record)
                ]
                if wanted:
                    await self._process(shard_id, wanted)
                self._checkpoints[key] = batch[-1].sequence
            except Exception:
                _log.exception("polling %s", self._mapping.source_arn)
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def _collect(self, shard_id: str) -> list[StreamEntry]:
        """The next batch of a shard; empty after a wait for news."""
        news = self._news[shard_id]
        news.clear()
        if not self._invoker.may_poll(self._mapping):
            await _wait(news, _LOOK_AGAIN_S)
            return []
        batch = await self._read(shard_id)
        if not batch:
            await news.wait()
            return []
        deadline = time.monotonic() + self._mapping.window_s
        while len(batch) < self._mapping.batch_size and (left := deadline - time.monotonic()) > 0:
            await _wait(news, left)
            news.clear()
            batch = await self._read(shard_id)
        return batch

    async def _read(self, shard_id: str) -> list[StreamEntry]:
        mapping = self._mapping
        role = self._invoker.find(mapping).configuration.role
        after = self._checkpoints[mapping.uuid, shard_id]
        return await asyncio.to_thread(
            streams.read, mapping.source_arn, shard_id, after, mapping.batch_size, role
        )

    async def _process(self, shard_id: str, batch: list[StreamEntry]) -> None:
        """Bring a batch to its end; halves of a batch that was split come one after the other."""
        waiting = [batch]
        while waiting:
            rest = await self._try_until_done(shard_id, waiting.pop())
            waiting.extend(reversed(rest))

    async def _try_until_done(
        self, shard_id: str, batch: list[StreamEntry]
    ) -> list[list[StreamEntry]]:
        """Try a batch until it succeeds or is given up, or return the two halves to go on with."""
        request_id, invocations, back_off = str(uuid.uuid4()), 0, _FIRST_BACK_OFF_S
        outcome: Outcome | None = None
        while True:
            if self._is_too_old(batch[0]):
                condition = "RecordAgeExceeded"
                break
            try:
                payload = json.dumps({"Records": [each.record for each in batch]}).encode()
                outcome = await self._invoker.invoke(
                    self._mapping, payload, len(batch), None, request_id
                )
                invocations += 1
            except (Throttled, RecursionStopped, FunctionNotFound):
                pass  # not a try: it goes on until the records are too old
            else:
                batch = self._left(batch, outcome)
                if not batch:
                    return []
                if self._mapping.bisects and len(batch) > 1:
                    middle = len(batch) // 2
                    return [batch[:middle], batch[middle:]]
                retries = self._mapping.maximum_retry_attempts
                if 0 <= retries < invocations:
                    condition = "RetryAttemptsExhausted"
                    break
            await self._invoker.clock.sleep(back_off)
            back_off = min(back_off * 2, _MAX_BACK_OFF_S)
        await self._give_up(shard_id, batch, request_id, condition, invocations, outcome)
        return []

    def _left(self, batch: list[StreamEntry], outcome: Outcome) -> list[StreamEntry]:
        """What must be tried again: everything from the first failure on."""
        if outcome.failed:
            return batch
        if not self._mapping.reports_failures:
            return []
        numbers = [str(each.sequence) for each in batch]
        failed = failed_items(outcome.payload, numbers)
        first = next((n for n, number in enumerate(numbers) if number in failed), len(batch))
        return batch[first:]

    def _is_too_old(self, entry: StreamEntry) -> bool:
        limit = self._mapping.maximum_record_age_s
        age_s = (time.time() - entry.arrived) * self._invoker.clock.speed
        return limit >= 0 and age_s > limit

    async def _give_up(
        self,
        shard_id: str,
        batch: list[StreamEntry],
        request_id: str,
        condition: str,
        invocations: int,
        outcome: Outcome | None,
    ) -> None:
        if self._mapping.on_failure is None:
            return
        record = BatchRecord(
            request_id, self._mapping, shard_id, condition, invocations, tuple(batch), outcome
        )
        try:
            target = self._invoker.find(self._mapping)
        except FunctionNotFound:
            return
        destinations = self._invoker.destinations
        await destinations.send("on-failure", self._mapping.on_failure, target, record)


async def _wait(news: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(news.wait(), seconds)
    except TimeoutError:
        return
