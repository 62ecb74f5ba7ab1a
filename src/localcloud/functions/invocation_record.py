"""What Lambda sends on about an asynchronous invocation ("Capturing records of Lambda asynchronous
invocations", Lambda developer guide; recorded examples in facts A13).
"""

import json
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .configuration import Outcome

MAX_ERROR_MESSAGE_BYTES = 1024


@dataclass(frozen=True)
class InvocationRecord:
    """One event's end. `outcome` is that of the last invocation; None where there was none."""

    request_id: str
    invoked_arn: str
    trace_id: str
    condition: str
    invocations: int
    payload: bytes
    outcome: Outcome | None

    @property
    def resource(self) -> str:
        """The function as it was named: name or name:qualifier."""
        return self.invoked_arn.split(":", 6)[6]

    @property
    def function_arn(self) -> str:
        """The function's ARN as a record has it: always with a qualifier."""
        return (
            self.invoked_arn if self.invoked_arn.count(":") > 6 else f"{self.invoked_arn}:$LATEST"
        )

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object that a destination gets."""
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": timestamp(time.time()),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invocations,
            },
            "requestPayload": _json(self.payload),
        }
        if self.outcome is not None:
            record["responseContext"] = response_context(self.outcome)
            record["responsePayload"] = _json(self.outcome.payload)
        return record

    @property
    def stored(self) -> dict[str, Any]:
        """What a bucket gets: the same."""
        return self.body

    @property
    def object_key(self) -> str:
        """The name of the object in an S3 destination (same page, table of destinations)."""
        return object_key(f"async/{self.resource.split(':')[0]}")


@dataclass(frozen=True)
class DeadLetter:
    """A discarded event for a dead-letter queue: the payload alone, and three attributes."""

    record: InvocationRecord

    @property
    def attributes(self) -> dict[str, tuple[str, str]]:
        """Name to data type and value. What they hold for an event that was never run is not
        documented: here it is the throttle's answer.
        """
        outcome = self.record.outcome
        code, message = ("429", "Rate Exceeded.") if outcome is None else ("200", _message(outcome))
        return {
            "RequestID": ("String", self.record.request_id),
            "ErrorCode": ("Number", code),
            # An attribute can't be empty in SQS.
            "ErrorMessage": ("String", message or " "),
        }


def object_key(folder: str) -> str:
    """A new name for an object in a folder of aws/lambda/."""
    moment = time.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S", time.gmtime())
    return f"aws/lambda/{folder}/{moment}-{uuid.uuid4()}"


def response_context(outcome: Outcome) -> dict[str, Any]:
    """The responseContext of a destination's record."""
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": outcome.version}
    if outcome.failed:
        context["functionError"] = "Unhandled"
    return context


def timestamp(seconds: float) -> str:
    """Unix seconds as 2026-11-24T18:20:54.123Z."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03d}Z"


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:  # a function may return bytes
        return payload.decode(errors="replace")


def _message(outcome: Outcome) -> str:
    answer = _json(outcome.payload)
    text = str(answer.get("errorMessage", "")) if isinstance(answer, dict) else ""
    return text.encode()[:MAX_ERROR_MESSAGE_BYTES].decode(errors="ignore")
