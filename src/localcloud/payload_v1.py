"""Payload format 1.0, of REST APIs and of HTTP APIs that ask for it: the answer of a function
(facts G5, recorded with REST APIs; "AWS Lambda proxy integrations for HTTP APIs").
"""

import base64
import json
from collections.abc import Callable, Container
from typing import Any
from urllib.parse import parse_qsl

from .payload_v2 import (
    JSON_TYPE,
    NOT_THE_FUNCTIONS,
    MalformedResponse,
    header_name,
    header_text,
    status_code,
)

Fields = list[tuple[str, str]]
_MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def response(
    payload: bytes,
    content_type: str = JSON_TYPE,
    decodes: Callable[[str], bool] = lambda content_type: True,
    drops: Container[str] = NOT_THE_FUNCTIONS,
) -> tuple[int, Fields, bytes]:
    """Status, headers without those of `drops`, and body; `content_type` stands in for one that is not
    named. A body that the function says is in base64 is decoded, if `decodes` says so of its content
    type: REST APIs do for their binary media types alone.

    Raises MalformedResponse.
    """
    try:
        return _response(payload, content_type, decodes, drops)
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedResponse(str(error)) from error


def _response(
    payload: bytes, content_type: str, decodes: Callable[[str], bool], drops: Container[str]
) -> tuple[int, Fields, bytes]:
    answer = json.loads(payload)
    if not isinstance(answer, dict) or not answer or set(answer) - _MEMBERS:
        raise MalformedResponse("not an object with the members of payload format 1.0")
    status = status_code(answer.get("statusCode", 200))
    fields: Fields = []
    several = {
        header_name(name): values
        for name, values in (answer.get("multiValueHeaders") or {}).items()
    }
    for name, values in several.items():
        if not isinstance(values, list):
            raise MalformedResponse(f"multiValueHeaders: {name} is no list")
        fields += [(name, header_text(value)) for value in values if value is not None]
    for name, value in (answer.get("headers") or {}).items():
        if value is not None and header_name(name) not in several:
            fields.append((header_name(name), header_text(value)))
    if not any(name == "content-type" for name, _ in fields):
        fields.append(("content-type", content_type))
    fields = [(name, value) for name, value in fields if name not in drops]
    body = "" if answer.get("body") is None else answer["body"]
    if not isinstance(body, str):
        raise MalformedResponse("body is no string")
    if answer.get("isBase64Encoded") and decodes(dict(fields)["content-type"]):
        return status, fields, base64.b64decode(body, validate=True)
    return status, fields, body.encode()


def single_and_multi(pairs: Fields) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Headers or parameters as format 1.0 gives them twice: the last value of each, and all of them;
    None where there are none.
    """
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    if not several:
        return None, None
    return {name: values[-1] for name, values in several.items()}, several


def query_pairs(query: str) -> Fields:
    """A query's parameters in their order, decoded."""
    return parse_qsl(query, keep_blank_values=True)
