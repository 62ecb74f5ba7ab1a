"""The README's lines without make do what make does, and on macOS the cloud finds what they lay there."""

import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deployment import deploy, invoke
from localcloud import LocalCloud
from localcloud.functions import runtime

ROOT = Path(__file__).parents[1]
# What only changes what is shown on the way.
QUIET = {"--disable-pip-version-check", "--quiet", "--progress-bar", "off"}


def readme_lines():
    """The commands of the README's part without make."""
    part = (ROOT / "README.md").read_text().split("## Without make")[1].split("\n## ")[0]
    return [
        line for block in re.findall(r"```\n(.*?)```", part, re.S) for line in block.splitlines()
    ]


def make_lines(*targets):
    """The commands of these targets of the Makefile, as make would run them on an empty machine."""
    done = subprocess.run(
        ["make", "--dry-run", *targets, "VENV=/nowhere/venv", "PYTHON=python3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.replace("\\\n", " ").replace("/nowhere/venv", ".venv").splitlines()


def installs(lines):
    """What each pip command among the lines is asked, as a set of words."""
    commands = [line.partition(" -m pip install ")[2].split(" | ")[0] for line in lines]
    return {frozenset(shlex.split(command)) - QUIET for command in commands if command}


def test_without_make_the_same_is_installed():
    told = {words for words in installs(readme_lines()) if "--target" not in words}
    assert told == installs(make_lines("start"))
    assert len(told) == 2


def test_macos_has_the_lines_of_its_own():
    only_there = [line for line in make_lines("start") if "Darwin" in line]
    assert "runtime-client LOCK=requirements.lock" in only_there[0]
    lines = make_lines("runtime-client", "LOCK=requirements.lock")
    assert len(installs(lines)) == 1
    assert installs(lines) <= installs(readme_lines())
    (cut,) = [line for line in readme_lines() if line.startswith("sed ")]
    assert cut in lines


def test_the_line_for_macos_takes_one_package_and_its_hashes_from_the_lock():
    (cut,) = [line for line in readme_lines() if line.startswith("sed ")]
    command = cut.partition(" > ")[0]
    taken = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert re.match(r"awslambdaric==\S+ +\\\n", taken)
    assert taken.count("==") == 1
    assert taken.count("--hash=") == taken.count("\n") - 1 > 5


@pytest.fixture
def like_macos(monkeypatch, tmp_path):
    """AWS's runtime client is not installed, but laid beside, as the set-up does on macOS."""
    find = importlib.metadata.distribution
    client = find("awslambdaric")
    beside = tmp_path / "share" / "localcloud" / "awslambdaric"
    for file in client.files:
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = beside / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(client.locate_file(file), target)

    def distribution(name):
        if name == "awslambdaric":
            raise importlib.metadata.PackageNotFoundError(name)
        return find(name)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return beside


def test_functions_run_with_the_client_that_is_laid_beside(like_macos):
    with LocalCloud(port=0, isolation="plain", runtime_client="python") as cloud:
        source = "import awslambdaric\ndef handler(e, c): return awslambdaric.__file__\n"
        deploy(cloud, "mac", source)
        payload, error, _ = invoke(cloud, "mac")
        assert error is None
        assert payload.startswith(sys.prefix)


def test_without_the_client_the_cloud_does_not_start(like_macos):
    shutil.rmtree(like_macos)
    with pytest.raises(importlib.metadata.PackageNotFoundError, match="awslambdaric"):
        runtime.prepare_runtime(native_client=False)
