"""One stage graded: the same function for the processes of this machine and for Dask's workers."""

import base64
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..grading.results import CheckResult, StageResult
from ..grading.stages import find
from . import digests, tree

# The fault of a stage of which a submission holds no file.
NOT_HANDED_IN = "nothing was handed in"


@dataclass(frozen=True)
class Task:
    """What is to be graded: a stage by its key, its files by name, and how. `digest` is the one that the
    grader expects, `learner` the first of those who have handed this in.
    """

    learner: str
    stage: str
    files: dict[str, bytes]
    digest: str
    seed: int
    confined: bool = True
    hidden: tuple[str, ...] = ()


class OtherKit(Exception):
    """A worker has other checks than the grader."""


def grade_stage(task: Task) -> StageResult:
    """Grade a stage in a process tree of its own: nothing else that was handed in runs there.

    Raises OtherKit where this machine's checks are not the grader's, and NotConfined.
    """
    if task.confined:
        tree.require_confinement()
    stage = find(task.stage)
    if digests.of(stage, task.files, task.seed, task.confined) != task.digest:
        raise OtherKit(
            f"the checks of {stage.key} are others here than where the grading was started"
        )
    job = {
        "files": {name: base64.b64encode(content).decode() for name, content in task.files.items()},
        "stage": stage.key, "seed": task.seed, "confined": task.confined,
    }  # fmt: skip
    # What kills a whole tree is, for instance, the machine's want of memory.
    result = StageResult(
        stage.key, stage.title, task.seed, (), "stopped: its process tree ended early"
    )
    for answer in tree.run(job, trusted=not task.confined, hidden=list(map(Path, task.hidden))):
        result = _sound(answer, stage.key)
    return result


def _sound(answer: dict[str, Any], key: str) -> StageResult:
    """The result that a tree has answered with. Raises ValueError where it is none of the stage: all reports
    are made of it, those of the others too.
    """
    result = StageResult.from_json(answer)
    if (
        result.key != key
        or not _is_text(result.title, result.fault)
        or not all(map(_is_sound, result.checks))
    ):
        raise ValueError("its process tree answered with what is no stage's result")
    return result


def _is_sound(check: CheckResult) -> bool:
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
