"""Exported outputs: a name is one stack's in a region, and stays while another stack imports it.

CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack"; the texts are those
of stack events that people have shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.parsing import Export

from .stack_endpoints import here

# In these states a stack has no resources.
_EMPTY = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")


class StackFailed(Exception):
    """A stack can't become what its template says; the text is the reason in its event."""


def exports_of(stack: Stack) -> dict[str, Export]:
    """The stack's exports by name, as its outputs come out now."""
    found = {}
    for output in (stack.template_dict.get("Outputs") or {}).values():
        condition = output.get("Condition")
        if "Export" not in output or (
            condition and not stack.resource_map.lazy_condition_map[condition]
        ):
            continue
        name = parsing.clean_json(output["Export"]["Name"], stack.resource_map)
        value = here(parsing.clean_json(output["Value"], stack.resource_map), stack.account_id)
        found[name] = Export(stack.stack_id, name, value)
    return found


def imports_of(stack: Stack) -> set[str]:
    """The names that the stack imports, in its resources (but those left out) and outputs."""
    template = stack.template_dict
    conditions = stack.resource_map.lazy_condition_map
    parts = [*template["Resources"].values(), *(template.get("Outputs") or {}).values()]
    made = [p for p in parts if "Condition" not in p or conditions[p["Condition"]]]
    return {parsing.clean_json(name, stack.resource_map) for name in _import_names(made)}


def _import_names(node: Any) -> Iterator[Any]:
    if isinstance(node, list):
        for each in node:
            yield from _import_names(each)
    elif isinstance(node, dict):
        if "Fn::ImportValue" in node:
            yield node["Fn::ImportValue"]
        for each in node.values():
            yield from _import_names(each)


def importers(name: str, stacks: Iterable[Stack]) -> list[str]:
    """The names of the stacks that import the export `name`."""
    return [each.name for each in stacks if each.status not in _EMPTY and name in imports_of(each)]


def check_imports(stack: Stack) -> None:
    """Raise StackFailed where the stack imports what no stack exports."""
    for name in sorted(imports_of(stack)):
        if name not in stack.cross_stack_resources:
            raise StackFailed(f"No export named {name} found.")


def check_exports(stack: Stack) -> None:
    """Raise StackFailed where a name is another stack's, or what others import would change."""
    stacks = cloudformation_backends[stack.account_id][stack.region_name].stacks
    known = stack.cross_stack_resources
    new = exports_of(stack)
    for name in new:
        if name in known and known[name].exporting_stack_id != stack.stack_id:
            owner = stacks[known[name].exporting_stack_id].name
            raise StackFailed(f"Export with name {name} is already exported by stack {owner}.")
    for name, export in known.items():
        if export.exporting_stack_id != stack.stack_id:
            continue
        if name in new and new[name].value == export.value:
            continue
        others = importers(name, stacks.values())
        if others:
            verb = "updated" if name in new else "deleted"
            raise StackFailed(f"Export {name} cannot be {verb} as it is in use by {others[0]}.")


def share_exports(stack: Stack, exports: dict[str, Any]) -> None:
    """Let a stack see the region's exports: moto gives it a dict of its own where there are none."""
    stack.cross_stack_resources = stack.resource_map.cross_stack_resources = exports
