"""Intrinsic functions: what their arguments must be, and what they come out as.

moto takes what it is given: an argument too few is a server error half way, a wrong one a value that nobody
wrote. What each function takes: "Intrinsic function reference" (CloudFormation Template Reference Guide).

Texts: Fn::FindInMap, recorded from AWS on 12-06-2023 (LocalStack's engine/test_mappings.snapshot.json),
issue 479 of cloudtools/troposphere and Senza's README; Fn::Select, issue 1483 of cloudtools/troposphere;
Fn::Join, Fn::Split up to its comma, Fn::If's unknown condition and unsupported functions, as users have shown
them; the others those of Eucalyptus's CloudFormation, which was written after AWS's. What Fn::Split says
further is UNCONFIRMED.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError

SECTIONS = ("Conditions", "Resources", "Outputs")
# Beside those of Rules, which moto doesn't look at.
_SUPPORTED = (
    "Fn::Base64", "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue", "Fn::Join", "Fn::Split", "Fn::FindInMap",
    "Fn::Select", "Ref", "Fn::Equals", "Fn::If", "Fn::Not", "Condition", "Fn::And", "Fn::Or", "Fn::Sub",
    "Fn::Cidr",
)  # fmt: skip
_GET_ATT = (
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute"
)
_SUB = (
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
    "argument, and an optional second argument to specify a mapping of values to replace in the string"
)
_FIND_IN_MAP = (
    "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for "
    "return value"
)
_SELECT = "Fn::Select requires a list argument with two elements: an integer index and a list"
_JOIN = (
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
    "joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
_SPLIT = (
    "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or "
    "a function that returns a string to be split."
)
_IF = "Fn::If requires a list argument with three elements, the first being a condition"
_BASE64 = "every Fn::Base64 object must have a String-typed value."


class TemplateError(ValidationError):
    """A function of a template can't be what it is written as, or comes out as nothing."""

    def __init__(self, reason: str):
        super().__init__(message=f"Template error: {reason}")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_list(value: Any, *lengths: int) -> bool:
    return isinstance(value, list) and len(value) in lengths


def _is_function(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in names


def _is_name(value: Any) -> bool:
    """May it stand in Fn::FindInMap or be Fn::Select's index, and is it no list?"""
    return _is_scalar(value) or _is_function(value, "Ref", "Fn::FindInMap")


def _is_get_att(value: Any) -> bool:
    parts = value.split(".", 1) if isinstance(value, str) else value
    return isinstance(parts, list) and len(parts) > 1 and all(parts)


def _is_sub(value: Any) -> bool:
    match value:
        case str() | [str(), dict()]:
            return True
    return False


def _is_delimited(value: Any) -> bool:
    return _is_list(value, 2) and isinstance(value[0], str)


def _conditions(name: str) -> tuple[Callable[[Any], bool], str]:
    text = f"every {name} object requires a list of at least 2 and at most 10 boolean parameters."
    return (lambda value: _is_list(value, *range(2, 11))), text


# What the arguments of a function must be, whatever they come out as; and what is said where they are not.
_ARGUMENTS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "Ref": (lambda value: isinstance(value, str), "All References must be of type string"),
    "Fn::GetAtt": (_is_get_att, _GET_ATT),
    "Fn::Sub": (_is_sub, _SUB),
    "Fn::FindInMap": (lambda value: _is_list(value, 3) and all(map(_is_name, value)), _FIND_IN_MAP),
    "Fn::Select": (
        lambda value: _is_list(value, 2) and isinstance(value[1], list | dict), _SELECT,
    ),
    "Fn::Join": (lambda value: _is_delimited(value) and isinstance(value[1], list | dict), _JOIN),
    "Fn::Split": (
        lambda value: _is_delimited(value) and value[0] and isinstance(value[1], str | dict), _SPLIT,
    ),
    "Fn::If": (lambda value: _is_list(value, 3) and isinstance(value[0], str), _IF),
    "Fn::Base64": (lambda value: _is_scalar(value) or isinstance(value, dict), _BASE64),
    "Fn::Equals": (
        lambda value: _is_list(value, 2), "every Fn::Equals object requires a list of 2 string parameters.",
    ),
    "Fn::And": _conditions("Fn::And"),
    "Fn::Or": _conditions("Fn::Or"),
    "Fn::Not": (
        lambda value: _is_list(value, 1), "Fn::Not requires a list argument with one element",
    ),
}  # fmt: skip


def check_functions(template: Mapping[str, Any]) -> None:
    """Raise ValidationError for a function that there isn't, or with wrong arguments.

    `template` has just been read: its sections may be of any form.
    """
    sections = {
        name: part
        for name in (*SECTIONS, "Mappings")
        if isinstance(part := template.get(name), dict)
    }
    conditions, mappings = sections.get("Conditions", ()), sections.pop("Mappings", ())
    for name, value in _functions([list(part.values()) for part in sections.values()]):
        is_right, text = _ARGUMENTS.get(name, (None, ""))
        if is_right and not is_right(value):
            raise TemplateError(text)
        if name == "Fn::FindInMap" and _is_scalar(value[0]) and value[0] not in mappings:
            raise _no_mapping(value[0])
        if name == "Fn::If" and value[0] not in conditions:
            raise TemplateError(f"unresolved condition dependency {value[0]} in Fn::If")
        if "Transform" not in template:  # which may do something with it
            _check_support(name)


def _check_support(name: str) -> None:
    if name == "Fn::Cidr":
        raise ValidationError(message="localcloud doesn't have Fn::Cidr: write the blocks out")
    if name not in (*_SUPPORTED, "Fn::Transform"):
        raise ValidationError(
            message=f"Template Error: Encountered unsupported function: {name} Supported functions "
            f"are: [{', '.join(_SUPPORTED)}]"
        )


def _functions(node: Any) -> Iterator[tuple[str, Any]]:
    """All functions in a part of a template, the outer before the inner: name and arguments."""
    if isinstance(node, list):
        for each in node:
            yield from _functions(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "Ref" or str(name).startswith("Fn::"):
                yield name, value
            yield from _functions(value)


def _no_mapping(name: Any) -> TemplateError:
    return TemplateError(
        f"Mapping named '{name}' is not present in the 'Mappings' section of template."
    )


def check_lookups(template: Mapping[str, Any], resources: parsing.ResourceMap) -> None:
    """Raise TemplateError for a Fn::FindInMap that finds nothing, in what `template` is going to make.

    `resources` has its parameters, mappings and conditions. What a condition leaves out isn't looked at
    (whether AWS does is UNCONFIRMED).
    """
    conditions = resources.lazy_condition_map
    for section in ("Resources", "Outputs"):
        for part in (template.get(section) or {}).values():
            if "Condition" not in part or conditions[part["Condition"]]:
                _look_up(part, resources)


def _look_up(node: Any, resources: parsing.ResourceMap) -> None:
    if _is_function(node, "Fn::FindInMap"):
        # A Ref in it may only be to a parameter, as there are no resources yet.
        parsing.clean_json(node, resources)
    elif _is_function(node, "Fn::If"):
        condition, true, false = node["Fn::If"]
        _look_up(true if resources.lazy_condition_map[condition] else false, resources)
    elif isinstance(node, list | dict):
        for each in node.values() if isinstance(node, dict) else node:
            _look_up(each, resources)


def _find_in_map(value: Any, resources: Mapping[str, Any]) -> Any:
    names = [_key(parsing.clean_json(each, resources)) for each in value]
    found = resources
    for depth, name in enumerate(names):
        # In YAML a key may be a number or a boolean, in CloudFormation it is a text.
        members = found if depth == 0 else {_key(key): each for key, each in found.items()}
        try:
            found = members[name]
        except KeyError:
            if depth == 0:
                raise _no_mapping(name) from None
            raise TemplateError(f"Unable to get mapping for {'::'.join(names)}") from None
    return found


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _select(value: Any, resources: Mapping[str, Any]) -> Any:
    index, members = (parsing.clean_json(each, resources) for each in value)
    if not isinstance(members, list) or not str(index).lstrip("-").isdecimal():
        raise TemplateError(_SELECT)
    if not 0 <= int(index) < len(members):
        raise TemplateError(f"Fn::Select  cannot select nonexistent value at index {index}")
    return members[int(index)]


def _join(value: Any, resources: Mapping[str, Any]) -> str:
    members = parsing.clean_json(value[1], resources)
    if not isinstance(members, list):
        raise TemplateError(_JOIN)
    given = [each for each in members if each is not None]
    if not all(map(_is_scalar, given)):
        raise TemplateError(_JOIN)
    return value[0].join(map(_key, given))


def _split(value: Any, resources: Mapping[str, Any]) -> list[str]:
    whole = parsing.clean_json(value[1], resources)
    if not _is_scalar(whole):
        raise TemplateError(_SPLIT)
    return str(whole).split(value[0])


def _zones(value: Any, resources: Mapping[str, Any]) -> list[str]:
    region = parsing.clean_json(value, resources) or resources["AWS::Region"]
    return _moto_clean_json({"Fn::GetAZs": region}, resources)


def _base64(value: Any, resources: Mapping[str, Any]) -> str:
    plain = parsing.clean_json(value, resources)
    if not _is_scalar(plain):
        raise TemplateError(_BASE64)
    return base64.b64encode(_key(plain).encode()).decode()


_EVALUATED = {
    "Fn::Base64": _base64, "Fn::FindInMap": _find_in_map, "Fn::GetAZs": _zones, "Fn::Join": _join,
    "Fn::Select": _select, "Fn::Split": _split,
}  # fmt: skip
_moto_clean_json = parsing.clean_json


def install() -> None:
    """Have moto ask here what these functions come out as. May be called more than once."""
    parsing.clean_json = _evaluate


def _evaluate(node: Any, resources: Any) -> Any:
    if _is_function(node, *_EVALUATED):
        ((name, value),) = node.items()
        return _EVALUATED[name](value, resources)
    return _moto_clean_json(node, resources)
