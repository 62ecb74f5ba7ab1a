"""HTTP APIs: the way of a request from its stage to its answer."""

import logging
import time
from collections.abc import Mapping

from .. import payload_v1, payload_v2
from ..cors import cors_headers, preflight
from ..functions.service import new_trace_id
from ..identity import Gatekeeper
from .access_log import AccessLog
from .addresses import Call
from .descriptions import HttpApi
from .exchange import Authorization, Exchange
from .function_calls import FunctionCalls, function_arn, with_stage_variables
from .http_events import integration_event
from .http_proxy import HttpProxy
from .iam import signed_by
from .issuer_keys import IssuerKeys
from .jwt_authorizer import JwtAuthorizers
from .lambda_authorizer import LambdaAuthorizers
from .metrics import ApiMetrics
from .parameter_mapping import (
    BackendRequest,
    Response,
    encoded,
    map_request,
    map_response,
)
from .refusals import Answer, Failure, Headers, IntegrationFailed, Refused, json_answer
from .routes import select_route, select_stage
from .throttling import Throttles

_log = logging.getLogger(__name__)
_MAX_PAYLOAD_BYTES = 10 * 1024 * 1024  # facts G2
_MAX_FUNCTION_EVENT_BYTES = 6 * 1024 * 1024
# What HTTP APIs call an answer that doesn't say what it is (ApiGatewayResponseExtensions.cs in AWS's own
# test tool for .NET functions, whose tests compare it with the service).
_UNTYPED = "text/plain; charset=utf-8"
_MAX_HEADER_BYTES = 10_240  # request line and header values ("Quotas for HTTP APIs")


class HttpApis:
    """Answers requests to HTTP APIs."""

    def __init__(
        self,
        calls: FunctionCalls,
        gatekeeper: Gatekeeper,
        throttles: Throttles,
        metrics: ApiMetrics,
        log: AccessLog,
        proxy: HttpProxy,
        keys: IssuerKeys,
    ):
        self._calls = calls
        self._gatekeeper = gatekeeper
        self._throttles = throttles
        self._metrics = metrics
        self._jwt = JwtAuthorizers(keys)
        self._lambda = LambdaAuthorizers(calls)
        self._proxy = proxy
        self._log = log

    async def answer(self, call: Call, api: HttpApi) -> Answer:
        """Route, authorise, integrate; whatever stops a request on its way is its answer."""
        selected = select_stage(api.stages, call.path, call.is_mapped)
        is_disabled = api.is_disabled and not call.is_mapped
        if selected is None or selected[0].deployment is None or is_disabled:
            return json_answer(404, "Not Found")
        stage, path = selected
        trace_id = next((v for n, v in call.fields if n == "x-amzn-trace-id"), None)
        exchange = Exchange(call, api, stage, path, trace_id or new_trace_id())
        try:
            status, headers, body = await self._answer(exchange)
        except Exception as raised:
            refused = raised
            if not isinstance(raised, Refused):
                _log.exception("request failed: %s", exchange.stage_path)
                refused = Refused(500, repr(raised))
            exchange.outcome["error.message"] = refused.message
            status, headers, body = json_answer(refused.status, refused.message, refused.headers)
        headers = _with_cors(exchange, headers)
        headers.append((b"apigw-requestid", exchange.request_id.encode()))
        elapsed_ms = round((time.time() - exchange.started) * 1000)
        exchange.outcome |= {
            "status": status,
            "responseLength": len(body),
            "responseLatency": elapsed_ms,
            "dataProcessed": len(call.request.body) + len(body),
        }
        self._log.write(exchange)
        self._metrics.observe(exchange)
        return status, headers, body

    async def _answer(self, exchange: Exchange) -> Answer:
        deployment, request = exchange.stage.deployment, exchange.call.request
        _check_size(exchange)
        if deployment.cors and _is_preflight(exchange):
            return 204, preflight(deployment.cors, exchange.headers["origin"]), b""
        found = select_route(deployment.routes, request.method, exchange.path)
        if found is None:
            raise Refused(404)
        exchange.route, exchange.path_parameters = found.route, found.parameters
        bucket = (exchange.api.id, exchange.stage.name, found.route.key)
        throttle = exchange.stage.settings_of(found.route).throttle
        if not self._throttles.admit(exchange.api.region, (bucket, throttle)):
            raise Refused(429)
        try:
            exchange.authorization = await self._authorize(exchange)
        except Refused as refused:
            exchange.outcome["authorizer.error"] = str(refused)
            raise
        response = await self._integrate(exchange)
        return response.status, encoded(response.fields), response.body

    async def _authorize(self, exchange: Exchange) -> Authorization:
        route = exchange.route
        if route.authorization == "NONE":
            return Authorization()
        if route.authorization == "AWS_IAM":
            return self._authorize_iam(exchange)
        if route.authorizer is None:
            raise Refused(500, "the route's authorizer is gone")
        if route.authorization == "JWT":
            return await self._jwt.authorize(exchange)
        return await self._lambda.authorize(exchange)

    def _authorize_iam(self, exchange: Exchange) -> Authorization:
        verdict = self._gatekeeper.judge_api_call(exchange.call.request, exchange.arn())
        if not verdict.allowed:
            raise Refused(403)
        return signed_by(exchange, verdict.principal)

    async def _integrate(self, exchange: Exchange) -> Response:
        integration = exchange.route.integration
        if integration is None:
            raise Refused(500, "the route has no integration")
        request = map_request(integration.request_parameters, exchange)
        began = time.time()
        try:
            if integration.type == "AWS_PROXY" and not integration.subtype:
                response = await self._invoke(exchange, request)
            elif integration.type == "HTTP_PROXY":
                response = await self._proxy.call(exchange, request)
            else:
                kind = integration.subtype or integration.type
                raise Refused(500, f"localcloud has no integrations of type {kind}")
        except IntegrationFailed as failed:
            _note_error(exchange, str(failed))
            # A throttled function's status and body are UNCONFIRMED.
            status = 500 if failed.failure is Failure.NOT_ALLOWED else 503
            raise Refused(status, str(failed)) from failed
        except Refused as refused:
            _note_error(exchange, str(refused))
            raise
        finally:
            latency_ms = round((time.time() - began) * 1000)
            exchange.outcome |= {
                "integrationLatency": latency_ms,
                "integration.latency": latency_ms,
            }
        exchange.outcome["integration.status"] = response.status
        return map_response(integration.response_parameters, exchange, response)

    async def _invoke(self, exchange: Exchange, request: BackendRequest) -> Response:
        integration = exchange.route.integration
        if len(exchange.call.request.body) > _MAX_FUNCTION_EVENT_BYTES:
            raise Refused(413)
        arn = function_arn(with_stage_variables(integration.uri, exchange.stage.variables))
        answered = await self._calls.invoke(
            arn, integration_event(exchange, request), exchange.route_arn(),
            integration.credentials, integration.timeout_s, exchange.trace_id,
        )  # fmt: skip
        exchange.outcome |= {
            "integrationStatus": 200,
            "integration.integrationStatus": 200,
            "integration.requestId": answered.request_id,
            "awsEndpointRequestId": answered.request_id,
        }
        if answered.failed:
            raise Refused(500, "The Lambda function returned an error")
        payload = payload_v2 if integration.payload_version == "2.0" else payload_v1
        try:
            status, fields, body = payload.response(answered.payload, _UNTYPED)
        except payload_v2.MalformedResponse as error:
            raise Refused(
                500,
                "The response from the Lambda function doesn't match the format that API Gateway "
                f"expects: {error}",
            ) from error
        return Response(status, tuple(fields), body)


def _note_error(exchange: Exchange, text: str) -> None:
    exchange.outcome |= {"integrationErrorMessage": text, "integration.error": text}


def _check_size(exchange: Exchange) -> None:
    request = exchange.call.request
    if len(request.body) > _MAX_PAYLOAD_BYTES:
        raise Refused(413)
    line = len(request.method) + len(request.path) + len(request.query)
    if line + sum(len(value) for _, value in exchange.call.fields) > _MAX_HEADER_BYTES:
        raise Refused(431)


def _is_preflight(exchange: Exchange) -> bool:
    headers: Mapping[str, str] = exchange.headers
    return (
        exchange.call.request.method == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )


def _with_cors(exchange: Exchange, headers: Headers) -> Headers:
    """With a CORS configuration the integration's own CORS headers count for nothing."""
    cors, origin = exchange.stage.deployment.cors, exchange.headers.get("origin")
    if not cors or _is_preflight(exchange):
        return list(headers)
    own = [pair for pair in headers if not pair[0].startswith(b"access-control-")]
    return own + (cors_headers(cors, origin) if origin else [])
