"""A page that is connected to a WebSocket API, as a browser would be."""

import time
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.sync.client import connect

from labkit.grading import Unmet

from .json_texts import value_of

_SECONDS = 30


class LivePage:
    """One open connection. A context manager: on the way out the page is closed.

    Raises Unmet where the endpoint does not let it in, or is none.
    """

    def __init__(self, endpoint: str):
        try:
            place = urlsplit(endpoint)
            # Names below localhost are this machine (RFC 6761), but not every system's resolver knows.
            here = (place.hostname or "").endswith(".localhost")
            more = {"address": ("127.0.0.1", place.port)} if here else {}
            self._opening = connect(
                endpoint, open_timeout=_SECONDS, compression=None, proxy=None, **more
            )
            self._socket = self._opening.__enter__()
        except InvalidHandshake as error:
            raise Unmet(
                tried="opened a page: a WebSocket connection to SocketEndpoint",
                expected="the status 101, Switching Protocols",
                seen=str(error),
            ) from None
        except (OSError, ValueError, InvalidURI) as error:
            raise Unmet(
                tried=f"opened a page: a WebSocket connection to SocketEndpoint, {endpoint}",
                expected="the address of a WebSocket API, where somebody answers",
                seen=f"{type(error).__name__}: {error}",
            ) from None

    def __enter__(self) -> "LivePage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave, and say so."""
        self._opening.__exit__(None, None, None)

    def hear(self, name: str, seconds: float) -> Any:
        """The announcement of this `name` that comes within that time, or None. Others are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                said = self._socket.recv(timeout=max(0, deadline - time.monotonic()))
            except TimeoutError:
                return None
            message = value_of(said)
            if isinstance(message, dict) and message.get("name") == name:
                return message
