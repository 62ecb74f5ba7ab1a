"""Polls a queue for one event source mapping ("Using Lambda with Amazon SQS").

What a function fails to process is left to the queue: it comes back after its visibility timeout, and
the queue's redrive policy moves it away in the end.
"""

import asyncio
import json
import logging
import time

from ..control_plane import event_filter, queues
from ..control_plane.event_sources import EventSourceMapping
from ..control_plane.functions import FunctionNotFound
from ..control_plane.queues import QueueMessage
from ..functions.concurrency import Throttled
from ..functions.lineage import RecursionStopped, depth
from .batch_failures import failed_items
from .invoker import Invoker

# Lambda begins with five batches at a time and adds 300 a minute up to 1,250 ("Configuring scaling
# behavior for SQS event source mappings").
_FIRST_BATCHES = 5
_MORE_BATCHES_PER_S = 5.0
_MAX_BATCHES = 1250
# How often a role that may not poll is looked at again.
_LOOK_AGAIN_S = 5.0
_log = logging.getLogger(__name__)


class QueuePoller:
    """Takes messages of a queue to a function until it is stopped. Belongs to the event loop."""

    def __init__(self, mapping: EventSourceMapping, invoker: Invoker):
        self._mapping = mapping
        self._invoker = invoker
        self._news = asyncio.Event()
        self._batches: set[asyncio.Task] = set()
        self._busy_since: float | None = None
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There may be something to receive."""
        self._news.set()

    def stop(self) -> None:
        """Receive nothing more; batches that are being processed go on."""
        self._task.cancel()

    def close(self) -> None:
        """Stop, and drop the batches too."""
        self.stop()
        for batch in self._batches:
            batch.cancel()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                batch = await self._collect()
            except Exception:
                _log.exception("polling %s", self._mapping.source_arn)
                await self._wait(1.0)
                continue
            if not batch:
                self._busy_since = None if not self._batches else self._busy_since
                await self._wait(queues.seconds_until_visible(self._mapping.source_arn))
                continue
            task = asyncio.create_task(self._process(batch))
            self._batches.add(task)
            task.add_done_callback(self._batch_done)

    async def _collect(self) -> list[QueueMessage]:
        """A batch, once there is room for one and something in the queue."""
        if len(self._batches) >= self._limit():
            return []
        if not self._invoker.may_poll(self._mapping):
            await self._wait(_LOOK_AGAIN_S)
            return []
        arn, size = self._mapping.source_arn, self._mapping.batch_size
        batch = await asyncio.to_thread(queues.receive, arn, size)
        if not batch or not self._mapping.window_s:
            return batch
        deadline = time.monotonic() + self._mapping.window_s
        while len(batch) < size and (left := deadline - time.monotonic()) > 0:
            self._news.clear()
            hidden = queues.seconds_until_visible(arn)
            await self._wait(left if hidden is None else min(left, hidden))
            batch += await asyncio.to_thread(queues.receive, arn, size - len(batch))
        return batch

    def _limit(self) -> float:
        if self._mapping.maximum_concurrency is not None:
            return self._mapping.maximum_concurrency
        if self._busy_since is None:
            self._busy_since = time.monotonic()
        passed = time.monotonic() - self._busy_since
        return min(_FIRST_BATCHES + _MORE_BATCHES_PER_S * passed, _MAX_BATCHES)

    async def _process(self, batch: list[QueueMessage]) -> None:
        mapping = self._mapping
        wanted = [each for each in batch if event_filter.matches(mapping.filters, each.record)]
        unwanted = [each for each in batch if each not in wanted]
        done = unwanted + await self._invoke(wanted) if wanted else unwanted
        if done:
            await asyncio.to_thread(queues.delete, mapping.source_arn, done)

    async def _invoke(self, batch: list[QueueMessage]) -> list[QueueMessage]:
        """Invoke the function and return the messages that it has processed."""
        payload = json.dumps({"Records": [each.record for each in batch]}).encode()
        traces = [each.trace_header for each in batch if each.trace_header]
        trace = max(traces, key=depth, default=None)
        try:
            outcome = await self._invoker.invoke(self._mapping, payload, len(batch), trace)
        except (Throttled, RecursionStopped, FunctionNotFound):
            return []
        if outcome.failed:
            return []
        if not self._mapping.reports_failures:
            return batch
        failed = failed_items(outcome.payload, [each.id for each in batch])
        return [each for each in batch if each.id not in failed]

    async def _wait(self, seconds: float | None) -> None:
        """Wait for news, at most so long; with all batches under way, look again as the limit grows."""
        if self._batches and self._mapping.maximum_concurrency is None:
            seconds = min(seconds or 1.0, 1.0)
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def _batch_done(self, task: asyncio.Task) -> None:
        self._batches.discard(task)
        self._news.set()  # there is room again, and a FIFO group may go on
        if not task.cancelled() and task.exception():
            _log.error("a batch of %s", self._mapping.source_arn, exc_info=task.exception())
