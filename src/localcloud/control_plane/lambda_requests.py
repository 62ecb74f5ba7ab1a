"""Requests to Lambda's API as its model describes them: which operation, and with what parameters."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import OperationModel, ServiceModel, Shape

from ..service_models import service_model
from .lambda_constraints import problems
from .lambda_errors import LambdaError, invalid_parameter, validation


@dataclass(frozen=True)
class Request:
    """One request. `parameters` has the members of the operation's input that were given."""

    operation: OperationModel
    parameters: dict[str, Any]


def parse(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Request | None:
    """Read a request; None where Lambda's API has no such operation.

    `path` and `query` are percent-encoded. Raises LambdaError where the body isn't JSON or a
    parameter breaks the constraints of the model.
    """
    asked = parse_qs(query, keep_blank_values=True)
    found = _match(method, path.rstrip("/"), asked)
    if found is None:
        return None
    operation, labels = found
    shape = operation.input_shape
    if shape is None:
        return Request(operation, {})
    sources = {
        "uri": lambda name, member: labels.get(name),
        "querystring": lambda name, member: _from_query(asked.get(name), member),
        "header": lambda name, member: headers.get(name.lower()),
    }
    document = {} if shape.serialization.get("payload") else _document(body)
    parameters = {}
    for name, member in shape.members.items():
        serialized = member.serialization.get("name", name)
        source = sources.get(member.serialization.get("location"))
        value = source(serialized, member) if source else document.get(serialized)
        if value is not None:
            parameters[name] = _typed(value, member, name)
    broken = problems(shape, parameters)
    if broken:
        raise _refusal(operation.name, parameters, broken)
    return Request(operation, parameters)


def invoke_problem(function: str, qualifier: str | None) -> str | None:
    """What is wrong with the name or qualifier that Invoke was given; None where nothing is."""
    given = {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}
    broken = problems(_model().operation_model("Invoke").input_shape, given)
    return validation(*broken).message if broken else None


def error_message_key(code: str) -> str:
    """The member of an error that holds its text: `message`, or `Message` for some."""
    model = _model()
    shape = model.shape_for(code) if code in model.shape_names else None
    return "Message" if shape and "Message" in shape.members else "message"


def _model() -> ServiceModel:
    return service_model("lambda")


@dataclass(frozen=True)
class _Route:
    operation: OperationModel
    pattern: re.Pattern
    query: Mapping[str, list[str]]


@functools.cache
def _routes() -> dict[str, list[_Route]]:
    """By method; those that also ask for a query before those that don't."""
    routes: dict[str, list[_Route]] = {}
    for name in _model().operation_names:
        operation = _model().operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
        route = _Route(operation, re.compile(pattern), parse_qs(query))
        routes.setdefault(operation.http["method"], []).append(route)
    for found in routes.values():
        found.sort(key=lambda route: (-len(route.query), route.pattern.groups))
    return routes


def _match(
    method: str, path: str, query: Mapping[str, list[str]]
) -> tuple[OperationModel, dict[str, str]] | None:
    for route in _routes().get(method, ()):
        found = route.pattern.fullmatch(path)
        if found and all(query.get(name) == value for name, value in route.query.items()):
            return route.operation, {k: unquote(v) for k, v in found.groupdict().items()}
    return None


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise _unreadable(f"The request body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _unreadable("The request body is not a JSON object")
    return document


def _unreadable(message: str) -> LambdaError:
    # AWS's code; its text for Lambda is UNCONFIRMED.
    return LambdaError("SerializationException", message)


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
    if isinstance(value, str) and kind in _FROM_TEXT:
        try:  # labels and queries are text
            value = _FROM_TEXT[kind](value)
        except (ValueError, KeyError):
            raise _unreadable(f"{name} is not of type {kind}") from None
    is_bool = isinstance(value, bool) and kind != "boolean"
    if is_bool or not isinstance(value, _TYPES.get(kind, (object,))):
        raise _unreadable(f"{name} is not of type {kind}")
    if kind == "structure":
        members = member.members
        return {
            key: _typed(part, members[key], key)
            for key, part in value.items()
            if key in members and part is not None
        }
    if kind == "list":
        return [_typed(part, member.member, name) for part in value]
    if kind == "map":
        return {key: _typed(part, member.value, name) for key, part in value.items()}
    return value


_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def _refusal(operation: str, parameters: Mapping[str, Any], broken: list[str]) -> LambdaError:
    named = [problem for problem in broken if " at 'functionName' " in problem]
    if operation == "CreateFunction" and broken == named and ":" not in parameters["FunctionName"]:
        # The one place where the code is another (recorded).
        return invalid_parameter(validation(*broken).message)
    return validation(*broken)
