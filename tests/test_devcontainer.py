"""The development container and the kernel: names that exist, versions that are pinned.

Properties: Dev Container metadata reference, https://containers.dev/implementors/json_reference/.
"""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import json5
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
# Those of the reference that a container made from an image may have, and JSON's types of their values.
PROPERTIES = {
    "name": str, "image": str, "features": dict, "runArgs": list, "mounts": list, "containerEnv": dict,
    "remoteEnv": dict, "containerUser": str, "remoteUser": str, "workspaceFolder": str, "workspaceMount": str,
    "initializeCommand": (str, list, dict), "onCreateCommand": (str, list, dict),
    "updateContentCommand": (str, list, dict), "postCreateCommand": (str, list, dict),
    "postStartCommand": (str, list, dict), "postAttachCommand": (str, list, dict), "waitFor": str,
    "forwardPorts": list, "portsAttributes": dict, "otherPortsAttributes": dict, "hostRequirements": dict,
    "init": bool, "privileged": bool, "capAdd": list, "securityOpt": list, "overrideCommand": bool,
    "shutdownAction": str, "updateRemoteUserUID": bool, "userEnvProbe": str, "customizations": dict,
}  # fmt: skip


@pytest.fixture
def container():
    """The settings; JSON with comments."""
    return json5.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def test_its_properties_are_those_of_the_reference(container):
    wrong = [name for name, value in container.items()
             if not isinstance(value, PROPERTIES.get(name, ()))]  # fmt: skip
    assert wrong == []
    assert set(container["customizations"]) == {"vscode"}
    assert set(container["customizations"]["vscode"]) <= {"settings", "extensions"}


def test_its_python_is_one_that_the_kit_takes(container):
    version = re.fullmatch(
        r"mcr\.microsoft\.com/devcontainers/python:(\d+\.\d+)-\w+", container["image"]
    )[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version in SpecifierSet(project["requires-python"])


def test_its_commands_are_there(container):
    assert "bubblewrap" in container["onCreateCommand"].split()
    make, *targets = container["postCreateCommand"].split()
    command = [make, "--dry-run", *targets, f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_its_editor_uses_what_make_sets_up(container):
    chosen = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    (folder,) = re.findall(r"^VENV \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert chosen == f"${{containerWorkspaceFolder}}/{folder}/bin/python"


def test_the_notebooks_kernel_is_there_and_pinned():
    names = {json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]["name"]
             for path in ROOT.glob("notebooks/*.ipynb")}  # fmt: skip
    (name,) = names
    found = KernelSpecManager(data_dir="/nowhere").get_kernel_spec(name)
    assert found.argv[1:3] == ["-m", "ipykernel_launcher"]
    assert Path(found.resource_dir).is_relative_to(sys.prefix)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (pinned,) = re.findall(r"^ipykernel==(\S+)", lock, re.MULTILINE)
    assert importlib.metadata.version("ipykernel") == pinned
