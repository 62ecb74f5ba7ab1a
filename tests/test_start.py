"""`lab start` and `lab cloud` in processes of their own."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from tornado.websocket import websocket_connect

from deployment import deploy, invoke, wait_for
from labkit.cloud_state import cloud_answers
from processes import ISOLATIONS, WAIT_S, CloudAt, gone, running

START = ("start", "--no-browser", "--port")


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def state_of(work):
    return json.loads((work / "cloud.json").read_text())


def address_of(command):
    """JupyterLab's address and its token, from what the learner sees."""
    line = command.line_with("JupyterLab:")
    return re.search(r"(http://127\.0\.0\.1:\d+)/lab/tree/(\S+)\?token=(\S+)", line).groups()


def ask(address, token, path, method="GET"):
    request = urllib.request.Request(
        address + path, method=method, headers={"Authorization": f"token {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def dead_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_start_serves_both_and_ctrl_c_leaves_nothing(work):
    with running(*START, "0", LAB_WORK=str(work)) as lab:
        endpoint = lab.line_with("Local cloud:").split()[-1]
        address, notebook, token = address_of(lab)
        lab.line_with("Ctrl-C ends both.")
        state = state_of(work)
        assert state["pid"] == lab.process.pid
        assert state["endpoint_url"] == endpoint == f"http://127.0.0.1:{state['port']}"
        assert cloud_answers(state["port"])
        assert ask(address, token, f"/api/contents/{notebook}?content=0")["type"] == "notebook"

        kernel = ask(address, token, "/api/kernels", "POST")  # a process with its own session
        assert kernel["id"]
        family = lab.family()
        assert len(family) >= 3
        variables = family[1].environ()
        assert variables["AWS_ENDPOINT_URL"] == endpoint
        assert variables["AWS_ACCESS_KEY_ID"] == "test"

        notices = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
        settings = ask(address, token, notices)["schema"]["properties"]
        assert settings["fetchNews"]["default"] == "false"

        assert lab.interrupt() == 0
        assert [member for member in family if member.is_running()] == []
        assert not cloud_answers(state["port"])
        assert not (work / "cloud.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_well(work, number):
    with running(*START, "0", LAB_WORK=str(work)) as lab:
        lab.line_with("Ctrl-C ends both.")
        family = lab.family()
        assert lab.interrupt(number) == 0
        assert [member for member in family if member.is_running()] == []


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_killed_start_leaves_nothing(work, isolation):
    with running(*START, "0", LAB_WORK=str(work), LOCALCLOUD_ISOLATION=isolation) as lab:
        address, _, token = address_of(lab)
        lab.line_with("Ctrl-C ends both.")
        ask(address, token, "/api/kernels", "POST")
        ask(address, token, "/api/terminals", "POST")
        cloud = CloudAt(state_of(work)["endpoint_url"])
        deploy(cloud, "idle", "def handler(event, context): return 1\n")
        assert invoke(cloud, "idle")[0] == 1
        family = lab.family()
        assert len(family) >= 6
        lab.interrupt(signal.SIGKILL)
        wait_for(lambda: gone(family))


def said_in_terminal(address, token, line, words):
    """Type a line into a new terminal of JupyterLab, and wait for an answer that holds the words."""

    async def type_and_wait():
        name = ask(address, token, "/api/terminals", "POST")["name"]
        socket = f"{address.replace('http', 'ws')}/terminals/websocket/{name}?token={token}"
        connection = await websocket_connect(socket)
        await connection.write_message(json.dumps(["stdin", f"{line}\r"]))
        shown = ""
        while words not in shown:
            kind, *pieces = json.loads(await asyncio.wait_for(connection.read_message(), WAIT_S))
            shown += "".join(pieces) if kind == "stdout" else ""
        connection.close()
        while await asyncio.wait_for(connection.read_message(), WAIT_S) is not None:
            pass  # the other side has to agree before the socket is free

    asyncio.run(type_and_wait())


@pytest.mark.parametrize("cloud", ["local", "aws"])
def test_a_terminal_of_jupyterlab_has_the_command(work, cloud):
    # As a learner starts it: by the command's path, with nothing of the environment on PATH.
    bare = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LAB_TARGET": cloud}
    with running(*START, "0", LAB_WORK=str(work), **bare) as lab:
        address, _, token = address_of(lab)
        expected = Path(sys.executable).with_name("lab")
        said_in_terminal(address, token, 'echo "it is $(command -v lab)."', f"it is {expected}.")
        assert lab.interrupt() == 0


def test_start_without_a_token_is_refused(work):
    with running(*START, "0", LAB_WORK=str(work)) as lab:
        address, _, _ = address_of(lab)
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, "wrong", "/api/contents")
        with refused.value as answer:
            assert answer.code == 403
        assert lab.interrupt() == 0


def test_a_taken_port_is_named_and_another_used(work, taken_port):
    with running(*START, str(taken_port), LAB_WORK=str(work)) as lab:
        line = lab.line_with(f"Port {taken_port} is taken by another program.")
        lab.line_with("Ctrl-C ends both.")
        port = state_of(work)["port"]
        assert line.endswith(f"The local cloud uses port {port} instead.")
        assert port != taken_port
        assert cloud_answers(port)
        assert lab.interrupt() == 0


@pytest.mark.parametrize("content", [None, "", "{", '{"pid": 1}', '"a word"'])
def test_a_stale_note_is_replaced(work, content):
    work.mkdir()
    stale = {"pid": dead_process(), "port": 1, "endpoint_url": "http://127.0.0.1:1"}
    (work / "cloud.json").write_text(json.dumps(stale) if content is None else content)
    with running(*START, "0", LAB_WORK=str(work)) as lab:
        lab.line_with("The last lab ended without tidying up")
        lab.line_with("Local cloud:")
        lab.line_with("Ctrl-C ends both.")
        assert state_of(work)["pid"] == lab.process.pid
        assert lab.interrupt() == 0


def test_a_second_start_points_to_the_first(work):
    with running(*START, "0", LAB_WORK=str(work)) as first:
        endpoint = first.line_with("Local cloud:").split()[-1]
        first.line_with("Ctrl-C ends both.")
        with running(*START, "0", LAB_WORK=str(work)) as second:
            assert second.ended() == 1
            said = " ".join(second.lines)
            assert f"process {first.process.pid}" in said
            assert endpoint in said
        assert cloud_answers(state_of(work)["port"])
        assert first.interrupt() == 0


def test_jupyterlab_that_cannot_start_is_shown(work, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "jupyterlab.py").write_text("raise SystemExit('no laboratory today')")
    path = os.pathsep.join([str(broken), *filter(None, [os.environ.get("PYTHONPATH")])])
    with running(*START, "0", LAB_WORK=str(work), PYTHONPATH=path) as lab:
        assert lab.ended() == 1
        assert "no laboratory today" in "\n".join(lab.lines)
    assert not (work / "cloud.json").exists()


@pytest.mark.parametrize(
    ("module", "arguments"), [("labkit.cli", ["cloud"]), ("localcloud", [])], ids=["lab", "module"]
)
def test_cloud_alone(module, arguments, work):
    with running(*arguments, "--port", "0", module=module, LAB_WORK=str(work)) as cloud:
        endpoint = cloud.line_with("localcloud answers on").split()[-1]
        assert cloud_answers(int(endpoint.rsplit(":", 1)[1]))
        family = cloud.family()
        assert cloud.interrupt() == 0
        assert cloud.lines == [f"localcloud answers on {endpoint}"]
        assert not any(psutil.pid_exists(member.pid) for member in family)


def test_cloud_alone_names_a_free_port_when_its_own_is_taken(taken_port, work):
    with running("cloud", "--port", str(taken_port), LAB_WORK=str(work)) as cloud:
        assert cloud.ended() == 1
        (line,) = cloud.lines
    assert line.startswith(f"Port {taken_port} is taken by another program.")
    offered = int(re.search(r"--port (\d+)", line)[1])
    with running("cloud", "--port", str(offered), LAB_WORK=str(work)) as cloud:
        cloud.line_with(f"localcloud answers on http://127.0.0.1:{offered}")
        assert cloud.interrupt() == 0
