"""Drift: how a stack's resources differ from what its template says.

Only properties that the template gives are compared, of them those that a reader here knows; a type without
a reader is not checked and not listed, as AWS does with types that don't support it (botocore's model of
CloudFormation: DetectStackDrift, DescribeStackResourceDrifts). A detection is complete when it is answered.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from .service_calls import client, text
from .stack_events import StackResource
from .stack_resource_readers import READERS, is_gone

_PAGE = 100
_NOT_CHECKED = "NOT_CHECKED"


class DriftRequests:
    """Adds operations to moto's CloudFormationResponse."""

    def detect_stack_drift(self):
        stack = self._stack_to_check()
        wanted = self._get_param("LogicalResourceIds", [])
        for logical_id in wanted:
            _record(stack, logical_id)
        for logical_id, record in stack.resource_records.items():
            if not wanted or logical_id in wanted:
                _check(stack, record)
        detection = str(uuid.uuid4())
        drifted = [each for each in _drifts(stack).values() if _has_drifted(each)]
        stack.drift_detections = {
            **getattr(stack, "drift_detections", {}),
            detection: {
                "StackId": stack.stack_id,
                "StackDriftDetectionId": detection,
                "DetectionStatus": "DETECTION_COMPLETE",
                "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
                "DriftedStackResourceCount": len(drifted),
                "Timestamp": utcnow(),
            },
        }
        return ActionResult({"StackDriftDetectionId": detection})

    def describe_stack_drift_detection_status(self):
        wanted = self._get_param("StackDriftDetectionId")
        backend = self.cloudformation_backend
        for stack in [*backend.stacks.values(), *backend.deleted_stacks.values()]:
            found = getattr(stack, "drift_detections", {}).get(wanted)
            if found:
                return ActionResult(found)
        # AWS's code; its text is UNCONFIRMED.
        raise ValidationError(message=f"Drift detection with id {wanted} does not exist")

    def describe_stack_resource_drifts(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        statuses = self._get_param("StackResourceDriftStatusFilters", [])
        found = [
            each
            for each in _drifts(stack).values()
            if not statuses or each["StackResourceDriftStatus"] in statuses
        ]
        begin = int(self._get_param("NextToken") or 0)
        end = begin + int(self._get_param("MaxResults") or _PAGE)
        token = str(end) if end < len(found) else None
        return ActionResult({"StackResourceDrifts": found[begin:end], "NextToken": token})

    def detect_stack_resource_drift(self):
        stack = self._stack_to_check()
        record = _record(stack, self._get_param("LogicalResourceId"))
        if not _check(stack, record):
            raise ValidationError(
                message=f"The local cloud does not detect the drift of {record.resource_type} "
                "(docs/localcloud.md)"
            )
        return ActionResult({"StackResourceDrift": _drifts(stack)[record.logical_resource_id]})

    def _stack_to_check(self) -> Stack:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        if stack.status.endswith("_IN_PROGRESS") or stack.status == "DELETE_COMPLETE":
            # AWS refuses it too; its text is UNCONFIRMED.
            raise ValidationError(
                message=f"Drift detection cannot be performed on stack [{stack.name}] "
                f"while in status {stack.status}"
            )
        return stack


def stack_information(stack: Stack) -> dict[str, Any]:
    """A stack's DriftInformation: that of the last detection."""
    detections = list(getattr(stack, "drift_detections", {}).values())
    if not detections:
        return {"StackDriftStatus": _NOT_CHECKED}
    last = detections[-1]
    return {
        "StackDriftStatus": last["StackDriftStatus"],
        "LastCheckTimestamp": last["Timestamp"],
    }


def resource_information(stack: Stack, logical_id: str) -> dict[str, Any]:
    """A resource's DriftInformation."""
    found = _drifts(stack).get(logical_id)
    if not found:
        return {"StackResourceDriftStatus": _NOT_CHECKED}
    return {
        "StackResourceDriftStatus": found["StackResourceDriftStatus"],
        "LastCheckTimestamp": found["Timestamp"],
    }


def _drifts(stack: Stack) -> dict[str, dict[str, Any]]:
    """What is known of each checked resource, by logical id; of those the stack still has."""
    if not hasattr(stack, "resource_drifts"):
        stack.resource_drifts = {}
    gone = [each for each in stack.resource_drifts if each not in _present(stack)]
    for logical_id in gone:
        del stack.resource_drifts[logical_id]
    return stack.resource_drifts


def _present(stack: Stack) -> Mapping[str, Any]:
    return stack.resource_map._parsed_resources


def _record(stack: Stack, logical_id: str) -> StackResource:
    record = stack.resource_records.get(logical_id)
    if record is None:
        raise ValidationError(
            message=f"Resource {logical_id} does not exist for stack {stack.name}"
        )
    return record


def _has_drifted(drift: Mapping[str, Any]) -> bool:
    return drift["StackResourceDriftStatus"] != "IN_SYNC"


def _check(stack: Stack, record: StackResource) -> bool:
    """Compare a resource with its template, and keep what is found. False where it can't be checked."""
    reader = READERS.get(record.resource_type)
    if reader is None or record.logical_resource_id not in _present(stack):
        return False
    drift = {
        "StackId": stack.stack_id,
        "LogicalResourceId": record.logical_resource_id,
        "PhysicalResourceId": record.physical_resource_id,
        "ResourceType": record.resource_type,
        "Timestamp": utcnow(),
    }
    try:
        seen = reader.read(client(reader.service, stack.region_name), record.physical_resource_id)
    except ClientError as error:
        if not is_gone(error):
            raise
        seen = None
    if seen is None:
        drift["StackResourceDriftStatus"] = "DELETED"
    else:
        expected = record.properties
        actual = {
            name: seen.get(name, value)
            for name, value in expected.items()
            if name not in seen or seen[name] is not None
        }
        differences = list(_differences(expected, actual, ""))
        drift |= {
            "StackResourceDriftStatus": "MODIFIED" if differences else "IN_SYNC",
            "ExpectedProperties": json.dumps(expected, default=str),
            "ActualProperties": json.dumps(actual, default=str),
            "PropertyDifferences": differences,
        }
    _drifts(stack)[record.logical_resource_id] = drift
    return True


def _differences(expected: Any, actual: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in dict.fromkeys([*expected, *actual]):
            place = f"{path}/{name}"
            if name not in actual:
                yield _difference("REMOVE", place, expected[name], None)
            elif name not in expected:
                yield _difference("ADD", place, None, actual[name])
            else:
                yield from _differences(expected[name], actual[name], place)
    elif text(expected) != text(actual):
        yield _difference("NOT_EQUAL", path, expected, actual)


def _difference(kind: str, path: str, expected: Any, actual: Any) -> dict[str, str]:
    return {
        "PropertyPath": path,
        "ExpectedValue": "null" if expected is None else text(expected),
        "ActualValue": "null" if actual is None else text(actual),
        "DifferenceType": kind,
    }
