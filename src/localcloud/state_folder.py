"""The folder in which a local cloud keeps its state: whose it is now, and what lies in it.

    lock       held (flock) by the server that uses the folder; says which process and port that is
    snapshot   every resource but what is too large to be written again and again
    objects/   bodies of S3 objects and code of functions and layers, named by their SHA-256
    logs/      events of log streams, a file each, appended to
    run/       unpacked packages of the server that runs; worth nothing after its end
    aside-…/   a state that could not be read, for whoever wants to look at it

The lock is the operating system's: it goes with the process that holds it, however that ends.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_KEPT = ("snapshot", "objects", "logs")
_CHANCES = 10


@dataclass(frozen=True)
class Server:
    """The server that uses a state folder. `port` is 0 until it listens, both until it says so."""

    pid: int = 0
    port: int = 0

    @property
    def endpoint_url(self) -> str:
        """The address that clients use."""
        return f"http://127.0.0.1:{self.port}"


class StateInUse(RuntimeError):
    """Another server uses the folder; `server` says which."""

    def __init__(self, path: Path, server: Server):
        self.path = path
        self.server = server
        who = f"the local cloud of process {server.pid}" if server.pid else "another local cloud"
        where = f", which answers on {server.endpoint_url}" if server.port else ""
        super().__init__(f"{path} is in use by {who}{where}")


class StateFolder:
    """A state folder that this process uses alone, from take() to release()."""

    def __init__(self, path: Path):
        self.path = Path(path).absolute()
        self.snapshot = self.path / "snapshot"
        self.objects = self.path / "objects"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self._lock: int | None = None

    def take(self) -> None:
        """Lock the folder, and make it if need be. Raises StateInUse."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for chance in range(_CHANCES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if chance < _CHANCES - 1:  # somebody may only be asking: see find_server
                    time.sleep(0.02)
                    continue
                server = _read_server(lock)
                os.close(lock)
                raise StateInUse(self.path, server) from None
        self._lock = lock
        self.tell(0)
        shutil.rmtree(self.run, ignore_errors=True)  # of a server that was killed
        for folder in (self.objects, self.logs, self.run):
            folder.mkdir(exist_ok=True)

    def tell(self, port: int) -> None:
        """Write into the lock who holds it."""
        text = json.dumps(asdict(Server(os.getpid(), port))).encode()
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, text, 0)

    def release(self) -> None:
        """Let others have the folder."""
        if self._lock is None:
            return
        shutil.rmtree(self.run, ignore_errors=True)
        os.ftruncate(self._lock, 0)
        os.close(self._lock)
        self._lock = None

    def set_aside(self) -> Path:
        """Move what is kept out of the way, and return where it is now."""
        aside = self.path / time.strftime("aside-%Y%m%d-%H%M%S")
        while aside.exists():
            aside = aside.with_name(aside.name + "-")
        aside.mkdir()
        for name in _KEPT:
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).rename(aside / name)
        self.objects.mkdir()
        self.logs.mkdir()
        return aside

    def empty(self) -> None:
        """Delete what is kept; what was set aside stays."""
        self.snapshot.unlink(missing_ok=True)
        for folder in (self.objects, self.logs):
            shutil.rmtree(folder)
            folder.mkdir()


def find_server(path: Path) -> Server | None:
    """The server that uses the state folder now; None where none does."""
    try:
        lock = os.open(Path(path) / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read_server(lock)
    finally:
        os.close(lock)


def wait_until_free(path: Path, timeout_s: float) -> bool:
    """Wait until no server uses the folder any more; False where one still does after that time."""
    deadline = time.monotonic() + timeout_s
    while find_server(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def empty_state(path: Path) -> None:
    """Delete the state that a folder keeps. Raises StateInUse while a server uses it."""
    if not Path(path).is_dir():
        return
    folder = StateFolder(path)
    folder.take()
    try:
        folder.empty()
    finally:
        folder.release()


def _read_server(lock: int) -> Server:
    try:
        return Server(**json.loads(os.pread(lock, 1000, 0)))
    except (ValueError, TypeError):
        return Server()
