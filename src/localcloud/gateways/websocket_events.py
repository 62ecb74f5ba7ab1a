"""The events that a WebSocket API makes of handshakes, messages and closes.

Their form is recorded in public repositories (several of 2021 to 2025 that agree); "Set up Lambda proxy
integrations in API Gateway" for WebSocket APIs names the same members.
"""

import time
from dataclasses import dataclass
from typing import Any

from .. import payload_v1
from .exchange import CLF_TIME, Exchange

# Close codes without a reason of the client's. 1005's is recorded, the others are UNCONFIRMED.
_REASONS = {
    1000: "Connection Closed Normally",
    1001: "Going away",
    1005: "Client-side close frame status not set",
    1006: "Connection closed abnormally",
}


@dataclass
class WebSocketExchange(Exchange):
    """A handshake (event type CONNECT), a message (MESSAGE) or a close (DISCONNECT). `connected` is a
    Unix time; `closed` are code and reason.
    """

    connection_id: str = ""
    connected: float = 0.0
    event_type: str = "CONNECT"
    message_id: str | None = None
    closed: tuple[int, str | None] | None = None

    def arn(self) -> str:
        """The ARN that callers' policies name: that of $connect, where alone they are asked."""
        return self.api.arn(self.stage.name, "$connect")

    def route_arn(self) -> str:
        """The ARN of the route, as resource policies of functions name it in aws:SourceArn."""
        return self.api.arn(self.stage.name, self.route.key)

    def _facts(self) -> dict[str, Any]:
        facts = super()._facts()
        for name in ("httpMethod", "path", "protocol", "accountId"):
            del facts[name]
        return facts | {
            "connectedAt": int(self.connected * 1000),
            "connectionId": self.connection_id,
            "eventType": self.event_type,
            "messageId": self.message_id,
            "messageDirection": "IN",
        }


def proxy_event(exchange: WebSocketExchange) -> dict[str, Any]:
    """The event for the function behind a route."""
    event: dict[str, Any] = {}
    if exchange.event_type == "CONNECT":
        event = _handshake(exchange)
    elif exchange.event_type == "DISCONNECT":
        told = {
            "Host": exchange.call.domain,
            "x-api-key": "",
            "X-Forwarded-For": "",
            "x-restapi": "",
        }
        event = {"headers": told, "multiValueHeaders": {k: [v] for k, v in told.items()}}
    if exchange.stage.variables:
        event["stageVariables"] = dict(exchange.stage.variables)
    event["requestContext"] = _context(exchange)
    if exchange.event_type == "MESSAGE":
        event["body"] = exchange.call.request.body.decode()
    return event | {"isBase64Encoded": False}


def authorizer_event(exchange: WebSocketExchange, identity: list[str]) -> dict[str, Any]:
    """The event for a Lambda authorizer ("Control access to WebSocket APIs with AWS Lambda REQUEST
    authorizers"). `identity` are the identity sources' values, which are in it by themselves.
    """
    empty = {"queryStringParameters": {}, "multiValueQueryStringParameters": {}}
    return {
        "type": "REQUEST",
        "methodArn": exchange.arn(),
        **empty,
        **_handshake(exchange),
        "stageVariables": dict(exchange.stage.variables),
        "requestContext": _context(exchange),
    }


def _handshake(exchange: WebSocketExchange) -> dict[str, Any]:
    call = exchange.call
    before = exchange.headers.get("x-forwarded-for")
    added = {
        "Host": call.domain,
        "X-Amzn-Trace-Id": exchange.trace_id,
        "X-Forwarded-For": f"{before}, {call.source_ip}" if before else call.source_ip,
        "X-Forwarded-Port": str(call.port),
        "X-Forwarded-Proto": "http",
    }
    left_out = {"connection", "upgrade", *(name.lower() for name in added)}
    sent = [(call.names[name], value) for name, value in call.fields if name not in left_out]
    fields = sent + list(added.items())
    headers, several_headers = payload_v1.single_and_multi(fields)
    event: dict[str, Any] = {"headers": headers, "multiValueHeaders": several_headers}
    pairs = payload_v1.query_pairs(call.request.query)
    if pairs:
        parameters, several_parameters = payload_v1.single_and_multi(pairs)
        event["queryStringParameters"] = parameters
        event["multiValueQueryStringParameters"] = several_parameters
    return event


def _context(exchange: WebSocketExchange) -> dict[str, Any]:
    context: dict[str, Any] = {"routeKey": exchange.route.key}
    if exchange.message_id:
        context["messageId"] = exchange.message_id
    if exchange.closed:
        context["disconnectStatusCode"] = exchange.closed[0]
    if exchange.authorization.authorizer_v1:
        context["authorizer"] = dict(exchange.authorization.authorizer_v1)
    context |= {
        "eventType": exchange.event_type,
        "extendedRequestId": exchange.request_id,
        "requestTime": time.strftime(CLF_TIME, time.gmtime(exchange.started)),
        "messageDirection": "IN",
    }
    if exchange.closed:
        code, reason = exchange.closed
        context["disconnectReason"] = _REASONS.get(code, "") if reason is None else reason
    identity = {name: value for name, value in exchange.authorization.identity.items() if value}
    agent = exchange.headers.get("user-agent")
    if agent:
        identity["userAgent"] = agent
    identity["sourceIp"] = exchange.call.source_ip
    return context | {
        "stage": exchange.stage.name,
        "connectedAt": int(exchange.connected * 1000),
        "requestTimeEpoch": int(exchange.started * 1000),
        "identity": identity,
        "requestId": exchange.request_id,
        "domainName": exchange.call.domain,
        "connectionId": exchange.connection_id,
        "apiId": exchange.api.id,
    }
