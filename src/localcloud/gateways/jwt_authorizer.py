"""JWT authorizers: "Control access to HTTP APIs with JWT authorizers".

The issuer's keys are found through its OpenID Connect configuration; those of Cognito's user pools are
this cloud's own. API Gateway keeps them for two
hours; here an unknown key id also makes it look again, so that an issuer may be started anew.
"""

import asyncio
import functools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from ..control_plane import user_pools
from .descriptions import Authorizer
from .exchange import Authorization, Exchange, as_text
from .refusals import Refused

_TIMEOUT_S = 1.5  # "Timeout for JSON Web Key Set endpoint" and for the discovery endpoint
_KEPT_S = 7_200.0
_AGAIN_S = 1.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]


class JwtAuthorizers:
    """Checks tokens. `now` is the wall clock."""

    def __init__(self, now=time.time):
        self._now = now
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S)
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="jwks")
        self._keys: dict[str, tuple[float, Any]] = {}  # by issuer: when fetched, and the key set

    def close(self) -> None:
        """End the threads and the connections."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    async def authorize(self, exchange: Exchange) -> Authorization:
        """Check the token where the authorizer's identity source says it is.

        Raises Refused: 401 for a token that is missing or not good, 403 where it lacks the scopes.
        """
        route, authorizer = exchange.route, exchange.route.authorizer
        source = next(iter(authorizer.identity_sources), "$request.header.Authorization")
        token = (exchange.value(source) or "").strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token:
            raise Refused(401, headers=[(b"www-authenticate", b"Bearer")])
        claims = await self._claims(token, authorizer, exchange.api.account_id)
        self._check(claims, authorizer)
        held = _scopes(claims)
        if route.scopes and not set(route.scopes) & set(held):
            raise _refused(
                403,
                "insufficient_scope",
                "the token does not have the required scopes",
                route.scopes,
            )
        texts = {name: _claim_text(value) for name, value in claims.items()}
        found = {"claims": texts, "scopes": held if route.scopes else None}
        variables = {f"authorizer.claims.{name}": value for name, value in texts.items()}
        return Authorization({"jwt": found}, found, variables=variables)

    async def _claims(self, token: str, authorizer: Authorizer, account_id: str) -> dict[str, Any]:
        jwt, errors = _joserfc()
        try:
            key_id = _header(token).get("kid")
            keys = await self._key_set(authorizer.issuer, key_id, account_id)
            return jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        except errors.BadSignatureError as error:
            raise _refused(401, "invalid_token", "signature is invalid") from error
        except (errors.JoseError, ValueError) as error:
            raise _refused(401, "invalid_token", "the token is malformed") from error

    async def _key_set(self, issuer: str, key_id: str | None, account_id: str) -> Any:
        fetched, keys = self._keys.get(issuer, (0.0, None))
        age = self._now() - fetched
        is_unknown = keys is None or all(each.kid != key_id for each in keys.keys)
        if age > _KEPT_S or (is_unknown and age > _AGAIN_S):
            loop = asyncio.get_running_loop()
            try:
                keys = await loop.run_in_executor(self._workers, self._fetch, issuer, account_id)
            except (
                urllib3.exceptions.HTTPError, _joserfc()[1].JoseError,
                ValueError, KeyError, TypeError,
            ) as error:  # fmt: skip
                raise Refused(
                    500, f"the keys of {issuer} could not be fetched: {error!r}"
                ) from error
            self._keys[issuer] = self._now(), keys
        return keys

    def _fetch(self, issuer: str, account_id: str) -> Any:
        from joserfc.jwk import KeySet

        own = user_pools.key_set(issuer, account_id)
        if own is not None:
            return KeySet.import_key_set(own)
        base = issuer.rstrip("/")
        configuration = self._pool.request("GET", f"{base}/.well-known/openid-configuration").json()
        return KeySet.import_key_set(self._pool.request("GET", configuration["jwks_uri"]).json())

    def _check(self, claims: dict[str, Any], authorizer: Authorizer) -> None:
        now = self._now()
        given = claims["aud"] if "aud" in claims else claims.get("client_id")
        audiences = given if isinstance(given, list) else [given]
        problem = None
        if claims.get("iss") != authorizer.issuer:
            problem = "the token does not have a valid issuer"
        elif not set(audiences) & set(authorizer.audiences):
            problem = "the token does not have a valid audience"
        elif not _is_number(claims.get("exp")) or claims["exp"] <= now:
            problem = "the token has expired"
        elif any(name in claims and not _is_past(claims[name], now) for name in ("nbf", "iat")):
            problem = "the token is not valid yet"
        if problem:
            raise _refused(401, "invalid_token", problem)


@functools.cache
def _joserfc() -> Any:
    """Loaded with the first token: a start needs no cryptography."""
    from joserfc import errors, jwt

    return jwt, errors


def _header(token: str) -> dict[str, Any]:
    from joserfc.util import urlsafe_b64decode

    header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    if not isinstance(header, dict):
        raise ValueError("the token's header is no object")
    return header


def _refused(status: int, error: str, description: str, scopes: tuple[str, ...] = ()) -> Refused:
    # Its form is documented in "Troubleshooting issues with HTTP API JWT authorizers", as is the
    # description for a wrong audience; the other descriptions are UNCONFIRMED.
    value = f'Bearer scope="{" ".join(scopes)}" error="{error}" error_description="{description}"'
    return Refused(status, description, [(b"www-authenticate", value.encode())])


def _scopes(claims: dict[str, Any]) -> list[str]:
    given = claims.get("scope", claims.get("scp", ""))
    return given.split() if isinstance(given, str) else [str(each) for each in given]


def _claim_text(value: Any) -> str | None:
    """Claims reach a function as text, lists as [a b]."""
    if isinstance(value, list):
        return f"[{' '.join(str(each) for each in value)}]"
    return as_text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_past(value: Any, now: float) -> bool:
    return _is_number(value) and value <= now
