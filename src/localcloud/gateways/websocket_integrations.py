"""What answers a WebSocket API's routes: functions, other HTTP servers, mocks.

"Set up a WebSocket API integration request in API Gateway". Templates are taken as they are: Velocity is
not done.
"""

import json
from dataclasses import dataclass

from .. import payload_v1
from .addresses import Field
from .exchange import Exchange, as_text
from .function_calls import FunctionCalls, function_arn, with_stage_variables
from .http_proxy import HttpProxy
from .parameter_mapping import BackendRequest
from .refusals import Failure, IntegrationFailed, Refused
from .websocket_events import WebSocketExchange, proxy_event

_STATUSES = {Failure.TIMED_OUT: 504, Failure.UNREACHABLE: 502}
_OF_THE_HANDSHAKE = ("sec-websocket-", "upgrade")


@dataclass(frozen=True)
class Answered:
    """What an integration answered."""

    status: int
    fields: tuple[Field, ...]
    body: str


class WebSocketIntegrations:
    """Calls the integration of an exchange's route."""

    def __init__(self, calls: FunctionCalls, proxy: HttpProxy):
        self._calls = calls
        self._proxy = proxy

    async def call(self, exchange: WebSocketExchange) -> Answered:
        """The integration's answer. Raises Refused where it gives none that can be read: 502 where a
        function fails, 504 where it takes too long, 500 where it may not be invoked (recorded of
        handshakes, but for 504).
        """
        kind = exchange.route.integration.type
        try:
            if kind == "AWS_PROXY":
                return await self._invoke(exchange)
            if kind in ("HTTP_PROXY", "HTTP"):
                return await self._ask(exchange)
            if kind == "MOCK":
                return _mock(exchange)
        except IntegrationFailed as failed:
            raise Refused(_STATUSES.get(failed.failure, 500), str(failed)) from failed
        raise Refused(500, f"localcloud has no integrations of type {kind} of WebSocket APIs")

    async def _invoke(self, exchange: WebSocketExchange) -> Answered:
        integration = exchange.route.integration
        arn = function_arn(with_stage_variables(integration.uri, exchange.stage.variables))
        answered = await self._calls.invoke(
            arn, proxy_event(exchange), exchange.route_arn(), integration.credentials,
            integration.timeout_s, exchange.trace_id,
        )  # fmt: skip
        exchange.outcome["integration.requestId"] = answered.request_id
        if answered.failed:
            raise Refused(502, "The Lambda function returned an error")
        try:
            status, fields, body = payload_v1.response(answered.payload)
        except payload_v1.MalformedResponse as error:
            raise Refused(502, f"Malformed Lambda proxy response: {error}") from error
        return Answered(status, tuple(fields), body.decode("utf-8", "replace"))

    async def _ask(self, exchange: WebSocketExchange) -> Answered:
        """A message is the request's body; the handshake's headers and query go on with $connect."""
        fields: tuple[Field, ...] = ()
        query = ""
        if exchange.event_type == "CONNECT":
            query = exchange.call.request.query
            fields = tuple(
                field
                for field in exchange.call.fields
                if not field[0].startswith(_OF_THE_HANDSHAKE)
            )
        for key, expression in exchange.route.integration.request_parameters.items():
            value = _parameter(exchange, expression)
            place, _, name = key.removeprefix("integration.request.").partition(".")
            if value is not None and place == "header":
                fields = (*fields, (name.lower(), value))
            elif value is not None and place == "querystring":
                query = "&".join(filter(None, (query, f"{name}={value}")))
        response = await self._proxy.call(exchange, BackendRequest("", query, fields))
        return Answered(response.status, response.fields, response.body.decode("utf-8", "replace"))


def _parameter(exchange: Exchange, expression: str) -> str | None:
    """A static value in single quotes, or route.request.header.x, context.x, stageVariables.x…"""
    if expression.startswith("'"):
        return expression[1:-1]
    return exchange.value("$" + expression.removeprefix("route."))


def _mock(exchange: WebSocketExchange) -> Answered:
    """The request template says the status, {"statusCode": 200}; the integration response $default
    what a two-way route answers.
    """
    integration = exchange.route.integration
    template = next(iter(integration.request_templates.values()), '{"statusCode": 200}')
    try:
        status = int(json.loads(template)["statusCode"])
    except (ValueError, KeyError, TypeError):
        raise Refused(500, 'the request template gives no {"statusCode": …}') from None
    body = as_text(next(iter(integration.response_templates.values()), "")) or ""
    return Answered(status, (), body)
