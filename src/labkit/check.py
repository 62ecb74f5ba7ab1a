"""`lab check`: run the checks of stages and show what came of them.

Exit codes: 0 everything passed, 1 something did not, 2 a stage or folder that isn't there, 3 no cloud.
"""

import json
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import project, target
from .grading.results import CheckResult, StageResult
from .grading.stages import Stage, UnknownStage, find, stages

_MARKS = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "not run": "[yellow]·[/]"}


def run(keys: list[str], *, workspace: Path | None, seed: int | None, as_json: bool) -> int:
    """Check the stages, all where none is named, and return the exit code."""
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    workspace = (workspace or project.LAB).resolve()
    try:
        chosen = [find(key) for key in keys] or list(stages())
        if not workspace.is_dir():
            raise UnknownStage(f"There is no folder {workspace}.")
    except UnknownStage as error:
        console.print(str(error), style="red", markup=False)
        return 2
    try:
        results = _grade(chosen, workspace, seed, console)
    except (BotoCoreError, ClientError) as error:
        console.print(f"The cloud does not answer: {error}", style="red", markup=False)
        return 3
    if as_json:
        json.dump({"stages": [result.as_json() for result in results]}, sys.stdout, indent=2)
        print()
    return 0 if all(result.passed for result in results) else 1


def _grade(
    chosen: list[Stage], workspace: Path, seed: int | None, console: Console
) -> list[StageResult]:
    from .grading.run import grade

    def show(stage: Stage, result: CheckResult) -> None:
        console.print(
            f"{_MARKS[result.outcome]} {result.wants} [dim]({result.earned}/{result.points})[/]"
        )
        if result.outcome == "failed":
            for label in ("tried", "expected", "seen"):
                console.print(f"    {label}: {getattr(result, label)}", markup=False)
            for line in result.log:
                console.print(f"    | {line}", markup=False)
        elif result.outcome == "not run":
            console.print(f"    {result.seen}", markup=False)

    with target.cloud():
        results = grade(chosen, workspace, seed=seed, listener=show)
    for result in results:
        console.print(
            f"{result.key}: {result.earned} of {result.points} points (seed {result.seed}) {result.fault}"
        )
    return results
