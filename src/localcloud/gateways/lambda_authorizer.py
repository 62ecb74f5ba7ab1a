"""Lambda authorizers: "Control access to HTTP APIs with AWS Lambda authorizers"."""

import json
import time
from collections.abc import Callable
from typing import Any

from ..policies import AccessRequest, Policy, evaluate
from ..policy_documents import Caller
from .descriptions import Authorizer
from .exchange import Authorization, Exchange
from .function_calls import Answered, FunctionCalls, function_arn
from .http_events import authorizer_event
from .kept_answers import KeptAnswers
from .refusals import IntegrationFailed, Refused

_TIMEOUT_S = 10.0  # facts G2
_ANSWER_UNREADABLE = "The authorizer's response is not in the required format"


class LambdaAuthorizers:
    """Asks functions, and keeps their answers as long as their authorizers say."""

    def __init__(
        self,
        calls: FunctionCalls,
        clock: Callable[[], float] = time.monotonic,
        make_event: Callable[[Any, list[str]], dict[str, Any]] = authorizer_event,
    ):
        self._calls = calls
        self._make_event = make_event
        self._kept = KeptAnswers(clock)

    async def authorize(self, exchange: Exchange) -> Authorization:
        """Ask the authorizer of the exchange's route.

        Raises Refused: 401 where an identity source is missing, 403 where the answer is no, 500 where
        there is no answer.
        """
        authorizer = exchange.route.authorizer
        identity = [exchange.value(source) for source in authorizer.identity_sources]
        if not all(identity):
            raise Refused(401)
        answer = await self._answer(exchange, authorizer, identity)
        if not _allows(answer, authorizer, exchange.arn()):
            raise Refused(403)
        return _authorization(answer)

    async def _answer(
        self, exchange: Exchange, authorizer: Authorizer, identity: list[str]
    ) -> dict[str, Any]:
        place = (exchange.api.id, exchange.stage.name)
        kept = self._kept.find(place, authorizer, identity)
        if kept is not None:
            return kept
        uri, role = authorizer.uri, authorizer.credentials
        source_arn = exchange.api.arn("authorizers", authorizer.id)
        try:
            answered = await self._calls.invoke(
                function_arn(uri), self._make_event(exchange, identity), source_arn, role,
                _TIMEOUT_S, exchange.trace_id,
            )  # fmt: skip
        except IntegrationFailed as failed:
            raise Refused(500, str(failed)) from failed
        answer = _read(answered)
        self._kept.keep(place, authorizer, identity, answer)
        return answer


def _read(answered: Answered) -> dict[str, Any]:
    answer = None if answered.failed else json.loads(answered.payload)
    if not isinstance(answer, dict):
        raise Refused(500, _ANSWER_UNREADABLE)
    return answer


def _allows(answer: dict[str, Any], authorizer: Authorizer, arn: str) -> bool:
    if authorizer.is_simple:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise Refused(500, _ANSWER_UNREADABLE)
        return answer["isAuthorized"]
    document = answer.get("policyDocument")
    if not isinstance(document, dict):
        raise Refused(500, _ANSWER_UNREADABLE)
    asked = AccessRequest("execute-api:Invoke", arn, Caller())
    return evaluate(asked, [Policy(document)]).allowed


def _authorization(answer: dict[str, Any]) -> Authorization:
    context = answer.get("context")
    given = context if isinstance(context, dict) else {}
    principal = answer.get("principalId")
    named = {"principalId": principal} if principal is not None else {}
    return Authorization(
        authorizer_v2={"lambda": context},
        authorizer_v1={**given, **named},
        variables={f"authorizer.{name}": value for name, value in {**given, **named}.items()},
    )
