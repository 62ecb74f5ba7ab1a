"""Where functions behind custom resources send their answers.

On AWS the ResponseURL in a custom resource's request is a presigned PUT to a bucket of CloudFormation's own
(User Guide, "Custom resource response objects"). Here it has that bucket's name on this cloud's port, and
the request's id in it, which nobody can guess, stands for the signature.
"""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import quote, unquote

_BUCKET = "/cloudformation-custom-resource-response-"
# "The total size of the response body can't exceed 4096 bytes."
_MOST_BYTES = 4096

_endpoint_url = ""
_pending: dict[str, Pending] = {}


class CloudStopped(BaseException):
    """The cloud ends, and with it the thread that waits for an answer."""


class Pending:
    """An answer that is waited for; `url` is where it has to be PUT."""

    def __init__(self, region: str, stack_id: str, logical_id: str, request_id: str):
        key = quote(f"{stack_id}|{logical_id}|{request_id}", safe="")
        self.url = f"{_endpoint_url}{_BUCKET}{region.replace('-', '')}/{key}"
        self.stack_id = stack_id
        self._request_id = request_id
        self._arrived = threading.Event()
        self._answer: dict[str, Any] | None = None
        _pending[request_id] = self

    def wait(self, seconds: float) -> dict[str, Any] | None:
        """The answer, or None where it didn't come in time. Raises CloudStopped."""
        arrived = self._arrived.wait(seconds)
        _pending.pop(self._request_id, None)
        if arrived and self._answer is None:
            raise CloudStopped
        return self._answer

    def set(self, answer: dict[str, Any] | None) -> None:
        """Wake who waits."""
        self._answer = answer
        self._arrived.set()


def serve_at(endpoint_url: str) -> None:
    """Say where this cloud answers."""
    global _endpoint_url
    _endpoint_url = endpoint_url


def is_response(path: str) -> bool:
    """Whether a request's path is that of a ResponseURL."""
    return path.startswith(_BUCKET)


def take(path: str, body: bytes) -> bool:
    """Take an answer; False where nobody waits for it, or no longer."""
    request_id = unquote(path).rpartition("|")[2]
    pending = _pending.get(request_id)
    if pending is None:
        return False
    pending.set(_read(body))
    return True


def _read(body: bytes) -> dict[str, Any]:
    if len(body) > _MOST_BYTES:
        return {"Status": "FAILED", "Invalid": "Response object is too long."}
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("Status") not in ("SUCCESS", "FAILED"):
        return {"Status": "FAILED", "Invalid": "Invalid response object: no JSON, or no Status."}
    return answer


def cancel(stack_id: str) -> None:
    """Answer in place of the functions that a stack waits for: the stack is to be deleted."""
    for pending in list(_pending.values()):
        if pending.stack_id == stack_id:
            pending.set({"Status": "FAILED", "Invalid": "Resource creation cancelled"})


def reset() -> None:
    """Let everybody who waits go, because the cloud ends."""
    for pending in list(_pending.values()):
        pending.set(None)
