"""REST APIs: the way of a request from its stage to its answer. So far functions as proxies and mocks."""

import base64
import time
import uuid
from typing import Any

from .. import payload_v1
from ..functions.service import new_trace_id
from . import gateway_responses, mock_integration
from .access_log import AccessLog
from .addresses import Call
from .exchange import Exchange, new_request_id
from .function_calls import FunctionCalls, function_arn, with_stage_variables
from .gateway_responses import GatewayError
from .http_events import event_v1
from .parameter_mapping import BackendRequest, Response, encoded
from .refusals import Answer, Failure, IntegrationFailed, json_answer
from .rest_access import RestAccess
from .rest_descriptions import RestApi
from .rest_events import add_rest_context
from .routes import select_route, select_stage

_MAX_PAYLOAD_BYTES = 10 * 1024 * 1024  # facts G2
_MAX_FUNCTION_EVENT_BYTES = 6 * 1024 * 1024


class RestApis:
    """Answers requests to REST APIs."""

    def __init__(self, calls: FunctionCalls, access: RestAccess, log: AccessLog):
        self._calls = calls
        self._access = access
        self._log = log

    async def answer(self, call: Call, api: RestApi) -> Answer:
        """Find stage and method, integrate; what goes wrong on the way is a gateway response."""
        selected = select_stage(api.stages, call.path)
        is_elsewhere = api.is_private and not call.vpc_endpoint
        if selected is None or selected[0].deployment is None or api.is_disabled or is_elsewhere:
            return json_answer(403, "Forbidden")
        stage, path = selected
        trace_id = next((v for n, v in call.fields if n == "x-amzn-trace-id"), None)
        exchange = Exchange(call, api, stage, path, trace_id or new_trace_id(), str(uuid.uuid4()))
        exchange.outcome["extendedRequestId"] = new_request_id()
        try:
            response = await self._respond(exchange)
            status, headers, body = response.status, encoded(response.fields), response.body
        except GatewayError as error:
            exchange.outcome["integrationErrorMessage"] = str(error)
            status, headers, body = gateway_responses.answer(exchange, error)
        headers = [*headers, (b"x-amzn-requestid", exchange.request_id.encode())]
        headers.append((b"x-amz-apigw-id", exchange.outcome["extendedRequestId"].encode()))
        exchange.outcome |= {
            "status": status,
            "responseLength": len(body),
            "responseLatency": round((time.time() - exchange.started) * 1000),
        }
        self._log.write(exchange)
        return status, headers, body

    async def _respond(self, exchange: Exchange) -> Response:
        request = exchange.call.request
        if len(request.body) > _MAX_PAYLOAD_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        found = select_route(exchange.stage.deployment.methods, request.method, exchange.path)
        if found is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        exchange.route, exchange.path_parameters = found.route, found.parameters
        await self._access.admit(exchange)
        integration = exchange.route.integration
        if integration is None:
            raise GatewayError("API_CONFIGURATION_ERROR", "the method has no integration")
        if integration.type == "MOCK":
            return mock_integration.respond(exchange)
        if integration.type == "AWS_PROXY":
            return await self._invoke(exchange)
        reason = f"localcloud has no integrations of type {integration.type} of REST APIs"
        raise GatewayError("API_CONFIGURATION_ERROR", reason)

    async def _invoke(self, exchange: Exchange) -> Response:
        if len(exchange.call.request.body) > _MAX_FUNCTION_EVENT_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        integration = exchange.route.integration
        uri = with_stage_variables(integration.uri, exchange.stage.variables)
        try:
            answered = await self._calls.invoke(
                function_arn(uri), _event(exchange), exchange.route_arn(),
                integration.credentials, integration.timeout_s, exchange.trace_id,
            )  # fmt: skip
        except IntegrationFailed as failed:
            is_late = failed.failure is Failure.TIMED_OUT
            kind = "INTEGRATION_TIMEOUT" if is_late else "API_CONFIGURATION_ERROR"
            raise GatewayError(kind, str(failed)) from failed
        if answered.failed:
            raise GatewayError("DEFAULT_5XX", "The Lambda function returned an error")
        try:
            status, fields, body = payload_v1.response(
                answered.payload, lambda content_type: _is_binary(exchange, content_type)
            )
        except payload_v1.MalformedResponse as error:
            raise GatewayError(
                "DEFAULT_5XX", f"Malformed Lambda proxy response: {error}"
            ) from error
        root = exchange.trace_id.partition(";")[0]
        return Response(status, (*fields, ("x-amzn-trace-id", root)), body)


def _event(exchange: Exchange) -> dict[str, Any]:
    """Payload format 1.0 as a REST API has it (facts G3)."""
    request = exchange.call.request
    event = event_v1(exchange, BackendRequest(exchange.path, request.query, exchange.call.fields))
    del event["version"]
    if request.body:
        is_binary = _is_binary(exchange, exchange.headers.get("content-type", ""))
        event["isBase64Encoded"] = is_binary
        event["body"] = (
            base64.b64encode(request.body).decode()
            if is_binary
            else request.body.decode("utf-8", "replace")
        )
    add_rest_context(exchange, event["requestContext"])
    return event


def _is_binary(exchange: Exchange, content_type: str) -> bool:
    wanted = content_type.partition(";")[0].strip().lower()
    types = exchange.stage.deployment.binary_media_types
    return "*/*" in types or wanted in types
