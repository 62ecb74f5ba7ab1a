"""Deployment packages and layers, unpacked once for each content and shared by all environments."""

import contextlib
import functools
import hashlib
import importlib.util
import io
import marshal
import os
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from .configuration import Archive

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 250 MB, layers included.
MAX_UNZIPPED_BYTES = 262_144_000
# The bytecode of larger modules is made each time: they are rare.
_REMEMBERED_BYTES = 262_144
_checked: dict[bytes, int] = {}  # unzipped sizes, by the SHA-256 of zips


class InvalidArchive(Exception):
    """A zip that Lambda refuses; the text is the service's own."""


def check_archive(data: bytes) -> int:
    """Return the unzipped size in bytes of a deployment package.

    Raises InvalidArchive where the zip can't be read or is 250 MB or more unzipped. One that was found to be
    right once is not read again by this process and its forks: a class shares one layer.
    """
    digest = hashlib.sha256(data).digest()
    if digest in _checked:
        return _checked[digest]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise InvalidArchive(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error
    if size >= MAX_UNZIPPED_BYTES:
        raise InvalidArchive(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")
    _checked[digest] = size
    return size


class PackageStore:
    """Folders of unpacked archives under `root`, named by content hash."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._done: dict[str, Path] = {}
        self._unused_since: dict[str, float] = {}

    def task_root(self, code: Archive) -> Path:
        """The folder that stands at /var/task: the deployment package, unpacked."""
        return self._once(f"code-{code.digest}", lambda target: _unpack(code.data, target))

    def opt(self, layers: tuple[Archive, ...]) -> Path:
        """The folder that stands at /opt: the layers merged in order, the last one winning."""
        if len(layers) == 1:
            return self._layer(layers[0])
        return self._once(_opt_name(layers), lambda target: self._merge(layers, target))

    def unpacked(
        self, code: Archive, layers: tuple[Archive, ...]
    ) -> tuple[Path | None, Path | None]:
        """The two folders at once, without waiting; None for one that is not unpacked yet."""
        return self._done.get(f"code-{code.digest}"), self._done.get(_opt_name(layers))

    def prune(self, in_use: set[str], unused_s: float) -> None:
        """Remove the folders that no function has had for so long. `in_use` comes of folder_names()."""
        now = time.monotonic()
        for name in list(self._done):
            if name in in_use:
                self._unused_since.pop(name, None)
            elif now - self._unused_since.setdefault(name, now) > unused_s:
                del self._unused_since[name]
                self._remove(name)

    def _remove(self, name: str) -> None:
        with self._guard:
            lock = self._locks[name]
        with lock:
            del self._done[name]
            # Moved away first: who wants it again meanwhile unpacks it anew.
            leaving = Path(tempfile.mkdtemp(dir=self.root, prefix="leaving-"))
            (self.root / name).rename(leaving / name)
        shutil.rmtree(leaving, ignore_errors=True)

    def _layer(self, layer: Archive) -> Path:
        return self._once(f"layer-{layer.digest}", lambda target: _unpack(layer.data, target))

    def _merge(self, layers: tuple[Archive, ...], target: Path) -> None:
        for layer in layers:
            shutil.copytree(
                self._layer(layer), target, symlinks=True, dirs_exist_ok=True, copy_function=_link
            )
            _drop_links_out(target)

    def _once(self, name: str, fill: Callable[[Path], None]) -> Path:
        final = self.root / name
        with self._guard:
            lock = self._locks[name]
        with lock:  # who comes second waits for the first
            if not final.is_dir():
                # Filled beside and renamed: a half-unpacked folder is never seen under its name.
                partial = Path(tempfile.mkdtemp(dir=self.root, prefix="partial-"))
                fill(partial)
                partial.chmod(0o755)
                partial.rename(final)
        self._done[name] = final
        return final


def remember(data: bytes) -> None:
    """Compile a package's modules now; unpacking them later takes what is kept of that."""
    with tempfile.TemporaryDirectory() as folder:
        _unpack(data, Path(folder))


def folder_names(code: str, layers: tuple[str, ...]) -> set[str]:
    """The folders that a function needs, by the digests of its package and its layers."""
    return {f"code-{code}", _merged(layers), *(f"layer-{digest}" for digest in layers)}


def _opt_name(layers: tuple[Archive, ...]) -> str:
    return _merged(tuple(layer.digest for layer in layers))


def _merged(digests: tuple[str, ...]) -> str:
    if len(digests) == 1:
        return f"layer-{digests[0]}"
    return "opt-" + hashlib.sha256("".join(digests).encode()).hexdigest()


def _link(source: str, target: str) -> None:
    """Hard link a file of a layer into the merged folder; a later layer's file replaces it."""
    Path(target).unlink(missing_ok=True)
    os.link(source, target)


def _unpack(data: bytes, target: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        links = []
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                links.append(entry)
                continue
            path = Path(archive.extract(entry, target))  # extract() keeps ".." and "/" inside
            path.chmod(0o755 if entry.is_dir() else (mode & 0o777) | 0o444)
        for entry in links:  # after the files, so that none is written through a link
            _unpack_link(archive.read(entry).decode(), entry.filename, target)
    if links:
        _drop_links_out(target)
    _keep_bytecode(target)


def _keep_bytecode(folder: Path) -> None:
    """Lambda's disk is read-only, so that bytecode can't be kept by the function itself. Compiled here once,
    an import costs what its code does and no parsing.
    """
    for path in folder.rglob("*.py"):
        with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            if not path.is_symlink():
                kept = Path(importlib.util.cache_from_source(str(path)))
                kept.parent.mkdir(exist_ok=True)
                kept.unlink(missing_ok=True)
                source = path.read_bytes()
                compiled = _remembered if len(source) <= _REMEMBERED_BYTES else _bytecode
                kept.write_bytes(compiled(source))


def _bytecode(source: bytes) -> bytes:
    """The content of a source's .pyc file that is found by hash and not checked (PEP 552)."""
    code = compile(source, "module", "exec", dont_inherit=True)  # the import puts the real path in
    unchecked = (0b01).to_bytes(4, "little")
    return (
        importlib.util.MAGIC_NUMBER
        + unchecked
        + importlib.util.source_hash(source)
        + marshal.dumps(code)
    )


# The same libraries come in many packages; Pillow has a hundred modules.
_remembered = functools.lru_cache(256)(_bytecode)


def _unpack_link(destination: str, name: str, target: Path) -> None:
    """Make a symbolic link from a zip, unless its place or its aim is outside the folder."""
    path = target / os.path.normpath(name)
    if not _is_inside(path.parent, target) or not _is_inside(path.parent / destination, target):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(destination)


def _drop_links_out(target: Path) -> None:
    """Remove the links that lead out of the folder by way of other links."""
    for place, folders, files in os.walk(target):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink() and not _is_inside(path, target):
                path.unlink()


def _is_inside(path: Path, target: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(target))
