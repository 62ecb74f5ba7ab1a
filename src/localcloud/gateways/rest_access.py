"""Who may come in to a REST API, and how often: what stands between a method and its integration.

The order of "Throttle requests to your REST APIs" and of execution logs: the authorizer, the usage
plan of the API key, the throttles, the validator.
"""

import dataclasses
import json
from typing import Any

from ..denials import refused_credentials
from ..identity import Gatekeeper
from . import execution_log, request_validation, resource_policies
from .exchange import Authorization, Exchange, as_text
from .function_calls import FunctionCalls
from .gateway_responses import GatewayError
from .iam import signed_by
from .issuer_keys import IssuerKeys
from .rest_lambda_authorizers import RestLambdaAuthorizers
from .rest_token_authorizers import RestTokenAuthorizers
from .throttling import Limit, Throttles
from .usage_plans import find_membership, limits_of, use_quota

_CREDENTIALS = {
    "InvalidSignatureException": "INVALID_SIGNATURE",
    "ExpiredTokenException": "EXPIRED_TOKEN",
}


class RestAccess:
    """Decides about each request to a method."""

    def __init__(
        self, gatekeeper: Gatekeeper, calls: FunctionCalls, throttles: Throttles, keys: IssuerKeys
    ):
        self._gatekeeper = gatekeeper
        self._throttles = throttles
        self._lambda = RestLambdaAuthorizers(calls)
        self._tokens = RestTokenAuthorizers(keys)

    async def admit(self, exchange: Exchange) -> None:
        """Let a request go on to its integration, or raise GatewayError."""
        try:
            exchange.authorization = await self._authorize(exchange)
        except GatewayError as error:
            exchange.outcome["authorizer.error"] = str(error)
            raise
        self._throttle(exchange)
        request_validation.validate(exchange)

    async def ask_authorizer(self, exchange: Exchange) -> dict[str, Any]:
        """What the method's authorizer says, as TestInvokeAuthorizer tells it. Raises GatewayError."""
        if exchange.route.authorizer.type not in ("TOKEN", "REQUEST"):
            authorization = await self._tokens.authorize(exchange)
            return {"claims": authorization.authorizer_v1["claims"]}
        answer = await self._lambda.ask(exchange)
        context = answer.get("context") or {}
        return {
            "principalId": answer["principalId"],
            "policy": json.dumps(answer["policyDocument"]),
            "authorization": {name: [as_text(value)] for name, value in context.items()},
        }

    async def _authorize(self, exchange: Exchange) -> Authorization:
        method = exchange.route
        if method.authorization == "AWS_IAM":
            return self._authorize_iam(exchange)
        if method.authorization == "NONE":
            resource_policies.require_allow(exchange)
            return Authorization()
        if method.authorizer is None:
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "the method's authorizer is gone")
        execution_log.authorizing(exchange)
        authorization = await self._ask(exchange)
        execution_log.authorized(exchange)
        return authorization

    async def _ask(self, exchange: Exchange) -> Authorization:
        method = exchange.route
        if method.authorizer.type in ("TOKEN", "REQUEST"):
            resource_policies.refuse_denied(exchange)
            return await self._lambda.authorize(exchange)
        authorization = await self._tokens.authorize(exchange)
        resource_policies.require_allow(exchange)
        return authorization

    def _authorize_iam(self, exchange: Exchange) -> Authorization:
        request = exchange.call.request
        verdict = self._gatekeeper.judge_api_call(
            request, exchange.arn(), policy=resource_policies.policy_of(exchange),
            keys=resource_policies.place_keys(exchange),
        )  # fmt: skip
        if verdict.allowed:
            return signed_by(exchange, verdict.principal)
        if verdict.problem == "unsigned":
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN")
        if verdict.problem:
            denial = refused_credentials(verdict.problem, "execute-api", request)
            kind = _CREDENTIALS.get(denial.code, "ACCESS_DENIED")
            raise GatewayError(kind, message=denial.message, code=denial.code)
        root = f"arn:aws:iam::{exchange.api.account_id}:root"
        who = verdict.principal.caller.arn if verdict.principal else root
        raise resource_policies.refusal(exchange, who, verdict.is_explicit)

    def _throttle(self, exchange: Exchange) -> None:
        method, stage, api = exchange.route, exchange.stage, exchange.api
        limits: list[Limit] = []
        membership = None
        if method.is_key_required:
            membership = find_membership(exchange)
            identity = {"apiKey": membership.key, "apiKeyId": membership.key_id}
            exchange.authorization = dataclasses.replace(
                exchange.authorization,
                identity={**exchange.authorization.identity, **identity},
                variables={
                    **exchange.authorization.variables,
                    **{f"identity.{name}": value for name, value in identity.items()},
                },
            )
            limits += limits_of(membership, exchange)
        limits.append(((api.id, stage.name, method.key), stage.throttle_of(method)))
        if not self._throttles.admit(api.region, *limits):
            raise GatewayError("THROTTLED")
        if membership:
            use_quota(membership, exchange)
