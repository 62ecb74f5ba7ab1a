"""Event source mappings as resources: checked as Lambda checks them, and given to those who poll.

moto invokes a mapped function itself, inside the request that sends a message. `install` takes the
mappings off its queues, tables and streams, and says when one has changed and when a source has news.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.awslambda import models
from moto.awslambda.models import LambdaBackend, lambda_backends
from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from .backends import regions_in_use
from .event_source_checks import MappingNotFound, check_mapping


@dataclass(frozen=True)
class EventSourceMapping:
    """A mapping as a poller needs it. `window_s` is the maximum batching window; -1 retries and -1
    seconds of age are without end; `filters` are patterns, of which one must match.
    """

    uuid: str
    source_arn: str
    function_arn: str
    enabled: bool
    batch_size: int
    window_s: int
    reports_failures: bool
    filters: tuple[str, ...]
    maximum_concurrency: int | None
    starting_position: str
    starting_timestamp: float | None
    maximum_retry_attempts: int
    maximum_record_age_s: int
    bisects: bool
    on_failure: str | None

    @property
    def service(self) -> str:
        """sqs, dynamodb or kinesis."""
        return self.source_arn.split(":")[2]


def all_mappings(account_id: str) -> list[EventSourceMapping]:
    """Every mapping of an account, enabled or not."""
    return [
        _read(mapping)
        for _, backend in regions_in_use(lambda_backends, account_id)
        for mapping in backend._event_source_mappings.values()
    ]


def note_result(mapping: EventSourceMapping, result: str) -> None:
    """Set what GetEventSourceMapping shows as LastProcessingResult."""
    _, _, _, region, account, *_ = mapping.function_arn.split(":")
    found = lambda_backends[account][region]._event_source_mappings.get(mapping.uuid)
    if found is not None:
        found.last_processing_result = result


def _read(mapping: models.EventSourceMapping) -> EventSourceMapping:
    filters = (mapping.filter_criteria or {}).get("Filters", [])
    scaling = mapping.scaling_config or {}
    destination = (mapping.destination_config or {}).get("OnFailure") or {}
    return EventSourceMapping(
        mapping.uuid,
        mapping.event_source_arn,
        mapping.function_arn,
        bool(mapping.enabled),
        mapping.batch_size,
        mapping.max_batch_window or 0,
        "ReportBatchItemFailures" in (mapping.function_response_types or []),
        tuple(each["Pattern"] for each in filters),
        scaling.get("MaximumConcurrency"),
        mapping.starting_position or "TRIM_HORIZON",
        mapping.starting_position_timestamp,
        _or_minus_one(mapping.max_retry_attempts),
        _or_minus_one(mapping.max_record_age),
        bool(mapping.bisect_on_error),
        destination.get("Destination"),
    )


def _or_minus_one(value: int | None) -> int:
    return -1 if value is None else value


MayRole = Callable[[str, str, str, str], bool]

_moto_create = LambdaBackend.create_event_source_mapping
_moto_update = LambdaBackend.update_event_source_mapping
_moto_get = LambdaBackend.get_event_source_mapping
_moto_delete = LambdaBackend.delete_event_source_mapping
_moto_configuration = models.EventSourceMapping.get_configuration


def install(may_role: MayRole, on_change: Callable[[], None]) -> None:
    """Put the checks and the news into moto. `on_change()` is called in the worker thread after a
    mapping was made, changed or deleted.
    """

    @functools.wraps(_moto_create)
    def create_event_source_mapping(self, spec):
        function = self._lambdas.get_function_by_name_or_arn_with_qualifier(spec["FunctionName"])
        check_mapping(self, spec, function, may_role)
        mapping = _moto_create(self, spec)
        mapping.function_arn = _with_qualifier(spec["FunctionName"], function)
        mapping.transition = "Creating" if mapping.enabled else None
        _take_from_moto(self.account_id, self.region_name)
        on_change()
        return mapping

    @functools.wraps(_moto_update)
    def update_event_source_mapping(self, uuid, spec):
        mapping = self.get_event_source_mapping(uuid)
        was_enabled = mapping.enabled
        function = self._lambdas.get_function_by_name_or_arn_with_qualifier(
            spec.get("FunctionName") or mapping.function_arn
        )
        merged = {
            "BatchSize": mapping.batch_size,
            "MaximumBatchingWindowInSeconds": mapping.max_batch_window,
            **spec,
            "EventSourceArn": mapping.event_source_arn,
            "StartingPosition": mapping.starting_position,
        }
        check_mapping(self, merged, function, may_role, uuid)
        _moto_update(self, uuid, spec)
        if "FunctionName" in spec:
            mapping.function_arn = _with_qualifier(spec["FunctionName"], function)
        mapping.transition = "Updating"
        if bool(was_enabled) != bool(mapping.enabled):
            mapping.transition = "Enabling" if mapping.enabled else "Disabling"
        on_change()
        return mapping

    @functools.wraps(_moto_get)
    def get_event_source_mapping(self, uuid):
        mapping = _moto_get(self, uuid)
        if mapping is None:
            raise MappingNotFound
        return mapping

    @functools.wraps(_moto_delete)
    def delete_event_source_mapping(self, uuid):
        self.get_event_source_mapping(uuid)
        mapping = _moto_delete(self, uuid)
        on_change()
        return mapping

    LambdaBackend.create_event_source_mapping = create_event_source_mapping
    LambdaBackend.update_event_source_mapping = update_event_source_mapping
    LambdaBackend.get_event_source_mapping = get_event_source_mapping
    LambdaBackend.delete_event_source_mapping = delete_event_source_mapping
    models.EventSourceMapping.get_configuration = _configuration


def _configuration(self: models.EventSourceMapping) -> dict[str, Any]:
    """A mapping as recorded from AWS; the answer that changes it shows the change under way."""
    configuration = _moto_configuration(self)
    transition, self.transition = getattr(self, "transition", None), None
    if transition:
        configuration["State"] = transition
    configuration.setdefault("FunctionResponseTypes", [])
    configuration.setdefault("MaximumBatchingWindowInSeconds", 0)
    if ":sqs:" in self.event_source_arn:
        configuration["StateTransitionReason"] = "USER_INITIATED"
        return configuration
    result = getattr(self, "last_processing_result", "No records processed")
    return {
        "BisectBatchOnFunctionError": False,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
        "DestinationConfig": {"OnFailure": {}},
        **configuration,
        "StateTransitionReason": "User action",
        "LastProcessingResult": result,
    }


def _with_qualifier(given: str, function: models.LambdaFunction) -> str:
    unqualified = ":".join(function.function_arn.split(":")[:7])
    parts = given.split(":function:")[-1].split(":")
    return f"{unqualified}:{parts[1]}" if len(parts) > 1 else unqualified


def _take_from_moto(account_id: str, region: str) -> None:
    sources = [
        *sqs_backends[account_id][region].queues.values(),
        *dynamodb_backends[account_id][region].tables.values(),
        *kinesis_backends[account_id][region].streams.values(),
    ]
    for source in sources:
        source.lambda_event_source_mappings.clear()
