"""`python -m localcloud` in a process of its own: its one line, its end, and what it leaves behind."""

import re
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from deployment import deploy, invoke, wait_for
from processes import ISOLATIONS, CloudAt, gone


class Server(CloudAt):
    """A server process on a free port."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.line = self.process.stdout.readline()
        super().__init__(self.line.split()[-1])

    def functions(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code


@pytest.fixture
def server():
    server = Server()
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)


def with_function(server: Server) -> list[psutil.Process]:
    deploy(server, "idle", "def handler(event, context): return 1\n")
    assert invoke(server, "idle")[0] == 1
    return server.functions()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_functions(server, number):
    assert re.fullmatch(r"localcloud answers on http://127\.0\.0\.1:\d+\n", server.line)
    functions = with_function(server)
    assert functions
    assert server.end(number) == 0
    assert gone(functions)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_functions_end_with_a_server_that_is_killed(isolation, monkeypatch):
    monkeypatch.setenv("LOCALCLOUD_ISOLATION", isolation)
    server = Server()
    functions = with_function(server)
    assert functions
    server.end(signal.SIGKILL)
    wait_for(lambda: gone(functions))


def test_a_killed_servers_folder_goes_with_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def folders():
        return set(tmp_path.glob("localcloud-*"))

    (tmp_path / "localcloud-somebody-elses").mkdir()
    others, running = folders(), Server()
    others_and_running, killed = folders(), Server()
    assert len(folders()) == 3
    killed.end(signal.SIGKILL)
    assert len(folders()) == 3
    next_one = Server()
    wait_for(lambda: len(folders()) == 3)
    assert others_and_running < folders()
    for server in (running, next_one):
        with_function(server)
        assert server.end(signal.SIGTERM) == 0
    assert folders() == others


def test_a_taken_port_gives_one_plain_line():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "localcloud", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=90,
        )
    assert result.returncode == 1
    assert re.fullmatch(
        rf"Port {port} is taken by another program\. Stop it, or use a free one: --port \d+\n",
        result.stderr,
    )
