"""HTTP proxy integrations: the request goes on to another HTTP server, its answer comes back.

"Create HTTP proxy integrations for HTTP APIs".
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import urllib3

from ..payload_v2 import header_text
from .addresses import Field
from .exchange import Exchange
from .function_calls import with_stage_variables
from .parameter_mapping import BackendRequest, Response
from .refusals import Failure, IntegrationFailed

_WORKERS = 32
# Of one connection, not of the message (RFC 9110, 7.6.1), and what each side says itself.
_OF_THE_CONNECTION = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "host", "content-length",
}  # fmt: skip
_VARIABLE = re.compile(r"\{(\w+)\+?\}")


class HttpProxy:
    """Calls other servers, in threads of its own, with connections that are kept open."""

    def __init__(self):
        self._pool = urllib3.PoolManager(num_pools=32, maxsize=_WORKERS, retries=False)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="http-proxy")

    def close(self) -> None:
        """End the threads and the connections."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    async def call(self, exchange: Exchange, request: BackendRequest) -> Response:
        """Send an HTTP API's request on. Raises IntegrationFailed where nothing answers in time."""
        integration = exchange.route.integration
        method = exchange.call.request.method
        if integration.method != "ANY":
            method = integration.method
        url, fields = target_url(exchange, request), _fields(exchange, request)
        body = exchange.call.request.body
        return await self.send(method, url, fields, body, integration.timeout_s)

    async def send(
        self, method: str, url: str, fields: Iterable[Field], body: bytes, timeout_s: float
    ) -> Response:
        """Send a request. Raises IntegrationFailed where nothing answers in time."""
        headers = urllib3.HTTPHeaderDict()
        for name, value in fields:
            headers.add(name, _on_the_wire(value))
        call = asyncio.get_running_loop().run_in_executor(
            self._workers, self._send, method, url, headers, body, timeout_s
        )
        try:
            return await asyncio.wait_for(call, timeout_s)
        except urllib3.exceptions.NewConnectionError as error:  # which is a kind of TimeoutError
            raise IntegrationFailed(Failure.UNREACHABLE, str(error)) from error
        except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
            raise IntegrationFailed(Failure.TIMED_OUT, "Endpoint request timed out") from error
        except urllib3.exceptions.HTTPError as error:
            raise IntegrationFailed(Failure.UNREACHABLE, str(error)) from error

    def _send(
        self, method: str, url: str, headers: urllib3.HTTPHeaderDict, body: bytes, timeout_s: float
    ) -> Response:
        answer = self._pool.request(
            method, url, body=body or None, headers=headers, redirect=False,
            timeout=urllib3.Timeout(total=timeout_s), decode_content=False,
        )  # fmt: skip
        fields = tuple(
            (name.lower(), value.encode("latin-1").decode("utf-8", "surrogateescape"))
            for name, value in answer.headers.items()
            if name.lower() not in _OF_THE_CONNECTION
        )
        return Response(answer.status, fields, answer.data)


def target_url(exchange: Exchange, request: BackendRequest) -> str:
    """The integration's URI with its path variables filled in, and the request's query.

    The $default route adds the whole path, and a mapping of the path takes the place of the URI's.
    """
    uri = with_stage_variables(exchange.route.integration.uri, exchange.stage.variables)
    known = exchange.path_parameters
    uri = with_path_variables(uri, known)
    parts = urlsplit(uri)
    path = parts.path
    if request.is_overwritten:
        path = request.path
    elif exchange.route.key == "$default":
        path = path.rstrip("/") + request.path
    query = "&".join(part for part in (parts.query, request.query) if part)
    return f"{parts.scheme}://{parts.netloc}{path or '/'}" + (f"?{query}" if query else "")


def with_path_variables(uri: str, known: Mapping[str, str]) -> str:
    """A URI with {name} filled in; what isn't known stays."""
    return _VARIABLE.sub(lambda found: quote(known.get(found[1], found[0]), safe="/{}+"), uri)


def to_pass_on(fields: Iterable[Field]) -> list[Field]:
    """A caller's headers without those of its connection."""
    return [field for field in fields if field[0] not in _OF_THE_CONNECTION]


def _fields(exchange: Exchange, request: BackendRequest) -> list[Field]:
    fields = [field for field in to_pass_on(request.fields) if field[0] != "x-amzn-trace-id"]
    call = exchange.call
    # HTTP APIs send Forwarded, where REST APIs send X-Forwarded-For.
    return [
        *fields,
        ("forwarded", f"for={call.source_ip};host={call.domain};proto=http"),
        ("via", "HTTP/1.1 AmazonAPIGateway"),
        ("x-amzn-trace-id", exchange.trace_id),
    ]


def _on_the_wire(value: str) -> str:
    """A header's value, on one line, for a library that sends Latin-1: what isn't is sent as UTF-8."""
    value = header_text(value)
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode().decode("latin-1")
    return value
