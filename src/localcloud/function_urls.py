"""Function URLs: an HTTP request becomes an event, the function's answer an HTTP response.

Payload format 2.0 as in "Invoking Lambda function URLs" (Lambda developer guide). Reached under the
URL's host name, <url-id>.lambda-url.<region>.<anything>, or under /_aws/lambda-url/<url-id>/.
"""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from . import invoke_api, payload_v2
from .actions import ApiRequest
from .control_plane import function_urls
from .control_plane.function_urls import FunctionUrl
from .control_plane.functions import FunctionNotFound, find_function
from .control_plane.principals import Principal
from .cors import cors_headers, preflight
from .functions.concurrency import Throttled
from .functions.lineage import RecursionStopped
from .functions.service import FunctionService, new_trace_id
from .identity import Gatekeeper, iam_identity

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
PREFIX = "/_aws/lambda-url/"
_JSON = (b"content-type", b"application/json")
# What clients print, with the address that it names.
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


@dataclass(frozen=True)
class UrlRequest:
    """A request for a function URL; its path is the one that the function sees."""

    url_id: str
    path: str
    request: ApiRequest


def match(request: ApiRequest) -> UrlRequest | None:
    """The request as one for a function URL; None where it is none."""
    if request.path.startswith(PREFIX):
        wanted, _, path = request.path.removeprefix(PREFIX).partition("/")
        return UrlRequest(wanted, f"/{path}", request)
    wanted = function_urls.url_id(request.headers.get("host", ""))
    return UrlRequest(wanted, request.path, request) if wanted else None


class FunctionUrls:
    """Answers requests for function URLs."""

    def __init__(self, service: FunctionService, gatekeeper: Gatekeeper, account_id: str):
        self._service = service
        self._gatekeeper = gatekeeper
        self._account_id = account_id

    async def answer(self, asked: UrlRequest) -> Answer:
        """Run the function and answer with what it says, or with Lambda's own errors."""
        url = function_urls.find_function_url(asked.url_id, self._account_id)
        if url is None:
            return _refusal(403, "AccessDeniedException", None)
        origin = asked.request.headers.get("origin")
        if url.cors and asked.request.method == "OPTIONS" and origin:
            return 200, preflight(url.cors, origin), b""
        status, headers, body = await self._run(url, asked)
        if url.cors and origin:
            taken = cors_headers(url.cors, origin)
            names = {name for name, _ in taken}
            headers = [pair for pair in headers if pair[0] not in names] + taken
        return status, headers, body

    async def _run(self, url: FunctionUrl, asked: UrlRequest) -> Answer:
        allowed, principal = self._gatekeeper.may_invoke_url(
            asked.request, url.function_arn, url.auth_type
        )
        if not allowed:
            return _refusal(403, "AccessDeniedException", FORBIDDEN)
        message = invoke_api.size_problem(len(asked.request.body), "RequestResponse")
        if message:
            return _refusal(413, "RequestEntityTooLargeException", message)
        request_id = str(uuid.uuid4())
        trace_id = asked.request.headers.get("x-amzn-trace-id") or new_trace_id()
        event = make_event(url, asked, request_id, trace_id, self._account_id, principal)
        _, _, _, region, account, *_ = url.function_arn.split(":")
        try:
            target = find_function(url.function_arn, None, account, region)
            outcome = await self._service.invoke(
                target, json.dumps(event).encode(), url.function_arn, request_id, trace_id=trace_id
            )
        except FunctionNotFound:
            return _refusal(403, "AccessDeniedException", None)
        except Throttled as throttled:
            return _refusal(429, "TooManyRequestsException", "Rate Exceeded.", throttled.reason)
        except RecursionStopped as stopped:
            return _refusal(400, "RecursiveInvocationException", str(stopped))
        named = [(b"x-amzn-requestid", request_id.encode())]
        try:
            if outcome.failed:
                raise payload_v2.MalformedResponse("the function failed")
            status, fields, body = payload_v2.response(outcome.payload)
        except payload_v2.MalformedResponse:
            return 502, [*named, _JSON], b"Internal Server Error"
        return status, named + [(n.encode(), v.encode()) for n, v in fields], body


def make_event(
    url: FunctionUrl,
    asked: UrlRequest,
    request_id: str,
    trace_id: str,
    account_id: str,
    principal: Principal | None,
) -> dict[str, Any]:
    """The event in payload format 2.0; keys that have nothing to say are left out."""
    request = asked.request
    headers = {
        **request.headers,
        "host": url.domain,
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-amzn-trace-id": trace_id,
    }
    context = payload_v2.request_context(
        account_id="anonymous" if url.auth_type == "NONE" else account_id,
        api_id=url.id,
        domain=url.domain,
        method=request.method,
        path=unquote(asked.path),
        source_ip="127.0.0.1",
        user_agent=request.headers.get("user-agent", ""),
        request_id=request_id,
        route_key="$default",
        stage="$default",
        at=time.time(),
    )
    if url.auth_type == "AWS_IAM":
        context["authentication"] = None
        context["authorizer"] = {"iam": iam_identity(request, account_id, principal)}
    return payload_v2.make_event(unquote(asked.path), request.query, headers, context, request.body)


def _refusal(status: int, code: str, message: str | None, reason: str | None = None) -> Answer:
    body = {"Message": message} | ({"Reason": reason} if reason else {})
    headers = [
        _JSON,
        (b"x-amzn-errortype", code.encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    return status, headers, json.dumps(body).encode()
