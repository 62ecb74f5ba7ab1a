"""JWT authorizers: "Control access to HTTP APIs with JWT authorizers"."""

from typing import Any

from .descriptions import Authorizer
from .exchange import Authorization, Exchange, claim_texts
from .issuer_keys import (
    IssuerKeys,
    KeysUnavailable,
    TokenRefused,
    bearer_token,
    scopes,
    time_problem,
)
from .refusals import Refused

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


class JwtAuthorizers:
    """Checks tokens."""

    def __init__(self, keys: IssuerKeys):
        self._keys = keys

    async def authorize(self, exchange: Exchange) -> Authorization:
        """Check the token where the authorizer's identity source says it is.

        Raises Refused: 401 for a token that is missing or not good, 403 where it lacks the scopes.
        """
        route, authorizer = exchange.route, exchange.route.authorizer
        source = next(iter(authorizer.identity_sources), "$request.header.Authorization")
        token = bearer_token(exchange.value(source))
        if not token:
            raise Refused(401, headers=[(b"www-authenticate", b"Bearer")])
        claims = await self._claims(token, authorizer, exchange.api.account_id)
        self._check(claims, authorizer)
        held = scopes(claims)
        if route.scopes and not set(route.scopes) & set(held):
            raise _refused(
                403,
                "insufficient_scope",
                "the token does not have the required scopes",
                route.scopes,
            )
        texts = claim_texts(claims)
        found = {"claims": texts, "scopes": held if route.scopes else None}
        variables = {f"authorizer.claims.{name}": value for name, value in texts.items()}
        return Authorization({"jwt": found}, found, variables=variables)

    async def _claims(self, token: str, authorizer: Authorizer, account_id: str) -> dict[str, Any]:
        try:
            return await self._keys.claims(token, authorizer.issuer, account_id, _ALGORITHMS)
        except TokenRefused as refused:
            raise _refused(401, "invalid_token", str(refused)) from refused
        except KeysUnavailable as error:
            raise Refused(500, str(error)) from error

    def _check(self, claims: dict[str, Any], authorizer: Authorizer) -> None:
        given = claims["aud"] if "aud" in claims else claims.get("client_id")
        audiences = given if isinstance(given, list) else [given]
        problem = None
        if claims.get("iss") != authorizer.issuer:
            problem = "the token does not have a valid issuer"
        elif not set(audiences) & set(authorizer.audiences):
            problem = "the token does not have a valid audience"
        else:
            problem = time_problem(claims, self._keys.now())
        if problem:
            raise _refused(401, "invalid_token", problem)


def _refused(status: int, error: str, description: str, scopes: tuple[str, ...] = ()) -> Refused:
    # Its form is documented in "Troubleshooting issues with HTTP API JWT authorizers", as is the
    # description for a wrong audience; the other descriptions are UNCONFIRMED.
    value = f'Bearer scope="{" ".join(scopes)}" error="{error}" error_description="{description}"'
    return Refused(status, description, [(b"www-authenticate", value.encode())])
