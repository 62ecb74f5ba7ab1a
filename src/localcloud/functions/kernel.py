"""The system calls of Linux that Python has no function for.

Copied into the runtime's folder, because it is used inside the isolation.
"""

import errno
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
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_CLONE_NEWUSER = 0x10000000
# The kernel's names of the processors (linux/audit.h), and the numbers of the system calls there
# (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h, which aarch64 has).
_ARCHITECTURES = {
    "x86_64": (0xC000003E, {
        "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240,
        "add_key": 248, "request_key": 249, "keyctl": 250, "io_setup": 206, "io_uring_setup": 425,
        "inotify_init": 253, "inotify_init1": 294, "fanotify_init": 300, "userfaultfd": 323, "bpf": 321,
        "perf_event_open": 298, "unshare": 272, "setns": 308, "clone": 56, "clone3": 435,
    }),
    "aarch64": (0xC00000B7, {
        "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180,
        "add_key": 217, "request_key": 218, "keyctl": 219, "io_setup": 0, "io_uring_setup": 425,
        "inotify_init1": 26, "fanotify_init": 262, "userfaultfd": 282, "bpf": 280,
        "perf_event_open": 241, "unshare": 97, "setns": 268, "clone": 220, "clone3": 435,
    }),
}  # fmt: skip
# Of these a library is told that the kernel hasn't got them, and does without: the C library takes clone,
# whose flags a filter can see, watchers of files ask again and again, event loops poll.
_ABSENT = ("clone3", "io_uring_setup", "inotify_init", "inotify_init1")
# Classic BPF (linux/bpf_common.h, linux/seccomp.h): load a word, compare, answer.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FLAGS = 0, 4, 16  # in struct seccomp_data
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # with an errno in the lowest bits
_X32 = 0x40000000


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
        self.call("mount", source.encode(), target.encode(), None, _MS_BIND | _MS_REC, None)

    def make_read_only(self, target):
        """Take the right to write from what was mounted, and leave its other flags as they are."""
        flags = os.statvfs(target).f_flag & _MS_KEPT  # statvfs has the numbers of mount
        flags |= _MS_REMOUNT | _MS_BIND | _MS_RDONLY
        self.call("mount", None, target.encode(), None, flags, None)

    def mount_tmpfs(self, target, options):
        """Mount an empty file system in memory."""
        flags = _MS_NOSUID | _MS_NODEV
        self.call("mount", b"tmpfs", target.encode(), b"tmpfs", flags, options.encode())

    def mount_proc(self, target):
        """Mount this PID namespace's /proc."""
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        self.call("mount", b"proc", target.encode(), b"proc", flags, None)

    def detach(self, target):
        """Unmount a file system and all below it."""
        self.call("umount2", target.encode(), _MNT_DETACH)

    def take_orphans(self):
        """Become the parent of every process below that loses its own."""
        self.call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def drop_capabilities(self):
        """Give up every privilege in this user namespace, for good."""
        self.call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        self.call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        numbers = self._ctypes.c_uint32
        self.call("capset", (numbers * 2)(_CAPABILITY_VERSION_3, 0), (numbers * 6)())

    def forbid_unneeded_calls(self):
        """Refuse from now on what no function needs and no limit of a process holds: files that lie in memory
        alone, queues, semaphores, keys and watches that the kernel keeps, of which all of a user's processes
        share one ration, user namespaces, in which anybody may mount, and the doors to the kernel that are
        most often forced (BPF, io_uring, userfaultfd, perf events).
        """
        architecture, numbers = _ARCHITECTURES[os.uname().machine]
        refused = _refuse(errno.EPERM)
        program = [
            (_LOAD, 0, 0, _AT_ARCHITECTURE), (_IF_EQUAL, 1, 0, architecture), refused,
            (_LOAD, 0, 0, _AT_NUMBER), (_IF_AT_LEAST, 0, 1, _X32), refused,
        ]  # fmt: skip
        for name, number in numbers.items():
            if name != "clone":
                answer = _refuse(errno.ENOSYS) if name in _ABSENT else refused
                program += [(_IF_EQUAL, 0, 1, number), answer]
        program += [
            (_IF_EQUAL, 0, 3, numbers["clone"]), (_LOAD, 0, 0, _AT_FLAGS),
            (_IF_ANY_BIT, 0, 1, _CLONE_NEWUSER), refused, (_ANSWER, 0, 0, _ALLOW),
        ]  # fmt: skip
        code = b"".join(
            what.to_bytes(2, "little") + bytes((true, false)) + value.to_bytes(4, "little")
            for what, true, false, value in program
        )
        buffer = self._ctypes.create_string_buffer(code)
        filter_program = (self._ctypes.c_size_t * 2)(len(program), self._ctypes.addressof(buffer))
        self.call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_program, 0, 0)

    def call(self, name, *arguments):
        """Call a function of the C library that says -1 where it fails; such is every system call's."""
        if getattr(self._libc, name)(*arguments) == -1:
            number = self._ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")


def _refuse(error):
    return (_ANSWER, 0, 0, _REFUSE | error)
