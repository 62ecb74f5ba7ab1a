"""Requests in REST with JSON bodies as a service's model describes them: which operation, and with
what parameters.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import OperationModel, Shape

from .constraints import problems
from .service_models import service_model


@dataclass(frozen=True)
class Request:
    """One request. `parameters` has the members of the operation's input that were given."""

    operation: OperationModel
    parameters: dict[str, Any]


class Unreadable(ValueError):
    """A body that is no JSON object, or a parameter of another type than the model's."""


class Invalid(ValueError):
    """Parameters that break the model's constraints; `problems` has a text for each."""

    def __init__(self, operation: str, parameters: dict[str, Any], found: list[str]):
        super().__init__(validation_message(found))
        self.operation = operation
        self.parameters = parameters
        self.problems = found


def validation_message(found: list[str]) -> str:
    """What AWS says where parameters break the constraints of the API's model."""
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
    return count + "; ".join(found)


@dataclass(frozen=True)
class Addressed:
    """The operation that a method and an address name, with what stands in the address."""

    operation: OperationModel
    labels: Mapping[str, str]
    query: Mapping[str, list[str]]


def addressed(services: tuple[str, ...], method: str, path: str, query: str) -> Addressed | None:
    """The operation of the services, the first that has it, at an address; None where none has.

    `path` and `query` are percent-encoded.
    """
    asked = parse_qs(query, keep_blank_values=True)
    first = None
    for route in routes(services).get(method, ()):
        found = route.pattern.fullmatch(path.rstrip("/"))
        if found and all(asked.get(name) == value for name, value in route.query.items()):
            labels = {key: unquote(value) for key, value in found.groupdict().items()}
            first = first or Addressed(route.operation, labels, asked)
            if route.ends_with_slash == path.endswith("/"):  # all that tells some apart
                return Addressed(route.operation, labels, asked)
    return first


def read(found: Addressed, headers: Mapping[str, str], body: bytes) -> Request:
    """The parameters of a request. A payload, which is the body as it is, is given as bytes.

    Raises Unreadable and Invalid.
    """
    operation = found.operation
    shape = operation.input_shape
    if shape is None:
        return Request(operation, {})
    sources = {
        "uri": lambda name, member: found.labels.get(name),
        "querystring": lambda name, member: _from_query(found.query.get(name), member),
        "header": lambda name, member: headers.get(name.lower()),
    }
    payload = shape.serialization.get("payload")
    document = {} if payload else _document(body)
    parameters = {payload: body} if payload and body else {}
    for name, member in shape.members.items():
        if name == payload:
            continue
        serialized = member.serialization.get("name", name)
        source = sources.get(member.serialization.get("location"))
        value = source(serialized, member) if source else document.get(serialized)
        if value is not None:
            parameters[name] = _typed(value, member, name)
    broken = problems(shape, parameters)
    if broken:
        raise Invalid(operation.name, parameters, broken)
    return Request(operation, parameters)


@dataclass(frozen=True)
class _Route:
    operation: OperationModel
    pattern: re.Pattern
    ends_with_slash: bool
    query: Mapping[str, list[str]]


@functools.cache
def routes(services: tuple[str, ...]) -> dict[str, list[_Route]]:
    """The services' operations by method; those that also ask for a query before those that don't, then by
    fewest labels.
    """
    found: dict[str, list[_Route]] = {}
    for service in services:
        model = service_model(service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            path, _, query = operation.http["requestUri"].partition("?")
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
            route = _Route(operation, re.compile(pattern), path.endswith("/"), parse_qs(query))
            found.setdefault(operation.http["method"], []).append(route)
    for alike in found.values():
        alike.sort(key=lambda route: (-len(route.query), route.pattern.groups))
    return found


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json_of(body or b"{}")
    except ValueError as error:
        raise Unreadable(f"The request body is not JSON in UTF-8: {error}") from None
    if not isinstance(document, dict):
        raise Unreadable("The request body is not a JSON object")
    return document


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def json_of(body: bytes) -> Any:
    """The JSON document in a body. Raises ValueError, also for a text with half of a surrogate pair, which
    is none in UTF-8.
    """
    document = json.loads(body)
    if _SURROGATE.search(body):
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _from_query(values: list[str] | None, member: Shape) -> Any:
    if values is None:
        return None
    return values if member.type_name == "list" else values[0]


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def _typed(value: Any, member: Shape, name: str) -> Any:
    """The value as the model's type, members of structures, lists and maps included."""
    kind = member.type_name
    if kind == "structure" and member.is_document_type:
        return value
    if isinstance(value, str) and kind in _FROM_TEXT:
        try:  # labels and queries are text
            value = _FROM_TEXT[kind](value)
        except (ValueError, KeyError):
            raise Unreadable(f"{name} is not of type {kind}") from None
    is_bool = isinstance(value, bool) and kind != "boolean"
    if is_bool or not isinstance(value, _TYPES.get(kind, (object,))):
        raise Unreadable(f"{name} is not of type {kind}")
    if kind == "structure":
        members = member.members
        return {
            key: _typed(part, members[key], key)
            for key, part in value.items()
            if key in members and part is not None
        }
    if kind == "list":
        if member.member.type_name == "float" and {type(part) for part in value} <= {int, float}:
            return value  # a vector: one by one its numbers would take seconds
        return [_typed(part, member.member, name) for part in value]
    if kind == "map":
        return {key: _typed(part, member.value, name) for key, part in value.items()}
    return value


_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "boolean": {"true": True, "false": False}.__getitem__,
}
