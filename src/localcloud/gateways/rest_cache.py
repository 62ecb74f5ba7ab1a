"""The cache of a REST API's stage: "Enable API caching to enhance responsiveness" (facts G7).

Without cache keys all requests to a method have one entry, whatever their parameters, as on AWS.
"""

import re
import time
from collections.abc import Awaitable, Callable

from ..identity import Gatekeeper
from .exchange import Exchange
from .gateway_responses import GatewayError
from .parameter_mapping import Response
from .rest_mapping import request_values

_MOST_BYTES = 1_048_576  # facts G2
_MOST_ENTRIES = 10_000
_MAX_AGE_0 = re.compile(r"(^|,)\s*max-age\s*=\s*0\s*(,|$)", re.IGNORECASE)
# UNCONFIRMED: the page says that there is a warning header, and that 403 is "Unauthorized".
_WARNING = ("warning", '199 - "Cache-Control header was ignored: unauthorized"')
_INVALIDATE = "execute-api:InvalidateCache"
Key = tuple[str, ...]


class RestCache:
    """Keeps answers for their time to live; `clock` is in seconds."""

    def __init__(self, gatekeeper: Gatekeeper, clock: Callable[[], float] = time.monotonic):
        self._gatekeeper = gatekeeper
        self._clock = clock
        self._entries: dict[Key, tuple[float, Response]] = {}  # until when, and the answer

    async def respond(
        self, exchange: Exchange, ask: Callable[[Exchange], Awaitable[Response]]
    ) -> Response:
        """The answer that is kept, or the integration's, which then is. Raises GatewayError where a
        request may not invalidate an entry.
        """
        settings = exchange.stage.settings_of(exchange.route)
        if not (exchange.stage.has_cache and settings.is_cached and settings.ttl_s):
            return await ask(exchange)
        key, warning = _key(exchange), ()
        is_invalidation = _MAX_AGE_0.search(exchange.headers.get("cache-control", ""))
        if is_invalidation and settings.needs_authorization and not self._may_invalidate(exchange):
            if settings.unauthorized == "FAIL_WITH_403":
                raise GatewayError("ACCESS_DENIED", message="Unauthorized")
            if settings.unauthorized == "SUCCEED_WITH_RESPONSE_HEADER":
                warning = (_WARNING,)
            is_invalidation = None
        until, kept = self._entries.get(key, (0.0, None))
        if kept is not None and not is_invalidation and self._clock() < until:
            exchange.outcome |= {"cacheHit": 1, "cacheMiss": 0}
            return _with(kept, warning)
        exchange.outcome |= {"cacheHit": 0, "cacheMiss": 1}
        response = await ask(exchange)
        if len(response.body) <= _MOST_BYTES:
            if len(self._entries) >= _MOST_ENTRIES:
                self._entries.clear()
            self._entries[key] = self._clock() + settings.ttl_s, response
        return _with(response, warning)

    def _may_invalidate(self, exchange: Exchange) -> bool:
        verdict = self._gatekeeper.judge_api_call(
            exchange.call.request, exchange.arn(), _INVALIDATE
        )
        return verdict.allowed


def _key(exchange: Exchange) -> Key:
    integration = exchange.route.integration
    values = (request_values(exchange, _source(key, integration)) for key in integration.cache_keys)
    return (
        exchange.api.id, exchange.stage.cache_name, str(exchange.stage.cache_flushes),
        integration.cache_namespace, exchange.call.request.method,
        *("\0".join(each) for each in values),
    )  # fmt: skip


def _source(key: str, integration) -> str:
    """A cache key's value: a parameter of the method, or what one of the integration is mapped from."""
    return integration.request_parameters.get(key, key)


def _with(response: Response, fields: tuple) -> Response:
    return (
        Response(response.status, (*response.fields, *fields), response.body)
        if fields
        else response
    )
