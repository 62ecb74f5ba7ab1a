"""What a confined tree sees of the machine, and what it may do there.

No learner code runs in a tree's own processes, but what it has made is read there. Should it ever get in, it
finds itself in namespaces of its own, without any privilege: it can write to its own folder and to nothing
else, and sees neither homes, other people's temporary files, devices nor the machine's services.

    python -m labkit.classroom.walls FOLDER     says "closed" where this is possible here, else why it isn't
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import pwd
import signal
import socket
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

import localcloud

from .. import project

_FOLDER_MB = 1024
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
# mount_setattr(2); the call has this number on every processor.
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _RDONLY = 442, -100, 0x8000, 1
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18
# In its namespace a tree is not root: bubblewrap could else not make namespaces of its own from it.
_INSIDE, _NOBODY = 1000, 65534
_EMPTIED = ("/home", "/root", "/run", "/dev", "/tmp", "/var/tmp", "/mnt", "/media", "/srv")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_kernel = localcloud.Kernel()


def close_in(own: str, hidden: Iterable[str]) -> None:
    """Go on inside, for good: `own` is the folder to write to, empty at first, `hidden` are folders to be
    hidden besides. Raises OSError where the kernel refuses.
    """
    emptied = {os.path.realpath(path) for path in (*_EMPTIED, _home(), os.path.dirname(own))}
    is_root = _be_able_to_mount()
    needed = {path: os.open(path, os.O_PATH) for path in _needed()}
    for path in filter(os.path.isdir, sorted(emptied - {"/"})):  # below an empty one there is none
        _kernel.mount_tmpfs(path, "size=64k,mode=0755")
    for path, descriptor in needed.items():
        if not os.path.exists(path):
            _make_place(path, descriptor)
            _kernel.bind(f"/proc/self/fd/{descriptor}", path)
        os.close(descriptor)
    for path in filter(os.path.isdir, hidden):
        _kernel.mount_tmpfs(path, "size=4k,mode=0000")
    os.makedirs(own, exist_ok=True)
    _set_mount(b"/", _AT_RECURSIVE, _RDONLY, 0)  # those that lie under others included
    _set_mount(b"/proc", 0, 0, _RDONLY)  # else none could be mounted that isn't
    if is_root:
        _be_nobody(needed)
    _enter_namespaces()
    _kernel.mount_proc("/proc")
    _kernel.mount_tmpfs(own, f"size={_FOLDER_MB}m,mode=0700")
    os.chdir(project.ROOT)  # what is mounted over it is seen by who enters anew
    _raise_loopback()
    _kernel.drop_capabilities()


def _needed() -> list[str]:
    """The kit, Python and the devices, the outer ones first."""
    folders = [str(project.ROOT), sys.prefix, sys.base_prefix, *filter(os.path.isdir, sys.path)]
    given = [*folders, *_DEVICES]
    return sorted({*given, *map(os.path.realpath, given)})


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"


def _be_able_to_mount() -> bool:
    """Whether that is root's right here; everybody else has it in a user namespace of theirs."""
    try:
        _kernel.call("unshare", _CLONE_NEWNS)
        is_root = True
    except PermissionError:
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNS)
        is_root = False
    _kernel.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    return is_root


def _be_nobody(needed: Iterable[str]) -> None:
    """Root owns too much to be kept from all of it, such as the kernel's settings in /proc/sys."""
    with contextlib.suppress(OSError):  # root of a namespace alone, which may have no nobody
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _kernel.call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)  # else its files in /proc are still root's
    for path in needed:
        if not os.access(path, os.R_OK):
            words = f"root grades as nobody, who may not read {path}: chmod -R go+rX it"
            raise OSError(errno.EACCES, words)


def _unshare(flags: int) -> None:
    """Enter new namespaces, with every right in them, as the one user that they know."""
    user, group = os.geteuid(), os.getegid()
    _kernel.call("unshare", flags)
    for name, content in (
        ("setgroups", "deny"), ("uid_map", f"{_INSIDE} {user} 1"), ("gid_map", f"{_INSIDE} {group} 1"),
    ):  # fmt: skip
        Path("/proc/self", name).write_text(content)


def _enter_namespaces() -> None:
    """Go on as process 1 of new namespaces, in which nothing can be unmounted that is mounted until here;
    another process stays behind as what the grader waits for, and takes process 1 along when it is killed.
    """
    _unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWNS)
    pid = os.fork()
    if pid:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.waitpid(pid, 0)
        os._exit(0)
    _kernel.call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _make_place(path: str, descriptor: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.isdir(f"/proc/self/fd/{descriptor}"):
        os.mkdir(path)
    else:
        Path(path).touch()


def _set_mount(path: bytes, flags: int, added: int, taken: int) -> None:
    wanted = struct.pack("4Q", added, taken, 0, 0)
    try:
        _kernel.call("syscall", ctypes.c_long(_MOUNT_SETATTR), _AT_FDCWD, path, flags, wanted,
              ctypes.c_size_t(len(wanted)))  # fmt: skip
    except OSError as error:
        if error.errno == errno.ENOSYS:
            error.strerror = "mount_setattr is not there: Linux 5.12 and newer have it"
        raise


def _raise_loopback() -> None:
    """A new network has a loopback device that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def main(own: str) -> int:
    """Try it, for whoever wants to know before it is needed."""
    try:
        close_in(own, ())
    except OSError as error:
        print(error.strerror, error.filename or "", file=sys.stderr)
        return 1
    print("closed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
