"""`lab check`: run the checks of stages and show what came of them."""

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from . import preflight, project, target, terminal
from .cloud_errors import explain
from .grading import lines, progress
from .grading.results import CheckResult, StageResult
from .grading.run import Listener, grade
from .grading.stages import Stage, UnknownStage, find, stages

PASSED, NOT_PASSED, UNKNOWN, NO_CLOUD, INTERRUPTED = 0, 1, 2, 3, 130


def run(
    keys: list[str], *, workspace: Path | None, seed: int | None, as_json: bool, yes: bool
) -> int:
    """Check the stages, all where none is named, and return the exit code."""
    console = terminal.console(stderr=as_json)
    folder = (workspace or project.LAB).resolve()
    try:
        chosen = [find(key) for key in dict.fromkeys(keys)] or list(stages())
        if not folder.is_dir():
            raise UnknownStage(f"There is no folder {folder}.")
        report = Report(console, chosen)
        with contextlib.ExitStack() as cloud:
            with console.status("The cloud gets ready"):
                cloud.enter_context(target.cloud())
            preflight.ask([stage.key for stage in chosen], yes=yes, console=console)
            with report:
                results = grade(chosen, folder, seed=seed, listener=report)
    except (UnknownStage, preflight.NotMeant) as error:
        console.print(str(error), style="red", markup=False)
        return UNKNOWN
    except (BotoCoreError, ClientError) as error:
        console.print(f"The cloud does not answer: {explain(error)}", style="red", markup=False)
        return NO_CLOUD
    except KeyboardInterrupt:
        console.print("Interrupted. What the checks had made was removed, and nothing is recorded.")
        return INTERRUPTED
    report.finish(results)
    if folder == project.LAB.resolve():
        note = progress.record_results(results).note
        console.print(note, end="\n" if note else "", markup=False)
    if as_json:
        json.dump({"stages": [result.as_json() for result in results]}, sys.stdout, indent=2)
        print()
    return PASSED if all(result.passed for result in results) else NOT_PASSED


class Report(Listener):
    """Prints each check as it ends, and in a terminal what is going on meanwhile; a context manager."""

    def __init__(self, console: Console, chosen: Sequence[Stage]):
        self._console = console
        self._width = console.width if console.is_terminal else None
        self._stages = {stage.key: stage for stage in chosen}
        self._shown: Stage | None = None
        self._before: CheckResult | None = None
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        count = sum(len(topic.checks) for stage in chosen for topic in stage.topics)
        self._task = self._bar.add_task("The cloud gets ready", total=count)

    def __enter__(self) -> "Report":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def started(self, stage: Stage, wants: str) -> None:
        """Show the heading before a stage's first check, and which check runs."""
        if stage != self._shown:
            self._print(lines.heading(stage))
            self._shown = stage
        self._bar.update(self._task, description=_short(wants, (self._width or 80) - 40))

    def ended(self, stage: Stage, result: CheckResult) -> None:
        """Show what came of a check."""
        for line in lines.check_lines(stage, result, self._before, self._width):
            self._print(line)
        self._before = result
        self._bar.advance(self._task)

    def finish(self, results: Sequence[StageResult]) -> None:
        """Show the points and what to do now."""
        for result in results:
            self._print(lines.summary(result))
        if step := lines.next_step(results):
            self._print(f"\nNext: lab {step}")
        elif all(result.passed for result in results):
            self._print("\nEverything passes.")

    def _print(self, line) -> None:
        self._console.print(line, markup=False)


def _short(words: str, width: int) -> str:
    return words if len(words) <= width else f"{words[: max(width, 20) - 2]} …"
