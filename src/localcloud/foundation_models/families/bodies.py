"""What a body may hold, and what Bedrock says to one that is malformed.

The texts are those of its JSON schema validator, as users have logged them for Claude 3, Titan, Cohere and
Nova models: `Malformed input request: #: extraneous key [stream] is not permitted, please reformat your
input and try again.`
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...rest_requests import json_of
from ..errors import BedrockError, invalid

TOOLS_BY_CONVERSE = "localcloud calls tools through Converse alone; use its toolConfig"
_AGAIN = "please reformat your input and try again."


@dataclass(frozen=True)
class Field:
    """A member of a body: its JSON type, whether it must be there, its range, and whether it is a list of
    texts.
    """

    kind: type | tuple[type, ...]
    required: bool = False
    least: float | None = None
    most: float | None = None
    is_texts: bool = False


NUMBER = (int, float)
_NAMES = {str: "String", dict: "JSONObject", list: "JSONArray", bool: "Boolean", int: "Integer"}


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a request. Raises ValidationException."""
    try:
        parsed = json_of(body)
    except ValueError:
        raise malformed() from None
    if not isinstance(parsed, dict):
        raise malformed(f"#: expected type: JSONObject, found: {_name(parsed)}")
    return parsed


def check(body: Mapping[str, Any], fields: Mapping[str, Field], path: str = "#") -> None:
    """Raise ValidationException where an object holds what it may not, or lacks what it must have."""
    found = [f"{path}: required key [{name}] not found" for name in _missing(body, fields)]
    for name, value in body.items():
        field = fields.get(name)
        if field is None:
            found.append(f"{path}: extraneous key [{name}] is not permitted")
        elif not _is(value, field.kind):
            wanted = "Number" if field.kind == NUMBER else _NAMES[field.kind]
            found.append(f"{path}/{name}: expected type: {wanted}, found: {_name(value)}")
        elif field.most is not None and value > field.most:
            found.append(f"{path}/{name}: {value} is not less or equal to {field.most}")
        elif field.least is not None and value < field.least:
            found.append(f"{path}/{name}: {value} is not greater or equal to {field.least}")
        elif field.is_texts:
            found += _wrong_texts(value, f"{path}/{name}")
    if found:
        raise malformed(*found)


def _wrong_texts(values: list, path: str) -> Iterator[str]:
    for place, value in enumerate(values):
        if not isinstance(value, str):
            yield f"{path}/{place}: expected type: String, found: {_name(value)}"
        elif not value:
            yield f"{path}/{place}: expected minLength: 1, actual: 0"


def malformed(*problems: str) -> BedrockError:
    """The error for a body with these problems."""
    if not problems:
        return invalid(f"Malformed input request, {_AGAIN}")
    return invalid(f"Malformed input request: {''.join(problems)}, {_AGAIN}")


def _missing(body: Mapping[str, Any], fields: Mapping[str, Field]) -> list[str]:
    return [name for name, field in fields.items() if field.required and name not in body]


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _name(value: Any) -> str:
    if value is None:
        return "Null"
    return "Double" if isinstance(value, float) else _NAMES.get(type(value), "JSONArray")
