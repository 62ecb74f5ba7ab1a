"""What a stack tells about itself: its resources, their events, and why one of them failed."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.models import Event, Stack
from moto.core.exceptions import ServiceException
from moto.core.exceptions import _RESTError as RestError
from moto.core.utils import utcnow

from .template_functions import TemplateError

log = logging.getLogger(__name__)

STACK_TYPE = "AWS::CloudFormation::Stack"
_HANDLER_CODES = {
    "BucketNotEmpty": "GeneralServiceException",
    "BucketAlreadyExists": "AlreadyExists",
    "BucketAlreadyOwnedByYou": "AlreadyExists",
    "DuplicateRecordException": "AlreadyExists",
    "EntityAlreadyExists": "AlreadyExists",
    "ResourceAlreadyExistsException": "AlreadyExists",
    "ResourceConflictException": "AlreadyExists",
    "ConflictException": "AlreadyExists",
    "NotFoundException": "NotFound",
    "ResourceNotFoundException": "NotFound",
    "NoSuchEntity": "NotFound",
}
_STATUS_CODES = {"AlreadyExists": 409, "NotFound": 404, "GeneralServiceException": 409}


@dataclass
class StackResource:
    """What a stack knows about one of its resources; names are DescribeStackResources' members."""

    stack_id: str
    stack_name: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    resource_status: str = ""
    resource_status_reason: str | None = None
    timestamp: datetime = field(default_factory=utcnow)
    # The properties it was last given, resolved: an update is due when they come out different.
    properties: dict[str, Any] = field(default_factory=dict)
    # After a failed update: part of it may have been applied, so that a rollback applies the old
    # properties again.
    unsure: bool = False
    # What its template leaves unnamed keeps the name that it was given.
    generated_name: str | None = None
    # The tags that it has from its stack.
    stack_tags: dict[str, str] = field(default_factory=dict)


class ProvisioningFailure(Exception):
    """A resource could not be made, changed or deleted, for a reason that is complete as it is.

    `remains` is what a failed creation has left, for the rollback to delete.
    """

    def __init__(self, reason: str, remains: Any = None):
        super().__init__(reason)
        self.reason = reason
        self.remains = remains


def error_code(error: Exception) -> str:
    """The AWS error code in one of moto's or botocore's exceptions; empty for any other exception."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    if isinstance(error, RestError):
        return error.error_type
    return error.code if isinstance(error, ServiceException) else ""


def failure_reason(resource_type: str, error: Exception) -> str:
    """The reason in a *_FAILED event, in the words of AWS's resource handlers."""
    if isinstance(error, ProvisioningFailure):
        return error.reason
    if isinstance(error, TemplateError):
        return error.message
    code = error_code(error)
    if not code:
        log.error("%s failed in a way AWS has no word for", resource_type, exc_info=error)
        return f'Resource handler returned message: "{error!r}" (HandlerErrorCode: InternalFailure)'
    is_called = isinstance(error, ClientError)
    message = error.response["Error"]["Message"] if is_called else error.message
    handler_code = _HANDLER_CODES.get(code, "InvalidRequest")
    service = resource_type.split("::")[1]
    status = _STATUS_CODES.get(handler_code, 400)
    return (
        f'Resource handler returned message: "{message} (Service: {service}, '
        f'Status Code: {status}, Request ID: {uuid.uuid4()})" '
        f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {handler_code})"
    )


def add_event(
    stack: Stack, status: str, reason: str | None = None, resource: StackResource | None = None
) -> None:
    """Write an event about `resource`, or about the stack itself, and set its status."""
    event = Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=resource.logical_resource_id if resource else stack.name,
        physical_resource_id=(resource.physical_resource_id or "") if resource else stack.stack_id,
        resource_type=resource.resource_type if resource else STACK_TYPE,
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )
    event.sendToSns(stack.account_id, stack.region_name, stack.notification_arns)
    stack.events.append(event)
    if resource is None:
        stack.status, stack.stack_status_reason = status, reason
    else:
        resource.resource_status, resource.resource_status_reason = status, reason
        resource.timestamp = event.timestamp
