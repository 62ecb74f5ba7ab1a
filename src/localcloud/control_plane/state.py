"""State that survives: a snapshot of all resources, written in the background after each change.

A change is written a moment after it was answered, together with what else changed meanwhile; the
end of the server writes what is left. So a request's answer never waits for the disk.
"""

import json
import logging
import os
import platform
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

from moto import __version__ as moto_version
from moto.core.base_backend import BackendDict

from ..functions.configuration import QueuedEvent
from ..state_folder import StateFolder
from . import snapshot
from .kept_apart import KeptApart

_log = logging.getLogger(__name__)
# Raised when what a snapshot holds is no longer what this code expects.
FORMAT = 2
_MADE_BY = {
    "format": FORMAT,
    "moto": moto_version,
    "python": ".".join(platform.python_version_tuple()[:2]),
}
_DELAY_S = 0.25
# Of a second, at most a twentieth goes to snapshots.
_REST = 20
_TRIES = 20
_UNDISTURBED_TRIES = 5
_READING = ("Describe", "List", "Get", "BatchGet", "Filter", "Head", "Lookup", "Query", "Scan")

_changed = threading.Event()


def note_change() -> None:
    """Resources have changed, or may have: they are due to be written."""
    _changed.set()


def may_change(method: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a request may change resources; False for those that only read."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if not action and body.startswith(b"Action="):
        action = body[7:60].decode("latin-1")
    return not action.startswith(_READING)


class StateKeeper:
    """Brings a folder's state back and keeps it up to date. The folder must have been taken.

    `queued_events` tells which events of asynchronous invocations wait or run.
    """

    def __init__(self, folder: StateFolder, queued_events: Callable[[], list[QueuedEvent]]):
        self._folder = folder
        self._queued_events = queued_events
        self._apart = KeptApart(folder)
        self._later: snapshot.Later | None = None
        self._names: set[str] = set()
        self._left_out: set[str] = set()
        self._ended = threading.Event()
        self._failed = False
        self._is_writing = False
        self._loading = threading.RLock()
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)

    def start(self) -> list[QueuedEvent]:
        """Restore what the folder keeps, begin to write changes; return the events to queue again."""
        events = self._restore()
        _changed.clear()
        self._thread.start()
        return events

    def close(self) -> None:
        """Write what has not been written yet, and end."""
        self._ended.set()
        _changed.set()
        self._thread.join()
        BackendDict._create_account_specific_backend = _moto_create

    def reset(self) -> None:
        """Forget the second part: the resources of this process have been emptied."""
        with self._loading:
            self._later = None
        note_change()

    @property
    def is_written(self) -> bool:
        """Whether the folder holds everything that was answered until now."""
        return not (_changed.is_set() or self._is_writing or self._failed)

    # -- writing --------------------------------------------------------------------------------

    def _run(self) -> None:
        rest = 0.0
        while True:
            _changed.wait()
            self._ended.wait(_DELAY_S + rest)
            ended = self._ended.is_set()
            if _changed.is_set():
                self._is_writing = True
                _changed.clear()
                begun = time.monotonic()
                try:
                    self._save()
                    self._failed = False
                except Exception as error:
                    if not self._failed:  # said once, not at every change
                        _log.warning(
                            "The state could not be written to %s: %r", self._folder.path, error
                        )
                    self._failed = True
                rest = (time.monotonic() - begun) * _REST
                self._is_writing = False
            if ended:
                return

    def _save(self) -> None:
        with self._loading:
            # Something in the second part's services is new: both must be one graph.
            if self._later and snapshot.modules_outside_first() - self._later.modules:
                self._load_later()
            data, names = self._take()
        header = {**_MADE_BY, "size": len(data), "crc32": zlib.crc32(data)}
        partial = self._folder.snapshot.with_suffix(".partial")
        with open(partial, "wb") as file:
            file.write(json.dumps(header).encode() + b"\n" + data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder.snapshot)
        # Names of the last snapshot too: a request may have been in the middle of moving something.
        self._apart.delete_others(names | self._names)
        self._names = names

    def _take(self) -> tuple[bytes, set[str]]:
        """Pickle while requests go on: where one disturbs it, again."""

        def take() -> tuple[bytes, set[str]]:
            return snapshot.take(self._apart, self._later, self._left_out, self._queued_events())

        for number in range(_TRIES):
            try:
                if number < _TRIES - _UNDISTURBED_TRIES:
                    return take()
                with snapshot.undisturbed():
                    return take()
            except RuntimeError as error:  # "dictionary changed size during iteration"
                disturbance = error
            except Exception:
                if not self._leave_out():
                    raise
        raise disturbance

    def _leave_out(self) -> bool:
        """Find services whose resources can't be pickled, say so, and go on without them."""
        found = False
        for module in snapshot.modules_outside_first() - self._left_out:
            error = snapshot.can_be_pickled(module, self._apart)
            if error:
                found = True
                self._left_out.add(module)
                _log.warning(
                    "The resources of %s will not survive a restart: %s",
                    module.split(".")[1], error,
                )  # fmt: skip
        return found

    # -- reading --------------------------------------------------------------------------------

    def _restore(self) -> list[QueuedEvent]:
        try:
            raw = self._folder.snapshot.read_bytes()
        except FileNotFoundError:
            return []
        try:
            self._later, events = snapshot.put_back(_payload(raw))
        except Exception as error:
            self._set_aside(error)
            return []
        if self._later:
            self._wait_for_later()
        return events

    def _set_aside(self, error: Exception) -> None:
        aside = self._folder.set_aside()
        self._apart = KeptApart(self._folder)
        why = error if isinstance(error, _Unreadable) else f"it can't be read ({error!r})"
        _log.warning(
            "The state of the last time was not brought back: %s. It is kept in %s; "
            "the local cloud starts empty: deploy again what you need.", why, aside,
        )  # fmt: skip

    def _wait_for_later(self) -> None:
        """Read the second part when one of its services is first touched, by whomever."""
        keeper = self

        def _create_account_specific_backend(self: BackendDict, account_id: str) -> None:
            later = keeper._later
            if later and self.backend.__module__ in later.modules:
                with keeper._loading:
                    keeper._load_later()
            _moto_create(self, account_id)

        BackendDict._create_account_specific_backend = _create_account_specific_backend

    def _load_later(self) -> None:
        later, self._later = self._later, None
        if later is None:
            return
        if "moto.cloudformation.models" in later.modules:
            from .moto_app import _install_cloudformation

            _install_cloudformation()
        try:
            snapshot.put_back_later(later)
        except Exception as error:
            names = ", ".join(sorted(module.split(".")[1] for module in later.modules))
            lost = self._folder.path / time.strftime("aside-%Y%m%d-%H%M%S-part")
            lost.write_bytes(later.data)
            _log.warning("The resources of %s could not be brought back (%r); they are kept in %s",
                         names, error, lost)  # fmt: skip


_moto_create = BackendDict._create_account_specific_backend


class _Unreadable(Exception):
    """A snapshot that is not for this program, or damaged; the text ends a sentence."""


def _payload(raw: bytes) -> bytes:
    line, _, data = raw.partition(b"\n")
    try:
        header: dict[str, Any] = json.loads(line)
        made_by = {name: header[name] for name in _MADE_BY}
        whole = header["size"] == len(data) and header["crc32"] == zlib.crc32(data)
    except (ValueError, KeyError, TypeError) as error:
        raise _Unreadable("it is damaged") from error
    if made_by != _MADE_BY:
        raise _Unreadable(f"it was written by another version ({_words(made_by)})")
    if not whole:
        raise _Unreadable("it is damaged")
    return data


def _words(made_by: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in made_by.items())
