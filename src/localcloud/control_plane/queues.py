"""moto's queues, as an event source: messages as Lambda's event has them, and the news of messages."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from .destinations import trace_attribute
from .state import note_change
from .trace import request_trace


@dataclass(frozen=True)
class QueueMessage:
    """A received message: its entry in the event's Records, and the trace header that it carries."""

    record: dict[str, Any]
    trace_header: str | None

    @property
    def id(self) -> str:
        """The message id."""
        return self.record["messageId"]


def receive(queue_arn: str, count: int) -> list[QueueMessage]:
    """Receive up to `count` messages without waiting; none where the queue is gone."""
    queue = _queue(queue_arn)
    if queue is None:
        return []
    messages = _backend(queue_arn).receive_message(
        queue.name, count, 0, int(queue.visibility_timeout), ["All"]
    )
    return [_message(message, queue) for message in messages]


def delete(queue_arn: str, messages: list[QueueMessage]) -> None:
    """Delete received messages; one whose handle is no longer valid stays."""
    queue = _queue(queue_arn)
    if queue is None:
        return
    for message in messages:
        try:
            queue.delete_message(message.record["receiptHandle"])
        except ReceiptHandleIsInvalid:
            continue
    note_change()


def seconds_until_visible(queue_arn: str) -> float | None:
    """When the next message that is hidden now, by a delay or a receipt, comes into sight."""
    queue = _queue(queue_arn)
    if queue is None:
        return None
    now = unix_time_millis()
    moments = [max(each.visible_at, each.delayed_until) for each in list(queue._messages)]
    later = [moment for moment in moments if moment >= now]
    # moto compares with "later than", in milliseconds.
    return (min(later) - now) / 1000 + 0.002 if later else None


def _queue(queue_arn: str) -> Queue | None:
    return _backend(queue_arn).queues.get(queue_arn.split(":")[5])


def _backend(queue_arn: str) -> SQSBackend:
    _, _, _, region, account, _ = queue_arn.split(":")
    return sqs_backends[account][region]


def _message(message: Message, queue: Queue) -> QueueMessage:
    """As recorded from AWS in 2023 and 2024."""
    attributes = {"ApproximateReceiveCount": str(message.approximate_receive_count)}
    trace = message.system_attributes.get("AWSTraceHeader", {}).get("StringValue")
    if trace:
        attributes["AWSTraceHeader"] = trace
    attributes["SentTimestamp"] = str(message.sent_timestamp)
    if queue.fifo_queue:
        attributes["SequenceNumber"] = message.sequence_number or ""
        attributes["MessageGroupId"] = message.group_id or ""
    attributes["SenderId"] = message.sender_id
    if queue.fifo_queue:
        attributes["MessageDeduplicationId"] = message.deduplication_id or ""
    first = message.approximate_first_receive_timestamp
    attributes["ApproximateFirstReceiveTimestamp"] = str(first)
    record: dict[str, Any] = {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {
            name: _attribute(value) for name, value in message.message_attributes.items()
        },
    }
    if message.message_attributes:
        record["md5OfMessageAttributes"] = message.attribute_md5
    record |= {
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }
    return QueueMessage(record, trace)


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    given = {}
    if value.get("StringValue") is not None:
        given["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        binary = value["BinaryValue"]
        given["binaryValue"] = (
            base64.b64encode(binary).decode() if isinstance(binary, bytes) else binary
        )
    lists = {"stringListValues": [], "binaryListValues": []}
    return {**given, **lists, "dataType": value["DataType"]}


_moto_add = Queue.add_message
_moto_change = SQSBackend.change_message_visibility
_moto_set = SQSBackend.set_queue_attributes


def install(on_news: Callable[[str], None]) -> None:
    """Let `on_news(queue_arn)` know of each message that arrives or comes back, in the thread that
    does it; let messages keep the trace header of the request that sends them; and let a queue keep
    its policy when other attributes are set.
    """

    @functools.wraps(_moto_add)
    def add_message(self, message):
        trace = request_trace.get()
        if trace and "AWSTraceHeader" not in message.system_attributes:
            message.system_attributes = {**message.system_attributes, **trace_attribute(trace)}
        _moto_add(self, message)
        on_news(self.queue_arn)

    @functools.wraps(_moto_change)
    def change_message_visibility(self, queue_name, receipt_handle, visibility_timeout):
        _moto_change(self, queue_name, receipt_handle, visibility_timeout)
        on_news(self.get_queue(queue_name).queue_arn)

    @functools.wraps(_moto_set)
    def set_queue_attributes(self, queue_name, attributes):
        kept = {"Policy": self.get_queue(queue_name).policy}
        return _moto_set(self, queue_name, {**kept, **attributes})

    Queue.add_message = add_message
    SQSBackend.set_queue_attributes = set_queue_attributes
    SQSBackend.change_message_visibility = change_message_visibility
