"""The system calls of Linux that Python has no function for.

Copied into the runtime's folder, because it is used inside the isolation.
"""

import os
import sys

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND, _MS_REC = (
    1,
    2,
    4,
    8,
    32,
    4096,
    16384,
)
_MS_KEPT = 0x400 | 0x800 | 0x200000 | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC  # and the atime flags
_MNT_DETACH = 2
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522


class Kernel:
    """Mounts and capabilities. Every method raises OSError where the kernel refuses."""

    def __init__(self):
        before = set(sys.modules)
        import ctypes

        self._ctypes = ctypes
        self._libc = ctypes.CDLL(None, use_errno=True)
        for name in set(sys.modules) - before:  # a function that wants ctypes imports it for itself
            del sys.modules[name]

    def bind(self, source, target):
        """Show a folder or file at another place."""
        self._call("mount", source.encode(), target.encode(), None, _MS_BIND | _MS_REC, None)

    def make_read_only(self, target):
        """Take the right to write from what was mounted, and leave its other flags as they are."""
        flags = os.statvfs(target).f_flag & _MS_KEPT  # statvfs has the numbers of mount
        flags |= _MS_REMOUNT | _MS_BIND | _MS_RDONLY
        self._call("mount", None, target.encode(), None, flags, None)

    def mount_tmpfs(self, target, options):
        """Mount an empty file system in memory."""
        flags = _MS_NOSUID | _MS_NODEV
        self._call("mount", b"tmpfs", target.encode(), b"tmpfs", flags, options.encode())

    def mount_proc(self, target):
        """Mount this PID namespace's /proc."""
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        self._call("mount", b"proc", target.encode(), b"proc", flags, None)

    def detach(self, target):
        """Unmount a file system and all below it."""
        self._call("umount2", target.encode(), _MNT_DETACH)

    def take_orphans(self):
        """Become the parent of every process below that loses its own."""
        self._call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def drop_capabilities(self):
        """Give up every privilege in this user namespace, for good."""
        self._call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        self._call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        numbers = self._ctypes.c_uint32
        self._call("capset", (numbers * 2)(_CAPABILITY_VERSION_3, 0), (numbers * 6)())

    def _call(self, name, *arguments):
        if getattr(self._libc, name)(*arguments) == -1:
            number = self._ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
