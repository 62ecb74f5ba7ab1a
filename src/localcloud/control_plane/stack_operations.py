"""Creating, updating and deleting a stack's resources in order, with the events and statuses of
AWS.

moto makes resources when something first refers to them, writes events for the stack alone and
answers a failed deployment with a server error. Here each resource goes through *_IN_PROGRESS to
*_COMPLETE or *_FAILED, and a failure is rolled back (CloudFormation User Guide, "Stack status
codes").
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack

from . import stack_tags
from .stack_custom_resources import is_replaced
from .stack_deletion_policies import is_retained
from .stack_events import STACK_TYPE, StackResource, add_event, error_code, failure_reason
from .stack_exports import StackFailed, check_exports, check_imports
from .stack_names import kept_by
from .stack_property_changes import changed_properties, check_applied, needs_replacement
from .stack_resource_readers import GONE
from .stack_templates import creation_order, dependencies


class ResourceFailed(Exception):
    """A resource could not be made or changed; the event with the reason has been written."""

    def __init__(self, verb: str, logical_id: str):
        super().__init__(f"The following resource(s) failed to {verb}: [{logical_id}].")


def create(stack: Stack, on_failure: str = "ROLLBACK") -> None:
    """Create everything in the stack's template; on a failure do what `on_failure` says.

    ROLLBACK deletes what was made, DO_NOTHING leaves it, DELETE deletes the stack as well
    (CreateStack, OnFailure).
    """
    add_event(stack, "CREATE_IN_PROGRESS", "User Initiated")
    try:
        _make(stack, _Cleanup())
    except (ResourceFailed, StackFailed) as failure:
        reason = f"{failure} "
        if on_failure == "DO_NOTHING":
            add_event(stack, "CREATE_FAILED", reason)
        elif on_failure == "DELETE":
            add_event(stack, "DELETE_IN_PROGRESS", reason + "Delete requested by user.")
            _finish_deletion(stack, "DELETE", of_new=True)
        else:
            add_event(stack, "ROLLBACK_IN_PROGRESS", reason + "Rollback requested by user.")
            _finish_deletion(stack, "ROLLBACK", of_new=True)
        return
    add_event(stack, "CREATE_COMPLETE")


def delete(stack: Stack) -> None:
    """Delete the stack's resources, dependents first. Ends in DELETE_COMPLETE or DELETE_FAILED."""
    add_event(stack, "DELETE_IN_PROGRESS", "User Initiated")
    _finish_deletion(stack, "DELETE")


def update(
    stack: Stack, template: str, parameters: dict[str, Any], tags: dict[str, str] | None
) -> None:
    """Bring the resources to `template`, `parameters` and `tags`; on a failure bring them back to what they
    were. Without `tags` the stack keeps its own.

    It ends in UPDATE_COMPLETE, UPDATE_ROLLBACK_COMPLETE or UPDATE_ROLLBACK_FAILED.
    """
    before, earlier_tags = (stack.template, stack.parameters), stack.tags
    stack.tags = stack.tags if tags is None else tags
    old_template = stack.template_dict
    new_template = stack.parse_template(template)
    cleanup = _Cleanup()
    add_event(stack, "UPDATE_IN_PROGRESS", "User Initiated")
    try:
        _use_template(stack, template, parameters)
        _make(stack, cleanup)
    except (ResourceFailed, StackFailed) as failure:
        stack.rollback_reason = reason = f"{failure} "
        add_event(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        _use_template(stack, *before)
        stack.tags = earlier_tags
        cleanup.undo(stack)
        try:
            _apply(stack, cleanup)
        except ResourceFailed as second:
            add_event(stack, "UPDATE_ROLLBACK_FAILED", f"{second} ")
            return
        add_event(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        _clean_up(stack, cleanup, new_template, of_new=True)
        add_event(stack, "UPDATE_ROLLBACK_COMPLETE")
    else:
        add_event(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        _clean_up(stack, cleanup, old_template)
        add_event(stack, "UPDATE_COMPLETE")


def _make(stack: Stack, cleanup: _Cleanup) -> None:
    """Make everything in the stack's template, so that its outputs can be told and its exports made.

    Raises ResourceFailed and StackFailed.
    """
    try:
        check_imports(stack)
        _apply(stack, cleanup)
        list(stack.output_map.values())
        check_exports(stack)
    except (ResourceFailed, StackFailed):
        raise
    except Exception as error:
        raise StackFailed(failure_reason(STACK_TYPE, error)) from error


@dataclass
class _Cleanup:
    """Replaced resources, to delete when the operation has ended: (record, resource, its template
    part).
    """

    replaced: list[tuple[StackResource, Any, dict[str, Any]]] = field(default_factory=list)

    def undo(self, stack: Stack) -> None:
        """Take the replaced resources back into the stack, and mark the new ones for deletion."""
        parsed = stack.resource_map._parsed_resources
        for index, (record, resource, resource_json) in enumerate(self.replaced):
            logical_id = record.logical_resource_id
            new = (stack.resource_records[logical_id], parsed[logical_id], resource_json)
            stack.resource_records[logical_id], parsed[logical_id] = record, resource
            self.replaced[index] = new


def _use_template(stack: Stack, template: str, parameters: dict[str, Any]) -> None:
    stack.template, stack.parameters = template, parameters
    stack._parse_template()
    stack.description = stack.template_dict.get("Description")
    resource_map = stack.resource_map
    resource_map._template = stack.template_dict
    resource_map._resource_json_map = stack.template_dict["Resources"]
    resource_map.input_parameters = parameters
    resource_map.resolved_parameters = {}
    resource_map.load_mapping()
    resource_map.load_parameters()
    resource_map.load_conditions()
    stack.output_map = stack._create_output_map()


def _apply(stack: Stack, cleanup: _Cleanup) -> None:
    """Create or change each resource of the stack's template, in order, where its properties ask
    for it.
    """
    resource_map = stack.resource_map
    for logical_id in creation_order(stack.template_dict):
        resource_json = stack.template_dict["Resources"][logical_id]
        if not _is_wanted(stack, logical_id) or resource_json["Type"] in parsing.NULL_MODELS:
            continue
        if logical_id not in resource_map._parsed_resources:
            _create_resource(stack, logical_id, resource_json)
        else:
            _update_resource(stack, logical_id, resource_json, cleanup)


def _is_wanted(stack: Stack, logical_id: str) -> bool:
    """Is the resource in the stack's template, and its condition, if any, true?"""
    resource_json = stack.template_dict["Resources"].get(logical_id)
    if resource_json is None:
        return False
    condition = resource_json.get("Condition")
    return not condition or stack.resource_map.lazy_condition_map[condition]


def _resolve(stack: Stack, resource_json: dict[str, Any]) -> dict[str, Any]:
    properties = resource_json.get("Properties") or {}
    return copy.deepcopy(parsing.clean_json(copy.deepcopy(properties), stack.resource_map))


def _create_resource(stack: Stack, logical_id: str, resource_json: dict[str, Any]) -> None:
    record = StackResource(stack.stack_id, stack.name, logical_id, resource_json["Type"])
    stack.resource_records[logical_id] = record
    add_event(stack, "CREATE_IN_PROGRESS", resource=record)
    try:
        record.properties = _resolve(stack, resource_json)
        record.stack_tags = stack_tags.of(stack, record.resource_type, logical_id)
        # moto creates the resource when it is first asked for.
        with kept_by(record, record.properties):
            resource = stack.resource_map[logical_id]
    except Exception as error:
        remains = getattr(error, "remains", None)
        if remains is not None:
            record.physical_resource_id = remains.physical_resource_id
            stack.resource_map._parsed_resources[logical_id] = remains
        add_event(stack, "CREATE_FAILED", failure_reason(record.resource_type, error), record)
        raise ResourceFailed("create", logical_id) from error
    record.physical_resource_id = resource.physical_resource_id
    add_event(stack, "CREATE_IN_PROGRESS", "Resource creation Initiated", record)
    add_event(stack, "CREATE_COMPLETE", resource=record)


def _update_resource(
    stack: Stack, logical_id: str, resource_json: dict[str, Any], cleanup: _Cleanup
) -> None:
    record = stack.resource_records[logical_id]
    resource = stack.resource_map._parsed_resources[logical_id]
    try:
        properties = _resolve(stack, resource_json)
    except Exception as error:
        add_event(stack, "UPDATE_FAILED", failure_reason(record.resource_type, error), record)
        raise ResourceFailed("update", logical_id) from error
    changed = changed_properties(properties, record.properties)
    tags = stack_tags.of(stack, record.resource_type, logical_id)
    same = not changed and tags == record.stack_tags
    # What a nested stack's template says may have changed behind the same URL.
    if same and not record.unsure and record.resource_type != STACK_TYPE:
        return
    replace = needs_replacement(record.resource_type, type(resource), changed)
    reason = (
        "Requested update requires the creation of a new physical resource; hence creating one."
        if replace
        else None
    )
    add_event(stack, "UPDATE_IN_PROGRESS", reason, record)
    name, earlier_tags = record.generated_name, record.stack_tags
    record.stack_tags = tags
    try:
        if replace:
            old = (copy.copy(record), resource, resource_json)
            record.generated_name = None
            with kept_by(record, properties):
                new = _replace_resource(stack, logical_id, resource)
            cleanup.replaced.append(old)
        else:
            check_applied(record.resource_type, changed)
            with kept_by(record, properties):
                new = parsing.parse_and_update_resource(
                    logical_id,
                    copy.deepcopy(resource_json),
                    stack.resource_map,
                    account_id=stack.account_id,
                    region_name=stack.region_name,
                )
            stack.resource_map._parsed_resources[logical_id] = new
            if is_replaced(resource, new):
                cleanup.replaced.append((copy.copy(record), resource, resource_json))
    except Exception as error:
        add_event(stack, "UPDATE_FAILED", failure_reason(record.resource_type, error), record)
        record.unsure, record.generated_name = not replace, name
        record.stack_tags = earlier_tags
        raise ResourceFailed("update", logical_id) from error
    record.physical_resource_id = new.physical_resource_id
    record.properties, record.unsure = properties, False
    add_event(stack, "UPDATE_COMPLETE", resource=record)


def _replace_resource(stack: Stack, logical_id: str, old: Any) -> Any:
    parsed = stack.resource_map._parsed_resources
    del parsed[logical_id]
    try:
        return stack.resource_map[logical_id]
    except Exception:
        parsed[logical_id] = old
        raise


def _clean_up(stack: Stack, cleanup: _Cleanup, other: dict[str, Any], of_new: bool = False) -> None:
    """Delete what was replaced, and what only the template `other` makes: `of_new` if the same operation
    has made it.

    A resource that can't be deleted is left behind, as on AWS.
    """
    for record, resource, resource_json in reversed(cleanup.replaced):
        if resource_json.get("UpdateReplacePolicy") != "Retain":
            _delete_resource(stack, record, resource, resource_json)
    for logical_id in reversed(creation_order(other)):
        resource = stack.resource_map._parsed_resources.get(logical_id)
        if _is_wanted(stack, logical_id) or resource is None:
            continue
        resource_json = other["Resources"][logical_id]
        record = stack.resource_records[logical_id]
        if is_retained(resource_json, of_new):
            add_event(stack, "DELETE_SKIPPED", resource=record)
        else:
            _delete_resource(stack, record, resource, resource_json)
        del stack.resource_map._parsed_resources[logical_id]


def _delete_resource(
    stack: Stack, record: StackResource, resource: Any, resource_json: dict[str, Any]
) -> bool:
    add_event(stack, "DELETE_IN_PROGRESS", resource=record)
    try:
        stack.resource_map._delete_resource(resource, resource_json)
    except Exception as error:
        # Deleting what is gone already is a success, as for AWS's resource handlers.
        if error_code(error) not in GONE:
            add_event(stack, "DELETE_FAILED", failure_reason(record.resource_type, error), record)
            return False
    add_event(stack, "DELETE_COMPLETE", resource=record)
    return True


def _finish_deletion(stack: Stack, operation: str, of_new: bool = False) -> None:
    """Delete what the stack has made, dependents first, and write the operation's last event."""
    # A stack in review has no template yet.
    template = stack.template_dict or {"Resources": {}}
    needs = dependencies(template)
    parsed = stack.resource_map._parsed_resources
    remaining = {logical_id for logical_id in needs if parsed.get(logical_id) is not None}
    failed = []
    for logical_id in reversed(creation_order(template)):
        if logical_id not in remaining:
            continue
        if any(logical_id in needs[other] for other in remaining):
            continue
        record = stack.resource_records[logical_id]
        resource_json = template["Resources"][logical_id]
        if is_retained(resource_json, of_new):
            add_event(stack, "DELETE_SKIPPED", resource=record)
        elif not _delete_resource(stack, record, parsed[logical_id], resource_json):
            failed.append(logical_id)
            continue
        remaining.discard(logical_id)
        del parsed[logical_id]
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        add_event(stack, f"{operation}_FAILED", reason)
    else:
        add_event(stack, f"{operation}_COMPLETE")
