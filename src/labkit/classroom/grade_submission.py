"""One submission graded: the same function for the processes of this machine and for Dask's workers."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..grading.results import CheckResult, StageResult
from ..grading.stages import find
from . import digests, tree
from .submission import Submission

# The fault of a stage of which a submission holds no file.
NOT_HANDED_IN = "nothing was handed in"


@dataclass(frozen=True)
class Task:
    """What is to be graded: stages by their keys, and how. `digests` are those that the grader expects."""

    learner: str
    files: dict[str, bytes]
    stages: tuple[str, ...]
    digests: dict[str, str]
    seed: int
    confined: bool = True
    hidden: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)


class OtherKit(Exception):
    """A worker has other checks than the grader."""


def task_of(
    submission: Submission,
    keys: Sequence[str],
    *,
    seed: int,
    confined: bool,
    hidden: Sequence[Path],
    limits: dict[str, float],
) -> Task:
    """The task of grading these stages of a submission."""
    wanted = {key: digests.of(find(key), submission.of(key), seed, confined) for key in keys}
    files = {
        path: content for path, content in submission.files.items() if path.split("/")[0] in wanted
    }
    return Task(
        submission.learner,
        files,
        tuple(keys),
        wanted,
        seed,
        confined,
        tuple(map(str, hidden)),
        limits,
    )


def grade_submission(task: Task) -> list[dict[str, Any]]:
    """Grade a submission in a process tree of its own and return its stages' results, as JSON's types.

    Raises OtherKit where this machine's checks are not the grader's, and NotConfined.
    """
    if task.confined:
        tree.require_confinement()
    results: dict[str, StageResult] = {}
    todo = []
    for key in task.stages:
        stage = find(key)
        files = {path.partition("/")[2]: content for path, content in task.files.items()
                 if path.partition("/")[0] == key}  # fmt: skip
        if digests.of(stage, files, task.seed, task.confined) != task.digests[key]:
            raise OtherKit(
                f"the checks of {key} are others here than where the grading was started"
            )
        if files:
            todo.append(key)
        else:
            results[key] = StageResult(key, stage.title, task.seed, (), NOT_HANDED_IN)
    # What kills a whole tree, such as the machine's want of memory, costs the stage that ran then.
    while todo:
        finished = list(_run(task, todo))
        results |= {result.key: result for result in finished}
        todo = [key for key in todo if key not in results]
        if todo and not finished:
            stage = find(todo.pop(0))
            fault = "stopped: its process tree ended early"
            results[stage.key] = StageResult(stage.key, stage.title, task.seed, (), fault)
    return [results[key].as_json() for key in task.stages]


def _run(task: Task, keys: list[str]):
    job = {
        "files": {path: base64.b64encode(content).decode() for path, content in task.files.items()},
        "stages": keys, "seed": task.seed, "confined": task.confined, "limits": task.limits,
    }  # fmt: skip
    for answer in tree.run(
        job, trusted=not task.confined, hidden=[Path(each) for each in task.hidden]
    ):
        if "stage" in answer:
            result = StageResult.from_json(answer["stage"])
            if (
                result.key not in keys
                or not _is_text(result.title, result.fault)
                or not all(map(_is_sound, result.checks))
            ):
                raise ValueError("its process tree answered with what is no stage's result")
            yield result


def _is_sound(check: CheckResult) -> bool:
    """Whether a check's result is of the kind that all reports are made of, those of the others too."""
    words = (check.name, check.wants, check.section, check.tried, check.expected, check.seen, check.hidden,
             *check.log, *(word for picture in check.pictures for word in picture))  # fmt: skip
    return (
        _is_text(*words)
        and check.outcome in ("passed", "failed", "not run")
        and type(check.points) is int
        and check.points >= 0
        and type(check.seconds) in (int, float)
        and math.isfinite(check.seconds)
    )


def _is_text(*words: object) -> bool:
    return all(isinstance(each, str) for each in words)
