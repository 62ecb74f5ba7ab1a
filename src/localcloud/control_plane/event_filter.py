"""Filter criteria of event source mappings, matched by moto's event patterns."""

import base64
import json
from typing import Any

from moto.events.models import EventPattern


def matches(patterns: tuple[str, ...], record: dict[str, Any]) -> bool:
    """Whether a record of SQS, DynamoDB or Kinesis matches one of the patterns, or there are none
    ("Control which events Lambda sends to your function", Lambda developer guide).
    """
    if not patterns:
        return True
    event = _as_matched(record)
    return any(EventPattern(text, json.loads(text)).matches_event(event) for text in patterns)


def _as_matched(record: dict[str, Any]) -> dict[str, Any]:
    """A queue's body and a stream's data are read as JSON where they are that."""
    if "body" in record:
        return {**record, "body": _parsed(record["body"])}
    if "kinesis" in record:
        kinesis = record["kinesis"]
        text = base64.b64decode(kinesis["data"]).decode(errors="replace")
        return {**kinesis, "data": _parsed(text)}
    return record


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
