"""CloudFormation as AWS does it, put into moto: order, events, rollback, updates, and whole
resource types.

`install` replaces moto's stack operations (stack_operations.py), adds the checks AWS makes first
(stack_templates.py) and completes the resource types (stack_resources.py,
stack_storage_resources.py).
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

from moto.awslambda import models as lambda_models
from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.utils import generate_stack_id
from moto.core.responses import ActionResult
from moto.iam import models as iam_models
from moto.logs import models as logs_models
from moto.s3 import models as s3_models

from . import lambda_resources, stack_operations, stack_resources, stack_storage_resources
from .stack_events import StackResource
from .stack_templates import check_capabilities, check_parameters, creation_order, parse_template

# Only in these states does a stack have outputs: reading them in others would make moto create
# resources again.
_DEPLOYED = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
)
_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

# CreateStack's OnFailure, which moto's response class doesn't hand to its backend.
_on_failure: ContextVar[str] = ContextVar("on_failure", default="ROLLBACK")

_installed = False


def check_template(body: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parse a template and make the checks that need no resources. Raises ValidationError."""
    template = parse_template(body)
    check_parameters(template, parameters)
    creation_order(template)
    return template


class Backend:
    """Replaces the methods of the same name of moto's CloudFormationBackend."""

    def create_stack(self, name, template, parameters, **options):
        if any(stack.name == name for stack in self.stacks.values()):
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        check_template(template, parameters)
        stack = models.Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            template=template,
            parameters=parameters,
            account_id=self.account_id,
            region_name=self.region_name,
            cross_stack_resources=self.exports,
            **options,
        )
        self.stacks[stack.stack_id] = stack
        self._deploy(stack, lambda: stack_operations.create(stack, _on_failure.get()))
        return stack

    def update_stack(self, name, template, role_arn, parameters, tags):
        stack = self.get_stack(name)
        resolved = self._resolve_update_parameters(instance=stack, incoming_params=parameters)
        self._update(stack, template, resolved, tags, role_arn)
        return stack

    def _update(self, stack, template, parameters, tags, role_arn):
        if stack.status not in _UPDATABLE:
            raise ValidationError(
                message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        new = check_template(template, parameters)
        same_tags = tags is None or tags == stack.tags
        if new == stack.template_dict and parameters == stack.parameters and same_tags:
            raise ValidationError(message="No updates are to be performed.")
        if tags is not None:
            stack.tags = tags
        if role_arn is not None:
            stack.role_arn = role_arn
        self._deploy(stack, lambda: stack_operations.update(stack, template, parameters))

    def _deploy(self, stack, operation):
        """Run a create or an update, and keep the region's exports in step with the outcome."""
        earlier = [
            name for name, e in self.exports.items() if e.exporting_stack_id == stack.stack_id
        ]
        operation()
        for name in earlier:
            del self.exports[name]
        if stack.status in _DEPLOYED:
            self.exports.update({export.name: export for export in stack.exports})
        if stack.status == "DELETE_COMPLETE":
            self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)

    def execute_change_set(self, change_set_name, stack_name=None):
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        if change_set.change_set_type == "CREATE":
            check_template(change_set.template, change_set.parameters)
            stack.parameters = change_set.parameters
            stack.template = change_set.template
            stack._parse_template()
            stack.resource_map = stack._create_resource_map()
            stack.output_map = stack._create_output_map()
            self._deploy(stack, lambda: stack_operations.create(stack))
        else:
            parameters = {**stack.parameters, **change_set.parameters}
            self._update(stack, change_set.template, parameters, change_set.tags, None)
        change_set.execution_status = "EXECUTE_COMPLETE"

    def delete_stack(self, name_or_stack_id):
        for stack in list(self.stacks.values()):
            if name_or_stack_id in (stack.name, stack.stack_id):
                self._deploy(stack, lambda stack=stack: stack_operations.delete(stack))


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

    def _records(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_param("LogicalResourceId")
        found = [
            _as_described(record)
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

    def list_stack_resources(self):
        return ActionResult({"StackResourceSummaries": self._records()[2]})


def _put(target: type, source: type) -> None:
    """Give moto's class `target` everything that `source` defines."""
    for name, member in vars(source).items():
        if not name.startswith("__"):
            setattr(target, name, member)


def install() -> None:
    """Put all of this, and lambda_resources, into moto's classes. May be called more than once."""
    global _installed
    if _installed:
        return
    _installed = True
    lambda_resources.install()
    _put(lambda_models.LambdaFunction, stack_resources.Function)
    _put(lambda_models.LayerVersion, stack_resources.LayerVersion)
    _put(lambda_models.Permission, stack_resources.Permission)
    _put(s3_models.FakeBucket, stack_storage_resources.Bucket)
    _put(logs_models.LogGroup, stack_storage_resources.LogGroup)
    _put(iam_models.Role, stack_storage_resources.Role)
    _put(models.CloudFormationBackend, Backend)
    _put(responses.CloudFormationResponse, Response)
    _patch_stack()
    _patch_requests()
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def _patch_stack() -> None:
    moto_init = models.Stack.__init__
    moto_outputs = models.Stack.outputs

    @functools.wraps(moto_init)
    def __init__(self, *args, **kwargs):
        self.resource_records = {}
        self.stack_status_reason = None
        moto_init(self, *args, **kwargs)

    models.Stack.__init__ = __init__
    models.Stack.outputs = property(
        lambda self: moto_outputs.fget(self) if self.status in _DEPLOYED else None
    )


def _patch_requests() -> None:
    response_class = responses.CloudFormationResponse
    moto_create = response_class.create_stack
    moto_update = response_class.update_stack
    moto_create_change_set = response_class.create_change_set

    def checked(moto_method):
        @functools.wraps(moto_method)
        def method(self):
            body = self._get_param("TemplateBody")
            if url := self._get_param("TemplateURL"):
                body = self._get_stack_from_s3_url(url)
            if body:
                check_capabilities(parse_template(body), self._get_param("Capabilities", []))
            disabled = self._get_bool_param("DisableRollback", False)
            on_failure = self._get_param("OnFailure") or ("DO_NOTHING" if disabled else "ROLLBACK")
            token = _on_failure.set(on_failure)
            try:
                return moto_method(self)
            finally:
                _on_failure.reset(token)

        return method

    response_class.create_stack = checked(moto_create)
    response_class.update_stack = checked(moto_update)
    response_class.create_change_set = checked(moto_create_change_set)
