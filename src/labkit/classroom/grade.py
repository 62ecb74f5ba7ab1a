"""`lab grade`: the submissions of a class, graded and reported."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
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
from ..grading.stages import Stage, UnknownStage, find, stages
from . import digests, engines, reports, rules, submission, tree
from .grade_submission import Task, task_of
from .records import Record, Records, write_whole
from .submission import Submission, UnreadableSubmission

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
    localcloud.prepare()  # where it can be written to; trees only read it
    kept = Records(out)
    plan = _Plan(
        found, kept, chosen, _seed(out, seed), not trusted, again, (submissions, out), limits or {}
    )
    broken: dict[str, str] = {}
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("left"), TimeRemainingColumn(), console=console)  # fmt: skip
    try:
        with bar:
            counter = bar.add_task("Submissions", total=len(found))
            plan.settled = lambda: bar.advance(counter)
            done = (
                engines.dask(plan.tasks(), scheduler)
                if scheduler
                else engines.processes(plan.tasks(), processes or engines.default_processes())
            )
            for task, results in done:
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
    console.print(f"{len(found)} submissions, {plan.reused} stages as before, {plan.graded} graded. "
                  f"Open {out / 'index.html'}", markup=False)  # fmt: skip
    return INCOMPLETE if broken else GRADED


class _Plan:
    """Which tasks are left to do, one at a time, and the records that come of them."""

    def __init__(
        self, found, kept: Records, chosen: list[Stage], seed, confined, again, hidden, limits
    ):
        self._found: dict[str, list[Path]] = found
        self._kept = kept
        self._chosen = chosen
        self._seed = seed
        self._confined = confined
        self._again = again
        self._hidden = hidden
        self._limits = limits
        self._waiting: dict[str, Record] = {}
        self.settled = lambda: None
        self.reused = self.graded = 0

    def tasks(self) -> Iterator[Task]:
        """The tasks; a submission is read when its turn comes."""
        for learner, paths in self._found.items():
            moment = datetime.fromtimestamp(_changed(paths[0]), UTC).isoformat(timespec="seconds")
            try:
                taken = submission.read(learner, paths)
            except UnreadableSubmission as error:
                self._kept.write(Record(learner, digests={}, fault=str(error), submitted=moment))
                self.settled()
                continue
            record = Record(learner, (), {}, taken.notes, "", taken.kit, moment)
            record = self._with_old(record, taken)
            todo = [stage.key for stage in self._chosen if stage.key not in (record.digests or {})]
            if not todo:
                self._kept.write(record)
                self.settled()
                continue
            self._waiting[learner] = record
            yield task_of(taken, todo, seed=self._seed, confined=self._confined, hidden=self._hidden,
                          limits=self._limits)  # fmt: skip

    def finish(self, task: Task, results: list[StageResult]) -> None:
        """Store what a task gave, beside the stages that were as before."""
        record = self._waiting.pop(task.learner)
        order = {stage.key: number for number, stage in enumerate(stages())}
        both = sorted((*record.stages, *results), key=lambda result: order[result.key])
        self.graded += len(results)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._kept.write(
            replace(record, stages=tuple(both), digests=record.digests | task.digests, graded=now)
        )

    def _with_old(self, record: Record, taken: Submission) -> Record:
        """The record with those results of an earlier run that still hold."""
        old = None if self._again else self._kept.read(record.learner)
        if old is None:
            return record
        held = {}
        for stage in stages():
            digest = digests.of(stage, taken.of(stage.key), self._seed, self._confined)
            if (old.digests or {}).get(stage.key) == digest and old.of(stage.key):
                held[stage.key] = digest
        self.reused += len(held)
        results = tuple(result for result in old.stages if result.key in held)
        return replace(record, stages=results, digests=held, graded=old.graded)


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


def _changed(path: Path) -> float:
    """When a submission was made: the newest of its files."""
    if path.is_file():
        return path.stat().st_mtime
    return max((each.lstat().st_mtime for each in path.rglob("*")), default=path.stat().st_mtime)
