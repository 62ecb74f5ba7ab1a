"""What an update would change in a stack, found out without touching anything: the changes of a change set.

Fields and values: botocore's model of CloudFormation (ResourceChange, ResourceChangeDetail,
ResourceTargetDefinition) and the User Guide, "Example change sets".
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack

from .stack_deletion_policies import is_retained
from .stack_events import STACK_TYPE, StackResource
from .stack_property_changes import changed_properties, needs_replacement
from .stack_templates import creation_order, parse_template, references

# Attributes of a resource beside its properties (ResourceAttribute in the API's model).
_ATTRIBUTES = (
    "Metadata",
    "CreationPolicy",
    "UpdatePolicy",
    "DeletionPolicy",
    "UpdateReplacePolicy",
)
# Stands in resolved properties for a value that only the update will tell, with where it comes from.
_UNKNOWN = re.compile(r"{{changeSet:(\w+):([\w.]+)}}")


def changes(
    stack: Stack, template: Mapping[str, Any], parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A ResourceChange for everything that an update of `stack` to `template` would add, modify or
    remove.

    `template` is a parsed one. Raises ValidationError where it can't be resolved.
    """
    future = _Future(stack, template, parameters)
    found = []
    for logical_id in creation_order(template):
        change = future.change(logical_id)
        if change:
            found.append(change)
    wanted = {logical_id for logical_id in template["Resources"] if future.is_wanted(logical_id)}
    for logical_id, record in _live(stack).items():
        if logical_id not in wanted:
            retained = is_retained(future.parts[logical_id])
            found.append(
                {
                    **_identity("Remove", logical_id, record.resource_type),
                    "PhysicalResourceId": record.physical_resource_id,
                    "PolicyAction": "Retain" if retained else "Delete",
                }
            )
    return found


def _live(stack: Stack) -> dict[str, StackResource]:
    parsed = stack.resource_map._parsed_resources
    return {each: record for each, record in stack.resource_records.items() if each in parsed}


def _identity(action: str, logical_id: str, resource_type: str) -> dict[str, Any]:
    return {
        "Action": action,
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "Scope": [],
        "Details": [],
    }


class _Future:
    """A stack as it would be after an update: resources that are there, and what will be unknown."""

    def __init__(self, stack: Stack, template: Mapping[str, Any], parameters: Mapping[str, Any]):
        self.template, self.live = template, _live(stack)
        # As they were written: moto writes into the parsed template while it makes resources.
        self.parts = parse_template(stack.template)["Resources"] if self.live else {}
        self.map = parsing.ResourceMap(
            stack.stack_id,
            stack.name,
            parameters,
            {},
            account_id=stack.account_id,
            region_name=stack.region_name,
            template=template,
            cross_stack_resources=stack.cross_stack_resources,
        )
        self.map.load_mapping()
        self.map.load_parameters()
        self.map.load_conditions()
        now = stack.resource_map._parsed_resources
        self.map._parsed_resources.update({each: now[each] for each in self.live})
        # Logical ids whose Ref, and those whose attributes, may come out different.
        self.new_ids: set[str] = set()
        self.new_attributes: set[str] = set()
        was = stack.resource_map.resolved_parameters
        self.changed_parameters = {
            name
            for name, value in self.map.resolved_parameters.items()
            if value != was.get(name, value)
        }

    def is_wanted(self, logical_id: str) -> bool:
        condition = self.template["Resources"][logical_id].get("Condition")
        return not condition or self.map.lazy_condition_map[condition]

    def change(self, logical_id: str) -> dict[str, Any] | None:
        """A resource's change, or None. Those that it refers to must have been asked for before."""
        part = self.template["Resources"][logical_id]
        if not self.is_wanted(logical_id) or part["Type"] in parsing.NULL_MODELS:
            return None
        record = self.live.get(logical_id)
        if record is None:
            self.new_ids.add(logical_id)
            self.new_attributes.add(logical_id)
            return _identity("Add", logical_id, part["Type"])
        details = self._details(record, part)
        if not details:
            return None
        replacement = _replacement(details)
        self.new_attributes.add(logical_id)
        if replacement != "False":
            self.new_ids.add(logical_id)
        change = {
            **_identity("Modify", logical_id, part["Type"]),
            "PhysicalResourceId": record.physical_resource_id,
            "Replacement": replacement,
            "Scope": list(dict.fromkeys(each["Target"]["Attribute"] for each in details)),
            "Details": details,
        }
        if replacement == "True":
            retained = part.get("UpdateReplacePolicy") == "Retain"
            change["PolicyAction"] = "ReplaceAndRetain" if retained else "ReplaceAndDelete"
        return change

    def _details(self, record: StackResource, part: Mapping[str, Any]) -> list[dict[str, Any]]:
        was = self.parts[record.logical_resource_id]
        new, old = part.get("Properties") or {}, was.get("Properties") or {}
        resolved = parsing.clean_json(self._with_unknowns(copy.deepcopy(new)), self.map)
        resource = self.map._parsed_resources[record.logical_resource_id]
        details = []
        for name in dict.fromkeys((*new, *old)):
            value, before = resolved.get(name), record.properties.get(name)
            edited = new.get(name) != old.get(name)
            changed = {name} | changed_properties({name: value}, {name: before})
            always = needs_replacement(record.resource_type, type(resource), changed)
            # For tags, which are an attribute of their own, no property is named.
            what = (
                {"Attribute": "Tags"}
                if name == "Tags"
                else {"Attribute": "Properties", "Name": name}
            )
            target = what | {"RequiresRecreation": "Always" if always else "Never"}
            for source, entity, evaluation in self._causes(value, before, edited, new.get(name)):
                cause = {"CausingEntity": entity} if entity else {}
                details.append(_detail(target, evaluation, source) | cause)
        for attribute in _ATTRIBUTES:
            if part.get(attribute) != was.get(attribute):
                target = {"Attribute": attribute, "RequiresRecreation": "Never"}
                details.append(_detail(target, "Static", "DirectModification"))
        if not details and record.resource_type == STACK_TYPE:
            target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
            details.append(_detail(target, "Dynamic", "Automatic"))
        return details

    def _causes(
        self, value: Any, before: Any, edited: bool, written: Any
    ) -> list[tuple[str, str | None, str]]:
        """Why a property changes: (ChangeSource, CausingEntity, Evaluation); empty where it doesn't."""
        unknown = dict.fromkeys(_UNKNOWN.findall(json.dumps(value, default=str)))
        if not unknown and value == before:
            return []
        causes: list[tuple[str, str | None, str]] = [(s, e, "Dynamic") for s, e in unknown]
        for name in dict.fromkeys(references(written)):
            if name in self.changed_parameters:
                causes.append(("ParameterReference", name, "Static"))
        # What isn't written differently, the value being another, is evaluated when it is executed.
        if edited or not unknown:
            static = not unknown and (edited or not causes)
            causes.append(("DirectModification", None, "Static" if static else "Dynamic"))
        return causes

    def _with_unknowns(self, node: Any) -> Any:
        """`node` with markers in place of references to what isn't known before the update."""
        if isinstance(node, list):
            return [self._with_unknowns(each) for each in node]
        if not isinstance(node, dict):
            return node
        if node.get("Ref") in self.new_ids:
            return self._marker(node["Ref"])
        if "Fn::GetAtt" in node and node["Fn::GetAtt"][0] in self.new_attributes:
            return self._marker(".".join(node["Fn::GetAtt"]))
        if "Fn::Sub" in node:
            text, given = node["Fn::Sub"], {}
            if isinstance(text, list):
                text, given = text
            text = re.sub(
                r"\$\{([\w.]+)\}",
                lambda found: (
                    self._marker(found[1])
                    if found[1] not in given and self._is_unknown(found[1])
                    else found[0]
                ),
                text,
            )
            return {"Fn::Sub": [text, self._with_unknowns(given)] if given else text}
        return {name: self._with_unknowns(value) for name, value in node.items()}

    def _is_unknown(self, name: str) -> bool:
        logical_id, _, attribute = name.partition(".")
        return logical_id in (self.new_attributes if attribute else self.new_ids)

    def _marker(self, name: str) -> str:
        source = "ResourceAttribute" if "." in name else "ResourceReference"
        return f"{{{{changeSet:{source}:{name}}}}}"


def _detail(target: dict[str, str], evaluation: str, source: str) -> dict[str, Any]:
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": source}


def _replacement(details: list[dict[str, Any]]) -> str:
    always = [each for each in details if each["Target"]["RequiresRecreation"] == "Always"]
    if any(each["Evaluation"] == "Static" for each in always):
        return "True"
    return "Conditional" if always else "False"
