"""What an HTTP API answers by itself (facts G6). Where AWS's words are not known, docs/localcloud.md
says so.
"""

import json
from collections.abc import Iterable
from enum import Enum
from http import HTTPStatus

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]
_MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Too Long",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Endpoint request timed out",
}


class Refused(Exception):
    """A request ends here with a status. `reason` is for the access log, not for the caller."""

    def __init__(self, status: int, reason: str = "", headers: Iterable[tuple[bytes, bytes]] = ()):
        super().__init__(reason or HTTPStatus(status).phrase)
        self.status = status
        self.message = _MESSAGES[status]
        self.headers = list(headers)


class Failure(Enum):
    """How an integration fails, for whichever kind of API."""

    NOT_ALLOWED = "not allowed"
    THROTTLED = "throttled"
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"


class IntegrationFailed(Exception):
    """A function or server gave no answer; the text is for the access log."""

    def __init__(self, failure: Failure, reason: str):
        super().__init__(reason)
        self.failure = failure


def json_answer(status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """A message in JSON, as API Gateway words its own answers."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return status, [(b"content-type", b"application/json"), *headers], body
