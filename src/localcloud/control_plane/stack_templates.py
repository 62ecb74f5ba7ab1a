"""What CloudFormation asks of a template before it makes anything: references, circles, parameters,
capabilities.

moto finds out only while creating resources, so that a bad template ends in a server error half
way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import Stack

from . import template_yaml
from .stack_deletion_policies import check_policies
from .template_functions import SECTIONS, check_functions, check_lookups

# Resources that let a stack act for somebody, and the property that gives each its own name
# (CloudFormation API reference, CreateStack, Capabilities).
_IAM_NAMES = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}


class InsufficientCapabilities(CloudFormationError):
    """The template makes IAM resources and the caller didn't say that this is meant."""

    code = "InsufficientCapabilitiesException"


def load_template(body: str) -> dict[str, Any]:
    """What a template says, with attributes whose names have dots in one piece. Raises ValidationError.

    moto splits Outputs.Name of a nested stack at the dot, in Fn::GetAtt and Fn::Sub.
    """
    template = template_yaml.load(body)
    if not isinstance(template, dict):
        return template
    check_functions(template)
    return {
        name: _with_whole_names(part) if name in SECTIONS else part
        for name, part in template.items()
    }


def _with_whole_names(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_whole_names(each) for each in node]
    if not isinstance(node, dict):
        return node
    written = {}
    for name, value in node.items():
        if name == "Fn::GetAtt":
            parts = value.split(".", 1) if isinstance(value, str) else value
            written[name] = [parts[0], ".".join(map(str, parts[1:]))]
        elif name == "Fn::Sub":
            text, given = (value, {}) if isinstance(value, str) else value
            given = _with_whole_names(given)
            for number, found in enumerate(re.findall(r"\$\{(\w+\.[\w.]+)\}", text)):
                if found.count(".") > 1:
                    text = text.replace(f"${{{found}}}", f"${{attribute{number}}}")
                    given[f"attribute{number}"] = {"Fn::GetAtt": found.split(".", 1)}
            written[name] = [text, given] if given else text
        else:
            written[name] = _with_whole_names(value)
    return written


def parse_template(body: str) -> dict[str, Any]:
    """The template in `body`, YAML or JSON, short forms written out. Raises ValidationError."""
    template = load_template(body)
    if not isinstance(template, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    if not template.get("Resources"):
        raise ValidationError(
            message="Template format error: At least one Resources member must be defined."
        )
    for section in ("Resources", "Parameters", "Outputs", "Conditions", "Mappings"):
        _check_section(section, template.get(section) or {})
    if not isinstance(template.get("Transform", ""), (str, list, dict)):
        raise ValidationError(
            message="Template format error: Transform must be a string or a list."
        )
    _check_conditions(template)
    if not template.get("Transform"):  # which may write others
        check_policies(template)
    return template


def check_template(
    body: str, parameters: Mapping[str, Any], stack_name: str, account_id: str, region: str
) -> dict[str, Any]:
    """Parse a template and make the checks that need no resources, for a stack of this name.

    Raises ValidationError.
    """
    template = parse_template(body)
    check_parameters(template, parameters)
    creation_order(template)
    resources = parsing.ResourceMap(
        "", stack_name, dict(parameters), {}, region, account_id, template, {}
    )
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    check_lookups(template, resources)
    return template


def change_of_types(stack: Stack, template: Mapping[str, Any]) -> str | None:
    """What is wrong with a parsed template that gives a resource of the stack another type; else None (text:
    issue 6786 of aws/aws-sam-cli).
    """
    changed = [
        logical_id
        for logical_id, record in stack.resource_records.items()
        if logical_id in stack.resource_map._parsed_resources
        and template["Resources"].get(logical_id, {}).get("Type")
        not in (None, record.resource_type)
    ]
    if not changed:
        return None
    return (
        "Update of resource type is not permitted. The new template modifies resource type of the "
        f"following resources: [{', '.join(changed)}]"
    )


def is_already(stack: Stack, template: str, parameters: Mapping[str, Any]) -> bool:
    """Do `template` and `parameters` say what the stack's own say?"""
    # moto writes into the parsed template while it makes resources.
    wanted, own = parse_template(template), parse_template(stack.template)
    return wanted == own and _values(wanted, parameters) == _values(own, stack.parameters)


def _values(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters' values: a default counts like a value that was given."""
    declared = template.get("Parameters") or {}
    defaults = {name: each["Default"] for name, each in declared.items() if "Default" in each}
    return {name: str(value) for name, value in {**defaults, **parameters}.items()}


def _check_section(name: str, section: Any) -> None:
    if not isinstance(section, dict):
        raise ValidationError(message=f"Template format error: [/{name}] must be an object.")
    for key, member in section.items():
        if member is None:
            raise ValidationError(
                message=f"[/{name}/{key}] 'null' values are not allowed in templates"
            )
        if name != "Conditions" and not isinstance(member, dict):
            raise ValidationError(
                message=f"Template format error: [/{name}/{key}] must be an object."
            )
        if name == "Mappings":
            _check_mapping(member)
        if name in ("Resources", "Parameters") and not isinstance(member.get("Type"), str):
            raise ValidationError(
                message=f"Template format error: [/{name}/{key}] Every {name} object must contain "
                "a Type member."
            )


def _check_mapping(mapping: Mapping[Any, Any]) -> None:
    """Texts as recorded from AWS on 12-06-2023 (LocalStack's engine/test_mappings.snapshot.json)."""
    for key, values in mapping.items():
        if not isinstance(values, dict):
            raise ValidationError(
                message=f"Template format error: Every Mappings member {key} must be a map"
            )
        for value in values.values():
            if isinstance(value, dict) or value is None:
                raise ValidationError(
                    message="Template format error: Every Mappings attribute must be a String or a List."
                )


def _check_conditions(template: Mapping[str, Any]) -> None:
    known = template.get("Conditions") or {}
    for section in ("Resources", "Outputs"):
        for member in (template.get(section) or {}).values():
            condition = member.get("Condition")
            if condition is not None and str(condition) not in known:
                raise ValidationError(
                    message=f"Template format error: Unresolved condition dependency {condition} "
                    f"in the {section} block of the template"
                )


def check_capabilities(template: Mapping[str, Any], given: Iterable[str]) -> None:
    """Raise InsufficientCapabilities unless the capabilities that `template` needs are among
    `given`.
    """
    needed = needed_capability(template)
    # The stronger capability includes the weaker.
    if needed and needed not in given and "CAPABILITY_NAMED_IAM" not in given:
        raise InsufficientCapabilities(f"Requires capabilities : [{needed}]")


def check_expansion(given: Iterable[str]) -> None:
    """Raise InsufficientCapabilities unless a template with a transform may be expanded at once."""
    if "CAPABILITY_AUTO_EXPAND" not in given:
        raise InsufficientCapabilities("Requires capabilities : [CAPABILITY_AUTO_EXPAND]")


def needed_capability(template: Mapping[str, Any]) -> str | None:
    """CAPABILITY_NAMED_IAM, CAPABILITY_IAM or none, by the template's IAM resources."""
    iam = [r for r in template["Resources"].values() if r.get("Type") in _IAM_NAMES]
    if not iam:
        return None
    named = any(_IAM_NAMES[r["Type"]] in (r.get("Properties") or {}) for r in iam)
    return "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"


def iam_resource_types(template: Mapping[str, Any]) -> list[str]:
    """The types of the template's resources that need a capability, each once, sorted."""
    return sorted({r.get("Type") for r in template["Resources"].values()} & set(_IAM_NAMES))


def check_parameters(template: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise ValidationError for a parameter that is missing, unknown or not what the template
    allows.
    """
    declared = template.get("Parameters") or {}
    unknown = [name for name in given if name not in declared]
    if unknown:
        listed = ", ".join(unknown)
        raise ValidationError(message=f"Parameters: [{listed}] do not exist in the template")
    missing = [name for name, d in declared.items() if name not in given and "Default" not in d]
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for name, declaration in declared.items():
        _check_value(name, declaration, str(given.get(name, declaration.get("Default"))))


def given_parameters(stack: Stack | None, given: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The values in a request's Parameters, those of UsePreviousValue being the stack's.

    Raises ValidationError for one that the stack has no value of.
    """
    values = {}
    for parameter in given:
        name = parameter["ParameterKey"]
        if not parameter.get("UsePreviousValue"):
            values[name] = parameter.get("ParameterValue", "")
            continue
        declared = (stack.template_dict.get("Parameters") or {}) if stack else {}
        if name not in declared:
            raise ValidationError(
                message=f"Invalid input for parameter key {name}. Cannot specify usePreviousValue "
                "as true for a parameter key not in the previous template"
            )
        values[name] = stack.parameters.get(name, declared[name].get("Default"))
    return values


def _check_value(name: str, declaration: Mapping[str, Any], value: str) -> None:
    kind = declaration.get("Type", "String")
    # Text: issue 930 of the CloudFormation coverage roadmap; "at most" is UNCONFIRMED.
    fewest, most = int(declaration.get("MinLength", 0)), declaration.get("MaxLength")
    if len(value) < fewest:
        _refuse(name, declaration, f"Parameter '{name}' must contain at least {fewest} characters")
    if most is not None and len(value) > int(most):
        _refuse(name, declaration, f"Parameter '{name}' must contain at most {most} characters")
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    values = {v.strip() for v in value.split(",")} if is_list else {value}
    allowed = {str(v) for v in declaration.get("AllowedValues", [])}
    if allowed and not values <= allowed:
        _refuse(name, declaration, f"Parameter '{name}' must be one of AllowedValues")
    pattern = declaration.get("AllowedPattern")
    if pattern and not _matches(name, str(pattern), value):
        _refuse(name, declaration, f"Parameter '{name}' must match pattern {pattern}")
    if kind != "Number":
        return
    try:
        number = float(value)
    except ValueError:
        raise ValidationError(message=f"Parameter '{name}' must be a number.") from None
    for limit, word, wrong in (
        ("MinValue", "less", float.__lt__),
        ("MaxValue", "greater", float.__gt__),
    ):
        if limit in declaration and wrong(number, float(declaration[limit])):
            bound = declaration[limit]
            _refuse(
                name, declaration, f"Parameter '{name}' must be a number not {word} than {bound}"
            )


def _matches(name: str, pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error as error:
        raise ValidationError(
            message=f"Template format error: AllowedPattern of parameter '{name}' is no regular "
            f"expression: {error}"
        ) from None


def _refuse(name: str, declaration: Mapping[str, Any], message: str) -> None:
    # The template's own words, where it has some.
    own = declaration.get("ConstraintDescription")
    if own:
        message = f"Parameter {name} failed to satisfy constraint: {own}"
    raise ValidationError(message=message)


def references(node: Any) -> Iterator[str]:
    """The logical ids that a part of a template refers to, by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "Ref" and isinstance(value, str):
                yield value
            elif name == "Fn::GetAtt" and value:
                yield value.split(".")[0] if isinstance(value, str) else value[0]
            elif name == "Fn::Sub":
                yield from _sub_references(value)
            else:
                yield from references(value)


def _sub_references(value: Any) -> Iterator[str]:
    text, given = (value, {}) if isinstance(value, str) else value
    yield from references(given)
    for name in re.findall(r"\$\{([^!}][^}]*)\}", text):
        logical_id = name.split(".")[0]
        if logical_id not in given:
            yield logical_id


def dependencies(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each resource of `template` the resources that must exist before it.

    Raises ValidationError for a reference to something the template doesn't have.
    """
    resources = template["Resources"]
    known = {*resources, *(template.get("Parameters") or {})}
    graph: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        depends_on = resource.get("DependsOn", [])
        depends_on = [depends_on] if isinstance(depends_on, str) else depends_on
        named = {*references(resource.get("Properties")), *depends_on}
        _require_known(named, known, "Resources")
        graph[logical_id] = {n for n in named if n in resources}
    _require_known(set(references(template.get("Outputs"))), known, "Outputs")
    return graph


def _require_known(named: set[str], known: set[str], block: str) -> None:
    unresolved = sorted(n for n in named if n not in known and not n.startswith("AWS::"))
    if unresolved:
        raise ValidationError(
            message="Template format error: Unresolved resource dependencies "
            f"[{', '.join(unresolved)}] in the {block} block of the template"
        )


def creation_order(template: Mapping[str, Any]) -> list[str]:
    """The logical ids of `template`, each after those it depends on.

    Raises ValidationError for a circle, or for a resource type that this cloud can't make.
    """
    types = {resource.get("Type", "") for resource in template["Resources"].values()}
    unrecognized = sorted(
        t
        for t in types
        if not t.startswith("Custom::")
        and t not in parsing.NULL_MODELS
        and t not in parsing.get_model_map()
    )
    if unrecognized:
        raise ValidationError(
            message="Template format error: Unrecognized resource types: "
            f"[{', '.join(unrecognized)}]"
        )
    try:
        return list(TopologicalSorter(dependencies(template)).static_order())
    except CycleError as error:
        circle = ", ".join(dict.fromkeys(error.args[1]))
        raise ValidationError(
            message=f"Circular dependency between resources: [{circle}]"
        ) from None
