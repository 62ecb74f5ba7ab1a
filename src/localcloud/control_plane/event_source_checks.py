"""What Lambda refuses in CreateEventSourceMapping and UpdateEventSourceMapping.

Texts recorded from AWS in 2023 to 2025 or logged by users; the texts for a stream's role and for the
visibility timeout are of the second kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPatternParser
from moto.sqs.models import Queue, sqs_backends

MayRole = Callable[[str, str, str, str], bool]
QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_STREAM_ACTIONS = {
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
    "kinesis": ("GetRecords", "GetShardIterator", "DescribeStream", "ListShards", "ListStreams"),
}
_WITHOUT_RESOURCE = ("ListStreams",)


class MappingNotFound(LambdaClientError):
    """404: there is no mapping with such a UUID."""

    code = 404

    def __init__(self):
        super().__init__("ResourceNotFoundException", "The resource you requested does not exist.")


class ResourceConflictException(LambdaClientError):
    """409: there is such a mapping already."""

    code = 409

    def __init__(self, message: str):
        super().__init__("ResourceConflictException", message)


def check_mapping(
    backend: LambdaBackend,
    spec: dict[str, Any],
    function: LambdaFunction,
    may_role: MayRole,
    uuid: str | None = None,
) -> None:
    """Raise Lambda's error where a mapping can't be as `spec` says; `uuid` is the one updated."""
    source_arn = spec.get("EventSourceArn") or ""
    service = source_arn.split(":")[2] if source_arn.count(":") >= 5 else ""
    _check_filters(spec.get("FilterCriteria") or {})
    if service == "sqs":
        _check_queue(backend, source_arn, spec, function, may_role)
    elif service in _STREAM_ACTIONS:
        _check_stream(service, source_arn, spec, function, may_role)
    if uuid is None:
        _check_duplicate(backend, service, source_arn, function)


def role_may_poll(role: str, session: str, source_arn: str, may_role: MayRole) -> str | None:
    """The first action on the source that the role lacks; None where it has them all."""
    service = source_arn.split(":")[2]
    for action in QUEUE_ACTIONS if service == "sqs" else _STREAM_ACTIONS[service]:
        resource = "*" if action in _WITHOUT_RESOURCE else source_arn
        if not may_role(role, session, f"{service}:{action}", resource):
            return action
    return None


def _check_queue(
    backend: LambdaBackend,
    arn: str,
    spec: dict[str, Any],
    function: LambdaFunction,
    may_role: MayRole,
) -> None:
    if spec.get("StartingPosition"):
        raise InvalidParameterValueException("StartingPosition is not valid for SQS event sources.")
    size, window = spec.get("BatchSize") or 10, spec.get("MaximumBatchingWindowInSeconds") or 0
    if arn.endswith(".fifo") and window:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues")
    if arn.endswith(".fifo") and size > 10:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{size}' at 'batchSize' failed to satisfy "
            "constraint: Member must have value less than or equal to 10"
        )
    if size > 10 and not window:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10"
        )
    queue = _queue(backend, arn)
    if queue is None:
        raise InvalidParameterValueException(
            "Error occurred while ReceiveMessage. SQS Error Code: "
            "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
            "The specified queue does not exist."
        )
    if int(queue.visibility_timeout) < int(function.timeout):
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than "
            f"Function timeout: {function.timeout} seconds"
        )
    lacking = role_may_poll(function.role, function.function_name, arn, may_role)
    if lacking:
        raise InvalidParameterValueException(
            f"The function execution role does not have permissions to call {lacking} on SQS"
        )


def _check_stream(
    service: str,
    arn: str,
    spec: dict[str, Any],
    function: LambdaFunction,
    may_role: MayRole,
) -> None:
    position = spec.get("StartingPosition")
    if not position:
        raise InvalidParameterValueException(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null."
        )
    if spec.get("StartingPositionTimestamp") and position != "AT_TIMESTAMP":
        raise InvalidParameterValueException(
            "Timestamp only valid with StartingPosition AT_TIMESTAMP"
        )
    if service == "dynamodb" and position == "AT_TIMESTAMP":
        raise InvalidParameterValueException(f"Unsupported starting position for arn type: {arn}")
    if role_may_poll(function.role, function.function_name, arn, may_role):
        *most, last = _STREAM_ACTIONS[service]
        raise InvalidParameterValueException(
            f"Cannot access stream {arn}. Please ensure the role can perform the "
            f"{', '.join(most)}, and {last} Actions on your stream in IAM."
        )


def _check_filters(criteria: dict[str, Any]) -> None:
    for each in criteria.get("Filters") or []:
        try:
            if not isinstance(json.loads(each.get("Pattern") or "null"), dict):
                raise InvalidParameterValueException("Invalid filter pattern definition.")
            EventPatternParser(each["Pattern"]).parse()
        except (ValueError, InvalidEventPatternException) as error:
            raise InvalidParameterValueException("Invalid filter pattern definition.") from error


def _check_duplicate(
    backend: LambdaBackend, service: str, source_arn: str, function: LambdaFunction
) -> None:
    for mapping in backend._event_source_mappings.values():
        same = mapping.event_source_arn == source_arn
        if not same or mapping.function_arn.split(":")[6] != function.function_name:
            continue
        name = function.function_name
        if service == "sqs":
            raise ResourceConflictException(
                f'An event source mapping with SQS arn (" {source_arn} ") and function '
                f'(" {name} ") already exists. Please update or delete the existing mapping with '
                f"UUID {mapping.uuid}"
            )
        raise ResourceConflictException(
            f'The event source arn (" {source_arn} ") and function (" {name} ") provided mapping '
            f"already exists. Please update or delete the existing mapping with UUID {mapping.uuid}"
        )


def _queue(backend: LambdaBackend, arn: str) -> Queue | None:
    queues = sqs_backends[backend.account_id][backend.region_name].queues.values()
    return next((queue for queue in queues if queue.queue_arn == arn), None)
