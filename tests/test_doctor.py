"""`lab doctor`: plain words about this computer, and an exit code."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections import namedtuple

import pytest

from labkit import doctor

Usage = namedtuple("Usage", "total used free")


def lab_doctor(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "labkit.cli", "doctor", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def finding(what, **given):
    (found,) = [f for f in doctor.examine(**given) if f.what == what]
    return found


def test_here_the_kit_can_run():
    done = lab_doctor()
    assert done.returncode == 0, done.stdout
    assert "The kit can run here." in done.stdout
    assert platform.python_version() in done.stdout


def test_json_says_the_same_to_programs():
    done = lab_doctor("--json")
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert done.returncode == 0
    assert {f["outcome"] for f in answer["findings"]} <= {"good", "note"}


@pytest.mark.needs("bwrap")
def test_a_terminal_without_its_signs_is_no_reason_to_end():
    done = lab_doctor(PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "The kit can run here." in done.stdout


def test_without_bubblewrap_it_says_what_that_means(tmp_path):
    with_it = json.loads(lab_doctor("--json").stdout)["findings"]
    without = lab_doctor("--json", PATH=str(tmp_path))
    words = {f["what"]: f for f in json.loads(without.stdout)["findings"]}["functions run in"]
    assert words["outcome"] == "note"
    assert "can read your files" in words["words"]
    assert "install bubblewrap" in words["words"]
    assert without.returncode == 0
    assert {f["what"]: f for f in with_it}["functions run in"] != words


def test_windows_is_sent_to_wsl2(monkeypatch, capsys):
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert finding("system").outcome == "missing"
    assert "WSL2" in finding("system").words
    assert doctor.run(as_json=False, port=0) == 1
    assert "can't run here yet" in capsys.readouterr().out


def test_wsl2_is_known(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.6.87-microsoft-standard-WSL2")
    assert finding("system") == doctor.Finding("system", "good", "Windows under WSL2")


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.4")
    assert doctor._python() == doctor.Finding(
        "Python", "missing", "3.10.4; the kit needs 3.11 or newer"
    )


def test_a_full_disk_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 9 * 10**8, 10**8))
    assert finding("disk").outcome == "missing"


def test_a_taken_port_is_no_obstacle():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert finding(f"port {port}", port=port).outcome == "note"
    assert finding(f"port {port}", port=port).words == "free"


def test_the_local_clouds_own_port_is_good(local_cloud):
    found = finding(f"port {local_cloud.port}", port=local_cloud.port)
    assert found.words == "a local cloud answers there"
