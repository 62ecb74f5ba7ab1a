"""Payload format 2.0, of function URLs and HTTP APIs: what requests and answers look like in JSON
("Invoking Lambda function URLs", Lambda developer guide; facts G4).
"""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
_TEXT_TYPES = ("text", "json", "xml", "javascript")
# What the server says itself about the connection.
_NOT_THE_FUNCTIONS = ("content-length", "transfer-encoding", "connection")
_JSON = (b"content-type", b"application/json")
BAD_GATEWAY: Answer = (502, [_JSON], b"Internal Server Error")


def response(payload: bytes) -> Answer:
    """What a function's answer means as an HTTP response: status, headers and body.

    What can't be one is 502, as on AWS.
    """
    try:
        return _response(payload)
    except (ValueError, TypeError, AttributeError):
        return BAD_GATEWAY


def _response(payload: bytes) -> Answer:
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        # A text goes out as it is (recorded from AWS; the page shows it in quotes).
        return 200, [_JSON], answer.encode() if isinstance(answer, str) else payload
    status = _status(answer["statusCode"])
    if status is None:
        return BAD_GATEWAY
    own = {str(name).lower(): value for name, value in (answer.get("headers") or {}).items()}
    own.setdefault("content-type", "application/json")
    out = [
        (name.encode(), _header_value(value))
        for name, value in own.items()
        if name not in _NOT_THE_FUNCTIONS
    ]
    out += [(b"set-cookie", str(cookie).encode()) for cookie in answer.get("cookies") or []]
    content = answer.get("body", "")
    text = content if isinstance(content, str) else json.dumps(content)
    if answer.get("isBase64Encoded"):
        return status, out, base64.b64decode(text)
    return status, out, text.encode()


def _status(value: Any) -> int | None:
    """100 to 599, as a number or in digits."""
    number = int(value) if isinstance(value, int) or str(value).isdecimal() else 0
    return number if 100 <= number <= 599 else None


def _header_value(value: Any) -> bytes:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\r", " ").replace("\n", " ").encode()


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
