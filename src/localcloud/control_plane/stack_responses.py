"""CloudFormation's answers where moto's are not what AWS says: resources as they really are, templates that
are looked at, termination protection, imports.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.responses import ActionResult

from .serverless_transform import original
from .stack_drift import resource_information
from .stack_events import StackResource
from .stack_exports import importers
from .stack_template_summary import summarize, summarize_fully
from .stack_template_url import read_template
from .stack_templates import parse_template


def _as_described(record: StackResource) -> dict[str, Any]:
    described = {
        "StackId": record.stack_id,
        "StackName": record.stack_name,
        "LogicalResourceId": record.logical_resource_id,
        "PhysicalResourceId": record.physical_resource_id,
        "ResourceType": record.resource_type,
        "Timestamp": record.timestamp,
        "LastUpdatedTimestamp": record.timestamp,
        "ResourceStatus": record.resource_status,
        "ResourceStatusReason": record.resource_status_reason,
    }
    return {name: value for name, value in described.items() if value is not None}


class Response:
    """Replaces the methods of the same name of moto's CloudFormationResponse: resources as they
    really are.
    """

    def _stack_of(self, physical_id):
        """The stack that a resource belongs to. Text: the README of find-CF-stack-for-AWS-resource.sh."""
        for stack in self.cloudformation_backend.stacks.values():
            records = stack.resource_records.values()
            if any(each.physical_resource_id == physical_id for each in records):
                return stack
        raise ValidationError(message=f"Stack for {physical_id} does not exist")

    def _records(self):
        name, physical_id = self._get_param("StackName"), self._get_param("PhysicalResourceId")
        if physical_id and not name:
            stack = self._stack_of(physical_id)
        else:
            stack = self.cloudformation_backend.get_stack(name)
        wanted = self._get_param("LogicalResourceId")
        found = [
            {**_as_described(record), "DriftInformation": resource_information(stack, logical_id)}
            for logical_id, record in stack.resource_records.items()
            if wanted in (None, logical_id)
        ]
        return stack, wanted, found

    def describe_stack_resource(self):
        stack, wanted, found = self._records()
        if not found:
            raise ValidationError(
                message=f"Resource {wanted} does not exist for stack {stack.name}"
            )
        return ActionResult({"StackResourceDetail": found[0]})

    def describe_stack_resources(self):
        return ActionResult({"StackResources": self._records()[2]})

    def delete_stack(self):
        if self._get_param("RetainResources"):
            raise ValidationError(
                message="RetainResources is not done by the local cloud. Empty or remove what keeps the "
                "stack from being deleted, or give the resource DeletionPolicy: Retain, and delete it again."
            )
        self.cloudformation_backend.delete_stack(self._get_param("StackName"))
        return ActionResult({})

    def list_stack_resources(self):
        return ActionResult({"StackResourceSummaries": self._records()[2]})

    def validate_template(self):
        return ActionResult(summarize(parse_template(self._template_body())))

    def get_template(self):
        name, change_set = self._get_param("StackName"), self._get_param("ChangeSetName")
        if change_set:
            found = self.cloudformation_backend.describe_change_set(change_set, name)
        else:
            found = self.cloudformation_backend.get_stack(name)
        template = found.template or ""
        if self._get_param("TemplateStage") == "Original":
            template = original(template)
        return ActionResult(
            {"TemplateBody": str(template), "StagesAvailable": ["Original", "Processed"]}
        )

    def get_template_summary(self):
        name = self._get_param("StackName")
        stack = self.cloudformation_backend.get_stack(name) if name else None
        body = stack.template if stack else self._template_body()
        return ActionResult(summarize_fully(parse_template(body)))

    def _template_body(self):
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if not body and not url:
            raise ValidationError(message="Either Template URL or Template Body must be specified.")
        return body or self._get_stack_from_s3_url(url)

    def _get_stack_from_s3_url(self, template_url):
        return read_template(template_url, self.current_account, self.region)

    def update_termination_protection(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_bool_param("EnableTerminationProtection", False)
        stack.enable_termination_protection = wanted
        return ActionResult({"StackId": stack.stack_id})

    def list_imports(self):
        name = self._get_param("ExportName")
        found = importers(name, self.cloudformation_backend.stacks.values())
        if not found:
            raise ValidationError(message=f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": found})
