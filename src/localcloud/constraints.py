"""The constraints of a service's API model, and the words in which AWS says that one is broken.

Lengths, patterns, ranges and enumerations are botocore's; the wording is recorded from AWS (Lambda).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape

# Lambda's. The model's maxima are those of Managed Instances and accelerators (facts B1 and section 0): the
# 1,800 seconds of November 2026 stand in no quota page yet.
_MAXIMA = {"Timeout": 900, "EphemeralStorageSize": 10_240}
# A runtime that isn't there has a text of its own: control_plane/lambda_runtimes.
_JUDGED_ELSEWHERE = ("Runtime",)


def problems(shape: Shape, parameters: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong with a structure's members, one text each, as AWS words it."""
    found = []
    for name in shape.required_members:
        if name not in parameters:
            found.append(_problem("null", _join(path, name), "Member must not be null"))
    for name, value in parameters.items():
        if not path and name in _JUDGED_ELSEWHERE:
            continue
        found += _member_problems(shape.members[name], value, _join(path, name))
    return found


def _join(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _problem(value: Any, path: str, constraint: str, sensitive: bool = False) -> str:
    shown = "Value" if sensitive else f"Value {value}" if value == "null" else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _member_problems(shape: Shape, value: Any, path: str) -> list[str]:
    if shape.type_name == "structure":
        return [] if shape.is_document_type else problems(shape, value, path)
    sensitive = bool(shape.metadata.get("sensitive"))
    found = [
        _problem(_shown(value), path, constraint, sensitive) for constraint in _broken(shape, value)
    ]
    if shape.type_name == "list":
        if shape.member.type_name == "structure":
            for number, part in enumerate(value, 1):
                found += _member_problems(shape.member, part, f"{path}.{number}.member")
        elif _is_limited(shape.member) and any(list(_broken(shape.member, part)) for part in value):
            constraint = f"Member must satisfy constraint: {_all(shape.member)}"
            found.append(_problem(_shown(value), path, constraint, sensitive))
    elif shape.type_name == "map":
        if any(list(_broken(shape.key, key)) for key in value):
            constraint = f"Map keys must satisfy constraint: {_all(shape.key)}"
            found.append(_problem(_shown(value), path, constraint, sensitive))
        if any(list(_broken(shape.value, part)) for part in value.values()):
            constraint = f"Map value must satisfy constraint: {_all(shape.value)}"
            found.append(_problem(_shown(value), path, constraint, sensitive))
    return found


def _shown(value: Any) -> str:
    """A value as the service, which is written in Java, shows it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(part)}" for key, part in value.items()) + "}"
    return str(value)


def _is_limited(shape: Shape) -> bool:
    """Whether there is anything that a value can break: a vector's half a million numbers can't."""
    return bool(shape.metadata.keys() & {"min", "max", "pattern", "enum"})


def _limits(shape: Shape) -> tuple[Any, Any]:
    limits = shape.metadata
    return limits.get("min"), _MAXIMA.get(shape.name, limits.get("max"))


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    least, most = _limits(shape)
    if shape.type_name in ("string", "list", "map"):
        if most is not None and len(value) > most:
            yield f"Member must have length less than or equal to {most}"
        if least is not None and len(value) < least:
            yield f"Member must have length greater than or equal to {least}"
    elif shape.type_name in ("integer", "long", "double", "float"):
        if most is not None and value > most:
            yield f"Member must have value less than or equal to {most}"
        if least is not None and value < least:
            yield f"Member must have value greater than or equal to {least}"
    if shape.type_name == "string":
        pattern, names = shape.metadata.get("pattern"), shape.metadata.get("enum")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
        if names and value not in names:
            yield f"Member must satisfy enum value set: [{', '.join(names)}]"


def _all(shape: Shape) -> str:
    """Every constraint of a list's or map's members: the service doesn't say which was broken."""
    least, most = _limits(shape)
    what = "length" if shape.type_name == "string" else "value"
    named = []
    if most is not None:
        named.append(f"Member must have {what} less than or equal to {most}")
    if least is not None:
        named.append(f"Member must have {what} greater than or equal to {least}")
    if "pattern" in shape.metadata:
        pattern = shape.metadata["pattern"]
        named.append(f"Member must satisfy regular expression pattern: {pattern}")
    if "enum" in shape.metadata:
        named.append(f"Member must satisfy enum value set: [{', '.join(shape.metadata['enum'])}]")
    return f"[{', '.join([*named, 'Member must not be null'])}]"


@functools.cache
def _compiled(pattern: str) -> re.Pattern:
    # Java's classes of letters, blanks and numbers are Python's \w and \s. The published pattern of Bedrock
    # Agents' ARNs has /d for \d, and would match none.
    pattern = pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    return re.compile(re.sub(r"/d(?=[{+])", r"\\d", pattern))
