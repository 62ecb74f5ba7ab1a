"""A copy of the kit in a folder of its own, with a small stage to check: 50-greeting.

Commands run in processes whose sources are the copy's, so that nothing of the real lab/ and .lab/ is touched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEY = "50-greeting"
LIMIT_S = 240
SOLUTION = '''\
"""Greets whoever the event names."""


def handler(event, context):
    """Return {"greeting": "Hello, NAME!"}, or {"error": …} for an event without a name."""
    # >>> TODO 1: Greet the one whom the event names.
    greeting = f"Hello, {event['name']}!" if "name" in event else None
    #| greeting = None
    # <<<
    # >>> TODO 2: Say what is missing where the event has no name.
    if greeting is None:
        return {"error": "no name"}
    # <<<
    return {"greeting": greeting}
'''
CHECKS = '''\
import pytest

from labkit.grading import expect


@pytest.fixture(scope="module")
def greeter(deployment, workspace):
    role = deployment.role("greeter")
    return deployment.function(
        "greeter", {"app.py": workspace.text("app.py")}, handler="app.handler", role=role, timeout=3
    )


@pytest.mark.check(points=2, section="1 · Greeting")
def check_greets(greeter, deployment, rng):
    """The function greets whoever the event names."""
    name = rng.choice(["Ada", "Grace", "Barbara", "Frances"]) + str(rng.randrange(1000))
    answer = deployment.invoke(greeter, {"name": name})
    seen = answer.problem or f"{answer.payload}"
    expect(answer.payload == {"greeting": f"Hello, {name}!"}, tried="sent the event {\\"name\\": …}",
           expected="Hello and that name", seen=seen, log=answer.log)


@pytest.mark.check(points=1, section="2 · Without a name", needs=("check_greets",))
def check_without_a_name(greeter, deployment):
    """An event without a name gets an error that says so."""
    answer = deployment.invoke(greeter, {})
    expect(answer.payload == {"error": "no name"}, tried="sent the event {}", expected="an error",
           seen=answer.problem or f"{answer.payload}", log=answer.log)


@pytest.mark.check(points=1, section="3 · Notes")
def check_notes(workspace):
    """The file notes.txt holds a line of yours."""
    expect("mine" in workspace.text("notes.txt"), tried="read notes.txt", expected="the word mine",
           seen="another text")
'''
STAGES = f'''
[[stage]]
key = "{KEY}"
title = "Greeting"
goal = "Write a function that greets."
minutes = 5
points = 4
files = ["app.py", "notes.txt"]
  [[stage.topics]]
  title = "Greet"
  checks = ["check_greets"]
  hints = ["Who is it?", "See section 1.", "It is an f-string."]
  [[stage.topics]]
  title = "The rest"
  checks = ["check_without_a_name", "check_notes"]
  hints = ["What is missing?", "See sections 2 and 3.", "Look for the key."]
'''


class Kit:
    """The copy. `lab(…)` runs a command and waits for its end."""

    def __init__(self, folder: Path, endpoint_url: str):
        self.folder = folder
        self.lab_files = folder / "lab" / KEY
        self.work = folder / ".lab"
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "LAB_", "LOCALCLOUD_"))
        }  # fmt: skip
        self.environment |= {"AWS_ENDPOINT_URL": endpoint_url, "PYTHONPATH": str(folder / "src")}

    def lab(
        self, *arguments: str, code: int | None = None, limit_s: float = LIMIT_S, **environment: str
    ):
        """Run `lab ARGUMENTS` for at most `limit_s` seconds and return the finished process; `code` is the
        exit code it must have.
        """
        return self.python(
            "-m", "labkit.cli", *arguments, code=code, limit_s=limit_s, **environment
        )

    def python(
        self, *arguments: str, limit_s: float = LIMIT_S, code: int | None = None, **environment: str
    ):
        """Run Python with the copy's sources, in the copy."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=self.environment | environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s,
        )  # fmt: skip
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def solve(self) -> None:
        """Put the right solution where the learner's files are."""
        self.python("-c", f"from labkit import hint, project; from labkit.grading.stages import find\n"
                    f"for name, text in hint.solution_files(find('{KEY}')).items():\n"
                    f"    (project.LAB / '{KEY}' / name).write_text(text)", code=0)  # fmt: skip


def copy_whole_kit(folder: Path) -> None:
    """Copy the kit as it is, so that its lab/ may be written to."""
    skipped = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.egg-info")
    for name in ("src", "checks", "lab", "solutions", "notebooks", "assets", "cloudformation"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    shutil.copy(ROOT / "pyproject.toml", folder)


def copy_kit(folder: Path, endpoint_url: str, *, stages: str = STAGES) -> Kit:
    """Make the copy; its only stage is the greeting, unless `stages` is another stages.toml."""
    for name in ("src", "checks"):
        ignored = shutil.ignore_patterns("__pycache__", "check_*.py", "*.egg-info")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "checks" / "stages.toml").write_text(stages)
    (folder / "checks" / "check_50_greeting.py").write_text(CHECKS)
    solution = folder / "solutions" / KEY
    (solution / "starter").mkdir(parents=True)
    (solution / "app.py").write_text(SOLUTION)
    (solution / "notes.txt").write_text("mine\n")
    (solution / "starter" / "notes.txt").write_text("nobody's\n")
    kit = Kit(folder, endpoint_url)
    kit.python("-m", "labkit.workspace", code=0)
    return kit
