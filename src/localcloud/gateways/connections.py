"""The WebSocket connections that are open."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from .addresses import Call
from .connection_limits import ConnectionLimits
from .exchange import Authorization

GOING_AWAY = 1001
_SEND_TIMEOUT_S = 5.0
_REMEMBERED = 10_000


class Gone(Exception):
    """The connection is closed."""


class BufferFull(Exception):
    """The client reads too slowly for what is sent to it."""


@dataclass(eq=False)
class Connection:
    """A connection that is open. Times are Unix times in seconds; `send_frame` is ASGI's send."""

    id: str
    call: Call
    stage: str
    authorization: Authorization
    send_frame: Callable[[dict], Awaitable[None]]
    limits: ConnectionLimits
    connected: float
    last_active: float = field(default_factory=time.time)
    is_closing: bool = False

    def __post_init__(self):
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + self.limits.websocket_duration_s
        self._idle_s = self.limits.websocket_idle_s
        self._moved = self._loop.time()
        self._closing: asyncio.Task | None = None
        self._timer = self._loop.call_later(self._left(), self._tick)

    def touch(self) -> None:
        """A message has come or gone."""
        self.last_active = time.time()
        self._moved = self._loop.time()

    async def send(self, text: str) -> None:
        """Send a message. Raises Gone and BufferFull."""
        if self.is_closing:
            raise Gone
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self.send_frame({"type": "websocket.send", "text": text})
        except TimeoutError as error:
            raise BufferFull from error
        except (OSError, RuntimeError) as error:  # it was closed meanwhile
            raise Gone from error
        self.touch()

    async def close(self, code: int, reason: str = "") -> None:
        """Begin to close; who listens to the connection learns of it as of the client's own close."""
        if not self.is_closing:
            self.is_closing = True
            with contextlib.suppress(OSError, RuntimeError):  # the client was faster
                await self.send_frame({"type": "websocket.close", "code": code, "reason": reason})

    def ended(self) -> None:
        """No more of it."""
        self.is_closing = True
        self._timer.cancel()

    def _left(self) -> float:
        return min(self._moved + self._idle_s, self._until) - self._loop.time()

    def _tick(self) -> None:
        left = self._left()
        if left > 0:
            self._timer = self._loop.call_later(left, self._tick)
        else:
            self._closing = self._loop.create_task(self.close(GOING_AWAY, "Going away"))


class Connections:
    """All that are open by id, and which API and stage those belonged to that were closed lately."""

    def __init__(self):
        self._open: dict[str, Connection] = {}
        self._closed: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open.values()))

    def add(self, connection: Connection) -> None:
        """A handshake has been answered."""
        self._open[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        """It is closed."""
        connection.ended()
        del self._open[connection.id]
        self._closed[connection.id] = connection.call.api_id, connection.stage
        if len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)

    def find(self, connection_id: str) -> Connection | None:
        """An open connection."""
        return self._open.get(connection_id)

    def place(self, connection_id: str) -> tuple[str, str] | None:
        """API and stage of a connection, open or closed; None for one that isn't known."""
        found = self._open.get(connection_id)
        return (found.call.api_id, found.stage) if found else self._closed.get(connection_id)
