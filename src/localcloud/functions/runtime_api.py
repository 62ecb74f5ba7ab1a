"""The Runtime API of one execution environment.

Each environment has a listener of its own on 127.0.0.1, so that a request needs no name of the
environment in it, as in Lambda where each has its own 169.254.100.1:9001. The HTTP is spoken by an
asyncio protocol instead of the ASGI server: it stands in the path of every invocation.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import socket
from typing import Protocol

import httptools

from . import extensions, telemetry
from .configuration import Invocation

_PREFIX = "/2018-06-01/runtime/"
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class RuntimeEvents(Protocol):
    """What an environment hears from its runtime."""

    extensions: extensions.Extensions

    def on_next(self) -> None: ...
    def on_response(self, request_id: str, payload: bytes) -> bool: ...
    def on_error(self, request_id: str, payload: bytes) -> bool: ...
    def on_init_error(self, payload: bytes, error_type: str) -> None: ...
    def on_subscription(self, connection: extensions.Connection) -> None: ...


class RuntimeApi:
    """Listens for the runtime of one environment and hands invocations to it."""

    def __init__(self, events: RuntimeEvents):
        self._events = events
        self._server: asyncio.Server | None = None
        self._waiting: _Connection | None = None
        self._connections: set[_Connection] = set()

    async def open(self, listener: socket.socket) -> None:
        """Start to answer on a socket that listens."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), sock=listener)

    def close(self) -> None:
        """Stop listening and drop what is connected."""
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()

    def forget(self) -> None:
        """Drop the runtime that was waiting: its process is gone."""
        self._waiting = None

    def hand_out(self, invocation: Invocation, deadline: float) -> None:
        """Answer the runtime's waiting GET next. `deadline` is a Unix time in seconds."""
        assert self._waiting is not None
        connection, self._waiting = self._waiting, None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.invoked_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Content-Type": "application/json",
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        connection.respond(200, invocation.payload, headers)

    @property
    def is_waiting(self) -> bool:
        """Whether the runtime asks for the next invocation."""
        return self._waiting is not None

    def _handle(self, connection: "_Connection") -> None:
        method, path = connection.method, connection.path
        if path.startswith(extensions.PREFIX):
            return self._events.extensions.handle(connection)
        if path.rstrip("/") == telemetry.PATH and method == "PUT":
            return self._events.on_subscription(connection)
        if not path.startswith(_PREFIX):
            return connection.respond(404, b"{}")
        match method, path.removeprefix(_PREFIX).split("/"):
            case "GET", ["invocation", "next"]:
                self._waiting = connection
                return self._events.on_next()
            case "POST", ["invocation", request_id, "response"]:
                known = self._events.on_response(request_id, connection.body)
            case "POST", ["invocation", request_id, "error"]:
                known = self._events.on_error(request_id, connection.body)
            case "POST", ["init", "error"]:
                error_type = connection.headers.get("lambda-runtime-function-error-type", "")
                self._events.on_init_error(connection.body, error_type)
                known = True
            case _:
                return connection.respond(404, b"{}")
        if known:
            return connection.respond(202, b'{"status":"OK"}\n')
        body = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'
        return connection.respond(403, body)


class _Connection(asyncio.Protocol):
    def __init__(self, api: RuntimeApi):
        self._api = api
        self._parser = httptools.HttpRequestParser(self)
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._chunks: list[bytes] = []
        self.headers: dict[str, str] = {}

    # asyncio's side
    def connection_made(self, transport) -> None:
        self._transport = transport
        self._api._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._api._connections.discard(self)
        if self._api._waiting is self:
            self._api.forget()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    # httptools' side
    def on_message_begin(self) -> None:
        self._reset()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        self.method = self._parser.get_method().decode("latin-1")
        self.path = self._url.decode("latin-1").partition("?")[0]
        self.body = b"".join(self._chunks)
        self._api._handle(self)

    def respond(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def abort(self) -> None:
        self._transport.abort()
