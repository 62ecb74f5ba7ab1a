"""Answers to requests that moto can't answer, in the protocol of the service that was asked.

What moto does not know is an exception or an HTML page, which no AWS client can read.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from http import HTTPStatus
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator

from ..service_models import service_model
from . import query_misfits
from .object_requests import Answer

_log = logging.getLogger(__name__)


def failure(scope: dict, body: bytes, service: str | None, error: Exception) -> Answer:
    """The answer to a request that ended in an exception, be it the caller's fault or ours."""
    if isinstance(error, NotImplementedError):
        return unknown_operation(scope, body, service)
    if isinstance(error, ExpatError) or (service == "s3" and _misses_a_part(scope, body, error)):
        return _malformed_xml(scope, service)
    if isinstance(error, RecursionError):
        return refuse(scope, service, "SerializationException", "the request is nested too deeply")
    problem = _misfit(scope, body, service, error)
    if problem:
        return refuse(scope, service, *problem)
    _log.error("request failed: %s %s", scope["method"], scope["path"], exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _render(scope, service, status, "InternalFailure", repr(error))


def unknown_operation(scope: dict, body: bytes, service: str | None) -> Answer:
    """The answer to an operation that this cloud hasn't got."""
    action = re.search(rb"(?:^|&)Action=(\w+)", scope["query_string"] + b"&" + body)
    target = dict(scope["headers"]).get(b"x-amz-target", b"").rpartition(b".")[2].decode()
    name = action[1].decode() if action else target or f"for {scope['method']} {scope['path']}"
    message = f"localcloud has no operation {name}"
    if _is_query(scope):
        return refuse(scope, service, "InvalidAction", message)
    return _render(scope, service, HTTPStatus.NOT_FOUND, "UnknownOperationException", message)


def _misses_a_part(scope: dict, body: bytes, error: Exception) -> bool:
    """Whether S3 was sent XML of some sub-resource in which moto didn't find what has to be there."""
    looked_for = isinstance(error, (AttributeError, KeyError, TypeError))
    return bool(looked_for and scope["query_string"] and body.lstrip().startswith(b"<"))


def _malformed_xml(scope: dict, service: str | None) -> Answer:
    """The answer to a body that isn't the XML it should be (S3's "Error responses")."""
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
    return refuse(scope, service, "MalformedXML", message)


def _misfit(
    scope: dict, body: bytes, service: str | None, error: Exception
) -> tuple[str, str] | None:
    """Code and message for a body that isn't what the operation takes; None where it is."""
    if _is_query(scope):
        text = scope["query_string"] + b"&" + body
        return query_misfits.misfit(service, text.decode("utf-8", "replace"), error)
    target = dict(scope["headers"]).get(b"x-amz-target", b"").rpartition(b".")[2].decode("latin-1")
    if not target:
        return None
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as unreadable:
        return "SerializationException", str(unreadable)
    if not isinstance(parameters, dict):
        return "SerializationException", "the request is not a JSON object"
    try:
        shape = service_model(service or "").operation_model(target).input_shape
    except (UnknownServiceError, OperationNotFoundError):
        return None
    if shape is None:
        return None
    known = {name: value for name, value in parameters.items() if name in shape.members}
    report = ParamValidator().validate(known, shape)
    return ("ValidationException", report.generate_report()) if report.has_errors() else None


def _is_query(scope: dict) -> bool:
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    form = content_type.startswith(b"application/x-www-form-urlencoded")
    return form or b"Action=" in scope["query_string"]


def refuse(scope: dict, service: str | None, code: str, message: str) -> Answer:
    """The answer to a request that is the caller's fault, in the service's protocol."""
    return _render(scope, service, HTTPStatus.BAD_REQUEST, code, message)


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
