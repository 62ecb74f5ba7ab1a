"""Function URLs: an HTTP request becomes an event, the function's answer an HTTP response.

Payload format 2.0 as in "Invoking Lambda function URLs" (Lambda developer guide). Reached under the
URL's host name, <url-id>.lambda-url.<region>.<anything>, or under /_aws/lambda-url/<url-id>/.
"""

import json
import time
import uuid
from collections.abc import Mapping
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
from .identity import Gatekeeper

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
PREFIX = "/_aws/lambda-url/"
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
        if outcome.failed:
            status, headers, body = payload_v2.BAD_GATEWAY
            return status, named + headers, body
        status, headers, body = payload_v2.response(outcome.payload)
        return status, named + headers, body


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
    now = time.time()
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    headers |= {
        "host": url.domain,
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-amzn-trace-id": trace_id,
    }
    context: dict[str, Any] = {
        "accountId": "anonymous" if url.auth_type == "NONE" else account_id,
        "apiId": url.id,
        "domainName": url.domain,
        "domainPrefix": url.id,
        "http": {
            "method": request.method,
            "path": unquote(asked.path),
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }
    if url.auth_type == "AWS_IAM":
        context["authentication"] = None
        context["authorizer"] = {"iam": _iam(request, account_id, principal)}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(asked.path),
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if request.headers.get("cookie"):
        event["cookies"] = [each.strip() for each in request.headers["cookie"].split(";")]
    if request.query:
        event["queryStringParameters"] = payload_v2.parameters(request.query)
    if request.body:
        event["body"], event["isBase64Encoded"] = payload_v2.body(
            request.body, request.headers.get("content-type", "")
        )
    return event


def _iam(request: ApiRequest, account_id: str, principal: Principal | None) -> Mapping[str, Any]:
    """Who signed; the administrator, whom IAM doesn't know, is the account's root user."""
    root = f"arn:aws:iam::{account_id}:root"
    user_id = principal.user_id if principal else account_id
    return {
        "accessKey": Gatekeeper.access_key(request),
        "accountId": account_id,
        "callerId": user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": principal.caller.arn if principal else root,
        "userId": user_id,
    }


def _refusal(status: int, code: str, message: str | None, reason: str | None = None) -> Answer:
    body = {"Message": message} | ({"Reason": reason} if reason else {})
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", code.encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    return status, headers, json.dumps(body).encode()
