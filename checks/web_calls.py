"""HTTP as a program or a browser speaks it: one request, one answer, the path just as it is given."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labkit.grading import Unmet

from .json_texts import value_of

_SECONDS = 35  # API Gateway itself waits for 30


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """Without parameters such as charset, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The value of a JSON body, or None where it is none."""
        return value_of(self.body)

    @property
    def words(self) -> str:
        """The answer in one line."""
        kind = self.content_type or "no content type"
        if not self.body:
            return f"{self.status} without a body"
        if kind.startswith("image/"):
            return f"{self.status} and {len(self.body)} bytes of {kind}"
        return f"{self.status} and {self.body[:300].decode('utf-8', 'replace')}"


def send(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send one request and read its answer; nothing is followed, and nothing is tried again.

    Raises Unmet where nobody answers at the URL, or it is none.
    """
    try:
        return _sent(method, url, body, headers)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unmet(
            tried=f"sent {method} {url}",
            expected="an answer",
            seen=f"nobody answers there ({type(error).__name__}: {error})",
        ) from None


def _sent(method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None) -> Reply:
    place = urlsplit(url)
    if not place.hostname:
        raise ValueError("it names no host")
    secure = place.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    # Names below localhost are this machine (RFC 6761), but not every system's resolver knows.
    host = "127.0.0.1" if place.hostname.endswith(".localhost") else place.hostname
    connection = kind(host, place.port, timeout=_SECONDS)
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    try:
        connection.request(method, target, body, {"Host": place.netloc, **(headers or {})})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()
