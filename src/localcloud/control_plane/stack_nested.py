"""Nested stacks: AWS::CloudFormation::Stack, whose failures are the parent's too.

moto takes a nested stack that failed for one that was made, and replaces it at each update.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack, cloudformation_backends

from .stack_events import ProvisioningFailure


class NestedStack:
    """Replaces the methods of the same name of moto's Stack; Ref gives the stack's ARN."""

    @property
    def physical_resource_id(self) -> str:
        return self.stack_id

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        values = {f"Outputs.{each.key}": each.value for each in self.output_map.values() if each}
        if attribute_name not in values:
            raise ValidationError(
                message=f"Template error: resource {self.logical_resource_id} does not support "
                f"attribute type {attribute_name} in Fn::GetAtt"
            )
        return values[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        backend = cloudformation_backends[account_id][region_name]
        stack = backend.create_nested_stack(
            resource_name, cloudformation_json["Properties"], kwargs["StackId"]
        )
        if stack.status != "CREATE_COMPLETE":
            raise ProvisioningFailure(
                f"Embedded stack {stack.stack_id} was not successfully created: "
                f"{stack.stack_status_reason}",
                stack,
            )
        return stack

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        stack = original_resource
        backend = cloudformation_backends[account_id][region_name]
        if not backend.update_nested_stack(stack, cloudformation_json["Properties"]):
            raise ProvisioningFailure(
                f"Embedded stack {stack.stack_id} was not successfully updated. Currently in "
                f"UPDATE_ROLLBACK_IN_PROGRESS with reason: {stack.rollback_reason}"
            )
        return stack

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        backend = cloudformation_backends[account_id][region_name]
        stack: Stack | None = backend.stacks.get(resource_name)
        if stack is None:
            return
        backend.delete_stack(stack.stack_id)
        if stack.status != "DELETE_COMPLETE":
            raise ProvisioningFailure(
                f"Embedded stack {stack.stack_id} was not successfully deleted: "
                f"{stack.stack_status_reason}"
            )
