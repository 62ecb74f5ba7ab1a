"""A cloud under measurement: its process, its endpoint, its memory, its end."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import psutil
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

START_LIMIT_S = 60.0
STOP_LIMIT_S = 8.0
REGION = "us-east-1"
OURS = "localcloud"


class ServerFailed(RuntimeError):
    """The server ended, or did not answer in time. The message holds the end of its output."""


@dataclass(frozen=True)
class Launch:
    """How a cloud is started. ``{port}`` in arguments and environment becomes the free port."""

    name: str
    version: str
    arguments: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    measures: frozenset[str] = frozenset()  # the only ones it takes part in; empty means all


class Endpoint:
    """A cloud that answers at a URL, reached by boto3."""

    process: psutil.Process | None = None
    measures: frozenset[str] = frozenset()

    def __init__(self, name: str, version: str, url: str):
        self.name = name
        self.version = version
        self.url = url
        self._clients: dict[str, object] = {}

    def client(self, service: str):
        """A boto3 client without retries: a retry would hide a failure in a time."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=5,
                    read_timeout=60,
                    s3={"addressing_style": "path"},
                ),
            )
        return self._clients[service]

    def answers(self) -> bool:
        try:
            self.client("s3").list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def resident_mb(self) -> float | None:
        """Resident memory of the process and its descendants in MB; None if not ours to see."""
        if self.process is None:
            return None
        total = 0
        for process in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total / 1e6

    def stop(self) -> None:
        """Nothing to stop: someone else started it."""


class Server(Endpoint):
    """A cloud started here, in a session and a temporary directory of its own."""

    def __init__(self, launch: Launch):
        port = free_port()
        super().__init__(launch.name, launch.version, f"http://127.0.0.1:{port}")
        self.measures = launch.measures
        self.client("s3")  # made before the clock starts: importing the model takes 100 ms
        self._directory = Path(tempfile.mkdtemp(prefix="bench-"))
        self._output = self._directory / "output.log"
        work = self._directory / "work"
        work.mkdir()
        fill = {"port": str(port), "directory": str(work)}
        environment = clean_environment(self._directory)
        environment |= {key: value.format(**fill) for key, value in launch.environment.items()}
        self._popen: subprocess.Popen | None = None
        started = time.perf_counter()
        try:
            with self._output.open("wb") as output:
                self._popen = subprocess.Popen(
                    [argument.format(**fill) for argument in launch.arguments],
                    cwd=work,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C reaches the bench alone, which stops it then
                )
            self.process = psutil.Process(self._popen.pid)
            self._wait_for_answer(port, started)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.perf_counter() - started

    def _wait_for_answer(self, port: int, started: float) -> None:
        while not (accepts(port) and self.answers()):
            if self._popen.poll() is not None:
                raise ServerFailed(f"{self.name} ended while starting: {self.output_tail()}")
            if time.perf_counter() - started > START_LIMIT_S:
                raise ServerFailed(f"{self.name} did not answer: {self.output_tail()}")
            time.sleep(0.005)

    def output_tail(self, characters: int = 800) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")[-characters:].strip()

    def stop(self) -> None:
        """End the server and every process it left, by their own ids; remove its directory."""
        descendants: list[psutil.Process] = []
        if self.process is not None:
            with contextlib.suppress(psutil.Error):
                descendants = self.process.children(recursive=True)
        if self._popen is not None and self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait(STOP_LIMIT_S)
        _, left = psutil.wait_procs(descendants, timeout=1)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=2)
        shutil.rmtree(self._directory, ignore_errors=True)


def localcloud_launch(version: str) -> Launch:
    return Launch(
        name="localcloud",
        version=version,
        arguments=(sys.executable, "-m", "localcloud", "--port", "{port}"),
    )


def clean_environment(directory: Path) -> dict[str, str]:
    """The caller's environment without AWS's and Python's settings (PYTHONDONTWRITEBYTECODE would
    make cold starts compile); HOME and TMPDIR lie inside ``directory``.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "LAMBDA_", "LOCALSTACK_", "PYTHON"))
    }
    temporary = directory / "tmp"
    temporary.mkdir()
    return kept | {"HOME": str(directory), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def accepts(port: int) -> bool:
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex(("127.0.0.1", port)) == 0
