"""The Telemetry API of one execution environment: what extensions are told of its life and its logs.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html and "Lambda Telemetry API
Event schema reference". Destinations are reached on this machine's loopback address, under whatever
name the extension gives (sandbox.localdomain).
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .extensions import Connection, Extension, Refused

PATH = "/2022-07-01/telemetry"
_TYPES = {"platform", "function", "extension"}
_VERSIONS = {"2022-07-01", "2022-12-13", "2025-01-29"}
# Name, default, least and most of each member of "buffering".
_BUFFERING = {
    "maxItems": (1000, 1000, 10_000),
    "maxBytes": (262_144, 262_144, 1_048_576),
    "timeoutMs": (1000, 25, 30_000),
}
_EARLY_EVENTS = 1000  # kept from the beginning of Init, for those that subscribe during it
_DELIVERY_TIMEOUT_S = 2.0


@dataclass
class _Subscription:
    protocol: str
    port: int
    path: str
    types: frozenset[str]
    max_items: int
    max_bytes: int
    timeout_s: float
    events: list[bytes] = field(default_factory=list)
    size: int = 0
    timer: asyncio.TimerHandle | None = None


class Telemetry:
    """Buffers events for the extensions that subscribed, and sends them. Belongs to the event loop."""

    def __init__(self):
        self._subscriptions: dict[str, _Subscription] = {}
        self._early: list[tuple[str, bytes]] = []
        self._is_early = True
        self._paused = False
        self._tasks: set[asyncio.Task] = set()

    def begin(self) -> None:
        """Init begins: nobody has subscribed yet."""
        self._subscriptions.clear()
        self._early.clear()
        self._is_early = True

    def end_of_init(self) -> None:
        """From now on nobody can subscribe."""
        self._is_early = False
        self._early.clear()

    def add(self, stream: str, event: dict) -> None:
        """Take an event of the streams platform, function or extension."""
        if not self._subscriptions and not self._is_early:
            return
        encoded = json.dumps(event, separators=(",", ":")).encode()
        if self._is_early and len(self._early) < _EARLY_EVENTS:
            self._early.append((stream, encoded))
        for subscription in self._subscriptions.values():
            self._buffer(subscription, stream, encoded)

    def subscribe(self, extension: Extension, connection: Connection) -> dict:
        """Answer an extension's PUT; return the record of its subscription. Raises Refused."""
        try:
            subscription = _read(json.loads(connection.body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("ValidationError", f"{error}", 400) from error
        self._subscriptions[extension.identifier] = subscription
        connection.respond(200, b'"OK"')
        for stream, encoded in self._early:
            self._buffer(subscription, stream, encoded)
        return {
            "name": extension.name, "state": "Subscribed", "types": sorted(subscription.types),
        }  # fmt: skip

    def pause(self) -> None:
        """The environment is frozen: nobody would take anything."""
        self._paused = True

    def resume(self) -> None:
        """It goes on: send what was due meanwhile."""
        self._paused = False
        for subscription in self._subscriptions.values():
            if subscription.timer is None:
                self._send(subscription)

    async def drain(self) -> None:
        """Send what waits and wait until it has arrived, or has failed to."""
        self._paused = False
        for subscription in self._subscriptions.values():
            self._send(subscription)
        await asyncio.gather(*self._tasks)

    def _buffer(self, subscription: _Subscription, stream: str, encoded: bytes) -> None:
        if stream not in subscription.types:
            return
        subscription.events.append(encoded)
        subscription.size += len(encoded)
        full = subscription.size >= subscription.max_bytes
        if full or len(subscription.events) >= subscription.max_items:
            self._send(subscription)
        elif subscription.timer is None:
            subscription.timer = asyncio.get_running_loop().call_later(
                subscription.timeout_s, self._send, subscription
            )

    def _send(self, subscription: _Subscription) -> None:
        if subscription.timer:
            subscription.timer.cancel()
            subscription.timer = None
        if subscription.events and not self._paused:
            events, subscription.events, subscription.size = subscription.events, [], 0
            task = asyncio.create_task(_deliver(subscription, events))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _read(body: dict) -> _Subscription:
    """The subscription that a request's body asks for. Raises ValueError where it can't be had."""
    if body["schemaVersion"] not in _VERSIONS:
        raise ValueError(f"schemaVersion {body['schemaVersion']} is not supported")
    types = frozenset(body["types"])
    if not types or types - _TYPES:
        raise ValueError(f"types must be of {', '.join(sorted(_TYPES))}")
    destination = body["destination"]
    protocol = destination["protocol"].upper()
    if protocol == "HTTP":
        address = urlsplit(destination["URI"])
        port, path = address.port or 80, address.path or "/"
    elif protocol == "TCP":
        port, path = int(destination["port"]), ""
    else:
        raise ValueError(f"protocol {protocol} is not supported")
    limits = []
    for name, (default, least, most) in _BUFFERING.items():
        value = (body.get("buffering") or {}).get(name, default)
        if not least <= value <= most:
            raise ValueError(f"{name} must be between {least} and {most}")
        limits.append(value)
    return _Subscription(protocol, port, path, types, limits[0], limits[1], limits[2] / 1000)


async def _deliver(subscription: _Subscription, events: list[bytes]) -> None:
    """Send events to an extension: a JSON array by HTTP, a line each by TCP. Failures are its own."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_DELIVERY_TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", subscription.port)
            try:
                if subscription.protocol == "TCP":
                    writer.write(b"\n".join(events) + b"\n")
                    await writer.drain()
                else:
                    body = b"[" + b",".join(events) + b"]"
                    writer.write(_request(subscription, len(body)) + body)
                    await reader.readline()
            finally:
                writer.close()


def _request(subscription: _Subscription, length: int) -> bytes:
    return (
        f"POST {subscription.path} HTTP/1.1\r\nHost: sandbox.localdomain:{subscription.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()
