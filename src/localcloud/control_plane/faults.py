"""Answers to requests that moto can't answer, in the protocol of the service that was asked.

What moto does not know is an exception or an HTML page, which no AWS client can read.
"""

from __future__ import annotations

import json
import re
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

from .object_requests import Answer


def unknown_operation(scope: dict, body: bytes, service: str | None) -> Answer:
    """The answer to an operation that this cloud hasn't got."""
    action = re.search(rb"(?:^|&)Action=(\w+)", scope["query_string"] + b"&" + body)
    target = dict(scope["headers"]).get(b"x-amz-target", b"").rpartition(b".")[2].decode()
    name = action[1].decode() if action else target or f"for {scope['method']} {scope['path']}"
    message = f"localcloud has no operation {name}"
    if _is_query(scope):
        return _render(scope, service, HTTPStatus.BAD_REQUEST, "InvalidAction", message)
    return _render(scope, service, HTTPStatus.NOT_FOUND, "UnknownOperationException", message)


def malformed_xml(scope: dict, service: str | None) -> Answer:
    """The answer to a body that isn't XML (S3's "Error responses")."""
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
    return _render(scope, service, HTTPStatus.BAD_REQUEST, "MalformedXML", message)


def internal_failure(scope: dict, service: str | None, error: Exception) -> Answer:
    """The answer where something went wrong that is nobody's fault but ours."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _render(scope, service, status, "InternalFailure", repr(error))


def _is_query(scope: dict) -> bool:
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    form = content_type.startswith(b"application/x-www-form-urlencoded")
    return form or b"Action=" in scope["query_string"]


def _render(scope: dict, service: str | None, status: int, code: str, message: str) -> Answer:
    request_id = str(uuid.uuid4())
    headers = [(b"x-amzn-requestid", request_id.encode())]
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if _is_query(scope):
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, [*headers, (b"content-type", b"text/xml")], text.encode()
    if service == "s3":
        text = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
        return status, [*headers, (b"content-type", b"application/xml")], text.encode()
    headers += [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", code.encode()),
    ]
    return status, headers, json.dumps({"__type": code, "message": message}).encode()
