"""How a poller reaches its function: the role's permission, the invocation, the record."""

from ..control_plane import event_source_checks, event_sources
from ..control_plane.event_sources import EventSourceMapping
from ..control_plane.functions import FunctionNotFound, Target, find_function
from ..events import Record
from ..functions.configuration import Outcome
from ..functions.destinations import Destinations
from ..functions.event_clock import EventClock
from ..functions.function_log import MayRole
from ..functions.service import FunctionService


class Invoker:
    """Invokes the functions of mappings synchronously, as Lambda's pollers do."""

    def __init__(self, service: FunctionService, may_role: MayRole, record: Record):
        self._service = service
        self._may_role = may_role
        self._record = record

    @property
    def clock(self) -> EventClock:
        """The clock by which waits between tries pass."""
        return self._service.clock

    @property
    def destinations(self) -> Destinations:
        """Where records of batches that failed go to."""
        return self._service.destinations

    def may_poll(self, mapping: EventSourceMapping) -> bool:
        """Whether the function's role still has what polling the source needs."""
        try:
            function = self.find(mapping).configuration
        except FunctionNotFound:
            return False
        lacking = event_source_checks.role_may_poll(
            function.role, function.name, mapping.source_arn, self._may_role
        )
        if lacking:
            problem = f"PROBLEM: The function execution role lacks permission to call {lacking}"
            event_sources.note_result(mapping, problem)
        return lacking is None

    def find(self, mapping: EventSourceMapping) -> Target:
        """The function as it is now. Raises FunctionNotFound."""
        _, _, _, region, account, *_ = mapping.function_arn.split(":")
        return find_function(mapping.function_arn, None, account, region)

    async def invoke(
        self,
        mapping: EventSourceMapping,
        payload: bytes,
        count: int,
        trace_header: str | None,
        request_id: str | None = None,
    ) -> Outcome:
        """Invoke with `count` records. Raises FunctionNotFound, Throttled and RecursionStopped."""
        target = self.find(mapping)
        self._record.add(
            "delivery", function=mapping.function_arn, source=mapping.service, count=count
        )
        outcome = await self._service.invoke(
            target, payload, mapping.function_arn, request_id, trace_id=trace_header
        )
        result = "PROBLEM: Function call failed" if outcome.failed else "OK"
        event_sources.note_result(mapping, result)
        return outcome
