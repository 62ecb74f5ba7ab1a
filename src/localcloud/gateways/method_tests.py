"""TestInvokeMethod: a method of a REST API is executed as it is now, deployed or not, without its
authorization, and its log comes with the answer.
"""

import json
import time
import uuid
from urllib.parse import unquote

from ..actions import ApiRequest
from ..control_plane import rest_gateway_resources
from ..functions.service import new_trace_id
from . import execution_log
from .addresses import Call
from .exchange import Exchange
from .refusals import Answer
from .rest_api import RestApis
from .routes import select_route


async def answer(
    rest: RestApis, request: ApiRequest, account_id: str, region: str, port: int
) -> Answer:
    """Execute the method with what the request says."""
    _, _, api_id, _, resource_id, _, method, *_ = map(unquote, request.path.split("/"))
    said = json.loads(request.body or b"{}")
    try:
        api, found = rest_gateway_resources.method_as_it_is(
            api_id, resource_id, method, said.get("stageVariables") or {}, account_id, region
        )
    except LookupError as error:
        return _json(404, {"message": str(error)}, "NotFoundException")
    path, _, query = (said.get("pathWithQueryString") or found.path).partition("?")
    fields = [(name.lower(), value) for name, value in (said.get("headers") or {}).items()]
    for name, values in (said.get("multiValueHeaders") or {}).items():
        fields = [field for field in fields if field[0] != name.lower()]
        fields += [(name.lower(), value) for value in values]
    asked = ApiRequest(
        "GET" if method == "ANY" else method, path, query, dict(fields),
        (said.get("body") or "").encode(),
    )  # fmt: skip
    # The names are those that tests see on AWS.
    call = Call(
        api_id,
        "testPrefix.testDomainName",
        path,
        tuple(fields),
        asked,
        "test-invoke-source-ip",
        port,
    )
    stage = api.stages[rest_gateway_resources.TEST_STAGE]
    exchange = Exchange(call, api, stage, path, new_trace_id(), str(uuid.uuid4()))
    exchange.route = found
    matched = select_route((found,), asked.method, path)
    exchange.path_parameters = matched.parameters if matched else {}
    began = time.monotonic()
    status, headers, body = await rest.test(exchange)
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name.decode("latin-1"), []).append(value.decode("utf-8", "replace"))
    return _json(
        200,
        {
            "status": status,
            "body": body.decode("utf-8", "replace"),
            "headers": {name: values[-1] for name, values in several.items()},
            "multiValueHeaders": several,
            "log": execution_log.test_log(exchange),
            "latency": round((time.monotonic() - began) * 1000),
        },
    )


def _json(status: int, content: dict, error: str | None = None) -> Answer:
    headers = [(b"content-type", b"application/json")]
    if error:
        headers.append((b"x-amzn-errortype", error.encode()))
    return status, headers, json.dumps(content).encode()
