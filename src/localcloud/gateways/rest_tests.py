"""TestInvokeMethod and TestInvokeAuthorizer: a method or authorizer of a REST API is tried as it is now,
deployed or not, and its log comes with the answer. A method is tried without its authorization.
"""

import json
import time
import uuid
from typing import Any
from urllib.parse import unquote

from ..actions import ApiRequest
from ..control_plane import rest_gateway_resources
from ..functions.service import new_trace_id
from . import execution_log
from .addresses import Call
from .exchange import Exchange, new_request_id
from .refusals import Answer
from .rest_api import RestApis
from .rest_descriptions import Method, RestApi
from .routes import select_route


async def answer(
    rest: RestApis, request: ApiRequest, account_id: str, region: str, port: int
) -> Answer:
    """Try what the request names with what it says."""
    _, _, api_id, kind, *names = map(unquote, request.path.rstrip("/").split("/"))
    said = json.loads(request.body or b"{}")
    place = (said.get("stageVariables") or {}, account_id, region)
    try:
        if kind == "authorizers":
            found = rest_gateway_resources.authorizer_as_it_is(api_id, names[0], *place)
            method = "GET"
        else:
            resource_id, _, method = names
            found = rest_gateway_resources.method_as_it_is(api_id, resource_id, method, *place)
    except LookupError as error:
        return _json(404, {"message": str(error)}, "NotFoundException")
    exchange = _exchange(*found, method, said, port)
    began = time.monotonic()
    if kind == "authorizers":
        told = await rest.test_authorizer(exchange)
    else:
        told = _told(*await rest.test(exchange))
    told["log"] = execution_log.test_log(exchange)
    told["latency"] = round((time.monotonic() - began) * 1000)
    return _json(200, told)


def _exchange(
    api: RestApi, tried: Method, method: str, said: dict[str, Any], port: int
) -> Exchange:
    """The request that is made up. Its names are those that tests see on AWS."""
    path, _, query = (said.get("pathWithQueryString") or tried.path).partition("?")
    fields = [(name.lower(), value) for name, value in (said.get("headers") or {}).items()]
    for name, values in (said.get("multiValueHeaders") or {}).items():
        fields = [field for field in fields if field[0] != name.lower()]
        fields += [(name.lower(), value) for value in values]
    body = (said.get("body") or "").encode()
    asked = ApiRequest("GET" if method == "ANY" else method, path, query, dict(fields), body)
    call = Call(
        api.id, "testPrefix.testDomainName", path, tuple(fields), asked,
        "test-invoke-source-ip", port,
    )  # fmt: skip
    stage = api.stages[rest_gateway_resources.TEST_STAGE]
    exchange = Exchange(call, api, stage, path, new_trace_id(), str(uuid.uuid4()))
    exchange.route, exchange.trace = tried, []
    exchange.outcome["extendedRequestId"] = new_request_id()
    matched = select_route((tried,), asked.method, path)
    exchange.path_parameters = matched.parameters if matched else {}
    return exchange


def _told(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> dict[str, Any]:
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name.decode("latin-1"), []).append(value.decode("utf-8", "replace"))
    return {
        "status": status,
        "body": body.decode("utf-8", "replace"),
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
    }


def _json(status: int, content: dict, error: str | None = None) -> Answer:
    headers = [(b"content-type", b"application/json")]
    if error:
        headers.append((b"x-amzn-errortype", error.encode()))
    return status, headers, json.dumps(content).encode()
