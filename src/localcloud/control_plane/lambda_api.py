"""Lambda's API but for Invoke: requests in, answers out. What isn't here is moto's."""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.core.exceptions import JsonRESTError

from . import (
    lambda_aliases,
    lambda_concurrency,
    lambda_event_invoke,
    lambda_functions,
    lambda_layers,
    lambda_management,
    lambda_permissions,
    lambda_provisioned,
    lambda_requests,
    lambda_states,
    lambda_tags,
    lambda_urls,
    lambda_versions,
)
from .lambda_checks import check_request_size
from .lambda_errors import LambdaError
from .lambda_lookup import Call
from .object_requests import Answer

_OPERATIONS: dict[str, Callable[[Call], Mapping[str, Any] | None]] = {
    **lambda_aliases.OPERATIONS,
    **lambda_concurrency.OPERATIONS,
    **lambda_event_invoke.OPERATIONS,
    **lambda_functions.OPERATIONS,
    **lambda_layers.OPERATIONS,
    **lambda_management.OPERATIONS,
    **lambda_permissions.OPERATIONS,
    **lambda_provisioned.OPERATIONS,
    **lambda_tags.OPERATIONS,
    **lambda_urls.OPERATIONS,
    **lambda_versions.OPERATIONS,
}
# One change at a time: a name is taken once, a version's number too.
_changing = threading.Lock()
# Event source mappings, and what an image or a signature would need.
_MOTO = {
    "CreateEventSourceMapping", "DeleteEventSourceMapping", "GetEventSourceMapping",
    "ListEventSourceMappings", "UpdateEventSourceMapping", "GetFunctionCodeSigningConfig",
    "InvokeAsync",
}  # fmt: skip


def answer(
    account_id: str,
    region: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer | None:
    """Answer a request to Lambda; None where moto is to. `path` and `query` are percent-encoded.

    An operation that the API has and this cloud has not is an UnknownOperationException, as is a
    path that the API hasn't.
    """
    try:
        request = lambda_requests.parse(method, path, query, headers, body)
        name = request.operation.name if request else f"for {method} {path}"
        if name in _MOTO:
            return None
        handler = _OPERATIONS.get(name)
        if handler is None:
            raise LambdaError("UnknownOperationException", f"localcloud has no operation {name}")
        check_request_size(name, body)
        with _changing if method != "GET" else contextlib.nullcontext():
            content = handler(Call(account_id, region, request.parameters))
        if content and method != "GET":
            lambda_states.wait(content.get("FunctionArn", ""))
    except (LambdaClientError, JsonRESTError) as error:
        return _error(error)
    # The model says 200 for DeleteFunction and has the status in the output; AWS answers 204.
    status = 204 if content is None else request.operation.http["responseCode"]
    return status, _headers(), b"" if content is None else _json(content)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(_without_none(content)).encode()


def _without_none(value: Any) -> Any:
    """Members that are None are not sent."""
    if isinstance(value, Mapping):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_none(part) for part in value]
    return value


def _headers() -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json"),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]


def _error(error: JsonRESTError) -> Answer:
    code = error.relative_error_type
    key = lambda_requests.error_message_key(code)
    document = {key: error.message}
    if code == "UnknownOperationException":
        document["__type"] = code
    elif code not in ("ValidationException", "SerializationException"):  # as recorded
        document["Type"] = "User"
    headers = [*_headers(), (b"x-amzn-errortype", code.encode())]
    return error.code, headers, json.dumps(document).encode()
