"""The keys of those who issue JSON Web Tokens, and what tokens say that are signed with them.

An issuer's keys are found through its OpenID Connect configuration; those of Cognito's user pools are
this cloud's own. API Gateway keeps them for two hours; here an unknown key id also makes it look again,
so that an issuer may be started anew.
"""

import asyncio
import functools
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from ..control_plane import user_pools

_TIMEOUT_S = 1.5  # "Timeout for JSON Web Key Set endpoint" and for the discovery endpoint
_KEPT_S = 7_200.0
_AGAIN_S = 1.0


class TokenRefused(Exception):
    """A token is no token, or not signed by its issuer; the text says which."""


class KeysUnavailable(Exception):
    """An issuer's keys can't be fetched."""


class IssuerKeys:
    """Verifies signatures. `now` is the wall clock."""

    def __init__(self, now=time.time):
        self.now = now
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S)
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="jwks")
        self._keys: dict[str, tuple[float, Any]] = {}  # by issuer: when fetched, and the key set

    def close(self) -> None:
        """End the threads and the connections."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    async def claims(
        self, token: str, issuer: str, account_id: str, algorithms: Iterable[str]
    ) -> dict[str, Any]:
        """The claims of a token that an issuer signed. Raises TokenRefused and KeysUnavailable."""
        jwt, errors = _joserfc()
        try:
            key_id = _part(token, 0).get("kid")
            keys = await self._key_set(issuer, key_id, account_id)
            return jwt.decode(token, keys, algorithms=list(algorithms)).claims
        except errors.BadSignatureError as error:
            raise TokenRefused("signature is invalid") from error
        except (errors.JoseError, ValueError) as error:
            raise TokenRefused("the token is malformed") from error

    async def _key_set(self, issuer: str, key_id: str | None, account_id: str) -> Any:
        fetched, keys = self._keys.get(issuer, (0.0, None))
        age = self.now() - fetched
        is_unknown = keys is None or all(each.kid != key_id for each in keys.keys)
        if age > _KEPT_S or (is_unknown and age > _AGAIN_S):
            loop = asyncio.get_running_loop()
            try:
                keys = await loop.run_in_executor(self._workers, self._fetch, issuer, account_id)
            except (
                urllib3.exceptions.HTTPError, _joserfc()[1].JoseError,
                ValueError, KeyError, TypeError,
            ) as error:  # fmt: skip
                raise KeysUnavailable(
                    f"the keys of {issuer} could not be fetched: {error!r}"
                ) from error
            self._keys[issuer] = self.now(), keys
        return keys

    def _fetch(self, issuer: str, account_id: str) -> Any:
        from joserfc.jwk import KeySet

        own = user_pools.key_set(issuer, account_id)
        if own is not None:
            return KeySet.import_key_set(own)
        base = issuer.rstrip("/")
        configuration = self._pool.request("GET", f"{base}/.well-known/openid-configuration").json()
        return KeySet.import_key_set(self._pool.request("GET", configuration["jwks_uri"]).json())


def unverified_claims(token: str) -> dict[str, Any]:
    """What a token says, before anybody has looked at its signature. Raises TokenRefused."""
    try:
        return _part(token, 1)
    except ValueError as error:
        raise TokenRefused("the token is malformed") from error


def bearer_token(value: str | None) -> str:
    """The token in a header's value, with or without Bearer before it."""
    token = (value or "").strip()
    return token[7:].strip() if token[:7].lower() == "bearer " else token


def scopes(claims: dict[str, Any]) -> list[str]:
    """The scopes of a token, in scope or scp."""
    given = claims.get("scope", claims.get("scp", ""))
    return given.split() if isinstance(given, str) else [str(each) for each in given]


def time_problem(claims: dict[str, Any], now: float) -> str | None:
    """What is wrong with a token's times, if anything."""
    if not _is_number(claims.get("exp")) or claims["exp"] <= now:
        return "the token has expired"
    for name in ("nbf", "iat"):
        if name in claims and not (_is_number(claims[name]) and claims[name] <= now):
            return "the token is not valid yet"
    return None


@functools.cache
def _joserfc() -> Any:
    """Loaded with the first token: a start needs no cryptography."""
    from joserfc import errors, jwt

    return jwt, errors


def _part(token: str, position: int) -> dict[str, Any]:
    from joserfc.util import urlsafe_b64decode

    parts = token.split(".")
    part = json.loads(urlsafe_b64decode(parts[position].encode())) if len(parts) == 3 else None
    if not isinstance(part, dict):
        raise ValueError("the token has no such part")
    return part


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
