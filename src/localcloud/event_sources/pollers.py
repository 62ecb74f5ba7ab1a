"""The pollers of all event source mappings: one for each that is enabled."""

import asyncio

from ..control_plane import event_sources, queues, streams
from ..control_plane.event_sources import EventSourceMapping
from .invoker import Invoker
from .queue_poller import QueuePoller
from .stream_poller import Checkpoints, StreamPoller


class Pollers:
    """Starts and stops pollers as mappings change, and wakes them. Belongs to the event loop, apart
    from `changed` and `news`, which any thread may call.
    """

    def __init__(self, account_id: str, invoker: Invoker):
        self._account_id = account_id
        self._invoker = invoker
        self._loop = asyncio.get_running_loop()
        self._pollers: dict[str, tuple[EventSourceMapping, QueuePoller | StreamPoller]] = {}
        self._checkpoints: Checkpoints = {}  # they outlive an update and a pause
        self._by_source: dict[str, list[QueuePoller | StreamPoller]] = {}

    def install(self, may_role) -> None:
        """Hear of mappings and of news from the control plane."""
        event_sources.install(may_role, self.changed)
        queues.install(self.news)
        streams.install(self.news)

    def changed(self) -> None:
        """A mapping was made, changed or deleted."""
        self._loop.call_soon_threadsafe(self._refresh)

    def news(self, source_arn: str) -> None:
        """A message or record has arrived."""
        if source_arn in self._by_source:
            self._loop.call_soon_threadsafe(self._wake, source_arn)

    def close(self) -> None:
        """Stop all, in the middle of what they do."""
        for _, poller in self._pollers.values():
            poller.close()

    def _wake(self, source_arn: str) -> None:
        for poller in self._by_source.get(source_arn, ()):
            poller.wake()

    def _refresh(self) -> None:
        wanted = {
            mapping.uuid: mapping
            for mapping in event_sources.all_mappings(self._account_id)
            if mapping.enabled
        }
        for uuid, (mapping, poller) in list(self._pollers.items()):
            if wanted.get(uuid) != mapping:
                poller.stop()
                del self._pollers[uuid]
        for uuid, mapping in wanted.items():
            if uuid not in self._pollers:
                self._pollers[uuid] = (mapping, self._start(mapping))
        self._by_source = {}
        for mapping, poller in self._pollers.values():
            self._by_source.setdefault(mapping.source_arn, []).append(poller)

    def _start(self, mapping: EventSourceMapping) -> QueuePoller | StreamPoller:
        if mapping.service == "sqs":
            return QueuePoller(mapping, self._invoker)
        return StreamPoller(mapping, self._invoker, self._checkpoints)
