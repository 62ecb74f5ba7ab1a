"""The cloud's own pages, under /_localcloud/: health, events and settings."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs

from .events import Record
from .settings import InvalidSetting, Settings

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
PREFIX = "/_localcloud/"


class OwnPages:
    """Answers GET /_localcloud/health, GET /_localcloud/events?since=&function=, GET and PUT
    /_localcloud/settings, and DELETE /_localcloud/resources, which empties the cloud.

    A web page can send neither PUT nor DELETE to another site without its leave.
    """

    def __init__(
        self,
        status: Callable[[], dict],
        record: Record,
        settings: Settings,
        reset: Callable[[], None],
    ):
        self._status = status
        self._record = record
        self._settings = settings
        self._reset = reset

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """Status, headers and body, in JSON."""
        name = path.removeprefix(PREFIX)
        match method, name:
            case (("GET" | "HEAD"), "health"):
                return _json(200, self._status())
            case (("GET" | "HEAD"), "events"):
                return self._events(parse_qs(query))
            case (("GET" | "HEAD"), "settings"):
                return _json(200, self._settings.values())
            case "PUT", "settings":
                try:
                    return _json(200, self._settings.change(body))
                except InvalidSetting as error:
                    return _json(400, {"message": str(error)})
            case "DELETE", "resources":
                self._reset()
                return _json(200, self._status())
            case _, ("health" | "events" | "settings" | "resources"):
                return _json(405, {"message": f"{method} is not answered here"})
        return _json(404, {"message": f"there is no page {path}"})

    def _events(self, query: dict[str, list[str]]) -> Answer:
        since = query.get("since", ["0"])[0]
        if not since.isdecimal():
            return _json(400, {"message": "since must be the sequence number of an entry"})
        return _json(200, self._record.entries(int(since), query.get("function", [None])[0]))


def _json(status: int, body: object) -> Answer:
    return status, [(b"content-type", b"application/json")], json.dumps(body).encode()
