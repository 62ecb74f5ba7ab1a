"""All of moto's resources as bytes, and back.

moto's backends are Python objects that refer to each other, so they are pickled as one graph. A stack
refers to the very buckets and functions that S3 and Lambda hold, yet CloudFormation takes more than a
second to load: services that a start doesn't need are pickled as a second part, which refers to
objects of the first by number and is read when somebody asks for one of its services.
"""

import contextlib
import copyreg
import importlib
import io
import marshal
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.logs.models import LogEvent

from ..functions.configuration import QueuedEvent
from . import kept_apart
from .kept_apart import KeptApart

# Their models are loaded when a local cloud starts.
_FIRST = {f"moto.{name}.models" for name in ("s3", "iam", "sts", "awslambda", "logs")}
# What a BackendDict has besides resources, by its constructor.
_OWN = {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}
_ATOMIC = (str, bytes, int, float, tuple, frozenset, bool, type(None), type, types.FunctionType)
_LOCKS = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


@dataclass
class Later:
    """The second part while nobody has asked for it, and all that it needs to be read."""

    data: bytes
    modules: set[str]
    shared: list[Any]
    names: set[str]


class _Pickler(pickle.Pickler):
    """Pickles what moto's resources hold and pickle by itself can't, or would do wrong."""

    def __init__(self, file: io.BytesIO, apart: KeptApart):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._apart = apart

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        state = self._apart.state_of(obj)
        if state is not None:
            return copyreg.__newobj__, (kind,), state, None, None, kept_apart.restore
        if isinstance(obj, BackendDict):
            return _backends, _where(obj)
        if isinstance(obj, AccountSpecificBackend):
            return _account, (*_where(_owner(obj)), obj.account_id)
        if isinstance(obj, weakref.WeakValueDictionary):
            return kind, (), None, None, iter(list(obj.items()))
        if kind in _LOCKS:
            return _LOCKS[kind], ()
        if kind is types.FunctionType and "<" in obj.__qualname__:
            return _function, _function_parts(obj)
        if isinstance(obj, dict) and _changes_items(kind):
            state = (obj.__dict__, dict.copy(obj))
            return copyreg.__newobj__, (kind,), state, None, None, _fill
        return NotImplemented


class _LaterPickler(_Pickler):
    """Refers to what the first part holds instead of pickling it again."""

    def __init__(self, file: io.BytesIO, apart: KeptApart, first: pickle.Pickler):
        super().__init__(file, apart)
        self._first = first.memo.copy()
        self._numbers: dict[int, int] = {}
        self.shared: list[Any] = []

    def persistent_id(self, obj: Any) -> int | None:
        if isinstance(obj, _ATOMIC) or id(obj) not in self._first:
            return None
        if id(obj) not in self._numbers:
            self._numbers[id(obj)] = len(self.shared)
            self.shared.append(obj)
        return self._numbers[id(obj)]


class _LaterUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]):
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: int) -> Any:
        return self._shared[pid]


def take(
    apart: KeptApart, later: Later | None, left_out: set[str], events: list[QueuedEvent]
) -> tuple[bytes, set[str]]:
    """Pickle every resource; return the bytes and the names of the files that belong to them.

    `later` is what nobody has asked for yet. `left_out` are modules whose resources can't be pickled.
    """
    apart.names = set()
    buffer = io.BytesIO()
    first = _Pickler(buffer, apart)
    backends = [backend for backend in BackendDict._instances if _module(backend) not in left_out]
    first.dump([_contents(backend) for backend in backends if _module(backend) in _FIRST])
    others = [backend for backend in backends if _module(backend) not in _FIRST]
    if others and later is None:
        names_before, apart.names = apart.names, set()
        part = io.BytesIO()
        second = _LaterPickler(part, apart, first)
        second.dump([_contents(backend) for backend in others])
        modules = {_module(backend) for backend in others}
        later = Later(part.getvalue(), modules, second.shared, apart.names)
        apart.names = names_before | apart.names
    elif later:
        apart.names |= later.names
    first.dump(later and (later.modules, later.shared, later.names))
    first.dump((LogEvent._event_id, events))
    first_bytes = buffer.getvalue()
    header = len(first_bytes).to_bytes(8, "big")
    return header + first_bytes + (later.data if later else b""), apart.names


def put_back(data: bytes) -> tuple[Later | None, list[QueuedEvent]]:
    """Give moto the resources of the first part; return the second, for put_back_later, and the
    events that were queued.
    """
    size = int.from_bytes(data[:8], "big")
    unpickler = pickle.Unpickler(io.BytesIO(data[8 : 8 + size]))
    contents, rest, (event_id, events) = (unpickler.load() for _ in range(3))
    _put(contents)
    LogEvent._event_id = event_id
    return (Later(data[8 + size :], *rest) if rest else None), events


def put_back_later(later: Later) -> None:
    """Give moto the resources of the second part. Imports their services."""
    _put(_LaterUnpickler(io.BytesIO(later.data), later.shared).load())


def can_be_pickled(module: str, apart: KeptApart) -> Exception | None:
    """The error that the resources of a module alone give when they are pickled; None without one."""
    try:
        for backend in BackendDict._instances:
            if _module(backend) == module:
                _Pickler(io.BytesIO(), apart).dump(_contents(backend))
    except Exception as error:
        return error
    return None


def modules_outside_first() -> set[str]:
    """The modules of all services that have been used and belong to the second part."""
    return {_module(backend) for backend in BackendDict._instances} - _FIRST


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep Python from giving other threads a turn, as far as it can be kept from it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(10)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def _module(backend: BackendDict) -> str:
    return backend.backend.__module__


def _contents(backend: BackendDict) -> tuple:
    extras = {name: value for name, value in backend.__dict__.items() if name not in _OWN}
    # With what is in them beside resources: moto finds out a service's regions by loading a list of
    # all of AWS's, which takes longer than the whole start.
    accounts = {
        account: (regions.__dict__, dict(regions)) for account, regions in dict.items(backend)
    }
    return _where(backend), extras, accounts


def _put(contents: list[tuple]) -> None:
    for where, extras, accounts in contents:
        backend = _backends(*where)
        backend.__dict__.update(extras)
        if backend not in BackendDict._instances:
            BackendDict._instances.append(backend)
        for account, (attributes, regions) in accounts.items():
            target = dict.get(backend, account)
            if target is None:
                target = AccountSpecificBackend.__new__(AccountSpecificBackend)
            target.__dict__.update(attributes)
            dict.update(target, regions)
            dict.__setitem__(backend, account, target)


def _where(backend: BackendDict) -> tuple[str, str]:
    """The module and the name in it by which a BackendDict is found."""
    module = _module(backend)
    for name, value in vars(sys.modules[module]).items():
        if value is backend:
            return module, name
    raise pickle.PicklingError(f"{module} has no name for {backend.service_name}'s backends")


def _backends(module: str, name: str) -> BackendDict:
    return getattr(importlib.import_module(module), name)


def _owner(regions: AccountSpecificBackend) -> BackendDict:
    for backend in BackendDict._instances:
        if dict.get(backend, regions.account_id) is regions:
            return backend
    raise pickle.PicklingError(f"nothing holds {regions.service_name}'s backends")


def _account(module: str, name: str, account_id: str) -> AccountSpecificBackend:
    return _backends(module, name)[account_id]


def _changes_items(kind: type) -> bool:
    """Whether a kind of dict shows other items than it holds, or takes them in a way of its own."""
    return kind.__module__.startswith("moto.") and (
        kind.items is not dict.items or kind.__setitem__ is not dict.__setitem__
    )


def _fill(target: dict, state: tuple[dict, dict]) -> None:
    attributes, items = state
    target.__dict__.update(attributes)
    dict.update(target, items)


def _function_parts(function: types.FunctionType) -> tuple:
    """A function without a name to find it by, such as a defaultdict's lambda."""
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    code = marshal.dumps(function.__code__)
    return code, function.__module__, function.__name__, function.__defaults__, cells


def _function(code: bytes, module: str, name: str, defaults: Any, cells: tuple) -> Any:
    closure = tuple(types.CellType(value) for value in cells)
    scope = vars(importlib.import_module(module))
    return types.FunctionType(marshal.loads(code), scope, name, defaults, closure)
