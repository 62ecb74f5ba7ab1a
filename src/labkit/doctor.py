"""`lab doctor`: what the kit finds on this computer, in plain words."""

import json
import platform
import shutil
import socket
import sys
from dataclasses import asdict, dataclass
from typing import Literal

from . import cloud_state, project

Outcome = Literal["good", "note", "missing"]
_MARKS = {"good": "[green]✓[/]", "note": "[yellow]•[/]", "missing": "[red]✗[/]"}
_FREE_GB = 1


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Only what is missing stops the kit from running."""

    what: str
    outcome: Outcome
    words: str


def examine(port: int = 4566) -> list[Finding]:
    """Look at everything the kit depends on."""
    return [
        _python(),
        _virtual_environment(),
        _system(),
        *_local_cloud(),
        _port(port),
        _disk(),
        _chromium(),
    ]


def run(*, as_json: bool, port: int) -> int:
    """Print the findings; return 0 if the kit can run here, else 1."""
    findings = examine(port)
    fit = not any(finding.outcome == "missing" for finding in findings)
    if as_json:
        print(json.dumps({"ok": fit, "findings": [asdict(f) for f in findings]}, indent=2))
        return 0 if fit else 1
    from rich.table import Table

    from . import terminal

    table = Table.grid(padding=(0, 2))
    for finding in findings:
        table.add_row(_MARKS[finding.outcome], finding.what, finding.words)
    console = terminal.console()
    console.print(table, soft_wrap=False)
    console.print(
        "\nThe kit can run here." if fit else "\nThe kit can't run here yet: see the lines with ✗."
    )
    return 0 if fit else 1


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the place that says so
        return Finding("Python", "missing", f"{version}; the kit needs 3.11 or newer")
    if sys.version_info >= (3, 15):
        return Finding("Python", "note", f"{version}; the kit is tested with 3.11 to 3.14")
    return Finding("Python", "good", version)


def _virtual_environment() -> Finding:
    if sys.prefix == sys.base_prefix:
        words = "none: the kit's packages lie among your system's own; `make start` makes one"
        return Finding("virtual environment", "note", words)
    return Finding("virtual environment", "good", sys.prefix)


def _system() -> Finding:
    system, release = platform.system(), platform.release()
    if system == "Linux" and "microsoft" in release.lower():
        return Finding("system", "good", "Windows under WSL2")
    if system in ("Linux", "Darwin"):
        return Finding("system", "good", {"Linux": "Linux", "Darwin": "macOS"}[system])
    words = f"{system} is not supported. On Windows, install WSL2 and run the kit inside it"
    return Finding("system", "missing", words)


def _local_cloud() -> list[Finding]:
    try:
        from localcloud import LocalCloud

        cloud = LocalCloud(port=0)
    except Exception as error:  # whatever is wrong with the installation is what we are here to say
        words = f"can't be loaded ({error}); `make clean` and `make start` set it up anew"
        return [Finding("local cloud", "missing", words)]
    boxed = cloud.isolation.name != "plain process"
    words = cloud.isolation.describe()
    if not boxed and shutil.which("bwrap"):
        words += ". It is installed, but may not make user namespaces here"
    client = (
        Finding("runtime client", "good", "AWS's own, native")
        if cloud.native_client
        else Finding(
            "runtime client", "note", "AWS's own, with a pure-Python stand-in for its native part"
        )
    )
    return [Finding("functions run in", "good" if boxed else "note", words), client]


def _port(port: int) -> Finding:
    what = f"port {port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            if cloud_state.cloud_answers(port):
                return Finding(what, "good", "a local cloud answers there")
            words = "taken by another program; `lab start` takes another port by itself"
            return Finding(what, "note", words)
    return Finding(what, "good", "free")


def _disk() -> Finding:
    free = shutil.disk_usage(project.ROOT).free / 1e9
    if free < _FREE_GB:
        return Finding("disk", "missing", f"{free:.1f} GB free; the kit needs {_FREE_GB} GB")
    return Finding("disk", "good", f"{free:.0f} GB free")


def _chromium() -> Finding:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return Finding("Chromium", "good", found)
    return Finding("Chromium", "note", "not found; only some of the kit's own tests use it")
