"""Authorizers of REST APIs that read tokens themselves: COGNITO_USER_POOLS ("Control access to REST APIs
using Amazon Cognito user pools as an authorizer") and JWT (CreateAuthorizer in the API reference).
"""

import re
from typing import Any

from .exchange import Authorization, Exchange, claim_texts
from .gateway_responses import GatewayError
from .issuer_keys import (
    IssuerKeys,
    KeysUnavailable,
    TokenRefused,
    bearer_token,
    scopes,
    time_problem,
    unverified_claims,
)
from .rest_access_descriptions import RestAuthorizer, TrustedIssuer

_COGNITOS_ALGORITHM = ("RS256",)
_EXPIRED = "The incoming token has expired"


class RestTokenAuthorizers:
    """Checks tokens by the keys of their issuers."""

    def __init__(self, keys: IssuerKeys):
        self._keys = keys

    async def authorize(self, exchange: Exchange) -> Authorization:
        """Check the token in the authorizer's header.

        Raises GatewayError: UNAUTHORIZED for one that is missing or not good; ACCESS_DENIED where it
        lacks the method's scopes, but UNAUTHORIZED for one of Cognito's.
        """
        method, authorizer = exchange.route, exchange.route.authorizer
        source = next(iter(authorizer.identity_sources), "method.request.header.Authorization")
        token = bearer_token(exchange.parameter(source))
        if not token:
            raise _unauthorized("no token")
        is_cognitos = authorizer.type == "COGNITO_USER_POOLS"
        try:
            issuer = _trusted(authorizer, unverified_claims(token))
            claims = await self._keys.claims(
                token, issuer.issuer, exchange.api.account_id,
                _COGNITOS_ALGORITHM if is_cognitos else authorizer.algorithms,
            )  # fmt: skip
        except TokenRefused as refused:
            raise _unauthorized(str(refused)) from refused
        except KeysUnavailable as error:
            raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", str(error)) from error
        problem = time_problem(claims, self._keys.now())
        if problem:
            is_expired = is_cognitos and "expired" in problem
            raise _unauthorized(problem, _EXPIRED if is_expired else None)
        if is_cognitos:
            _check_cognitos(claims, authorizer, bool(method.scopes))
        else:
            _check(claims, issuer)
        if method.scopes and not set(method.scopes) & set(scopes(claims)):
            reason = "the token has none of the method's scopes"
            raise _unauthorized(reason) if is_cognitos else GatewayError("ACCESS_DENIED", reason)
        texts = claim_texts(claims)
        variables = {f"authorizer.claims.{name}": value for name, value in texts.items()}
        return Authorization(authorizer_v1={"claims": texts}, variables=variables)


def _unauthorized(reason: str, message: str | None = None) -> GatewayError:
    return GatewayError("UNAUTHORIZED", reason, message)


def _trusted(authorizer: RestAuthorizer, claims: dict[str, Any]) -> TrustedIssuer:
    for issuer in authorizer.issuers:
        if issuer.issuer == claims.get("iss"):
            return issuer
    raise TokenRefused("the token's issuer is not trusted")


def _check_cognitos(claims: dict[str, Any], authorizer: RestAuthorizer, has_scopes: bool) -> None:
    """With scopes a method takes access tokens, without them identity tokens."""
    wanted = "access" if has_scopes else "id"
    if claims.get("token_use") != wanted:
        raise _unauthorized(f"the token is no {wanted} token")
    audience = str(claims.get("aud", claims.get("client_id", "")))
    if authorizer.validation and not re.fullmatch(authorizer.validation, audience):
        raise _unauthorized("the token's audience doesn't match")


def _check(claims: dict[str, Any], issuer: TrustedIssuer) -> None:
    given = claims.get("aud")
    if not set(given if isinstance(given, list) else [given]) & set(issuer.audiences):
        raise _unauthorized("the token does not have a valid audience")
    for rule in issuer.claims:
        found = claims.get(rule.name)
        if found is None and rule.is_required:
            raise _unauthorized(f"the token has no claim {rule.name}")
        if found is not None and rule.value is not None and found != rule.value:
            raise _unauthorized(f"the token's claim {rule.name} is not as it should be")
