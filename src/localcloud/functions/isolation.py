"""What an execution environment may see and use, by what the machine offers.

Bubblewrap (user, mount, PID and IPC namespaces) where it is installed and allowed; a plain process
with a clean environment elsewhere. `describe()` says in plain words what each one promises.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BASE = Path(sys.base_prefix).resolve()
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
# What a process needs of /etc to resolve names and to trust certificates; nothing about the machine.
_ETC = ("ld.so.cache", "resolv.conf", "hosts", "nsswitch.conf", "localtime", "ssl", "pki",
        "ca-certificates", "alternatives")  # fmt: skip


@dataclass(frozen=True)
class Folders:
    """The folders of one environment on this machine; `tmp` is used where it can't be private."""

    task_root: Path
    opt: Path
    runtime: Path
    tmp: Path
    tmp_size_mb: int


@dataclass(frozen=True)
class View:
    """Where the function finds them, and the Python that runs it."""

    task_root: str
    opt: str
    runtime: str
    tmp: str
    python: str
    lang: str


class Bubblewrap:
    """Namespaces through bubblewrap: /var/task, /opt and /var/runtime as on AWS, a sized /tmp."""

    name = "bubblewrap"
    # The monitor, process 1 of the namespace, and the shell: what is below them is the function's.
    depth = 3

    def view(self, folders: Folders) -> View:
        """The paths are AWS's own."""
        return View(
            "/var/task", "/opt", "/var/runtime", "/tmp", f"/var/lang/bin/{_PYTHON}", "/var/lang"
        )

    def command(self, folders: Folders) -> list[str]:
        """The command in front of the one that is to run inside."""
        return [*_bubblewrap_base(), *_mounts(folders), "--chdir", "/var/task", "--"]

    def describe(self) -> str:
        """One sentence for `lab doctor`."""
        return (
            "bubblewrap: each function sees /var/task, /opt, a private /tmp of its size and nothing "
            "of your files"
        )


class PlainProcess:
    """A process with a clean environment. It can read what the user can read."""

    name = "plain process"
    depth = 1

    def view(self, folders: Folders) -> View:
        """The real folders of this machine."""
        lang = str(_BASE)
        return View(
            str(folders.task_root), str(folders.opt), str(folders.runtime), str(folders.tmp),
            f"{lang}/bin/{_PYTHON}", lang,
        )  # fmt: skip

    def command(self, folders: Folders) -> list[str]:
        """Nothing in front: the shell is started as it is."""
        return []

    def describe(self) -> str:
        """One sentence for `lab doctor`."""
        return (
            "plain process: functions run with a clean environment, but can read your files, and "
            "/tmp has no size limit; install bubblewrap for more"
        )


Isolation = Bubblewrap | PlainProcess


def choose_isolation(wanted: str = "auto") -> Isolation:
    """Return the strongest isolation that works here, or the one that is asked for by name.

    Raises ValueError for an unknown name, RuntimeError where the one asked for doesn't work.
    """
    if wanted not in ("auto", "bubblewrap", "plain"):
        raise ValueError(f"isolation is auto, bubblewrap or plain, not {wanted!r}")
    if wanted != "plain" and _bubblewrap_works():
        return Bubblewrap()
    if wanted == "bubblewrap":
        raise RuntimeError("bubblewrap is not installed, or may not make user namespaces here")
    return PlainProcess()


def _bubblewrap_works() -> bool:
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        return False
    probe = [*_bubblewrap_base(), "--size", "1048576", "--tmpfs", "/tmp", "--", "/bin/true"]
    return subprocess.run(probe, capture_output=True, timeout=10).returncode == 0


def _bubblewrap_base() -> list[str]:
    command = [
        shutil.which("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
        "--die-with-parent", "--new-session", "--uid", "993", "--gid", "990",
        "--hostname", "169.254.100.1", "--ro-bind", "/usr", "/usr",
    ]  # fmt: skip
    for name in ("lib", "lib64", "lib32", "bin", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    for name in _ETC:
        path = Path("/etc", name)
        if path.exists():
            command += ["--ro-bind", str(path.resolve()), str(path)]
    return [*command, "--proc", "/proc", "--dev", "/dev", "--ro-bind", str(_BASE), "/var/lang"]


def _mounts(folders: Folders) -> list[str]:
    return [
        "--ro-bind", str(folders.runtime), "/var/runtime",
        "--ro-bind", str(folders.runtime / "passwd"), "/etc/passwd",
        "--ro-bind", str(folders.task_root), "/var/task",
        "--ro-bind", str(folders.opt), "/opt",
        "--size", str(folders.tmp_size_mb * 1024 * 1024), "--tmpfs", "/tmp",
    ]  # fmt: skip
