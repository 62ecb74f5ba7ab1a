"""S3 event notifications: kept back until the request that caused them has its answer."""

import contextvars
import json
import logging
from collections.abc import Callable

from .control_plane.functions import FunctionNotFound, find_function
from .events import Record
from .functions.service import FunctionService

_log = logging.getLogger(__name__)
# The events of the request that is being answered. The list is made by the event loop's side and
# seen by the worker thread, which runs in a copy of its context.
_held: contextvars.ContextVar[list | None] = contextvars.ContextVar("held", default=None)


class Notifications:
    """Takes events from the control plane and delivers them as asynchronous invocations."""

    def __init__(self, service: FunctionService, record: Record, account_id: str):
        self._service = service
        self._record = record
        self._account_id = account_id

    def hold(self) -> list:
        """Begin a request: events from now on wait in the list that is returned."""
        held: list = []
        _held.set(held)
        return held

    def take(self, function_arn: str, event: dict) -> None:
        """Take an event for a function, from the thread that answers the request."""
        held = _held.get()
        if held is None:
            _log.warning("an event for %s came outside of a request", function_arn)
            return
        held.append((function_arn, event))

    def deliver(self, held: list) -> None:
        """The answer is sent: invoke. Called on the event loop."""
        for function_arn, event in held:
            self._record.add("delivery", function=function_arn, source="s3")
            try:
                self._finder(function_arn)()
            except FunctionNotFound:
                continue  # deleted after the notification was set: S3 drops the event
            self._service.invoke_later(
                self._finder(function_arn), json.dumps(event).encode(), function_arn, None
            )

    def _finder(self, function_arn: str) -> Callable:
        region = function_arn.split(":")[3]
        return lambda: find_function(function_arn, None, self._account_id, region)
