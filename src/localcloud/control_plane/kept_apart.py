"""What a snapshot doesn't hold itself: objects' bodies, code, log events.

They are most of a state's bytes and never change once they are there, so that each is written once:
bodies and code into a file named by its SHA-256, the events of a log stream to the end of a file of
its own. A restored resource gets them back when it is first asked for them.
"""

import functools
import hashlib
import io
import os
import pickle
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.logs.models import LogEvent, LogStream
from moto.s3.models import FakeKey

from ..state_folder import StateFolder

_INLINE_BYTES = 2048
# The attribute of a body, code or events that lies apart: a digest, the bytes themselves where they
# are few, or what a stream's file holds.
_PLACE = "_kept_apart"
_folder: StateFolder


class KeptApart:
    """Writes into a state folder. One thread uses it; `names` are the files in use since clear()."""

    def __init__(self, folder: StateFolder):
        global _folder
        _folder = folder
        self.names: set[str] = set()
        self._present = {entry.name for entry in os.scandir(folder.objects)}
        self._present |= {entry.name for entry in os.scandir(folder.logs)}
        _install()

    def state_of(self, resource: Any) -> dict[str, Any] | None:
        """The resource's attributes for a snapshot, after what is large has been written.

        None for resources of other kinds, which have nothing large.
        """
        writer = _WRITERS.get(type(resource))
        return writer(self, resource) if writer else None

    def delete_others(self, names: set[str]) -> None:
        """Delete every file that is in none of `names`."""
        for folder in (_folder.objects, _folder.logs):
            for entry in os.scandir(folder):
                if entry.name not in names:
                    os.unlink(entry)
                    self._present.discard(entry.name)

    def _key(self, key: FakeKey) -> dict[str, Any]:
        place = key.__dict__.get(_PLACE)
        if place is None or (isinstance(place, str) and place not in self._present):
            setattr(key, _PLACE, self._content(_body(key)))
        state = key.__dict__.copy()
        del state["lock"]
        state.pop("_value_buffer", None)
        self._note(state[_PLACE])
        return state

    def _code(self, owner: LambdaFunction | LayerVersion) -> dict[str, Any]:
        state = owner.__dict__.copy()
        if "code_bytes" in state:
            state[_PLACE] = self._content(state.pop("code_bytes"), owner.code_digest)
        # The uploaded text is the same code once more. Nothing reads it after it was decoded.
        for name in ("code", "content"):
            if "ZipFile" in state.get(name, ()):
                state[name] = {k: v for k, v in state[name].items() if k != "ZipFile"}
        self._note(state.get(_PLACE))
        return state

    def _stream(self, stream: LogStream) -> dict[str, Any]:
        state = stream.__dict__.copy()
        events = state.pop("events", None)
        if events is not None:
            name, size, count = state.get(_PLACE) or ("", 0, 0)
            if name not in self._present or len(events) < count:  # new, or some were taken away
                name, size, count = uuid.uuid4().hex, 0, 0
            new = [_event_state(event) for event in events[count:]]
            if new:
                size = _append(_folder.logs / name, size, pickle.dumps(new, -1))
                self._present.add(name)
            state[_PLACE] = (name, size, count + len(new))
            setattr(stream, _PLACE, state[_PLACE])
        self.names.add(state[_PLACE][0])
        return state

    def _content(self, data: bytes, digest: str = "") -> str | bytes:
        if len(data) <= _INLINE_BYTES:
            return data
        digest = digest or hashlib.sha256(data).hexdigest()
        if digest not in self._present:
            path = _folder.objects / digest
            partial = path.with_suffix(".partial")
            partial.write_bytes(data)
            partial.rename(path)
            self._present.add(digest)
        return digest

    def _note(self, place: str | bytes | None) -> None:
        if isinstance(place, str):
            self.names.add(place)


_WRITERS: dict[type, Callable[[KeptApart, Any], dict[str, Any]]] = {
    FakeKey: KeptApart._key,
    LambdaFunction: KeptApart._code,
    LayerVersion: KeptApart._code,
    LogStream: KeptApart._stream,
}


def restore(resource: Any, state: dict[str, Any]) -> None:
    """Give a new resource its attributes back; the large one comes when it is asked for."""
    resource.__dict__.update(state)
    if isinstance(resource, FakeKey):
        resource.lock = threading.Lock()


def _body(key: FakeKey) -> bytes:
    try:
        return key.value
    except ValueError:  # a deleted object that something still refers to
        return b""


def _append(path: Path, size: int, data: bytes) -> int:
    """Write behind the first `size` bytes: what comes after them was never in a snapshot."""
    with open(path, "r+b" if size else "wb") as file:
        file.seek(size)
        file.write(data)
        file.truncate()
    return size + len(data)


def _event_state(event: LogEvent) -> tuple:
    return event.event_id, event.timestamp, event.ingestion_time, event.message


def _event(state: tuple) -> LogEvent:
    event = LogEvent.__new__(LogEvent)
    event.event_id, event.timestamp, event.ingestion_time, event.message = state
    return event


def _events(size: int, path: Path) -> Iterator[LogEvent]:
    with open(path, "rb") as file:
        while file.tell() < size:
            yield from map(_event, pickle.load(file))


def _read(place: str | bytes) -> bytes:
    return place if isinstance(place, bytes) else (_folder.objects / place).read_bytes()


def _buffer(key: FakeKey) -> Any:
    buffer = tempfile.SpooledTemporaryFile(key._max_buffer_size)  # noqa: SIM115 - the key closes it
    buffer.write(_read(key.__dict__[_PLACE]))
    return buffer


def _stream_events(stream: LogStream) -> list[LogEvent]:
    name, size, _ = stream.__dict__[_PLACE]
    return list(_events(size, _folder.logs / name)) if size else []


@functools.cache
def _install() -> None:
    """Teach moto's classes to fetch an attribute that was kept apart, at its first use."""
    _fetch_when_missing(FakeKey, "_value_buffer", _buffer)
    _fetch_when_missing(LambdaFunction, "code_bytes", lambda owner: _read(owner.__dict__[_PLACE]))
    _fetch_when_missing(LayerVersion, "code_bytes", lambda owner: _read(owner.__dict__[_PLACE]))
    _fetch_when_missing(LogStream, "events", _stream_events)
    moto_dispose = FakeKey.dispose

    def dispose(self, garbage: bool = False) -> None:
        if _PLACE in self.__dict__ and "_value_buffer" not in self.__dict__:
            self.__dict__["_value_buffer"] = io.BytesIO()  # nothing has to be fetched for this
        moto_dispose(self, garbage)

    FakeKey.dispose = dispose
    moto_getstate = FakeKey.__getstate__

    def __getstate__(self) -> dict[str, Any]:
        _ = self._value_buffer  # a copy, as moto makes for lists of versions, has the body
        return moto_getstate(self)

    FakeKey.__getstate__ = __getstate__


def _fetch_when_missing(kind: type, attribute: str, fetch: Callable[[Any], Any]) -> None:
    def __getattr__(self, name: str) -> Any:
        if name != attribute or _PLACE not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # Two threads may fetch at once: both get what the first one has put there.
        return self.__dict__.setdefault(name, fetch(self))

    kind.__getattr__ = __getattr__
