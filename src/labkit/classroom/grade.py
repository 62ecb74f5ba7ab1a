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
from ..grading.stages import UnknownStage, find, stages
from . import engines, reports, rules, submission, tree
from .grade_stage import Task
from .plan import Plan
from .records import Records, write_whole
from .submission import UnreadableSubmission

# Stages take between one and ten seconds: how long the others will take is told by many of them.
_LOOK_BACK_S = 300
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
        found, kept, chosen, seed=_seed(out, seed), confined=not trusted, again=again,
        hidden=(submissions, out),
    )  # fmt: skip

    def graded(tasks: Iterable[Task]) -> Iterator[engines.Done]:
        if scheduler:
            return engines.dask(tasks, scheduler)
        return engines.processes(tasks, processes or engines.default_processes())

    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("left"), TimeRemainingColumn(), console=console,
                   speed_estimate_period=_LOOK_BACK_S)  # fmt: skip
    try:
        with bar:
            counter = bar.add_task("Submissions read", total=len(found))
            plan.read(each_read=lambda: bar.advance(counter))
            grading = bar.add_task("Stages graded", total=plan.left, visible=plan.left > 0)
            while plan.left:  # more than once where others' can't be taken
                bar.update(grading, total=plan.done + plan.left)
                for task, result in graded(plan.tasks()):
                    if isinstance(result, Exception):
                        plan.fail(task, f"{type(result).__name__}: {result}")
                    else:
                        plan.finish(task, result)
                    bar.update(grading, completed=plan.done)
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
    for words, places in plan.failed.items():
        more = f" and {len(places) - 1} more" if places[1:] else ""
        console.print(f"Not graded: {places[0]}{more}: {words}", style="red", markup=False)
    console.print(f"{len(found)} submissions, {plan.reused} stages as before, {plan.graded} graded, "
                  f"{plan.same} the same as another's. Open {out / 'index.html'}", markup=False)  # fmt: skip
    return INCOMPLETE if plan.failed else GRADED


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
