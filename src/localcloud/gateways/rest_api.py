"""REST APIs: the way of a request from its stage to its answer."""

import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..denials import refused_credentials
from ..functions.service import new_trace_id
from ..identity import Gatekeeper
from . import execution_log, gateway_responses
from .access_log import AccessLog
from .addresses import Call
from .exchange import Exchange, new_request_id
from .execution_log import ExecutionLog
from .function_calls import FunctionCalls
from .gateway_responses import GatewayError
from .iam import signed_by
from .metrics import ApiMetrics
from .parameter_mapping import Response, encoded
from .refusals import Answer, json_answer
from .rest_cache import RestCache
from .rest_descriptions import RestApi, RestStage
from .rest_integrations import RestIntegrations
from .routes import select_route, select_stage

_MAX_PAYLOAD_BYTES = 10 * 1024 * 1024  # facts G2


class RestApis:
    """Answers requests to REST APIs."""

    def __init__(
        self, calls: FunctionCalls, gatekeeper: Gatekeeper, metrics: ApiMetrics, log: AccessLog
    ):
        self._gatekeeper = gatekeeper
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
        selected = select_stage(api.stages, call.path)
        if selected is None or selected[0].deployment is None or api.is_disabled:
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
        method"), its steps noted.
        """
        exchange.trace = []
        exchange.outcome["extendedRequestId"] = new_request_id()
        self._begin(exchange)
        return await self._execute(exchange, self._integrations.respond)

    def _begin(self, exchange: Exchange) -> None:
        exchange.outcome |= {
            "resourceId": exchange.route.resource_id,
            "resourcePath": exchange.route.path,
            "deploymentId": exchange.stage.deployment.id,
        }
        self._execution_log.begin(exchange)

    async def _execute(
        self, exchange: Exchange, respond: Callable[[Exchange], Awaitable[Response]]
    ) -> Answer:
        """What `respond` answers; where it raises GatewayError, the gateway response."""
        try:
            response = await respond(exchange)
            answer = response.status, encoded(response.fields), response.body
        except GatewayError as error:
            exchange.outcome["integrationErrorMessage"] = str(error)
            execution_log.failed(exchange, error)
            answer = gateway_responses.answer(exchange, error)
        execution_log.completed(exchange, *answer)
        return answer

    async def _respond(self, exchange: Exchange) -> Response:
        request = exchange.call.request
        if len(request.body) > _MAX_PAYLOAD_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        found = select_route(exchange.stage.deployment.methods, request.method, exchange.path)
        if found is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        exchange.route, exchange.path_parameters = found.route, found.parameters
        method = exchange.route
        self._begin(exchange)
        if method.authorization == "AWS_IAM":
            self._authorize_iam(exchange)
        elif method.authorization != "NONE":
            reason = f"localcloud has no authorization {method.authorization} of REST APIs"
            raise GatewayError("API_CONFIGURATION_ERROR", reason)
        if method.is_key_required:
            raise GatewayError("API_CONFIGURATION_ERROR", "localcloud has no API keys")
        return await self._cache.respond(exchange, self._integrations.respond)

    def _authorize_iam(self, exchange: Exchange) -> None:
        """Raises GatewayError, in the words of "How do I troubleshoot HTTP 403 errors from API
        Gateway?"
        """
        arn = exchange.arn()
        verdict = self._gatekeeper.judge_api_call(exchange.call.request, arn)
        if verdict.allowed:
            exchange.authorization = signed_by(exchange, verdict.principal)
        elif verdict.problem == "unsigned":
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        elif verdict.problem:
            denial = refused_credentials(verdict.problem, "execute-api", exchange.call.request)
            raise GatewayError("ACCESS_DENIED", message=denial.message, code=denial.code)
        else:
            who = verdict.principal.caller.arn
            message = (
                f"User: {who} is not authorized to perform: execute-api:Invoke on resource: {arn}"
            )
            if verdict.is_explicit:
                message += " with an explicit deny"
            raise GatewayError("ACCESS_DENIED", message=message)


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
