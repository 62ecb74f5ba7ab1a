"""CloudFormation as AWS does it, put into moto: order, events, rollback, updates, and whole
resource types.

`install` replaces moto's stack operations (stack_operations.py), adds the checks AWS makes first
(stack_templates.py) and completes the resource types (stack_resources.py, stack_buckets.py,
stack_storage_resources.py).
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

from moto.awslambda import models as lambda_models
from moto.cloudformation import custom_model, models, parsing, responses
from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.utils import generate_stack_id
from moto.events import models as events_models
from moto.iam import models as iam_models
from moto.logs import models as logs_models
from moto.s3 import models as s3_models
from moto.sqs import models as sqs_models

from . import (
    budgets,
    custom_resource_responses,
    gateway_operations,
    lambda_resources,
    stack_buckets,
    stack_called_resources,  # noqa: F401 (moto finds the types among the classes that are loaded)
    stack_change_sets,
    stack_custom_resources,
    stack_deployment,
    stack_drift,
    stack_endpoints,
    stack_gateway_resources,  # noqa: F401 (as above)
    stack_names,
    stack_nested,
    stack_operations,
    stack_resources,
    stack_responses,
    stack_rest_account_resources,  # noqa: F401 (as above)
    stack_rest_resources,  # noqa: F401 (as above)
    stack_storage_resources,
    stack_tags,
    stack_updatable_resources,  # noqa: F401 (as above)
    stack_websocket_resources,  # noqa: F401 (as above)
    template_functions,
)
from .serverless_transform import TransformFailed, expanded, transforms
from .stack_custom_resources import as_text
from .stack_events import add_event
from .stack_exports import exports_of, importers, share_exports
from .stack_resources import tags_dict
from .stack_template_url import read_template
from .stack_templates import (
    change_of_types,
    check_capabilities,
    check_expansion,
    check_template,
    given_parameters,
    is_already,
    load_template,
    parse_template,
)

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


class Backend:
    """Replaces the methods of the same name of moto's CloudFormationBackend."""

    def create_stack(self, name, template, parameters, **options):
        on_failure = _on_failure.get()
        stack = self._new_stack(name, template, parameters, **options)
        self._deploy(stack, lambda: stack_operations.create(stack, on_failure))
        return stack

    def _new_stack(self, name, template, parameters, **options):
        if any(stack.name == name for stack in self.stacks.values()):
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        template = expanded(template, parameters, self.region_name)
        check_template(template, parameters, name, self.account_id, self.region_name)
        stack = models.Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            template=template,
            parameters=parameters,
            account_id=self.account_id,
            region_name=self.region_name,
            **options,
        )
        share_exports(stack, self.exports)
        self.stacks[stack.stack_id] = stack
        return stack

    def create_nested_stack(self, name, properties, parent_id):
        """Create a stack for a parent's resource. One that fails stays, for the parent to delete."""
        template, parameters = self._nested_template(properties)
        tags = tags_dict(properties.get("Tags"))
        stack = self._new_stack(name, template, parameters, tags=tags)
        stack.parent_id = parent_id
        stack.root_id = self.get_stack(parent_id).root_id or parent_id
        self._deploy(stack, lambda: stack_operations.create(stack, "DO_NOTHING"))
        return stack

    def update_nested_stack(self, stack, properties):
        """Update a stack as its parent's resource says; where it says nothing new, not at all.

        In a rollback it becomes again what it was: another template may lie at the URL by now. False
        where the update failed.
        """
        noted, own = stack_deployment.noted(), (stack.template, stack.parameters)
        if any(each.status == "UPDATE_ROLLBACK_IN_PROGRESS" for each in self._ancestors(stack)):
            template, parameters = noted.get(stack.stack_id, own)
        else:
            template, parameters = self._nested_template(properties)
            noted[stack.stack_id] = own
        tags = tags_dict(properties.get("Tags"))
        if tags != stack.tags or not is_already(stack, template, parameters):
            self._update(stack, template, parameters, tags, None)
        is_so = is_already(stack, template, parameters)
        return is_so and stack.status != "UPDATE_ROLLBACK_FAILED"

    def _ancestors(self, stack):
        while stack.parent_id:
            stack = self.get_stack(stack.parent_id)
            yield stack

    def _nested_template(self, properties):
        url = properties.get("TemplateURL", "")
        given = properties.get("Parameters") or {}
        template = read_template(url, self.account_id, self.region_name)
        # A list comes as the text that a CommaDelimitedList takes.
        text = {name: as_text(value) for name, value in given.items()}
        parameters = {
            name: ",".join(value) if isinstance(value, list) else value
            for name, value in text.items()
        }
        return expanded(template, parameters, self.region_name), parameters

    def update_stack(self, name, template, role_arn, parameters, tags):
        stack = self.get_stack(name)
        self._update(stack, template, given_parameters(stack, parameters), tags, role_arn)
        return stack

    def _update(self, stack, template, parameters, tags, role_arn, ended=None):
        if stack.status not in _UPDATABLE:
            raise ValidationError(
                message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        template = expanded(template, parameters, self.region_name)
        parsed = check_template(template, parameters, stack.name, self.account_id, self.region_name)
        wrong = change_of_types(stack, parsed)
        if wrong:
            raise ValidationError(message=wrong)
        same_tags = tags is None or tags == stack.tags
        if same_tags and is_already(stack, template, parameters):
            raise ValidationError(message="No updates are to be performed.")
        if role_arn is not None:
            stack.role_arn = role_arn
        self.outdate_change_sets(stack)
        self._deploy(
            stack, lambda: stack_operations.update(stack, template, parameters, tags), ended
        )

    def _deploy(self, stack, operation, ended=None):
        """Run an operation on a stack, then `ended()`."""
        stack_deployment.run(stack, lambda: self._operate(stack, operation, ended))

    def _operate(self, stack, operation, ended):
        """Run an operation, and keep the region's exports in step with the outcome."""
        if stack.status == "DELETE_COMPLETE":  # by an operation that this one has waited for
            return
        earlier = {
            name for name, e in self.exports.items() if e.exporting_stack_id == stack.stack_id
        }
        operation()
        if ended:
            ended()
        now = exports_of(stack) if stack.status in _DEPLOYED else {}
        self.exports.update(now)
        for name in earlier - now.keys():
            del self.exports[name]
        if stack.status == "DELETE_COMPLETE":
            self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
            for change_set in self.change_sets_of(stack):
                del self.change_sets[change_set.change_set_id]

    def delete_stack(self, name_or_stack_id):
        for stack in list(self.stacks.values()):
            if name_or_stack_id in (stack.name, stack.stack_id):
                self._delete(stack)

    def _delete(self, stack):
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is "
                "enabled"
            )
        is_running = stack_deployment.is_running(stack)
        if (
            is_running
            and stack.status.startswith("UPDATE")
            and stack.status.endswith("IN_PROGRESS")
        ):
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while in status {stack.status}"
            )
        if is_running and stack.status == "DELETE_IN_PROGRESS":
            return
        for name, export in self.exports.items():
            others = importers(name, self.stacks.values())
            if export.exporting_stack_id == stack.stack_id and others:
                reason = f"Cannot delete export {name} as it is in use by {others[0]}"
                add_event(stack, stack.status, f"Delete canceled. {reason}")
                return
        custom_resource_responses.cancel(stack.stack_id)
        self._deploy(stack, lambda: stack_operations.delete(stack))


def _put(target: type, source: type) -> None:
    """Give moto's class `target` everything that `source` defines."""
    for name, member in vars(source).items():
        if not name.startswith("__"):
            setattr(target, name, member)


@functools.cache
def install() -> None:
    """Put all of this, and lambda_resources, into moto's classes. May be called more than once."""
    lambda_resources.install()
    gateway_operations.install()
    budgets.install()
    _put(lambda_models.LambdaFunction, stack_resources.Function)
    _put(lambda_models.EventSourceMapping, stack_resources.EventSourceMapping)
    _put(lambda_models.LayerVersion, stack_resources.LayerVersion)
    _put(lambda_models.Permission, stack_resources.Permission)
    _put(s3_models.FakeBucket, stack_buckets.Bucket)
    _put(logs_models.LogGroup, stack_storage_resources.LogGroup)
    _put(iam_models.Role, stack_storage_resources.Role)
    _put(events_models.EventBus, stack_storage_resources.ByName)
    _put(events_models.Archive, stack_storage_resources.ByName)
    _put(sqs_models.Queue, stack_storage_resources.Queue)
    _put(iam_models.ManagedPolicy, stack_storage_resources.ManagedPolicy)
    _put(models.Stack, stack_nested.NestedStack)
    _put(custom_model.CustomModel, stack_custom_resources.CustomResource)
    _put(models.ChangeSet, stack_change_sets.ChangeSet)
    _put(models.CloudFormationBackend, stack_change_sets.ChangeSets)
    _put(models.CloudFormationBackend, Backend)
    _put(responses.CloudFormationResponse, stack_change_sets.ChangeSetRequests)
    _put(responses.CloudFormationResponse, stack_responses.Response)
    _put(responses.CloudFormationResponse, stack_drift.DriftRequests)
    stack_names.install()
    template_functions.install()
    stack_tags.install()
    _patch_stack()
    _patch_requests()
    stack_endpoints.install()
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def _patch_stack() -> None:
    moto_init = models.Stack.__init__

    @functools.wraps(moto_init)
    def __init__(self, *args, **kwargs):
        self.resource_records = {}
        self.stack_status_reason = self.rollback_reason = None
        self.parent_id = self.root_id = None
        moto_init(self, *args, **kwargs)

    models.Stack.__init__ = __init__
    models.Stack.parse_template = staticmethod(load_template)
    models.Stack.outputs = property(_outputs)
    models.Stack.drift_information = property(stack_drift.stack_information)
    moto_load = parsing.ResourceMap.load_parameters

    @functools.wraps(moto_load)
    def load_parameters(self):
        # moto takes the default of a list for a text, and keeps blanks around a list's members.
        moto_load(self)
        for name, declared in (self._template.get("Parameters") or {}).items():
            value = self.resolved_parameters[name]
            if declared.get("Type") == "CommaDelimitedList" and value is not None:
                members = value.split(",") if isinstance(value, str) else value
                self.resolved_parameters[name] = [member.strip() for member in members]
        self._parsed_resources.update(self.resolved_parameters)

    parsing.ResourceMap.load_parameters = load_parameters


def _outputs(stack: models.Stack) -> list[dict[str, Any]] | None:
    """A stack's outputs as DescribeStacks shows them; None while it has none."""
    if stack.status not in _DEPLOYED:
        return None
    described = []
    with stack_custom_resources.masked():
        for key, output in stack._create_output_map().items():
            if output is None:
                continue
            export = stack.template_dict["Outputs"][key].get("Export")
            name = export and parsing.clean_json(export["Name"], stack.resource_map)
            described.append(
                {
                    "OutputKey": key,
                    "OutputValue": output.value,
                    "Description": output.description,
                    "ExportName": name,
                }
            )
    return described or None


def _patch_requests() -> None:
    response_class = responses.CloudFormationResponse
    moto_create = response_class.create_stack
    moto_update = response_class.update_stack
    moto_create_change_set = response_class.create_change_set

    def checked(moto_method):
        @functools.wraps(moto_method)
        def method(self):
            if not self._get_bool_param("UsePreviousTemplate", False):
                _check_capabilities(self, may_expand=moto_method is moto_create_change_set)
            disabled = self._get_bool_param("DisableRollback", False)
            if disabled and moto_method is moto_update:
                raise ValidationError(message=stack_change_sets.ALWAYS_ROLLED_BACK)
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
    for name in list(vars(response_class)):
        # moto's make their resources past everything here, and change none.
        if "stack_set" in name or "stack_instance" in name:
            setattr(response_class, name, _not_here)


def _not_here(self: responses.CloudFormationResponse) -> None:
    raise NotImplementedError


def _check_capabilities(self: responses.CloudFormationResponse, may_expand: bool) -> None:
    """A change set may be made of any transform (CreateChangeSet, Capabilities)."""
    body, capabilities = self._template_body(), self._get_param("Capabilities", [])
    if transforms(parse_template(body)) and not may_expand:
        check_expansion(capabilities)
    parameters = {
        each["ParameterKey"]: each.get("ParameterValue", "")
        for each in self._get_param("Parameters", [])
    }
    try:
        template = expanded(body, parameters, self.region)
    except TransformFailed:
        if not may_expand:
            raise
        return  # the change set tells
    check_capabilities(parse_template(template), capabilities)
