"""The events that an HTTP API makes of requests, in both payload formats, for functions that answer
and for Lambda authorizers (facts G3, G4; "Control access to HTTP APIs with AWS Lambda authorizers").
"""

import time
from typing import Any
from urllib.parse import unquote

from .. import payload_v1, payload_v2
from .addresses import joined
from .exchange import CLF_TIME, Exchange
from .parameter_mapping import BackendRequest
from .rest_descriptions import RestStage

# Members of requestContext.identity that only other kinds of authorization fill.
_IDENTITY = (
    "accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider",
    "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId",
    "user", "userArn",
)  # fmt: skip


def integration_event(exchange: Exchange, request: BackendRequest) -> dict[str, Any]:
    """The event for the function behind a route."""
    if exchange.route.integration.payload_version == "2.0":
        return _event_v2(exchange, request)
    return event_v1(exchange, request)


def _event_v2(exchange: Exchange, request: BackendRequest) -> dict[str, Any]:
    headers = joined(request.fields) | _added_headers(exchange)
    context = _context_v2(exchange)
    if exchange.authorization.authorizer_v2:
        context["authorizer"] = exchange.authorization.authorizer_v2
    path = exchange.with_stage(request.path)
    body = exchange.call.request.body
    event = payload_v2.make_event(path, request.query, headers, context, body)
    return event | _variables(exchange)


def event_v1(exchange: Exchange, request: BackendRequest) -> dict[str, Any]:
    """The event in format 1.0, as an HTTP API makes it; REST APIs keep the case of header names."""
    added = _added_headers(exchange)
    fields = [field for field in request.fields if field[0] not in added] + list(added.items())
    if isinstance(exchange.stage, RestStage):
        fields = [(exchange.call.name_as_sent(name), value) for name, value in fields]
    headers, several_headers = payload_v1.single_and_multi(fields)
    pairs = payload_v1.query_pairs(request.query)
    parameters, several_parameters = payload_v1.single_and_multi(pairs)
    body, is_encoded = None, False
    if exchange.call.request.body:
        content_type = exchange.headers.get("content-type", "")
        body, is_encoded = payload_v2.body(exchange.call.request.body, content_type)
    return {
        "version": "1.0",
        "resource": exchange.route.path,
        "path": unquote((exchange.call.base_path or "") + request.path),
        "httpMethod": exchange.call.request.method,
        "headers": headers,
        "multiValueHeaders": several_headers,
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": several_parameters,
        "requestContext": _context_v1(exchange),
        "pathParameters": exchange.path_parameters or None,
        "stageVariables": dict(exchange.stage.variables) or None,
        "body": body,
        "isBase64Encoded": is_encoded,
    }


def authorizer_event(exchange: Exchange, identity: list[str]) -> dict[str, Any]:
    """The event for a Lambda authorizer; `identity` are the values of its identity sources."""
    call = exchange.call
    request = BackendRequest(exchange.path, call.request.query, call.fields)
    if exchange.route.authorizer.payload_version == "2.0":
        event = _event_v2(exchange, request)
        del event["isBase64Encoded"]
        event.pop("body", None)
        given = {"type": "REQUEST", "routeArn": exchange.arn(), "identitySource": identity or None}
    else:
        event = event_v1(exchange, request)
        for name in ("body", "isBase64Encoded", "multiValueHeaders"):
            del event[name]
        del event["multiValueQueryStringParameters"]
        text = ",".join(identity)
        given = {
            "type": "REQUEST",
            "methodArn": exchange.arn(),
            "identitySource": text,
            "authorizationToken": text,
        }
    return event | given


def _context_v2(exchange: Exchange) -> dict[str, Any]:
    call = exchange.call
    return payload_v2.request_context(
        account_id=exchange.api.account_id,
        api_id=exchange.api.id,
        domain=call.domain,
        method=call.request.method,
        path=exchange.stage_path,
        source_ip=call.source_ip,
        user_agent=exchange.headers.get("user-agent", ""),
        request_id=exchange.request_id,
        route_key=exchange.route.key,
        stage=exchange.stage.name,
        at=exchange.started,
    )


def _context_v1(exchange: Exchange) -> dict[str, Any]:
    call = exchange.call
    identity = dict.fromkeys(_IDENTITY) | dict(exchange.authorization.identity)
    identity |= {"sourceIp": call.source_ip, "userAgent": exchange.headers.get("user-agent", "")}
    authorizer = {"claims": None, "scopes": None}
    return {
        "accountId": exchange.api.account_id,
        "apiId": exchange.api.id,
        "authorizer": dict(exchange.authorization.authorizer_v1) or authorizer,
        "domainName": call.domain,
        "domainPrefix": call.domain.partition(".")[0],
        "extendedRequestId": exchange.request_id,
        "httpMethod": call.request.method,
        "identity": identity,
        "path": exchange.stage_path,
        "protocol": "HTTP/1.1",
        "requestId": exchange.request_id,
        "requestTime": time.strftime(CLF_TIME, time.gmtime(exchange.started)),
        "requestTimeEpoch": int(exchange.started * 1000),
        "resourceId": None,
        "resourcePath": exchange.route.path,
        "stage": exchange.stage.name,
    }


def _variables(exchange: Exchange) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if exchange.path_parameters:
        found["pathParameters"] = exchange.path_parameters
    if exchange.stage.variables:
        found["stageVariables"] = dict(exchange.stage.variables)
    return found


def _added_headers(exchange: Exchange) -> dict[str, str]:
    return {"host": exchange.call.domain, **forwarded(exchange)}


def forwarded(exchange: Exchange) -> dict[str, str]:
    """What the gateway says of the connection, after what a proxy before it has said."""
    call = exchange.call
    before = exchange.headers.get("x-forwarded-for")
    return {
        "x-amzn-trace-id": exchange.trace_id,
        "x-forwarded-for": f"{before}, {call.source_ip}" if before else call.source_ip,
        "x-forwarded-port": str(call.port),
        "x-forwarded-proto": "http",
    }
