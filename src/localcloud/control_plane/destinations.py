"""Where Lambda sends records of invocations to: moto's queues, topics, buses and buckets."""

import contextlib
from collections.abc import Iterator, Mapping

from moto.core.exceptions import ServiceException
from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from .state import note_change

# Name to data type and value.
Attributes = Mapping[str, tuple[str, str]]


class DeliveryFailed(Exception):
    """The destination is not there or does not take the record; the text says why."""


@contextlib.contextmanager
def _delivery() -> Iterator[None]:
    """What moto refuses is a failed delivery; what it takes is a change of its state."""
    try:
        yield
    except (ServiceException, KeyError) as error:
        raise DeliveryFailed(str(error)) from error
    note_change()


def send_message(arn: str, body: str, attributes: Attributes, trace_header: str) -> None:
    """Send to a standard queue. Raises DeliveryFailed."""
    if arn.endswith(".fifo"):
        raise DeliveryFailed("a FIFO queue can't be a destination")
    account, region, name = _place(arn)
    with _delivery():
        sqs_backends[account][region].send_message(
            name,
            body,
            message_attributes={
                key: {"DataType": kind, "StringValue": value}
                for key, (kind, value) in attributes.items()
            },
            system_attributes=trace_attribute(trace_header),
        )


def trace_attribute(trace_header: str) -> dict[str, dict[str, str]]:
    """A queue's message keeps the sender's trace header as a system attribute."""
    return {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}}


def publish(arn: str, body: str, attributes: Attributes) -> None:
    """Publish to a standard topic. Raises DeliveryFailed."""
    if arn.endswith(".fifo"):
        raise DeliveryFailed("a FIFO topic can't be a destination")
    account, region, _ = _place(arn)
    with _delivery():
        sns_backends[account][region].publish(
            body,
            arn,
            message_attributes={
                key: {"Type": kind, "Value": value} for key, (kind, value) in attributes.items()
            },
        )


def put_event(arn: str, source: str, detail_type: str, detail: str, resources: list[str]) -> None:
    """Put an event on a bus. Raises DeliveryFailed."""
    account, region, name = _place(arn)
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": detail,
        "Resources": resources,
        "EventBusName": name.removeprefix("event-bus/"),
    }
    with _delivery():
        events_backends[account][region].put_events([entry])


def put_object(arn: str, account_id: str, key: str, body: str) -> None:
    """Write a JSON object into a bucket. Raises DeliveryFailed."""
    bucket = arn.split(":::")[-1]
    backend = s3_backends[account_id][get_partition("us-east-1")]
    with _delivery():
        backend.put_object(bucket, key, body.encode())


def _place(arn: str) -> tuple[str, str, str]:
    _, _, _, region, account, name = arn.split(":", 5)
    return account, region, name
