""".lab/cloud.json: which local cloud `lab start` runs, so that notebooks and commands find it."""

import contextlib
import http.client
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from . import project


@dataclass(frozen=True)
class CloudState:
    """A local cloud: the process that serves it, and where it listens."""

    pid: int
    port: int
    endpoint_url: str

    def answers(self) -> bool:
        """Whether its process lives and a local cloud answers on its port."""
        return psutil.pid_exists(self.pid) and cloud_answers(self.port)


def path() -> Path:
    """The state file."""
    return project.WORK / "cloud.json"


def read() -> CloudState | None:
    """Return what the state file says, or None where there is none that can be read."""
    try:
        found = json.loads(path().read_text())
        return CloudState(int(found["pid"]), int(found["port"]), str(found["endpoint_url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running() -> CloudState | None:
    """Return the cloud that `lab start` runs now, or None."""
    state = read()
    return state if state and state.answers() else None


def write(port: int) -> CloudState:
    """Note that this process serves a local cloud on the port."""
    state = CloudState(os.getpid(), port, f"http://127.0.0.1:{port}")
    path().parent.mkdir(exist_ok=True)
    partial = path().with_suffix(f".{state.pid}")
    partial.write_text(json.dumps(asdict(state)) + "\n")
    partial.replace(path())
    return state


def remove() -> None:
    """Take the note away."""
    with contextlib.suppress(FileNotFoundError):
        path().unlink()


def cloud_answers(port: int, timeout_s: float = 2) -> bool:
    """Whether a local cloud (and no other program) answers on the port of this computer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/_localcloud/health")
        answer = connection.getresponse()
        return answer.status == 200 and json.loads(answer.read()).get("status") == "running"
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return False
    finally:
        connection.close()
