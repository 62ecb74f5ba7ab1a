"""`lab start`: the local cloud and JupyterLab, in the foreground, until Ctrl-C."""

import contextlib
import http.client
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import threading
import time
import webbrowser
from pathlib import Path

import psutil
from rich.console import Console

from . import cloud_state, project, target, terminal

_JUPYTER_CONFIG = Path(__file__).with_name("jupyter")
_JUPYTER_START_S = 60
_GRACE_S = 5


def run(port: int, browser: bool) -> int:
    """Serve until a signal, and return 0; 1 when something could not start or ended by itself."""
    console = terminal.console()
    if target.name() == "aws":
        return _serve(console, None, browser)
    state = cloud_state.read()
    if state and state.answers():
        console.print(
            f"A lab runs already: process {state.pid}, local cloud at {state.endpoint_url}. "
            "End it with Ctrl-C in its window, or go on there."
        )
        return 1
    if state or cloud_state.path().exists():
        console.print(
            "The last lab ended without tidying up. Its note, .lab/cloud.json, is replaced."
        )
        cloud_state.remove()

    from localcloud import LocalCloud, PortInUse, StateInUse

    try:
        cloud = LocalCloud(port=port, state=project.CLOUD).start()
    except StateInUse as error:
        console.print(f"{error}. `lab stop` ends it.")
        return 1
    except PortInUse as error:
        cloud = LocalCloud(port=0, state=project.CLOUD).start()
        console.print(
            f"Port {error.port} is taken by another program. "
            f"The local cloud uses port {cloud.port} instead."
        )
    try:
        cloud_state.write(cloud.port)
        return _serve(console, cloud.endpoint_url, browser)
    finally:
        cloud_state.remove()
        cloud.stop()


def _serve(console: Console, endpoint_url: str | None, browser: bool) -> int:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    console.print(
        f"Local cloud:  {endpoint_url}" if endpoint_url else f"Cloud:  {target.aws_words()}"
    )
    token = secrets.token_urlsafe(16)
    log = project.WORK / "jupyter.log"
    jupyter = _start_jupyter(token, endpoint_url, log)
    try:
        with console.status("JupyterLab starts …"):
            jupyter_port = _wait_for_jupyter(jupyter, token, ended)
        if jupyter_port is None:
            return _not_started(console, jupyter, ended, log)
        notebook = project.FIRST_NOTEBOOK.relative_to(project.ROOT).as_posix()
        address = f"http://127.0.0.1:{jupyter_port}/lab/tree/{notebook}?token={token}"
        console.print(f"JupyterLab:   {address}")
        console.print("Ctrl-C ends both.")
        if browser:
            # Some browsers are started in the foreground of the one who asks.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        while not ended.wait(0.5):
            if jupyter.poll() is not None:
                console.print("JupyterLab was shut down; the local cloud ends too.")
                return 0 if jupyter.returncode == 0 else 1
        return 0
    finally:
        _end(jupyter)


def _not_started(console: Console, jupyter: subprocess.Popen, ended, log: Path) -> int:
    if ended.is_set():
        return 0
    console.print(f"JupyterLab did not start. The end of {log}:")
    console.print("\n".join(log.read_text().splitlines()[-15:]), markup=False)
    return 1


def _start_jupyter(token: str, endpoint_url: str | None, log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PATH": target.search_path()}
    if endpoint_url:
        target.apply(endpoint_url, environment)
    environment["JUPYTER_TOKEN"] = token
    # The kit's own defaults for JupyterLab's settings, in front of the learner's own folders.
    paths = (str(_JUPYTER_CONFIG), environment.get("JUPYTER_CONFIG_PATH"))
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    log.parent.mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "labkit.jupyter", "--no-browser", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={project.ROOT}",
        # No login shell in its terminals: /etc/profile would set PATH anew, and `lab` were not found.
        f"--ServerApp.terminado_settings=shell_command={shlex.quote(_shell())}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--ServerApp.allow_root=True")
    with log.open("wb") as output:
        # A session of its own: Ctrl-C must reach this process alone, as JupyterLab would ask back.
        return subprocess.Popen(
            command, cwd=project.ROOT, env=environment, stdin=subprocess.PIPE,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _shell() -> str:
    return os.environ.get("SHELL") or "/bin/sh"


def _wait_for_jupyter(process: subprocess.Popen, token: str, ended: threading.Event) -> int | None:
    """Return JupyterLab's port once it answers, or None where it does not come to that."""
    from jupyter_core.paths import jupyter_runtime_dir

    # It takes the first free port from 8888 on, and notes here which one that was.
    note = Path(jupyter_runtime_dir(), f"jpserver-{process.pid}.json")
    deadline = time.monotonic() + _JUPYTER_START_S
    while time.monotonic() < deadline and process.poll() is None and not ended.wait(0.05):
        try:
            port = json.loads(note.read_text())["port"]
        except (OSError, ValueError, KeyError):
            continue
        if _jupyter_answers(port, token):
            return port
    return None


def _jupyter_answers(port: int, token: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": f"token {token}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen) -> None:
    """End the process and all that it started; kernels and terminals have their own sessions."""
    try:
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    process.stdin.close()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=_GRACE_S)
    process.wait()
