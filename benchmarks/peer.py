"""MiniStack, the peer: installed into a virtual environment of its own, started fairly.

Settings that decide its speed, read in its source (1.4.21):

- ``LAMBDA_EXECUTOR=local`` runs a Python function in one warm worker process per function,
  without Docker. Invocations of one function wait for each other.
- A worker imports botocore before the handler where botocore is importable. On AWS a Python
  function finds boto3, so the lock holds it, in the version that localcloud uses. MiniStack
  does not ask for it, and starts a trivial function several times faster without: so that
  nobody takes the import's cost for the design's, the cold invoke is measured without it too.
- After each invocation it waits for a line of output: 50 ms where the handler prints nothing.
  The handlers here print a line.
- ``LAMBDA_STATE_TRANSITION_SECONDS=0`` takes away an artificial delay after an update, and
  ``LOG_LEVEL=ERROR`` spares it a log line per request.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .servers import Launch

LEAN = "MiniStack without boto3"
LOCK = Path(__file__).with_name("ministack.lock")
INSTALL_LIMIT_S = 300


class PeerMissing(RuntimeError):
    """MiniStack could not be installed; the message says why."""


def ministack_launch(say: Callable[[str], None]) -> Launch:
    """Install MiniStack where that has not been done with this lock, and say how to start it.

    Raises PeerMissing where the installation fails.
    """
    home = Path(sys.prefix) / "share" / "bench-ministack"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = home / "installed.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    home.parent.mkdir(parents=True, exist_ok=True)
    # Two tests may come here at once.
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (python.exists() and stamp.exists() and stamp.read_text().strip() == wanted):
            say(f"Installing MiniStack {locked_version()} into a virtual environment of its own …")
            _install(home, python)
            stamp.write_text(wanted)
    return Launch(
        name="MiniStack",
        version=locked_version(),
        arguments=(str(python), "-m", "ministack"),
        environment={
            "GATEWAY_PORT": "{port}",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_STATE_TRANSITION_SECONDS": "0",
            "LOG_LEVEL": "ERROR",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        },
    )


def without_boto3(launch: Launch) -> Launch:
    """The same MiniStack with botocore hidden, for the cold invoke of a trivial handler alone."""
    hidden = {"PYTHONPATH": str(Path(__file__).with_name("without_boto3"))}
    return replace(
        launch,
        name=LEAN,
        environment=launch.environment | hidden,
        measures=frozenset({"cold"}),
    )


def with_cfnresponse(launch: Launch) -> Launch:
    """The same MiniStack with the module by which a custom resource's function answers, as AWS has it."""
    given = {"PYTHONPATH": str(Path(__file__).with_name("with_cfnresponse"))}
    return replace(launch, environment=launch.environment | given)


def locked_version() -> str:
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith("ministack=="):
            return line.removeprefix("ministack==").split()[0]
    raise PeerMissing(f"{LOCK.name} names no ministack")


def _install(home: Path, python: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(home)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(LOCK)])
    # Bytecode now, so that the first start measured is not the one that compiles.
    _run([str(python), "-m", "compileall", "-q", "-j", "0", str(home / "lib")], check=False)


def _run(command: list[str], check: bool = True) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise PeerMissing(f"installing took over {INSTALL_LIMIT_S} s") from error
    if check and done.returncode:
        raise PeerMissing((done.stderr or done.stdout).strip()[-600:])
