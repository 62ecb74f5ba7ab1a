"""Lambda authorizers of REST APIs, TOKEN and REQUEST: "Use API Gateway Lambda authorizers"."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from ..conditions import InvalidPolicy
from ..policies import Policy
from ..policy_documents import parse_policy
from . import resource_policies
from .exchange import Authorization, Exchange
from .function_calls import FunctionCalls, function_arn, with_stage_variables
from .gateway_responses import GatewayError
from .kept_answers import KeptAnswers
from .refusals import Failure, IntegrationFailed
from .rest_access_descriptions import RestAuthorizer
from .rest_events import request_authorizer_event

_TIMEOUT_S = 29.0  # of every Lambda integration of a REST API; an authorizer's own is UNCONFIRMED
_NOT_AUTHORIZED = "User is not authorized to access this resource"


class RestLambdaAuthorizers:
    """Asks functions, and keeps their answers as long as their authorizers say.

    What is kept is a policy: it is evaluated for each request, by the method that this one is for.
    """

    def __init__(self, calls: FunctionCalls, clock: Callable[[], float] = time.monotonic):
        self._calls = calls
        self._kept = KeptAnswers(clock)

    async def authorize(self, exchange: Exchange) -> Authorization:
        """Ask the method's authorizer.

        Raises GatewayError: UNAUTHORIZED without an invocation where an identity source is missing or
        not as it should be, and where the function says so; ACCESS_DENIED where the policies don't
        allow; else what is wrong with the authorizer.
        """
        authorizer = exchange.route.authorizer
        identity = _identity(exchange)
        began = time.monotonic()
        answer, was_kept = await self._answer(exchange, authorizer, identity)
        latency_ms = 0 if was_kept else round((time.monotonic() - began) * 1000)
        exchange.outcome["authorizer.latency"] = latency_ms
        decision = resource_policies.judge_anonymous(exchange, [Policy(answer["policyDocument"])])
        if resource_policies.is_resource_policys(decision):
            raise resource_policies.refusal(exchange, "anonymous", True)
        if not decision.allowed:
            ending = " with an explicit deny" if decision.explicit else ""
            raise GatewayError("ACCESS_DENIED", message=_NOT_AUTHORIZED + ending)
        return _authorization(answer, latency_ms)

    async def ask(self, exchange: Exchange) -> dict[str, Any]:
        """The answer of the method's authorizer, as TestInvokeAuthorizer wants it: never a kept one, and not
        evaluated. Raises GatewayError.
        """
        return await self._invoke(exchange, exchange.route.authorizer, _identity(exchange))

    async def _answer(
        self, exchange: Exchange, authorizer: RestAuthorizer, identity: list[str]
    ) -> tuple[dict[str, Any], bool]:
        stage = exchange.stage
        place = (exchange.api.id, stage.name, stage.authorizers_epoch)
        kept = self._kept.find(place, authorizer, identity)
        if kept is not None:
            return kept, True
        answer = await self._invoke(exchange, authorizer, identity)
        self._kept.keep(place, authorizer, identity, answer)
        return answer, False

    async def _invoke(
        self, exchange: Exchange, authorizer: RestAuthorizer, identity: list[str]
    ) -> dict[str, Any]:
        if authorizer.type == "TOKEN":
            event = {
                "type": "TOKEN",
                "methodArn": exchange.arn(),
                "authorizationToken": identity[0],
            }
        else:
            event = request_authorizer_event(exchange)
        uri = with_stage_variables(authorizer.uri, exchange.stage.variables)
        source_arn = exchange.api.arn("authorizers", authorizer.id)
        try:
            answered = await self._calls.invoke(
                function_arn(uri), event, source_arn, authorizer.credentials, _TIMEOUT_S,
                exchange.trace_id,
            )  # fmt: skip
        except IntegrationFailed as failed:
            is_refused = failed.failure is Failure.NOT_ALLOWED
            kind = "AUTHORIZER_CONFIGURATION_ERROR" if is_refused else "AUTHORIZER_FAILURE"
            raise GatewayError(kind, str(failed)) from failed
        answer = json.loads(answered.payload)
        if answered.failed:
            # How a function says 401: raise Exception("Unauthorized"), to the letter.
            if isinstance(answer, dict) and answer.get("errorMessage") == "Unauthorized":
                raise GatewayError("UNAUTHORIZED")
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "the authorizer raised an error")
        problem = _problem(answer)
        if problem:
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", problem)
        return answer


def _identity(exchange: Exchange) -> list[str]:
    authorizer = exchange.route.authorizer
    identity = [exchange.parameter(source) for source in authorizer.identity_sources]
    if not all(identity) or not _is_valid(authorizer, identity):
        raise GatewayError("UNAUTHORIZED")
    return identity


def _is_valid(authorizer: RestAuthorizer, identity: list[str]) -> bool:
    if authorizer.type != "TOKEN" or not authorizer.validation:
        return True
    return re.fullmatch(authorizer.validation, identity[0]) is not None


def _problem(answer: Any) -> str | None:
    """What is wrong with an answer ("Output from an API Gateway Lambda authorizer")."""
    if not isinstance(answer, dict):
        return "Could not parse policy: the answer is no object"
    if not isinstance(answer.get("principalId"), str) or not answer["principalId"]:
        return "Could not parse policy: principalId is missing or no text"
    try:
        parse_policy(answer.get("policyDocument") or {})
    except (InvalidPolicy, TypeError, AttributeError) as error:
        return f"Could not parse policy: {error}"
    context = answer.get("context") or {}
    if not isinstance(context, dict) or any(
        isinstance(value, dict | list) for value in context.values()
    ):
        return "Invalid context: its values are text, numbers and booleans"
    return None


def _authorization(answer: dict[str, Any], latency_ms: int) -> Authorization:
    given = {name: _text(value) for name, value in (answer.get("context") or {}).items()}
    given["principalId"] = answer["principalId"]
    return Authorization(
        authorizer_v1={**given, "integrationLatency": latency_ms},
        variables={f"authorizer.{name}": value for name, value in given.items()},
        usage_key=answer.get("usageIdentifierKey"),
    )


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
