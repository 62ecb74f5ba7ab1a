"""REST APIs: the way of a request from its stage to its answer."""

import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from ..functions.service import new_trace_id
from ..identity import Gatekeeper
from . import execution_log, gateway_responses, request_validation
from .access_log import AccessLog
from .addresses import Call
from .exchange import Exchange, new_request_id
from .execution_log import ExecutionLog
from .function_calls import FunctionCalls
from .gateway_responses import GatewayError
from .metrics import ApiMetrics
from .parameter_mapping import Response, encoded
from .refusals import Answer, json_answer
from .rest_access import RestAccess
from .rest_cache import RestCache
from .rest_descriptions import RestApi, RestStage
from .rest_integrations import RestIntegrations
from .routes import select_route, select_stage

_log = logging.getLogger(__name__)
# Facts G2; of the request line and the values of headers, a private API's being the smaller.
_MAX_PAYLOAD_BYTES = 10 * 1024 * 1024
_MAX_HEADER_BYTES, _MAX_PRIVATE_HEADER_BYTES = 10_240, 8_000


class RestApis:
    """Answers requests to REST APIs."""

    def __init__(
        self,
        calls: FunctionCalls,
        gatekeeper: Gatekeeper,
        access: RestAccess,
        metrics: ApiMetrics,
        log: AccessLog,
    ):
        self._access = access
        self._integrations = RestIntegrations(calls)
        self._cache = RestCache(gatekeeper)
        self._metrics = metrics
        self._log = log
        self._execution_log = ExecutionLog(gatekeeper.may_role)

    def close(self) -> None:
        """End the threads."""
        self._integrations.close()
        self._execution_log.close()

    async def answer(self, call: Call, api: RestApi) -> Answer:
        """Find stage and method, integrate; what goes wrong on the way is a gateway response."""
        too_large = _too_large(call, api)
        if too_large:
            return too_large
        selected = select_stage(api.stages, call.path, call.is_mapped)
        is_disabled = api.is_disabled and not call.is_mapped
        is_elsewhere = api.is_private and not call.vpc_endpoint
        if selected is None or selected[0].deployment is None or is_disabled or is_elsewhere:
            return json_answer(403, "Forbidden")
        stage, path = selected
        trace_id = next((v for n, v in call.fields if n == "x-amzn-trace-id"), None)
        canary = _canary(stage)
        exchange = Exchange(
            call, api, canary or stage, path, trace_id or new_trace_id(), str(uuid.uuid4())
        )
        exchange.outcome |= {
            "extendedRequestId": new_request_id(),
            "isCanaryRequest": "true" if canary else "false",
        }
        status, headers, body = await self._execute(exchange, self._respond)
        headers = [*headers, (b"x-amzn-requestid", exchange.request_id.encode())]
        headers.append((b"x-amz-apigw-id", exchange.outcome["extendedRequestId"].encode()))
        exchange.outcome |= {
            "status": status,
            "responseLength": len(body),
            "responseLatency": round((time.time() - exchange.started) * 1000),
        }
        self._log.write(exchange)
        self._execution_log.write(exchange)
        self._metrics.observe(exchange)
        return status, headers, body

    async def test(self, exchange: Exchange) -> Answer:
        """Execute a method without its authorization ("Use the API Gateway console to test a REST API
        method").
        """
        self._know_method(exchange)
        execution_log.received(exchange)
        return await self._execute(exchange, self._respond_to_test)

    async def test_authorizer(self, exchange: Exchange) -> dict[str, Any]:
        """What TestInvokeAuthorizer tells; `clientStatus` is 0 where the authorizer has answered."""
        execution_log.authorizing(exchange)
        try:
            told = {"clientStatus": 0, **await self._access.ask_authorizer(exchange)}
            execution_log.authorized(exchange)
        except GatewayError as error:
            execution_log.failed(exchange, error)
            status, _, _ = gateway_responses.answer(exchange, error)
            told = {"clientStatus": status}
        return told

    async def _respond_to_test(self, exchange: Exchange) -> Response:
        request_validation.validate(exchange)
        return await self._integrations.respond(exchange)

    def _know_method(self, exchange: Exchange) -> None:
        exchange.outcome |= {
            "resourceId": exchange.route.resource_id,
            "resourcePath": exchange.route.path,
            "deploymentId": exchange.stage.deployment.id,
        }

    async def _execute(
        self, exchange: Exchange, respond: Callable[[Exchange], Awaitable[Response]]
    ) -> Answer:
        """What `respond` answers; where it raises GatewayError, the gateway response. Any other exception,
        such as that of a selection pattern which is no regular expression, is a configuration error.
        """
        try:
            response = await respond(exchange)
            answer = response.status, encoded(response.fields), response.body
        except Exception as raised:
            error = raised
            if not isinstance(raised, GatewayError):
                _log.exception("request failed: %s", exchange.stage_path)
                error = GatewayError("API_CONFIGURATION_ERROR", repr(raised))
            exchange.outcome["integrationErrorMessage"] = str(error)
            execution_log.failed(exchange, error)
            answer = gateway_responses.answer(exchange, error)
        execution_log.completed(exchange, *answer)
        return answer

    async def _respond(self, exchange: Exchange) -> Response:
        request = exchange.call.request
        found = select_route(exchange.stage.deployment.methods, request.method, exchange.path)
        if found is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        exchange.route, exchange.path_parameters = found.route, found.parameters
        self._know_method(exchange)
        self._execution_log.begin(exchange)
        await self._access.admit(exchange)
        execution_log.admitted(exchange)
        return await self._cache.respond(exchange, self._integrations.respond)


def _too_large(call: Call, api: RestApi) -> Answer | None:
    """The answer to what is too large to be looked at: a plain text, and none of API Gateway's headers
    (koki-develop/lgtm-generator issue 10 shows it for bodies; 431 for headers is UNCONFIRMED, the text
    is one that people quote).
    """
    request = call.request
    if len(request.body) > _MAX_PAYLOAD_BYTES:
        return _text(413, f"HTTP content length exceeded {_MAX_PAYLOAD_BYTES} bytes.")
    most = _MAX_PRIVATE_HEADER_BYTES if api.is_private else _MAX_HEADER_BYTES
    line = len(request.method) + len(request.path) + len(request.query)
    if line + sum(len(value) for _, value in call.fields) > most:
        return _text(431, f"HTTP header is larger than {most} bytes.")
    return None


def _text(status: int, text: str) -> Answer:
    return status, [(b"content-type", b"text; charset=utf-8")], text.encode()


def _canary(stage: RestStage) -> RestStage | None:
    """The stage as its canary has it, for the share of requests that the canary takes."""
    canary = stage.canary
    if canary is None or random.random() * 100 >= canary.percent:
        return None
    return replace(
        stage,
        deployment=canary.deployment,
        variables={**stage.variables, **canary.variables},
        cache_name=stage.name if canary.uses_stage_cache else f"{stage.name}/Canary",
    )
