"""Change sets: an update, or a new stack, that can be looked at before it is made.

Statuses, uniqueness of names and what becomes of a stack's other change sets: botocore's model of
CloudFormation (CreateChangeSet, ExecuteChangeSet, DescribeChangeSetOutput). What changes is found by
stack_changes.py.
"""

from __future__ import annotations

from moto.cloudformation import models
from moto.cloudformation.exceptions import (
    AlreadyExistsException,
    CloudFormationError,
    ValidationError,
)
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult

from . import stack_operations
from .serverless_transform import TransformFailed, expanded, transforms
from .stack_changes import changes
from .stack_events import add_event
from .stack_exports import share_exports
from .stack_templates import (
    change_of_types,
    check_template,
    given_parameters,
    is_already,
    parse_template,
)

# AWS's text, which `aws cloudformation deploy` and SAM look for.
_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)

ALWAYS_ROLLED_BACK = (
    "The local cloud rolls back every update that fails: leave DisableRollback and OnStackFailure out, "
    "which it knows of new stacks alone."
)


class ChangeSetNotFound(CloudFormationError):
    """No change set has this name or id."""

    code = "ChangeSetNotFound"


class InvalidChangeSetStatus(CloudFormationError):
    """The change set can't be executed as it is."""

    code = "InvalidChangeSetStatus"


class ChangeSet:
    """Replaces the methods of the same name of moto's ChangeSet."""

    on_stack_failure = "ROLLBACK"

    def _parse_template(self):
        self.template_dict = parse_template(self.template)

    def diff(self):
        if transforms(self.template_dict):  # not expanded: the transform has failed
            return []
        return changes(self.stack, self.template_dict, self.parameters)


class ChangeSets:
    """Replaces the methods of the same name of moto's CloudFormationBackend."""

    def create_change_set(self, stack_name, change_set_name, template, change_set_type, **options):
        stack = self._stack_named(stack_name)
        if change_set_type == "CREATE":
            if stack and stack.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    message=f"Stack [{stack_name}] already exists and cannot be created again with "
                    f"the changeSet [{change_set_name}]."
                )
        elif stack is None:
            raise ValidationError(message=f"Stack [{stack_name}] does not exist")
        if stack and any(
            each.change_set_name == change_set_name for each in self.change_sets_of(stack)
        ):
            raise AlreadyExistsException(f"ChangeSet [{change_set_name}] already exists")
        models.validate_create_change_set(change_set_name)
        on_stack_failure = options.pop("on_stack_failure")
        if change_set_type != "CREATE" and on_stack_failure != "ROLLBACK":
            raise ValidationError(message=ALWAYS_ROLLED_BACK)
        template = template or stack.template
        parameters = given_parameters(stack, options.pop("parameters"))
        try:
            template = expanded(template, parameters, self.region_name)
            name = stack.name if stack else stack_name
            parsed = check_template(template, parameters, name, self.account_id, self.region_name)
        except TransformFailed as error:
            failure = error.message
        else:
            failure = stack and change_of_types(stack, parsed)
        stack = stack or self._stack_in_review(stack_name, parameters, options)
        change_set = models.ChangeSet(
            change_set_type=change_set_type,
            change_set_id=generate_changeset_id(change_set_name, self.region_name, self.account_id),
            change_set_name=change_set_name,
            stack=stack,
            template=template,
            parameters=parameters,
            **options,
        )
        change_set.on_stack_failure = on_stack_failure
        if failure or self._says_nothing_new(change_set):
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.status_reason = failure or _NO_CHANGES
        else:
            change_set.status, change_set.execution_status = "CREATE_COMPLETE", "AVAILABLE"
        self.change_sets[change_set.change_set_id] = change_set
        return change_set.change_set_id, stack.stack_id

    def _stack_in_review(self, name, parameters, options):
        stack = models.Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            template={},
            parameters=parameters,
            account_id=self.account_id,
            region_name=self.region_name,
            notification_arns=options["notification_arns"],
            tags=options["tags"],
            role_arn=options["role_arn"],
            cross_stack_resources=self.exports,
        )
        self.stacks[stack.stack_id] = stack
        add_event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        return stack

    def _says_nothing_new(self, change_set):
        stack = change_set.stack
        if change_set.change_set_type == "CREATE":
            return False
        same_tags = change_set.tags is None or change_set.tags == stack.tags
        return same_tags and is_already(stack, change_set.template, change_set.parameters)

    def _stack_named(self, name_or_id):
        stacks = self.stacks.values()
        return next((s for s in stacks if name_or_id in (s.name, s.stack_id)), None)

    def change_sets_of(self, stack):
        """A stack's change sets, the oldest first."""
        return [each for each in self.change_sets.values() if each.stack_id == stack.stack_id]

    def describe_change_set(self, change_set_name, stack_name=None):
        if change_set_name.startswith("arn:"):
            found = self.change_sets.get(change_set_name)
        elif not stack_name:
            raise ValidationError(
                message="StackName must be specified if ChangeSetName is not specified as an ARN."
            )
        else:
            stack = self._stack_named(stack_name)
            if stack is None:
                raise ValidationError(message=f"Stack [{stack_name}] does not exist")
            of_stack = self.change_sets_of(stack)
            found = next((s for s in of_stack if s.change_set_name == change_set_name), None)
        if found is None:
            raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")
        return found

    def execute_change_set(self, change_set_name, stack_name=None, keeps=False):
        change_set = self.describe_change_set(change_set_name, stack_name)
        if change_set.status != "CREATE_COMPLETE":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status "
                f"of [{change_set.status}]"
            )
        if change_set.execution_status != "AVAILABLE":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current "
                f"execution status of [{change_set.execution_status}]"
            )
        stack = self.stacks[change_set.stack_id]
        if keeps and change_set.change_set_type != "CREATE":
            raise ValidationError(message=ALWAYS_ROLLED_BACK)

        def ended():
            done = stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
            change_set.execution_status = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"

        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        try:
            self._execute(change_set, stack, keeps, ended)
        except Exception:  # it has not begun
            change_set.execution_status = "AVAILABLE"
            raise
        for other in self.change_sets_of(stack):
            if other is not change_set:
                del self.change_sets[other.change_set_id]

    def _execute(self, change_set, stack, keeps, ended):
        template, parameters = change_set.template, change_set.parameters
        if change_set.change_set_type != "CREATE":
            self._update(stack, template, parameters, change_set.tags, None, ended)
            return
        on_failure = "DO_NOTHING" if keeps else change_set.on_stack_failure
        stack.template, stack.parameters = template, parameters
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        stack.resource_map = stack._create_resource_map()
        stack.output_map = stack._create_output_map()
        share_exports(stack, self.exports)
        self._deploy(stack, lambda: stack_operations.create(stack, on_failure), ended)

    def delete_change_set(self, change_set_name, stack_name=None):
        change_set = self.describe_change_set(change_set_name, stack_name)
        del self.change_sets[change_set.change_set_id]

    def outdate_change_sets(self, stack):
        """After a change of the stack none of its change sets says what it would do."""
        for change_set in self.change_sets_of(stack):
            if change_set.execution_status == "AVAILABLE":
                change_set.execution_status = "OBSOLETE"


class ChangeSetRequests:
    """Replaces the methods of the same name of moto's CloudFormationResponse."""

    def create_change_set(self):
        previous = self._get_bool_param("UsePreviousTemplate", False)
        if previous and (self._get_param("TemplateBody") or self._get_param("TemplateURL")):
            raise ValidationError(
                message="You cannot specify both usePreviousTemplate and Template Body/Template URL."
            )
        tags = self._get_param("Tags")
        change_set_id, stack_id = self.cloudformation_backend.create_change_set(
            stack_name=self._get_param("StackName"),
            change_set_name=self._get_param("ChangeSetName"),
            template=None if previous else self._template_body(),
            change_set_type=self._get_param("ChangeSetType", "UPDATE"),
            parameters=self._get_param("Parameters", []),
            description=self._get_param("Description"),
            notification_arns=self._get_param("NotificationARNs", []),
            tags=None if tags is None else {tag["Key"]: tag["Value"] for tag in tags},
            role_arn=self._get_param("RoleARN"),
            on_stack_failure=self._get_param("OnStackFailure") or "ROLLBACK",
        )
        return ActionResult({"Id": change_set_id, "StackId": stack_id})

    def _named_change_set(self):
        return self._get_param("ChangeSetName", ""), self._get_param("StackName")

    def describe_change_set(self):
        found = self.cloudformation_backend.describe_change_set(*self._named_change_set())
        return ActionResult(found)

    def execute_change_set(self):
        keeps = self._get_bool_param("DisableRollback", False)
        self.cloudformation_backend.execute_change_set(*self._named_change_set(), keeps)
        return EmptyResult()

    def delete_change_set(self):
        self.cloudformation_backend.delete_change_set(*self._named_change_set())
        return EmptyResult()

    def list_change_sets(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        return ActionResult({"Summaries": self.cloudformation_backend.change_sets_of(stack)})
