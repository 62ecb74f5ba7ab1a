"""Sends records of invocations to their destinations, in the name of the function's role.

As on AWS nobody is told when that fails: a metric counts it (DestinationDeliveryFailures,
DeadLetterErrors).
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol

from ..control_plane import destinations
from ..control_plane.destinations import DeliveryFailed
from ..control_plane.functions import FunctionNotFound, Target
from ..events import Record
from .function_log import MayRole
from .invocation_record import DeadLetter

# What the role needs ("Capturing records of Lambda asynchronous invocations", table of destinations).
_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}
InvokeLater = Callable[[str, bytes, str], None]


class SentRecord(Protocol):
    """A record of an invocation: invocation_record's, or a stream poller's."""

    request_id: str
    invoked_arn: str
    trace_id: str
    condition: str

    @property
    def resource(self) -> str:
        """The function as it was named: name or name:qualifier."""

    @property
    def function_arn(self) -> str:
        """The function's ARN as the record has it."""

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""

    @property
    def stored(self) -> dict[str, Any]:
        """What is written into a bucket."""

    @property
    def object_key(self) -> str:
        """Under which name that is."""


class Destinations:
    """Sends to SQS, SNS, Lambda, EventBridge and S3.

    `may(role_arn, session, action, resource)` says what a role is allowed;
    `invoke_later(function_arn, payload, trace_id)` queues an asynchronous invocation.
    """

    def __init__(self, may: MayRole, record: Record, invoke_later: InvokeLater):
        self._may = may
        self._record = record
        self._invoke_later = invoke_later

    async def send(self, kind: str, arn: str, target: Target, record: SentRecord) -> None:
        """Send a record to the destination that `kind` (on-success or on-failure) has."""
        key = record.object_key
        body = _text(record.body)

        def deliver() -> None:
            match _service(arn):
                case "sqs":
                    destinations.send_message(arn, body, {}, record.trace_id)
                case "sns":
                    destinations.publish(arn, body, {})
                case "events":
                    ending = "Success" if record.condition == "Success" else "Failure"
                    destinations.put_event(
                        arn,
                        "lambda",
                        f"Lambda Function Invocation Result - {ending}",
                        body,
                        [record.function_arn, arn],
                    )
                case "s3" if kind == "on-failure":
                    destinations.put_object(
                        arn, target.configuration.account_id, key, _text(record.stored)
                    )
                case other:
                    raise DeliveryFailed(f"{other} can't be a destination {kind}")

        resource = f"{arn}/{key}" if _service(arn) == "s3" else arn
        if _service(arn) == "lambda":
            error = self._invoke(arn, target, body, record)
        else:
            error = await self._deliver(arn, resource, target, deliver)
        self._note(kind, arn, record, error)

    async def bury(self, arn: str, target: Target, letter: DeadLetter) -> None:
        """Send a discarded event to a dead-letter queue."""
        body = letter.record.payload.decode(errors="replace")

        def deliver() -> None:
            match _service(arn):
                case "sqs":
                    destinations.send_message(arn, body, letter.attributes, letter.record.trace_id)
                case "sns":
                    destinations.publish(arn, body, letter.attributes)
                case other:
                    raise DeliveryFailed(f"{other} can't be a dead-letter queue")

        error = await self._deliver(arn, arn, target, deliver)
        self._note("dead-letter", arn, letter.record, error)

    async def _deliver(
        self, arn: str, resource: str, target: Target, deliver: Callable[[], None]
    ) -> str | None:
        """Send in a worker thread, if the role may; what went wrong, or None."""

        def checked() -> str | None:
            denied = self._denied(arn, resource, target)
            if denied:
                return denied
            try:
                deliver()
            except DeliveryFailed as error:
                return str(error)
            return None

        return await asyncio.get_running_loop().run_in_executor(None, checked)

    def _invoke(self, arn: str, target: Target, body: str, record: SentRecord) -> str | None:
        denied = self._denied(arn, arn, target)
        if denied:
            return denied
        try:
            self._invoke_later(arn, body.encode(), record.trace_id)
        except FunctionNotFound as error:
            return str(error)
        return None

    def _denied(self, arn: str, resource: str, target: Target) -> str | None:
        action = _ACTIONS.get(_service(arn), "")
        role, session = target.configuration.role, target.configuration.name
        return None if self._may(role, session, action, resource) else f"the role lacks {action}"

    def _note(self, kind: str, arn: str, record: SentRecord, error: str | None) -> None:
        self._record.add(
            "destination", function=record.invoked_arn, request_id=record.request_id,
            resource=record.resource, kind=kind, target=arn, error=error,
        )  # fmt: skip


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""
