"""The folder of a server that keeps no state: gone with the server, or with the next one's start."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "localcloud-"


class TemporaryFolder:
    """A new folder for this process alone, until close().

    The file `lock` in it is held (flock) for as long as the process lives: the lock is the operating
    system's, and goes with a server that is killed.
    """

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        new = (
            self.path / "lock-to-be"
        )  # nobody takes the folder for left behind before it is locked
        self._lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.rename(self.path / "lock")

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def delete_left_behind() -> None:
    """Delete this user's folders whose servers were killed."""
    with os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and _is_left_behind(entry):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_left_behind(entry: os.DirEntry) -> bool:
    try:
        if not entry.is_dir(follow_symlinks=False):
            return False
        if entry.stat(follow_symlinks=False).st_uid != os.getuid():
            return False
        lock = os.open(Path(entry.path) / "lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # none of ours, or just deleted by its server
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
