"""An action group's actions as the router's tools, and a choice as what is sent and told.

Formats: "Configure Lambda functions to send information that an Amazon Bedrock agent elicits from the
user" in the Bedrock User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .. import yaml_documents
from ..control_plane.bucket_objects import read_object
from .calls import Call
from .errors import BedrockError, invalid
from .roles import lacking

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_JSON = "application/json"


@dataclass(frozen=True)
class Action:
    """One function, or one operation of an API. `in_body` names the parameters of the request's body."""

    group: Mapping[str, Any]
    name: str
    description: str
    schema: Mapping[str, Any]
    path: str | None = None
    method: str | None = None
    in_body: frozenset[str] = frozenset()

    @property
    def tool(self) -> dict[str, Any]:
        """It as one of Converse's tools."""
        schema = {"json": self.schema}
        return {
            "toolSpec": {
                "name": self.name, "description": self.description, "inputSchema": schema,
            }
        }  # fmt: skip

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was read out of the request, as it is sent to Lambda, and told in traces."""
        listed = [
            {"name": name, "type": self._type(name), "value": _text(value)}
            for name, value in given.items()
        ]
        outside = [each for each in listed if each["name"] not in self.in_body]
        if self.path is None:
            return {"function": self.name, "parameters": listed}
        found: dict[str, Any] = {
            "apiPath": self.path, "httpMethod": self.method, "parameters": outside,
        }  # fmt: skip
        if self.in_body:
            inside = [each for each in listed if each["name"] in self.in_body]
            found["requestBody"] = {"content": {_JSON: {"properties": inside}}}
        return found

    def _type(self, name: str) -> str:
        return self.schema["properties"].get(name, {}).get("type", "string")


def read_actions(call: Call, role_arn: str, group: Mapping[str, Any]) -> list[Action]:
    """The actions of a group. Raises ValidationException where it has none, or both kinds."""
    functions = group.get("functionSchema", {}).get("functions")
    schema = group.get("apiSchema")
    if bool(functions) == bool(schema):
        raise invalid("An action group has a functionSchema or an apiSchema, one of both")
    if functions:
        return [_function(group, each) for each in functions]
    return _operations(group, _document(call, role_arn, schema))


def _function(group: Mapping[str, Any], function: Mapping[str, Any]) -> Action:
    parameters = function.get("parameters", {})
    schema = {
        "properties": {
            name: {key: each[key] for key in ("type", "description") if key in each}
            for name, each in parameters.items()
        },
        "required": [name for name, each in parameters.items() if each.get("required")],
    }
    about = function.get("description") or group.get("description", "")
    return Action(group, function["name"], about, schema)


def _document(call: Call, role_arn: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    text = schema.get("payload")
    if text is None:
        place = schema.get("s3", {})
        bucket, key = place.get("s3BucketName"), place.get("s3ObjectKey")
        needed = [("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")]
        denied = lacking(call, role_arn, "agent", needed)
        if denied:
            raise BedrockError("AccessDeniedException", denied)  # UNCONFIRMED
        try:
            text = read_object(bucket, key, call.account_id).decode()
        except (KeyError, UnicodeDecodeError):
            raise invalid(f"The API schema s3://{bucket}/{key} can't be read") from None
    try:
        document = yaml_documents.load(text)
    except yaml.YAMLError as error:
        raise invalid(f"The API schema is neither JSON nor YAML: {error}") from None
    if not isinstance(document, dict) or not document.get("paths"):
        raise invalid("The API schema has no paths")
    return document


def _operations(group: Mapping[str, Any], document: Mapping[str, Any]) -> list[Action]:
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                found.append(_operation(group, document, path, method, operation))
    return found


def _operation(
    group: Mapping[str, Any], document: Mapping, path: str, method: str, operation: Mapping
) -> Action:
    properties: dict[str, Any] = {}
    required = []
    for each in operation.get("parameters", ()):
        parameter = _resolved(document, each)
        about = {"description": parameter.get("description", "")}
        properties[parameter["name"]] = {**about, **_resolved(document, parameter["schema"])}
        if parameter.get("required"):
            required.append(parameter["name"])
    content = operation.get("requestBody", {}).get("content", {}).get(_JSON, {})
    body = _resolved(document, content.get("schema", {}))
    inside = {name: _resolved(document, each) for name, each in body.get("properties", {}).items()}
    about = operation.get("description") or operation.get("summary", "")
    if not about:  # AWS asks for it ("Define OpenAPI schemas for your agent's action groups")
        raise invalid(f"The API schema needs a description of {method.upper()} {path}")
    return Action(
        group, operation.get("operationId", f"{method.upper()} {path}"), about,
        {"properties": {**properties, **inside}, "required": [*required, *body.get("required", ())]},
        path, method.upper(), frozenset(inside),
    )  # fmt: skip


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    followed = []
    while "$ref" in part:
        reference = part["$ref"]
        if reference in followed:
            raise invalid(f"The API schema's {reference} refers to itself")
        followed.append(reference)
        part = document
        try:
            for name in reference.removeprefix("#/").split("/"):
                part = part[name]
        except (AttributeError, KeyError, TypeError):
            raise invalid(f"The API schema has nothing at {reference}") from None
    return part


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
