"""Events of S3 and SNS: kept back until the request that caused them has its answer."""

import asyncio
import contextvars
import json
from collections.abc import Callable

from .control_plane import bucket_destinations
from .control_plane.functions import FunctionNotFound, find_function
from .control_plane.trace import request_trace
from .events import Record
from .functions.service import FunctionService

# The events of the request that is being answered. The list is made by the event loop's side and
# seen by the worker thread, which runs in a copy of its context.
_held: contextvars.ContextVar[list | None] = contextvars.ContextVar("held", default=None)


class Notifications:
    """Takes events from the control plane and delivers them as asynchronous invocations."""

    def __init__(self, service: FunctionService, record: Record, account_id: str):
        self._service = service
        self._record = record
        self._account_id = account_id
        self._loop = asyncio.get_running_loop()

    def hold(self, trace_id: str | None = None) -> list:
        """Begin a request: events from now on wait in the list that is returned.

        `trace_id` is the trace header of the request; its events take it along.
        """
        held: list = []
        _held.set(held)
        request_trace.set(trace_id)
        return held

    def take(self, function_arn: str, event: dict) -> None:
        """Take an event for a function, from the thread that answers the request."""
        held = _held.get()
        entry = (function_arn, event, request_trace.get())
        if held is None:  # not inside a request: an object that Lambda itself has written
            self._loop.call_soon_threadsafe(self.deliver, [entry])
        else:
            held.append(entry)

    def deliver(self, held: list) -> None:
        """The answer is sent: invoke. Called on the event loop."""
        for function_arn, event, trace_id in held:
            if function_arn.split(":")[2] != "lambda":
                # Topics and rules may invoke functions in turn, and wait for them.
                asyncio.get_running_loop().run_in_executor(
                    None, bucket_destinations.deliver, function_arn, event
                )
                continue
            try:
                self.finder(function_arn)()
            except FunctionNotFound:
                continue  # deleted since: the event is dropped
            self._record.add("delivery", function=function_arn, source=_source(event), count=1)
            self._service.invoke_later(
                self.finder(function_arn), json.dumps(event).encode(), function_arn, trace_id
            )

    def finder(self, function_arn: str) -> Callable:
        """What finds a function by its ARN, anew for each try."""
        region = function_arn.split(":")[3]
        return lambda: find_function(function_arn, None, self._account_id, region)


def _source(event: dict) -> str:
    """s3, sns or events; the first two spell the key differently."""
    if "Records" not in event:
        return "events"
    [record] = event["Records"]
    return (record.get("eventSource") or record["EventSource"]).removeprefix("aws:")
