""".lab/progress.json: the best a learner has done, the hints and solutions they have seen, and when.

    {"version": 1, "stages": {"09-function": {
        "checks": {"check_fits": {"points": 2, "passed": "2026-11-24T22:03:11+00:00", "outcome": "passed"}},
        "runs": 4, "first_run": "…", "last_run": "…", "hints": {"Undo the key's encoding": 2},
        "solution_shown": null}}}

`passed` is the time a check passed first, or null; `outcome` is what the last run gave. `first_run` is not
there, or null, where an older version of the kit has seen it. Each change is made under a lock and replaces
the file as a whole, so that two processes lose nothing and a crash harms nothing.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import project
from .results import StageResult
from .stages import Stage, Topic

_VERSION = 1


@dataclass
class CheckProgress:
    """One check: its points, when it passed first, and what the last run gave."""

    points: int = 0
    passed: str | None = None
    outcome: str = "not run"


@dataclass
class StageProgress:
    """One stage. `hints` counts those shown for each topic's title; times are in ISO 8601, UTC."""

    checks: dict[str, CheckProgress] = field(default_factory=dict)
    runs: int = 0
    last_run: str | None = None
    hints: dict[str, int] = field(default_factory=dict)
    solution_shown: str | None = None
    first_run: str | None = None

    @property
    def earned(self) -> int:
        """The points of all checks that have passed once."""
        return sum(check.points for check in self.checks.values() if check.passed)

    def open_topic(self, stage: Stage) -> Topic | None:
        """The topic of the first check that did not pass in the last run; None where all passed."""
        for topic in stage.topics:
            known = (self.checks.get(name) for name in topic.checks)
            if not all(check and check.outcome == "passed" for check in known):
                return topic
        return None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "StageProgress":
        """The progress that was stored. Raises TypeError or AttributeError for anything else."""
        checks = {name: CheckProgress(**check) for name, check in value.pop("checks", {}).items()}
        return cls(checks=checks, **value)


@dataclass
class Progress:
    """All stages by key. `note` is a sentence for the learner where the file could not be read."""

    stages: dict[str, StageProgress] = field(default_factory=dict)
    note: str = ""

    def of(self, key: str) -> StageProgress:
        """A stage's progress, empty at first."""
        return self.stages.setdefault(key, StageProgress())


def path() -> Path:
    """The file."""
    return project.WORK / "progress.json"


def read() -> Progress:
    """What is stored. A file that can't be read is set aside, and `note` says so."""
    with _locked():
        return _read()


@contextlib.contextmanager
def changing() -> Iterator[Progress]:
    """Yield the progress and store it afterwards; nobody else changes it meanwhile."""
    with _locked():
        progress = _read()
        yield progress
        stages = {key: _as_json(stage) for key, stage in progress.stages.items()}
        content = json.dumps({"version": _VERSION, "stages": stages}, indent=2) + "\n"
        partial = path().with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path())


def record_results(results: Iterable[StageResult]) -> Progress:
    """Store what a run gave; a check that has passed once stays passed."""
    with changing() as progress:
        for result in results:
            if not result.checks:
                continue
            stage = progress.of(result.key)
            stage.last_run = now()
            if not stage.runs:
                stage.first_run = stage.last_run
            stage.runs += 1
            for check in result.checks:
                stored = stage.checks.setdefault(check.name, CheckProgress())
                stored.points, stored.outcome = check.points, check.outcome
                if check.outcome == "passed" and not stored.passed:
                    stored.passed = stage.last_run
    return progress


def now() -> str:
    """This second, as it is stored."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    project.WORK.mkdir(parents=True, exist_ok=True)
    with (project.WORK / "progress.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read() -> Progress:
    try:
        stored = json.loads(path().read_text(encoding="utf-8"))
        if stored["version"] != _VERSION:
            raise ValueError("another version of the kit wrote it")
        return Progress(
            {key: StageProgress.from_json(stage) for key, stage in stored["stages"].items()}
        )
    except FileNotFoundError:
        return Progress()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IsADirectoryError):
        aside = path().with_name(f"progress-broken-{now().replace(':', '')}.json")
        path().replace(aside)
        return Progress(
            note=f"{path()} could not be read. It is kept as {aside.name}, and a new one begun."
        )


def _as_json(stage: StageProgress) -> dict[str, Any]:
    checks = {name: vars(check) for name, check in stage.checks.items()}
    return {**vars(stage), "checks": checks}
