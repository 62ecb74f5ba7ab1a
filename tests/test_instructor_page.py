"""docs/instructor.md, done to the letter: its commands in a fresh folder, for what `lab submit` made."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from kit_copy import KEY, ROOT, copy_kit

pytestmark = pytest.mark.timeout(400)
PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
LIMIT_S = 300


def section(title):
    """The text under a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(title):
    """The indented blocks of a section, as they stand there."""
    found = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", section(title), re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]


def shell(kit, commands, code=0):
    """Run a block in the kit's folder, in a shell that ends at the first failure."""
    done = subprocess.run(
        ["bash", "-e", "-c", commands], cwd=kit.folder, env=kit.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def kit(tmp_path):
    """A fresh copy, with a virtual environment that is set up: make finds nothing left to do."""
    kit = copy_kit(tmp_path / "kit", "")
    del kit.environment["AWS_ENDPOINT_URL"], kit.environment["PYTHONPATH"]
    for name in ("Makefile", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, kit.folder)
    programs = kit.folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    lab = f'#!/bin/sh\nPYTHONPATH={kit.folder}/src exec {shlex.quote(sys.executable)} -m labkit.cli "$@"\n'
    (programs / "lab").write_text(lab)
    (programs / "lab").chmod(0o755)
    (programs.parent / ".ready-learner").touch()
    return kit


@pytest.mark.needs("bwrap")
def test_from_zero_to_grades(kit, tmp_path):
    for learner, solved in (("ada", True), ("eve", False)):
        if solved:
            shell(kit, f".venv/bin/lab check {KEY}", code=1)  # when the work on it began
            shutil.copytree(kit.folder / "solutions" / KEY, kit.lab_files, dirs_exist_ok=True)
            shell(kit, f".venv/bin/lab check {KEY}")
        shell(kit, f".venv/bin/lab submit --out {learner}.zip")
        shell(kit, f".venv/bin/lab reset {KEY} --yes")
        (kit.folder / "submissions").mkdir(exist_ok=True)
        shutil.move(kit.folder / f"{learner}.zip", kit.folder / "submissions")
    (kit.folder / "submissions" / "bob.zip").write_bytes(b"broken")

    (commands,) = blocks("From zero to grades in ten minutes")
    said = shell(kit, commands).stdout
    assert "Setting up" not in said
    assert (
        "3 submissions, 0 stages as before, 2 graded, 0 the same as another's. Open results/index.html"
        in said
    )

    out = kit.folder / "results"
    with (out / "grades.csv").open(newline="", encoding="utf-8-sig") as table:
        grades = {row["learner"]: (row[KEY], row["percent"]) for row in csv.DictReader(table)}
    assert grades == {"ada": ("4", "100.0"), "bob": ("0", "0.0"), "eve": ("0", "0.0")}
    overview = (out / "index.html").read_text(encoding="utf-8")
    for name in grades:
        assert (
            f'href="pages/{name}.html"' in overview and (out / "pages" / f"{name}.html").is_file()
        )
    assert "<strong>4 of 4 points (100 %)</strong>" in (out / "pages" / "ada.html").read_text()
    told = json.loads((out / "learners" / "ada.json").read_text())["accounts"][KEY]
    assert told["runs"] == 2 and told["minutes"] >= 0
    # Both zips were made in one kit, and tell its progress.
    assert '<td class="number">2 of 3</td>' in overview
    suites = {suite.get("name"): suite for suite in ElementTree.parse(out / "junit.xml").getroot()}
    assert (
        suites[f"ada: {KEY}"].get("failures") == "0"
        and suites[f"eve: {KEY}"].get("failures") == "2"
    )
    scores = {
        name: json.loads((out / "gradescope" / f"{name}.json").read_text()) for name in grades
    }
    assert [scores[name]["score"] for name in ("ada", "bob", "eve")] == [4, 0, 0]
    named = re.findall(r"^\| (`.*?) \|", section("What comes out"), re.MULTILINE)
    for name in re.findall(r"`([^`]+)`", " ".join(named)):
        assert (out / name.replace("NAME", "ada")).is_file(), name
    assert "0 graded" in shell(kit, commands).stdout


def test_every_option_of_the_page_is_there(kit):
    told = re.findall(
        r"^\| `(--[a-z]+)", section("From zero to grades in ten minutes"), re.MULTILINE
    )
    said = shell(kit, "COLUMNS=200 .venv/bin/lab grade --help").stdout
    assert len(told) >= 7 and [option for option in told if option not in said] == []


def test_in_ci_the_exit_code_and_a_file_tell(kit):
    (commands,) = blocks("In CI")
    shell(kit, commands, code=1)
    shutil.copytree(kit.folder / "solutions" / KEY, kit.lab_files, dirs_exist_ok=True)
    shell(kit, commands)
    (stage,) = json.loads((kit.folder / "checks.json").read_text())["stages"]
    assert stage["passed"] and stage["earned"] == 4


def test_on_a_hub_a_learner_works_in_their_own_copy(kit, tmp_path, monkeypatch):
    """The page's setting of JupyterHub, read as JupyterHub reads it, for the environment of this test."""
    setup, settings = blocks("A room full of learners")
    made = re.search(r"make setup VENV=(\S+)", setup)[1]
    shell(kit, f"make --dry-run setup VENV={made} PYTHON={shlex.quote(sys.executable)}")
    home = tmp_path / "home" / "ada"
    shutil.copytree(kit.folder, home / "lab-kit")
    spawner = types.SimpleNamespace(user=types.SimpleNamespace(name="ada"))
    c = types.SimpleNamespace(Spawner=types.SimpleNamespace())
    exec(settings, {"c": c})
    assert c.Spawner.cmd == [f"{made}/bin/jupyterhub-singleuser"]
    folder = Path(c.Spawner.notebook_dir.replace("~", str(home)))
    for name in os.environ.keys() - kit.environment.keys():
        monkeypatch.delenv(name)
    for name, value in c.Spawner.environment.items():
        value = value(spawner) if callable(value) else value
        value = value.replace("/home/ada", str(home)).replace(made, sys.prefix)
        monkeypatch.setenv(name, value)

    done = subprocess.run(
        ["lab", "submit"], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "submission.zip").is_file()
    cells = [new_code_cell("%load_ext labkit"), new_code_cell(f"%check {KEY}")]
    notebook = new_notebook(cells=cells)
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=LIMIT_S, kernel_name="python3", resources=place).execute()
    assert f"{KEY}: 0 of 4 points" in notebook.cells[1].outputs[0].data["text/plain"]
    assert (folder / ".lab" / "progress.json").is_file()
    assert not (kit.work / "progress.json").exists()
