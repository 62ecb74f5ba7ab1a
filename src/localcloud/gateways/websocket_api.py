"""WebSocket APIs: a connection's way from its handshake over its messages to its end."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from ..functions.service import new_trace_id
from ..identity import Gatekeeper
from .access_log import AccessLog
from .addresses import Call
from .connection_limits import ConnectionLimits
from .connections import BufferFull, Connection, Connections, Gone
from .descriptions import WebSocketApi
from .exchange import Authorization, new_request_id
from .iam import signed_by
from .lambda_authorizer import LambdaAuthorizers
from .metrics import ApiMetrics
from .refusals import Refused
from .routes import select_stage
from .throttling import NEW_CONNECTIONS, Throttles
from .websocket_events import WebSocketExchange
from .websocket_integrations import Answered, WebSocketIntegrations
from .websocket_routes import route_named, select_route

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]
FindApi = Callable[[str], WebSocketApi | None]
_UNSUPPORTED = 1003
_SERVER_RESTARTS = 1012
_ABNORMAL = 1006
_SUBPROTOCOL = "sec-websocket-protocol"


class WebSocketApis:
    """Serves connections to WebSocket APIs. `find_api` gives an API as it is now, by its id."""

    def __init__(
        self,
        find_api: FindApi,
        integrations: WebSocketIntegrations,
        authorizers: LambdaAuthorizers,
        gatekeeper: Gatekeeper,
        throttles: Throttles,
        metrics: ApiMetrics,
        log: AccessLog,
        connections: Connections,
        limits: ConnectionLimits,
    ):
        self._find_api = find_api
        self._integrations = integrations
        self._authorizers = authorizers
        self._gatekeeper = gatekeeper
        self._throttles = throttles
        self._metrics = metrics
        self._log = log
        self._connections = connections
        self._limits = limits
        self._running: set[asyncio.Task] = set()  # an event loop alone doesn't hold its tasks

    async def serve(self, call: Call, api: WebSocketApi, receive: Receive, send: Send) -> None:
        """Answer a handshake, then its messages until it is closed."""
        await receive()  # websocket.connect
        connection_id, connected = new_request_id(), time.time()
        selected = select_stage(api.stages, call.path, call.is_mapped)
        is_disabled = api.is_disabled and not call.is_mapped
        if is_disabled or selected is None or selected[0].deployment is None or selected[1] != "/":
            return await refuse(send, 403, error_text("Forbidden", connection_id, new_request_id()))
        exchange = WebSocketExchange(
            call, api, selected[0], "/", new_trace_id(), connection_id=connection_id,
            connected=connected,
        )  # fmt: skip
        try:
            answered = await self._connect(exchange)
        except Refused as refused:
            status, body = refused.status, self._error(exchange, refused)
        else:
            status, body = answered.status, answered.body
        self._finish(exchange, status)
        if not 200 <= status < 300:
            return await refuse(send, status, body)
        protocol = dict(answered.fields).get(_SUBPROTOCOL)
        await send({"type": "websocket.accept", "subprotocol": protocol, "headers": []})
        connection = Connection(
            connection_id, call, exchange.stage.name, exchange.authorization, send, self._limits,
            connected,
        )  # fmt: skip
        self._connections.add(connection)
        code, reason = _ABNORMAL, None
        try:
            code, reason = await self._listen(connection, receive)
        finally:
            self._connections.remove(connection)
            if code != _SERVER_RESTARTS:
                await self._disconnect(connection, code, reason)

    async def _connect(self, exchange: WebSocketExchange) -> Answered:
        """Raises Refused where there is to be no connection."""
        region = exchange.api.region
        if not self._throttles.admit(region, ((region, "connections"), NEW_CONNECTIONS)):
            raise Refused(429)
        exchange.route = route_named(exchange.stage.deployment.routes, "$connect")
        if exchange.route is None:  # it is optional
            return Answered(200, (), "")
        self._throttle(exchange)
        exchange.authorization = await self._authorize(exchange)
        exchange.outcome["connects"] = 1
        if exchange.route.integration is None:
            return Answered(200, (), "")
        return await self._integrate(exchange)

    async def _authorize(self, exchange: WebSocketExchange) -> Authorization:
        route = exchange.route
        if route.authorization == "NONE":
            return Authorization()
        if route.authorization == "AWS_IAM":
            verdict = self._gatekeeper.judge_api_call(exchange.call.request, exchange.arn())
            if not verdict.allowed:
                raise Refused(403)
            return signed_by(exchange, verdict.principal)
        if route.authorizer is None:
            raise Refused(500, "the route's authorizer is gone")
        return await self._authorizers.authorize(exchange)

    async def _listen(self, connection: Connection, receive: Receive) -> tuple[int, str | None]:
        """Start on each message as it comes; the close code and reason."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                # Without a reason there was no close frame.
                is_abnormal = event.get("reason") is None and event["code"] == 1005
                return _ABNORMAL if is_abnormal else event["code"], event.get("reason") or None
            if connection.is_closing:
                continue
            connection.touch()
            if event.get("text") is None:
                await connection.close(_UNSUPPORTED)
                continue
            task = asyncio.create_task(self._answer(connection, event["text"].encode()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _answer(self, connection: Connection, message: bytes) -> None:
        exchange = self._exchange(connection, "MESSAGE", message)
        if exchange is None:
            return await connection.close(1001, "Going away")
        exchange.message_id = new_request_id()
        deployment = exchange.stage.deployment
        status, text = 200, None
        try:
            route = select_route(deployment.routes, deployment.selection_expression, message)
            if route is None:
                raise Refused(403, "no route matches, and there is no $default")
            exchange.route = route
            self._throttle(exchange)
            if route.integration is None:
                raise Refused(500, "the route has no integration")
            answered = await self._integrate(exchange)
            status = answered.status
            if route.is_two_way:
                text = answered.body
        except Refused as refused:
            status, text = refused.status, self._error(exchange, refused)
        self._finish(exchange, status)
        if text:
            with contextlib.suppress(Gone, BufferFull):
                await connection.send(text)
                self._metrics.count(exchange, {"MessageCount": 1})
        return None

    async def _disconnect(self, connection: Connection, code: int, reason: str | None) -> None:
        """Nobody hears what the integration of $disconnect answers."""
        exchange = self._exchange(connection, "DISCONNECT", b"")
        route = exchange and route_named(exchange.stage.deployment.routes, "$disconnect")
        if not route or route.integration is None:
            return
        exchange.route, exchange.closed = route, (code, reason)
        try:
            answered = await self._integrate(exchange)
            status = answered.status
        except Refused as refused:
            self._error(exchange, refused)
            status = refused.status
        self._finish(exchange, status)

    def _exchange(
        self, connection: Connection, event_type: str, message: bytes
    ) -> WebSocketExchange | None:
        """What happens now on a connection; None where its API or stage is gone."""
        call = connection.call
        api = self._find_api(call.api_id)
        stage = api and api.stages.get(connection.stage)
        if not stage or stage.deployment is None:
            return None
        call = replace(call, request=replace(call.request, body=message))
        return WebSocketExchange(
            call, api, stage, "/", new_trace_id(), connection_id=connection.id,
            connected=connection.connected, event_type=event_type,
            authorization=connection.authorization,
        )  # fmt: skip

    def _throttle(self, exchange: WebSocketExchange) -> None:
        api, stage, route = exchange.api, exchange.stage, exchange.route
        limit = (api.id, stage.name, route.key), stage.settings_of(route).throttle
        if not self._throttles.admit(api.region, limit):
            raise Refused(429)

    async def _integrate(self, exchange: WebSocketExchange) -> Answered:
        began = time.time()
        try:
            answered = await self._integrations.call(exchange)
        except Refused as refused:
            kind = "integrationErrors" if refused.status == 502 else "executionErrors"
            exchange.outcome |= {kind: 1, "integrationErrorMessage": str(refused)}
            raise
        finally:
            if exchange.route.integration.type != "MOCK":
                exchange.outcome["integrationLatency"] = round((time.time() - began) * 1000)
        exchange.outcome["integrationStatus"] = answered.status
        if answered.status >= 400:
            exchange.outcome["integrationErrors"] = 1
        return answered

    def _error(self, exchange: WebSocketExchange, refused: Refused) -> str:
        """What the client is told."""
        message = refused.message if refused.status < 500 else "Internal server error"
        exchange.outcome |= {
            "error.message": message,
            "error.messageString": json.dumps(message),
        }
        if refused.status < 500:
            exchange.outcome["clientErrors"] = 1
        return error_text(message, exchange.connection_id, exchange.request_id)

    def _finish(self, exchange: WebSocketExchange, status: int) -> None:
        exchange.outcome["status"] = status
        self._log.write(exchange)
        self._metrics.count(exchange, _values(exchange))


def error_text(message: str, connection_id: str, request_id: str) -> str:
    """An error as a client gets it (recorded, down to its blanks)."""
    told = f'"connectionId":"{connection_id}", "requestId":"{request_id}"'
    return f'{{"message": "{message}", {told}}}'


def _values(exchange: WebSocketExchange) -> dict[str, Any]:
    """What is counted of an exchange: "Monitor WebSocket API execution with CloudWatch metrics"."""
    outcome = exchange.outcome
    values = {
        "IntegrationError": outcome.get("integrationErrors", 0),
        "ExecutionError": outcome.get("executionErrors", 0),
        "ClientError": outcome.get("clientErrors", 0),
    }
    if exchange.event_type == "MESSAGE":
        values["MessageCount"] = 1
    if outcome.get("connects"):
        values["ConnectCount"] = 1
    if "integrationLatency" in outcome:
        values["IntegrationLatency"] = outcome["integrationLatency"]
    return values


async def refuse(send: Send, status: int, body: str) -> None:
    """Answer a handshake with a status instead of a connection."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body.encode()})
