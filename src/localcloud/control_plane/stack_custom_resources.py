"""Custom resources: a Lambda function makes, changes and deletes them, and answers by a PUT.

Request and response objects, replacement by a new PhysicalResourceId, NoEcho: CloudFormation User Guide,
"Create custom provisioning logic with custom resources". Two things are as moto's seam into Lambda has
them: the function is invoked once, not tried again; and the provider is a function, never an SNS topic.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.utils import get_backend
from moto.cloudformation.custom_model import CustomModel

from .custom_resource_responses import Pending
from .stack_events import ProvisioningFailure

_log = logging.getLogger(__name__)
_TIMEOUT_S = 3600  # ServiceTimeout's default and maximum (AWS::CloudFormation::CustomResource)
_MASK = "*****"

_masked: ContextVar[bool] = ContextVar("masked", default=False)


@contextmanager
def masked() -> Iterator[None]:
    """Inside, Fn::GetAtt of an answer with NoEcho gives asterisks: for what people get to see."""
    token = _masked.set(True)
    try:
        yield
    finally:
        _masked.reset(token)


def is_replaced(old: Any, new: Any) -> bool:
    """Whether an update gave a custom resource another PhysicalResourceId: the old one is deleted."""
    return isinstance(new, CustomModel) and new.physical_resource_id != old.physical_resource_id


class CustomResource:
    """Replaces the methods of the same name of moto's CustomModel."""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudFormation::CustomResource"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        resource = cls(region_name, "", kwargs["LogicalId"], resource_name)
        resource.account_id = account_id
        resource.stack_id, resource.cf_resource_type = kwargs["StackId"], kwargs["ResourceType"]
        resource.logical_resource_id = kwargs["LogicalId"]
        resource.properties = as_text(cloudformation_json["Properties"])
        resource.no_echo = False
        _ask(resource, "Create")
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        resource = copy.copy(original_resource)
        resource.properties = as_text(cloudformation_json["Properties"])
        old = original_resource.properties
        if resource.properties.get("ServiceToken") != old.get("ServiceToken"):
            raise ProvisioningFailure("Modifying service token is not allowed.")
        _ask(
            resource, "Update",
            PhysicalResourceId=original_resource.physical_resource_id, OldResourceProperties=old,
        )  # fmt: skip
        return resource

    def delete(self, account_id: str, region: str) -> None:
        _ask(self, "Delete", PhysicalResourceId=self.physical_resource_id)

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        if attribute_name not in self.data:
            bucket = f"cloudformation-custom-resource-storage-{self.region_name.replace('-', '')}"
            raise ProvisioningFailure(
                f"CustomResource attribute error: Vendor response doesn't contain {attribute_name} "
                f"key in object {self.stack_id}|{self.logical_id}|{self.request_id} "
                f"in S3 bucket {bucket}"
            )
        return _MASK if self.no_echo and _masked.get() else self.data[attribute_name]


def _ask(resource: CustomModel, request_type: str, **more: Any) -> None:
    """Send a request, wait for the answer and keep what it says.

    Raises ProvisioningFailure where it is FAILED or doesn't come. A resource whose creation failed goes
    along: a rollback sends it a Delete, as AWS does.
    """
    properties = resource.properties
    function = _function(resource, properties.get("ServiceToken"))
    request_id = resource.request_id = str(uuid.uuid4())
    pending = Pending(resource.region_name, resource.stack_id, resource.logical_id, request_id)
    event = {
        "RequestType": request_type,
        "ServiceToken": properties["ServiceToken"],
        "ResponseURL": pending.url,
        "StackId": resource.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.cf_resource_type,
        "ResourceProperties": properties,
        **more,
    }
    threading.Thread(target=_invoke, args=(function, event), daemon=True).start()
    answer = pending.wait(float(properties.get("ServiceTimeout") or _TIMEOUT_S))
    remains = resource if request_type == "Create" else None
    if answer is None:
        raise ProvisioningFailure(
            "CloudFormation did not receive a response from your Custom Resource. Please check your "
            f"logs for requestId [{request_id}]. If you are using the Python cfn-response module, "
            "you may need to update your Lambda function code so that CloudFormation can attach the "
            "updated version.",
            remains,
        )
    if request_type != "Delete" and answer.get("PhysicalResourceId"):
        resource.resource_name = str(answer["PhysicalResourceId"])
    if answer["Status"] == "FAILED":
        raise ProvisioningFailure(
            answer.get("Invalid")
            or "Received response status [FAILED] from custom resource. Message returned: "
            f"{answer.get('Reason', '')} (RequestId: {request_id})",
            remains,
        )
    if request_type != "Delete":
        if not answer.get("PhysicalResourceId"):
            raise ProvisioningFailure("Invalid PhysicalResourceId", remains)
        resource.data = answer.get("Data") or {}
        resource.no_echo = answer.get("NoEcho") in (True, "true")


def _function(resource: CustomModel, token: str | None) -> Any:
    if not token:
        raise ProvisioningFailure("Property ServiceToken cannot be empty.")
    if ":lambda:" not in token:
        raise ProvisioningFailure(f"localcloud has no custom resources but of functions: {token}")
    try:
        return get_backend(resource.account_id, resource.region_name).get_function(token)
    except UnknownFunctionException as error:
        raise ProvisioningFailure(
            f"{error.message} (Service: Lambda, Status Code: 404, Request ID: {uuid.uuid4()})"
        ) from None


def _invoke(function: Any, event: dict[str, Any]) -> None:
    try:
        function.invoke(json.dumps(event), {}, {})
    except Exception:  # throttled, or deleted meanwhile: the answer won't come
        _log.warning("the function of a custom resource was not invoked", exc_info=True)


def as_text(value: Any) -> Any:
    """Properties as a function gets them: CloudFormation makes text of numbers and truth values."""
    if isinstance(value, dict):
        return {name: as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)
