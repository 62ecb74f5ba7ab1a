"""What is left to grade of a class, one task at a time, and the records that come of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..grading.learner_text import clean
from ..grading.results import StageResult
from ..grading.stages import Stage, find, stages
from . import digests, submission
from .grade_stage import NOT_HANDED_IN, Task
from .records import Record, Records
from .submission import Submission, UnreadableSubmission


class Plan:
    """Which stages are left to grade, each distinct one once, and the records that come of it.

    A result depends on nothing but what its digest names, so one does for all who hold these files: an
    untouched starter is graded once a class. `reused` counts the results of earlier runs that still hold,
    `graded` what was graded now, `same` the results that came from another's.
    """

    def __init__(
        self, found: dict[str, list[Path]], kept: Records, chosen: Sequence[Stage], *, seed: int,
        confined: bool, again: bool, hidden: Sequence[Path],
    ):  # fmt: skip
        self._found = found
        self._kept = kept
        self._chosen = chosen
        self._seed = seed
        self._confined = confined
        self._again = again
        self._hidden = tuple(map(str, hidden))
        # What is to be graded: the digests of a learner's stages, and who else holds the same.
        self._left: dict[str, dict[str, str]] = {}
        self._others: dict[str, list[str]] = {}
        # Why nothing could be taken from a submission, by learner.
        self.unread: dict[str, str] = {}
        # Where something could not be graded, as "LEARNER, STAGE", by the reason.
        self.failed: dict[str, list[str]] = {}
        self.reused = self.graded = self.same = 0

    @property
    def left(self) -> int:
        """How many stages are to be graded of which no task was made yet."""
        return sum(map(len, self._left.values()))

    @property
    def done(self) -> int:
        """How many stages had their turn."""
        return self.graded + sum(map(len, self.failed.values()))

    def read(self, each_read: Callable[[], None]) -> None:
        """Read all submissions, one at a time, write their records with what still holds and what others
        have for the same files, and find what is left.
        """
        holders: dict[tuple[str, str], list[str]] = {}
        held_by: dict[str, str] = {}
        for learner, paths in self._found.items():
            for key, digest in self._begin(learner, paths, held_by).items():
                holders.setdefault((key, digest), []).append(learner)
            each_read()
        for (key, digest), learners in holders.items():
            first, *others = learners
            if digest in held_by:
                result = self._kept.read(held_by[digest]).of(key)
                self._give(learners, result, digest)
                self.same += len(learners)
            else:
                self._left.setdefault(first, {})[key] = digest
                self._others[digest] = others

    def tasks(self) -> Iterator[Task]:
        """The tasks of all that is left; a submission is read again when its turn comes."""
        left, self._left = self._left, {}
        for learner, wanted in left.items():
            try:
                taken = submission.read(learner, self._found[learner])
            except UnreadableSubmission:
                taken = Submission(learner)
            for key, digest in wanted.items():
                files = taken.of(key)
                task = Task(learner, key, files, digest, self._seed, self._confined, self._hidden)
                if self._digest(find(key), files) == digest:
                    yield task
                else:
                    self.fail(task, "it was changed meanwhile")

    def finish(self, task: Task, result: StageResult) -> None:
        """Store a result for all who hold these files; one that the files alone don't account for, for the
        one learner: the others' are graded by themselves.
        """
        self.graded += 1
        self._give([task.learner], result, task.digest)
        others = self._others.pop(task.digest, [])
        if result.repeatable:
            self._give(others, result, task.digest)
            self.same += len(others)
        else:
            self._grade_alone(others, task)

    def fail(self, task: Task, words: str) -> None:
        """Note that a stage could not be graded: nothing is kept, so that the next run tries it again."""
        self.failed.setdefault(words, []).append(f"{task.learner}, {task.stage}")
        fault = clean(f"not graded: {words}")
        none = StageResult(task.stage, find(task.stage).title, self._seed, (), fault)
        self._give([task.learner], none, "")
        self._grade_alone(self._others.pop(task.digest, []), task)

    def _grade_alone(self, learners: list[str], task: Task) -> None:
        for learner in learners:
            self._left.setdefault(learner, {})[task.stage] = task.digest

    def _begin(self, learner: str, paths: list[Path], held_by: dict[str, str]) -> dict[str, str]:
        """Write a learner's record with what still holds, and return the digests of the other stages."""
        moment = datetime.fromtimestamp(_changed(paths[0]), UTC).isoformat(timespec="seconds")
        try:
            taken = submission.read(learner, paths)
        except UnreadableSubmission as error:
            self.unread[learner] = str(error)
            self._kept.write(Record(learner, digests={}, fault=str(error), submitted=moment))
            return {}
        old = None if self._again else self._kept.read(learner)
        results, held, wanted = [], {}, {}
        for stage in stages():
            files = taken.of(stage.key)
            digest = self._digest(stage, files)
            result = old and old.of(stage.key)
            if result and (old.digests or {}).get(stage.key) == digest:
                results.append(result)
                held[stage.key] = digest
                self.reused += 1
                if result.repeatable:
                    held_by[digest] = learner
            elif stage in self._chosen and not files:
                none = StageResult(stage.key, stage.title, self._seed, (), NOT_HANDED_IN)
                results.append(none)
                held[stage.key] = digest
            elif stage in self._chosen:
                wanted[stage.key] = digest
        self._kept.write(
            Record(
                learner, tuple(results), held, taken.notes, "", taken.kit, moment,
                old.graded if old else "", taken.accounts, taken.untouched,
            )
        )  # fmt: skip
        return wanted

    def _digest(self, stage: Stage, files: dict[str, bytes]) -> str:
        return digests.of(stage, files, self._seed, self._confined)

    def _give(self, learners: Sequence[str], result: StageResult, digest: str) -> None:
        order = [stage.key for stage in stages()]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for learner in learners:
            record = self._kept.read(learner)
            both = sorted((*record.stages, result), key=lambda each: order.index(each.key))
            named = record.digests | {result.key: digest}
            self._kept.write(replace(record, stages=tuple(both), digests=named, graded=now))


def _changed(path: Path) -> float:
    """When a submission was made: the newest of its files."""
    if path.is_file():
        return path.stat().st_mtime
    return max((each.lstat().st_mtime for each in path.rglob("*")), default=path.stat().st_mtime)
