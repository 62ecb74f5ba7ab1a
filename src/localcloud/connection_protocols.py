"""uvicorn's protocols, with what WebSocket APIs need of them."""

import asyncio
import functools
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OPEN_FILES = 8192


class HttpProtocol(HttpToolsProtocol):
    """Hands header names over in the case in which they were sent, as some events have them: of a
    handshake in their place, of other requests as `header_names` in the scope's state.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._names: list[bytes] = []
        self.scope["state"]["header_names"] = self._names

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._names.append(name)

    def handle_websocket_upgrade(self) -> None:
        values = [value for _, value in self.headers]
        self.scope["headers"] = list(zip(self._names, values, strict=True))
        super().handle_websocket_upgrade()


def websocket_protocol(**settings: Any) -> asyncio.Protocol:
    """The protocol of one WebSocket connection."""
    return _websocket_class()(**settings)


@functools.cache
def _websocket_class() -> type[asyncio.Protocol]:
    """Loaded with the first connection. Each is an open file, of which some systems allow a process 256."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class WebSocketProtocol(WebSocketsSansIOProtocol):
        """Takes an HTTP answer for the end of a handshake: uvicorn would report that there was none."""

        async def send(self, message) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body":
                self.handshake_complete = True

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return WebSocketProtocol
