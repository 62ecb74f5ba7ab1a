"""`lab author`: a stage of an instructor's own. `make` writes its places, `check` says what is wrong with it.

A stage KEY is an entry of checks/stages.toml, checks/check_KEY.py, solutions/KEY/ and notebooks/KEY.ipynb;
lab/KEY/ is made from the solution. tests/mutants/KEY.toml and tests/alternatives/KEY/ show that its checks
judge well.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from . import project, terminal, workspace
from .classroom.grade_submission import grade_submission, task_of
from .classroom.submission import Submission
from .classroom.tree import NotConfined, require_confinement
from .grading.results import StageResult
from .grading.stages import Stage, UnknownStage, find, stages

GOOD, BAD, UNKNOWN = 0, 1, 2
TESTS = project.ROOT / "tests"
_KEY = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*")
_SEED = 1
_ENTRY = """
[[stage]]
key = "{key}"
title = "{title}"
goal = "Say in one sentence what the learner is to do."
minutes = 60
points = 1
files = ["app.py"]

  [[stage.topics]]
  title = "The first thing to do"
  checks = ["check_answers"]
  hints = [
    "",
    "",
    "",
  ]
"""
_CHECKS = '''\
"""The checks of {key}."""

import pytest

from labkit.grading import expect


@pytest.fixture(scope="module")
def function(deployment, workspace):
    files = {{"app.py": workspace.text("app.py")}}
    return deployment.function("answers", files, handler="app.handler", role=deployment.role("answers"))


@pytest.mark.check(points=1, section="1 · {title}")
def check_answers(function, deployment, rng):
    """The function says what is to be seen, in one sentence."""
    number = rng.randrange(1000)
    answer = deployment.invoke(function, {{"number": number}})
    expect(answer.payload == {{"number": number + 1}}, tried="sent a number", expected="the next one",
           seen=answer.problem or "another one", log=answer.log)
'''
_SOLUTION = '''\
"""What the function is for."""


def handler(event, context):
    """Return the number after the event's."""
    # >>> TODO 1: Count on.
    return {"number": event["number"] + 1}
    #| return {"number": event["number"]}
    # <<<
'''


def make(key: str, title: str) -> int:
    """Write the places of a new stage, which runs and lacks its hints, mutants and alternatives."""
    console = terminal.console()
    places = {
        project.CHECKS / f"check_{key.replace('-', '_')}.py": _CHECKS.format(key=key, title=title),
        project.SOLUTIONS / key / "app.py": _SOLUTION,
        project.NOTEBOOKS / f"{key}.ipynb": _notebook(title),
        TESTS
        / "mutants"
        / f"{key}.toml": "# A wrong submission each: see those of the other stages.\n",
        TESTS / "alternatives" / key / "another-shape" / "app.py": _SOLUTION,
    }
    there = [path for path in places if path.exists()]
    if not _KEY.fullmatch(key) or '"' in title or "\\" in title:
        console.print(f"A key is two digits and words, such as 15-my-stage, not {key!r}.", style="red",
                      markup=False)  # fmt: skip
        return UNKNOWN
    if there or key in [stage.key for stage in stages()]:
        console.print(f"There is a stage {key} already.", style="red", markup=False)
        return UNKNOWN
    for path, text in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        console.print(str(path.relative_to(project.ROOT)), markup=False)
    listed = project.CHECKS / "stages.toml"
    listed.write_text(
        listed.read_text(encoding="utf-8") + _ENTRY.format(key=key, title=title), encoding="utf-8"
    )
    workspace.write_stage(project.LAB, key)
    console.print(f"checks/stages.toml has its entry, lab/{key}/ its starter.", markup=False)
    console.print(f"lab author check {key} says what is still to do.", markup=False)
    return GOOD


def check(keys: list[str]) -> int:
    """Say what is wrong with stages, all where none is named."""
    console = terminal.console()
    try:
        chosen = [find(key) for key in dict.fromkeys(keys)] or list(stages())
        require_confinement()
        confined = True
    except UnknownStage as error:
        console.print(str(error), style="red", markup=False)
        return UNKNOWN
    except NotConfined:
        confined = False  # what is run here is the author's own
    wrong = 0
    for stage in chosen:
        faults = list(faults_of(stage)) or list(_misjudged(stage, confined))
        wrong += len(faults)
        for fault in faults:
            console.print(f"✗ {stage.key}: {fault}", style="red", markup=False)
        if not faults:
            console.print(f"✓ {stage.key}", style="green", markup=False)
    return BAD if wrong else GOOD


def faults_of(stage: Stage) -> Iterator[str]:
    """What is wrong with a stage's places, without running anything."""
    for path in (stage.notebook, stage.checks):
        if not path.is_file():
            yield f"there is no {path.relative_to(project.ROOT)}"
    for folder in (project.SOLUTIONS, project.LAB):
        there = {path.relative_to(folder / stage.key).as_posix() for path in (folder / stage.key).rglob("*")
                 if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
        there = {name for name in there if not name.startswith(f"{workspace.STARTERS}/")}
        for name in sorted(set(stage.files) - there):
            yield f"there is no {folder.name}/{stage.key}/{name}, which stages.toml names"
        for name in sorted(there - set(stage.files)):
            yield f"{folder.name}/{stage.key}/{name} is not among the files in stages.toml"
    for topic in stage.topics:
        if len({hint.strip() for hint in topic.hints if hint.strip()}) != 3:
            yield f"the topic {topic.title!r} has not three hints that say something"
    mutants = TESTS / "mutants" / f"{stage.key}.toml"
    if not mutants.is_file() or not tomllib.loads(mutants.read_text(encoding="utf-8")).get(
        "mutant"
    ):
        yield f"there are no mutants in tests/mutants/{stage.key}.toml"
    if not any(path.is_file() for path in (TESTS / "alternatives" / stage.key).rglob("*")):
        yield f"there are no alternatives in tests/alternatives/{stage.key}/"


def _misjudged(stage: Stage, confined: bool) -> Iterator[str]:
    """What is wrong with its checks, as the solution and the starter show it."""
    solution = _graded(stage, project.SOLUTIONS, confined)
    if solution.fault:
        yield f"its checks can't run: {solution.fault}"
        return
    for each in solution.checks:
        if each.outcome != "passed":
            yield f"the solution does not pass {each.name}: {each.seen}"
    if solution.points != stage.points:
        yield f"its checks have {solution.points} points, stages.toml says {stage.points}"
    named = [name for topic in stage.topics for name in topic.checks]
    if sorted(named) != sorted(each.name for each in solution.checks):
        yield "its topics do not name every check once"
    starter = _graded(stage, project.LAB, confined)
    for each in starter.checks:
        if each.outcome == "passed":
            yield f"the starter passes {each.name} already"


def _graded(stage: Stage, folder: Path, confined: bool) -> StageResult:
    files = {
        f"{stage.key}/{name}": (folder / stage.key / name).read_bytes() for name in stage.files
    }
    task = task_of(Submission("author", files), [stage.key], seed=_SEED, confined=confined, hidden=(),
                   limits={})  # fmt: skip
    (result,) = grade_submission(task)
    return StageResult.from_json(result)


def _notebook(title: str) -> str:
    texts = {"title": f"# {title}\n", "one": f"## 1 · {title}\n"}
    cells = [
        {"cell_type": "markdown", "id": name, "metadata": {}, "source": [text]}
        for name, text in texts.items()
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1) + "\n"
