"""What an execution environment may see and use, by what the machine offers.

Bubblewrap (user, mount, PID, IPC and UTS namespaces) where it is installed and allowed; util-linux's
`unshare` with the same namespaces where only that is there; a plain process with a clean environment
elsewhere. `describe()` says in plain words what each one promises.
"""

import functools
import json
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
# Lambda has no /dev/shm (AWS Compute Blog, "Parallel Processing in Python with AWS Lambda").
_DEVICES = ("null", "zero", "full", "random", "urandom")
# The loader remembers which folders of LD_LIBRARY_PATH exist.
_FOLDERS = ("/var/task/lib", "/opt/lib", "/tmp")
# Where all unpacked packages are seen until the environment's own are put in their places.
_STORE = "/run/packages"


@dataclass(frozen=True)
class Place:
    """Where an environment's parts lie on this machine; `own` is a folder for it alone."""

    runtime: Path
    packages: Path
    own: Path


@dataclass(frozen=True)
class Contents:
    """What a function brings: two folders below Place.packages, and the size of its /tmp in MiB."""

    task_root: Path
    opt: Path
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


_LAMBDA_VIEW = View(
    "/var/task", "/opt", "/var/runtime", "/tmp", f"/var/lang/bin/{_PYTHON}", "/var/lang"
)


class Bubblewrap:
    """Namespaces through bubblewrap: /var/task, /opt and /var/runtime as on AWS, a sized /tmp."""

    name = "bubblewrap"
    # The fork server is process 1 of the namespace, below bubblewrap's monitor.
    depth = 2
    # Whether an environment has a network of its own, from which only the cloud can be reached.
    own_network = False

    def view(self, place: Place) -> View:
        """The paths are AWS's own."""
        return _LAMBDA_VIEW

    def prepare(self, place: Place) -> None:
        """Nothing to do: all that an environment needs is made by its mounts."""

    def command(self, place: Place) -> list[str]:
        """The command in front of the fork server's; what it is to run is mounted later."""
        # The right to mount is for the fork server, which gives it up before a function runs.
        command = [
            shutil.which("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-ipc",
            "--unshare-uts", "--die-with-parent", "--new-session", "--as-pid-1",
            "--uid", "993", "--gid", "990", "--hostname", "169.254.100.1",
            "--cap-add", "CAP_SYS_ADMIN",
        ]  # fmt: skip
        for source, target in _binds(place):
            command += ["--ro-bind", source, target]
        for target, source in _links():
            command += ["--symlink", source, target]
        command += ["--proc", "/proc", "--tmpfs", "/dev"]
        for name in _DEVICES:
            command += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
        command += ["--symlink", "/proc/self/fd", "/dev/fd", "--remount-ro", "/dev"]
        for folder in _FOLDERS:
            command += ["--dir", folder]
        return [*command, "--remount-ro", "/", "--"]

    def fill(self, place: Place, contents: Contents) -> dict:
        """What the fork server has to mount."""
        sources = (f"{_STORE}/{contents.task_root.name}", f"{_STORE}/{contents.opt.name}")
        return {
            "mount": {
                "binds": list(zip(sources, ("/var/task", "/opt"), strict=True)),
                "tmp_bytes": contents.tmp_size_mb * 1024 * 1024,
                "store": _STORE,
            }
        }

    def describe(self) -> str:
        """One sentence for `lab doctor`."""
        return (
            "bubblewrap: each function sees /var/task, /opt, a private /tmp of its size and nothing "
            "of your files"
        )


class Confined(Bubblewrap):
    """Bubblewrap, with no network but the cloud's port and the environment's own Runtime API, and with no
    memory that can't be seen from outside.
    """

    own_network = True

    def command(self, place: Place) -> list[str]:
        """The command of Bubblewrap, in an empty network."""
        program, *rest = super().command(place)
        return [program, "--unshare-net", *rest]

    def fill(self, place: Place, contents: Contents) -> dict:
        """What the fork server has to mount, and that it is to forbid what memory could be hidden by."""
        mount = super().fill(place, contents)["mount"]
        return {"mount": {**mount, "confined": True}}


class Unshare(Bubblewrap):
    """The same namespaces through util-linux's unshare."""

    name = "unshare"

    def prepare(self, place: Place) -> None:
        """Make the folder in which the root is built."""
        (place.own / "root").mkdir(parents=True)

    def command(self, place: Place) -> list[str]:
        """The command in front of the fork server's."""
        plan = {
            "root": str(place.own / "root"),
            "binds": _binds(place),
            "devices": [f"/dev/{name}" for name in _DEVICES],
            "links": [*_links(), ("/dev/fd", "/proc/self/fd")],
            "folders": _FOLDERS,
        }
        return [
            "unshare", "--map-root-user", "--mount", "--pid", "--ipc", "--uts", "--fork",
            "--kill-child", sys.executable, str(place.runtime / "namespace_root.py"), json.dumps(plan),
            # The outer user is root of its namespace; a function is not, in a namespace of its own.
            "unshare", "--map-user=993", "--map-group=990", "--mount", "--keep-caps",
        ]  # fmt: skip

    def describe(self) -> str:
        """One sentence for `lab doctor`."""
        return super().describe().replace("bubblewrap", "unshare")


class PlainProcess:
    """A process with a clean environment. It can read what the user can read."""

    name = "plain process"
    depth = 1
    own_network = False

    def view(self, place: Place) -> View:
        """Folders of this machine; the code and /opt are links that are set later."""
        lang = str(_BASE)
        return View(
            str(place.own / "task"), str(place.own / "opt"), str(place.runtime),
            str(place.own / "tmp"), f"{lang}/bin/{_PYTHON}", lang,
        )  # fmt: skip

    def prepare(self, place: Place) -> None:
        """Make the environment's own folder."""
        (place.own / "tmp").mkdir(parents=True)
        (place.own / "empty" / "lib").mkdir(parents=True)  # the loader remembers what exists
        for name in ("task", "opt"):
            (place.own / name).symlink_to("empty")

    def command(self, place: Place) -> list[str]:
        """Nothing in front: the fork server is started as it is."""
        return []

    def fill(self, place: Place, contents: Contents) -> dict:
        """Point the links at the function's folders; nothing is left to the fork server."""
        for name, folder in (("task", contents.task_root), ("opt", contents.opt)):
            link = place.own / name
            link.unlink()
            link.symlink_to(folder)
        return {}

    def describe(self) -> str:
        """One sentence for `lab doctor`."""
        return (
            "plain process: functions run with a clean environment, but can read your files, and "
            "/tmp has no size limit; install bubblewrap for more"
        )


Isolation = Bubblewrap | Confined | Unshare | PlainProcess


def confinement() -> Confined:
    """The isolation for code that nobody trusts. Raises RuntimeError where bubblewrap doesn't work."""
    choose_isolation("bubblewrap")
    return Confined()


def choose_isolation(wanted: str = "auto") -> Isolation:
    """Return the strongest isolation that works here, or the one that is asked for by name.

    Raises ValueError for an unknown name, RuntimeError where the one asked for doesn't work.
    """
    if wanted not in ("auto", "bubblewrap", "unshare", "plain"):
        raise ValueError(f"isolation is auto, bubblewrap, unshare or plain, not {wanted!r}")
    if wanted in ("auto", "bubblewrap") and _may_mount(
        "bwrap", "--unshare-user", "--uid", "993", "--gid", "990", "--ro-bind", "/", "/",
        "--cap-add", "CAP_SYS_ADMIN", "--",
    ):  # fmt: skip
        return Bubblewrap()
    if wanted in ("auto", "unshare") and _may_mount(
        "unshare", "--map-root-user", "--mount",
        "unshare", "--map-user=993", "--map-group=990", "--mount", "--keep-caps",
    ):  # fmt: skip
        return Unshare()
    if wanted in ("bubblewrap", "unshare"):
        raise RuntimeError(f"{wanted} is not installed, or may not make user namespaces here")
    return PlainProcess()


def _may_mount(*command: str) -> bool:
    """Whether a command makes namespaces in which one may mount: some systems deny it."""
    program = shutil.which(command[0])
    return sys.platform.startswith("linux") and bool(program) and _mounts(program, *command[1:])


@functools.cache
def _mounts(*command: str) -> bool:
    mount = (
        "import ctypes; raise SystemExit(ctypes.CDLL(None).mount(b't', b'/tmp', b'tmpfs', 0, None))"
    )
    probe = [*command, sys.executable, "-S", "-c", mount]
    return subprocess.run(probe, capture_output=True, timeout=10).returncode == 0


def _binds(place: Place) -> list[tuple[str, str]]:
    """What is seen read-only of this machine, and where."""
    binds = [("/usr", "/usr")]
    binds += [(f"/{name}", f"/{name}") for name in _SYSTEM if Path("/", name).is_dir()
              and not Path("/", name).is_symlink()]  # fmt: skip
    binds += [(str(Path("/etc", name).resolve()), f"/etc/{name}") for name in _ETC
              if Path("/etc", name).exists()]  # fmt: skip
    return [
        *binds, (str(_BASE), "/var/lang"), (str(place.runtime), "/var/runtime"),
        (str(place.runtime / "passwd"), "/etc/passwd"), (str(place.packages), _STORE),
    ]  # fmt: skip


_SYSTEM = ("lib", "lib64", "lib32", "bin", "sbin")


def _links() -> list[tuple[str, str]]:
    """The folders of the root that are links into /usr here."""
    return [
        (f"/{name}", str(Path("/", name).readlink()))
        for name in _SYSTEM
        if Path("/", name).is_symlink()
    ]
