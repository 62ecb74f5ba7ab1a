"""What is left to grade of a class, one task at a time, and the records that come of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..grading.results import StageResult
from ..grading.stages import Stage, stages
from . import digests, submission
from .grade_submission import Task, task_of
from .records import Record, Records, Shared
from .submission import Submission, UnreadableSubmission


class Plan:
    """Which tasks are left to do, one at a time, and the records that come of them."""

    def __init__(
        self, found, kept: Records, shared: Shared, chosen: list[Stage], seed, confined, again,
        hidden, limits,
    ):  # fmt: skip
        self._found: dict[str, list[Path]] = found
        self._kept = kept
        self._shared = shared
        self._chosen = chosen
        self._seed = seed
        self._confined = confined
        self._again = again
        self._hidden = hidden
        self._limits = limits
        self._waiting: dict[str, Record] = {}
        # Why nothing could be taken from a submission, by learner.
        self.unread: dict[str, str] = {}
        self.settled = lambda: None
        self.reused = self.graded = self._taken_over = self._graded_once = 0

    @property
    def words_on_shared(self) -> str:
        """What was graded once for several submissions, for the end of a sentence."""
        if not self._taken_over:
            return ""
        return f", {self._taken_over} with the very files of others ({self._graded_once} graded for them)"

    def find_alike(self) -> list[tuple[str, str]]:
        """The stages that several submissions hold in the very same files, as (learner, key) of the first
        one; those with a result that still holds are left out.

        A result depends on nothing but what its digest names, so one does for all: an untouched starter
        is graded once a class.
        """
        if self._again:
            self._shared.clear()
        first: dict[str, tuple[str, str]] = {}
        alike: dict[str, tuple[str, str]] = {}
        for learner, paths in self._found.items():
            try:
                taken = submission.read(learner, paths)
            except UnreadableSubmission:
                continue
            held = self._with_old(Record(learner), taken).digests or {}
            for stage in self._chosen:
                files = taken.of(stage.key)
                if not files or stage.key in held:
                    continue
                digest = self._digest(stage, files)
                if digest in first:
                    alike[digest] = first[digest]
                else:
                    first[digest] = (learner, stage.key)
        return [place for digest, place in alike.items() if not self._shared.read(digest)]

    def shared_tasks(self, alike: list[tuple[str, str]]) -> Iterator[Task]:
        """The tasks of grading these stages, each by itself: nothing else that somebody has handed in runs
        in its tree.
        """
        for learner, key in alike:
            with contextlib.suppress(UnreadableSubmission):  # changed since: its turn comes
                yield self._task(submission.read(learner, self._found[learner]), [key])

    def finish_shared(self, task: Task, result: StageResult) -> None:
        """Store what is good for all that hold these files: not a fault, which may have been this run's."""
        if not result.fault:
            self._graded_once += 1
            self._shared.write(task.digests[result.key], result)

    def tasks(self) -> Iterator[Task]:
        """The tasks; a submission is read when its turn comes."""
        for learner, paths in self._found.items():
            moment = datetime.fromtimestamp(_changed(paths[0]), UTC).isoformat(timespec="seconds")
            try:
                taken = submission.read(learner, paths)
            except UnreadableSubmission as error:
                self.unread[learner] = str(error)
                self._kept.write(Record(learner, digests={}, fault=str(error), submitted=moment))
                self.settled()
                continue
            record = Record(
                learner,
                (),
                {},
                taken.notes,
                "",
                taken.kit,
                moment,
                "",
                taken.accounts,
                taken.untouched,
            )
            record = self._with_old(record, taken)
            self.reused += len(record.digests or {})
            record = self._with_shared(record, taken)
            todo = [stage.key for stage in self._chosen if stage.key not in (record.digests or {})]
            if not todo:
                self._kept.write(record)
                self.settled()
                continue
            self._waiting[learner] = record
            yield self._task(taken, todo)

    def finish(self, task: Task, results: list[StageResult]) -> None:
        """Store what a task gave, beside the stages that were as before."""
        self.graded += len(results)
        self._kept.write(_with(self._waiting.pop(task.learner), results, task.digests))

    def _with_old(self, record: Record, taken: Submission) -> Record:
        """The record with those results of an earlier run that still hold."""
        old = None if self._again else self._kept.read(record.learner)
        if old is None:
            return record
        held = {}
        for stage in stages():
            digest = self._digest(stage, taken.of(stage.key))
            if (old.digests or {}).get(stage.key) == digest and old.of(stage.key):
                held[stage.key] = digest
        results = tuple(result for result in old.stages if result.key in held)
        return replace(record, stages=results, digests=held, graded=old.graded)

    def _with_shared(self, record: Record, taken: Submission) -> Record:
        """The record with those results that were made for all who hold the same files."""
        made, names = [], {}
        for stage in self._chosen:
            files = taken.of(stage.key)
            if files and stage.key not in record.digests:
                digest = self._digest(stage, files)
                if result := self._shared.read(digest):
                    made.append(result)
                    names[stage.key] = digest
        self._taken_over += len(made)
        return _with(record, made, names) if made else record

    def _task(self, taken: Submission, keys: list[str]) -> Task:
        return task_of(taken, keys, seed=self._seed, confined=self._confined, hidden=self._hidden,
                       limits=self._limits)  # fmt: skip

    def _digest(self, stage: Stage, files: dict[str, bytes]) -> str:
        return digests.of(stage, files, self._seed, self._confined)


def _with(record: Record, results: list[StageResult], named: dict[str, str]) -> Record:
    """The record with results more, graded now; `named` are their digests."""
    order = {stage.key: number for number, stage in enumerate(stages())}
    both = sorted((*record.stages, *results), key=lambda result: order[result.key])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(record, stages=tuple(both), digests=record.digests | named, graded=now)


def _changed(path: Path) -> float:
    """When a submission was made: the newest of its files."""
    if path.is_file():
        return path.stat().st_mtime
    return max((each.lstat().st_mtime for each in path.rglob("*")), default=path.stat().st_mtime)
