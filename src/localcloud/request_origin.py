"""Where the request that is being answered came from, for whoever writes it into an event."""

import base64
import os
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

Headers = list[tuple[bytes, bytes]]


def _request_id() -> str:
    return os.urandom(8).hex().upper()


def _host_id() -> str:
    return base64.b64encode(os.urandom(56)).decode()


@dataclass(frozen=True)
class RequestOrigin:
    """An S3 request: who made it, from which address, and the ids that its answer carries.

    `principal` is asked only when an event needs it; it gives `AWS:` and the caller's id, None for
    the account's administrator.
    """

    principal: Callable[[], str | None]
    source_ip: str = "127.0.0.1"
    request_id: str = field(default_factory=_request_id)
    host_id: str = field(default_factory=_host_id)

    def stamp(self, headers: Headers) -> Headers:
        """The headers with S3's two ids (S3 API reference, "Common response headers")."""
        return [
            *(header for header in headers if header[0] != b"x-amzn-requestid"),
            (b"x-amz-request-id", self.request_id.encode()),
            (b"x-amz-id-2", self.host_id.encode()),
        ]


# Set by the front door for each request, and seen by the worker thread that answers it.
current: ContextVar[RequestOrigin | None] = ContextVar("origin", default=None)
