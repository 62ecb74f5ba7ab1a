"""The integrations of a REST API's methods: what each sends, and what its answer becomes.

AWS_PROXY and HTTP_PROXY pass requests and answers on; AWS, HTTP and MOCK have mappings and templates
("Choose an API Gateway API integration type").
"""

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

from .. import payload_v1
from ..invoke_api import json_problem
from . import execution_log, rest_mapping
from .addresses import Field
from .aws_integration import AwsIntegrations
from .exchange import Exchange
from .function_calls import FunctionCalls, function_arn, with_stage_variables
from .gateway_responses import GatewayError
from .http_events import event_v1, forwarded
from .http_proxy import HttpProxy, to_pass_on, with_path_variables
from .parameter_mapping import BackendRequest, Response
from .refusals import Failure, IntegrationFailed
from .rest_events import add_rest_context
from .rest_mapping import Outgoing, Received, content_type, is_binary

_MAX_FUNCTION_EVENT_BYTES = 6 * 1024 * 1024  # facts G2
_FUNCTION_FAILED = "Lambda execution failed with status 200 due to customer function error: {}"
_FAILURES = {
    Failure.TIMED_OUT: "INTEGRATION_TIMEOUT",
    Failure.UNREACHABLE: "INTEGRATION_FAILURE",
}
# "Amazon API Gateway important notes" lists what may be remapped; of those the ones that are seen to be.
_REMAPPED = {
    "authorization", "connection", "content-length", "content-md5", "date", "expect", "host",
    "proxy-authenticate", "server", "te", "trailer", "upgrade", "www-authenticate",
}  # fmt: skip


class RestIntegrations:
    """Asks whatever answers a method."""

    def __init__(self, calls: FunctionCalls):
        self._calls = calls
        self._proxy = HttpProxy()
        self._aws = AwsIntegrations(self._proxy)

    def close(self) -> None:
        """End the threads."""
        self._proxy.close()

    async def respond(self, exchange: Exchange) -> Response:
        """The method's answer. Raises GatewayError where there is none."""
        integration = exchange.route.integration
        if integration is None:
            raise GatewayError("API_CONFIGURATION_ERROR", "No integration defined for method")
        try:
            match integration.type:
                case "AWS_PROXY":
                    return await self._function_proxy(exchange)
                case "HTTP_PROXY":
                    return await self._http_proxy(exchange)
                case _:
                    return await self._mapped(exchange)
        except IntegrationFailed as failed:
            kind = _FAILURES.get(failed.failure, "API_CONFIGURATION_ERROR")
            raise GatewayError(kind, str(failed)) from failed

    async def _mapped(self, exchange: Exchange) -> Response:
        integration = exchange.route.integration
        outgoing = Outgoing()
        rest_mapping.map_parameters(exchange, integration.request_parameters, outgoing)
        rest_mapping.transform_request(exchange, integration, outgoing)
        if integration.type == "MOCK":
            received = _mocked(outgoing)
        else:
            uri = _uri(exchange)
            if ":lambda:path/" in uri:
                asking = self._function(exchange, function_arn(uri), outgoing)
            elif integration.type == "AWS":
                asking = self._aws.call(exchange, uri, outgoing)
            else:
                asking = self._http(exchange, uri, outgoing)
            received = await self._timed(exchange, asking)
            execution_log.answered(exchange, received.status, received.fields, received.body)
        response = rest_mapping.respond(exchange, received, outgoing)
        if integration.type == "MOCK":
            return response
        return _with_trace(exchange, response)

    async def _timed(self, exchange: Exchange, asking: Any) -> Any:
        began = time.time()
        try:
            received = await asking
        finally:
            latency = round((time.time() - began) * 1000)
            exchange.outcome |= {"integrationLatency": latency, "integration.latency": latency}
        exchange.outcome["integration.status"] = getattr(received, "status", 200)
        return received

    async def _function(self, exchange: Exchange, arn: str, outgoing: Outgoing) -> Received:
        integration, payload = exchange.route.integration, outgoing.body or b"{}"
        execution_log.sent(exchange, integration.uri, outgoing.headers.items(), payload)
        problem = json_problem(payload)
        if problem:
            body = json.dumps({"Type": "User", "message": problem}).encode()
            return Received(400, (("content-type", "application/json"),), body, None)
        if outgoing.headers.get("x-amz-invocation-type", "").lower() == "event":
            self._calls.invoke_later(
                arn, payload, exchange.route_arn(), integration.credentials, exchange.trace_id
            )
            return Received(202, (), b"", None)
        answered = await self._calls.invoke(
            arn, payload, exchange.route_arn(), integration.credentials, integration.timeout_s,
            exchange.trace_id,
        )  # fmt: skip
        exchange.outcome["awsEndpointRequestId"] = answered.request_id
        message = _error_message(answered.payload) if answered.failed else None
        return Received(200, (("content-type", "application/json"),), answered.payload, message)

    async def _http(self, exchange: Exchange, uri: str, outgoing: Outgoing) -> Received:
        url = _url(uri, outgoing.path, outgoing.query)
        headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "user-agent": f"AmazonAPIGateway_{exchange.api.id}",
            "x-amzn-apigateway-api-id": exchange.api.id,
            **outgoing.headers,
            "x-amzn-trace-id": exchange.trace_id,
        }
        response = await self._send(exchange, url, list(headers.items()), outgoing.body)
        return Received(response.status, response.fields, response.body, str(response.status))

    async def _http_proxy(self, exchange: Exchange) -> Response:
        call = exchange.call
        added = forwarded(exchange) | {"x-amzn-apigateway-api-id": exchange.api.id}
        outgoing = Outgoing(query=payload_v1.query_pairs(call.request.query), headers=added)
        mappings = exchange.route.integration.request_parameters
        rest_mapping.map_parameters(exchange, mappings, outgoing)
        fields = [field for field in to_pass_on(call.fields) if field[0] not in outgoing.headers]
        fields += outgoing.headers.items()
        url = _url(_uri(exchange), outgoing.path, outgoing.query)
        asking = self._send(exchange, url, fields, call.request.body)
        response = await self._timed(exchange, asking)
        execution_log.answered(exchange, response.status, response.fields, response.body)
        return _with_trace(exchange, _remapped(response))

    async def _send(
        self, exchange: Exchange, url: str, fields: list[Field], body: bytes
    ) -> Response:
        integration = exchange.route.integration
        method = exchange.call.request.method if integration.method == "ANY" else integration.method
        execution_log.sent(exchange, url, fields, body)
        return await self._proxy.send(method, url, fields, body, integration.timeout_s)

    async def _function_proxy(self, exchange: Exchange) -> Response:
        if len(exchange.call.request.body) > _MAX_FUNCTION_EVENT_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        integration, uri = exchange.route.integration, _uri(exchange)
        event = _event(exchange)
        if exchange.trace is not None:  # or the event would be put in words twice
            execution_log.sent(exchange, uri, (), json.dumps(event).encode())
        asking = self._calls.invoke(
            function_arn(uri), event, exchange.route_arn(), integration.credentials,
            integration.timeout_s, exchange.trace_id,
        )  # fmt: skip
        answered = await self._timed(exchange, asking)
        exchange.outcome |= {
            "integrationStatus": 200,
            "integration.integrationStatus": 200,
            "integration.requestId": answered.request_id,
            "awsEndpointRequestId": answered.request_id,
        }
        execution_log.answered(exchange, 200, (), answered.payload)
        if answered.failed:
            reason = _FUNCTION_FAILED.format(_error_message(answered.payload))
            raise GatewayError("DEFAULT_5XX", reason)
        wants_binary = is_binary(exchange, content_type(exchange.headers, "accept"))
        try:
            status, fields, body = payload_v1.response(
                answered.payload,
                # By the caller's Accept; where it says nothing, by what the answer is.
                decodes=lambda given: (
                    wants_binary if "accept" in exchange.headers
                    else is_binary(exchange, given.partition(";")[0].strip().lower())
                ),
                drops=(),
            )  # fmt: skip
        except payload_v1.MalformedResponse as error:
            raise GatewayError("DEFAULT_5XX", execution_log.MALFORMED) from error
        return _with_trace(exchange, _remapped(Response(status, tuple(fields), body)))


def _uri(exchange: Exchange) -> str:
    return with_stage_variables(exchange.route.integration.uri, exchange.stage.variables)


def _url(uri: str, path: dict[str, str], query: list[tuple[str, str]]) -> str:
    uri = with_path_variables(uri, path)
    if not query:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(query)}"


def _mocked(outgoing: Outgoing) -> Received:
    """The status that the request template says, {"statusCode": 200}; there is no other body."""
    try:
        status = int(json.loads(outgoing.body)["statusCode"])
    except (ValueError, KeyError, TypeError):
        raise GatewayError(
            "API_CONFIGURATION_ERROR", "Unable to parse statusCode. It should be an integer that "
            "is defined in the request template.",
        ) from None  # fmt: skip
    return Received(status, (), b"", str(status))


def _error_message(payload: bytes) -> str:
    try:
        found = json.loads(payload)
    except ValueError:
        return ""
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else ""


def _remapped(response: Response) -> Response:
    """An answer with the headers renamed that are API Gateway's own to send."""
    fields = [
        (f"x-amzn-remapped-{name}" if name in _REMAPPED else name, value)
        for name, value in response.fields
        if name != "transfer-encoding"
    ]
    return Response(response.status, tuple(fields), response.body)


def _with_trace(exchange: Exchange, response: Response) -> Response:
    root = exchange.trace_id.partition(";")[0]
    fields = (*response.fields, ("x-amzn-trace-id", root))
    return Response(response.status, fields, response.body)


def _event(exchange: Exchange) -> dict[str, Any]:
    """Payload format 1.0 as a REST API has it (facts G3)."""
    request = exchange.call.request
    event = event_v1(exchange, BackendRequest(exchange.path, request.query, exchange.call.fields))
    del event["version"]
    if request.body:
        binary = is_binary(exchange, content_type(exchange.headers))
        event["isBase64Encoded"] = binary
        event["body"] = (
            base64.b64encode(request.body).decode()
            if binary
            else request.body.decode("utf-8", "replace")
        )
    add_rest_context(exchange, event["requestContext"])
    return event
