"""`lab grade`: the submissions of a class, graded and reported."""

import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

import localcloud

from .. import terminal
from ..grading.learner_text import clean
from ..grading.results import StageResult
from ..grading.stages import UnknownStage, find, stages
from . import engines, reports, rules, submission, tree
from .grade_submission import Task
from .plan import Plan
from .records import Records, Shared, write_whole
from .submission import UnreadableSubmission

GRADED, INCOMPLETE, REFUSED, INTERRUPTED = 0, 1, 2, 130


def run(
    submissions: Path,
    out: Path,
    *,
    keys: list[str],
    seed: int | None = None,
    rules_file: Path | None = None,
    processes: int | None = None,
    scheduler: str | None = None,
    trusted: bool = False,
    again: bool = False,
    limits: dict[str, float] | None = None,
) -> int:
    """Grade what is not graded yet, write the reports, and return the exit code."""
    console = terminal.console()
    try:
        chosen = [find(key) for key in dict.fromkeys(keys)] or list(stages())
        found, others = submission.find(submissions)
        how = rules.read(rules_file, [stage.key for stage in stages()])
        if not trusted and not scheduler:
            tree.require_confinement()
    except (UnreadableSubmission, UnknownStage, rules.BadRules, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return REFUSED
    except tree.NotConfined as error:
        console.print(
            f"What strangers hand in can't be graded safely here: {error}.\nInstall bubblewrap (Linux); or, "
            "if you trust all of it, add --trusted: it then runs with your own rights.",
            style="red", markup=False,
        )  # fmt: skip
        return REFUSED
    if others:
        names = ", ".join(clean(path.name, 80) for path in others)
        console.print(
            f"Neither folders nor zips, and not looked at: {names}", style="yellow", markup=False
        )
    for sentence in rules.unknown_learners(how, found):
        console.print(f"{rules_file}: {sentence}", style="yellow", markup=False)
    localcloud.prepare()  # where it can be written to; trees only read it
    kept = Records(out)
    plan = Plan(
        found, kept, Shared(out), chosen, _seed(out, seed), not trusted, again, (submissions, out),
        limits or {},
    )  # fmt: skip

    def graded(tasks: Iterable[Task]) -> Iterator[engines.Done]:
        if scheduler:
            return engines.dask(tasks, scheduler)
        return engines.processes(tasks, processes or engines.default_processes())

    broken: dict[str, str] = {}
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("left"), TimeRemainingColumn(), console=console)  # fmt: skip
    try:
        with bar:
            if alike := plan.find_alike():
                counter = bar.add_task("Stages that several hold", total=len(alike))
                for task, results in graded(plan.shared_tasks(alike)):
                    if not isinstance(results, Exception):  # else it is told with each submission
                        plan.finish_shared(task, StageResult.from_json(results[0]))
                    bar.advance(counter)
            counter = bar.add_task("Submissions", total=len(found))
            plan.settled = lambda: bar.advance(counter)
            for task, results in graded(plan.tasks()):
                if isinstance(results, Exception):
                    broken[task.learner] = f"{type(results).__name__}: {results}"
                    bar.console.print(
                        f"{task.learner}: {broken[task.learner]}", style="red", markup=False
                    )
                else:
                    plan.finish(task, [StageResult.from_json(result) for result in results])
                bar.advance(counter)
    except KeyboardInterrupt:
        console.print(f"Interrupted. What is graded is kept in {out}: the same command goes on from there.",
                      markup=False)  # fmt: skip
        return INTERRUPTED
    except (ImportError, OSError) as error:
        console.print(f"{scheduler or 'grading'}: {error}", style="red", markup=False)
        return REFUSED
    reports.write_all(kept, chosen, how, found)
    for learner, fault in plan.unread.items():
        console.print(f"{learner} gets no points: {fault}", style="yellow", markup=False)
    console.print(f"{len(found)} submissions, {plan.reused} stages as before, {plan.graded} graded"
                  f"{plan.words_on_shared}. Open {out / 'index.html'}", markup=False)  # fmt: skip
    return INCOMPLETE if broken else GRADED


def _seed(out: Path, given: int | None) -> int:
    """The seed that all learners get: the one given, or that of the last run, or a new one."""
    path = out / "seed.json"
    if given is None:
        try:
            return int(json.loads(path.read_text())["seed"])
        except (OSError, ValueError, KeyError, TypeError):
            given = secrets.randbelow(1_000_000)
    write_whole(path, json.dumps({"seed": given}) + "\n")
    return given
