"""Payload format 2.0, of function URLs and HTTP APIs: what requests and answers look like in JSON
("Invoking Lambda function URLs", Lambda developer guide; facts G4).
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

Fields = list[tuple[str, str]]
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_TEXT_TYPES = ("text", "json", "xml", "javascript")
# What the server says itself about the connection.
NOT_THE_FUNCTIONS = ("content-length", "transfer-encoding", "connection")
JSON_TYPE = "application/json"


class MalformedResponse(Exception):
    """A function's answer can't be an HTTP response; the text says why."""


def response(payload: bytes, content_type: str = JSON_TYPE) -> tuple[int, Fields, bytes]:
    """What a function's answer means as an HTTP response: status, headers and body. One that has a status
    and names no content type gets `content_type`.

    Raises MalformedResponse.
    """
    try:
        return _response(payload, content_type)
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedResponse(str(error)) from error


def _response(payload: bytes, content_type: str) -> tuple[int, Fields, bytes]:
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        # A text goes out as it is (recorded from AWS; the page shows it in quotes).
        return (
            200,
            [("content-type", JSON_TYPE)],
            answer.encode() if isinstance(answer, str) else payload,
        )
    status = status_code(answer["statusCode"])
    own = {header_name(name): value for name, value in (answer.get("headers") or {}).items()}
    own.setdefault("content-type", content_type)
    out = [
        (name, header_text(value))
        for name, value in own.items()
        if value is not None and name not in NOT_THE_FUNCTIONS
    ]
    out += [("set-cookie", header_text(cookie)) for cookie in answer.get("cookies") or []]
    content = answer.get("body", "")
    text = content if isinstance(content, str) else json.dumps(content)
    if answer.get("isBase64Encoded"):
        return status, out, base64.b64decode(text)
    return status, out, text.encode()


def status_code(value: Any) -> int:
    """100 to 599, as a number or in digits. Raises MalformedResponse for anything else."""
    number = int(value) if isinstance(value, int) or str(value).isdecimal() else 0
    if not 100 <= number <= 599:
        raise MalformedResponse(f"statusCode {value!r} is no HTTP status")
    return number


def header_name(name: str) -> str:
    """A header's name in lower case. Raises MalformedResponse for what HTTP has no way to send (RFC 9110,
    5.6.2); that such an answer is malformed is UNCONFIRMED.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise MalformedResponse(f"{name!r} is no header name")
    return name.lower()


def header_text(value: Any) -> str:
    """A header's value, on one line."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\r", " ").replace("\n", " ")


def request_context(
    *,
    account_id: str,
    api_id: str,
    domain: str,
    method: str,
    path: str,
    source_ip: str,
    user_agent: str,
    request_id: str,
    route_key: str,
    stage: str,
    at: float,
) -> dict[str, Any]:
    """requestContext without what an authorizer adds. `at` is a Unix time in seconds."""
    return {
        "accountId": account_id,
        "apiId": api_id,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": user_agent,
        },
        "requestId": request_id,
        "routeKey": route_key,
        "stage": stage,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at)),
        "timeEpoch": int(at * 1000),
    }


def make_event(
    path: str, query: str, headers: Mapping[str, str], context: Mapping[str, Any], data: bytes
) -> dict[str, Any]:
    """The event; keys that have nothing to say are left out. `path` is decoded, with its stage."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": context["routeKey"],
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name: value for name, value in headers.items() if name != "cookie"},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if headers.get("cookie"):
        event["cookies"] = [each.strip() for each in headers["cookie"].split(";")]
    if query:
        event["queryStringParameters"] = parameters(query)
    if data:
        event["body"], event["isBase64Encoded"] = body(data, headers.get("content-type", ""))
    return event


def parameters(query: str) -> dict[str, str]:
    """queryStringParameters: decoded, repeated ones joined by commas."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def body(data: bytes, content_type: str) -> tuple[str, bool]:
    """The body of an event, and whether it is in base64: all but text is."""
    if any(kind in content_type.lower() for kind in _TEXT_TYPES):
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(data).decode(), True
