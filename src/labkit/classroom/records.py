"""What came of the grading, one record a learner, in OUT/learners/NAME.json.

Every report is made from these records. A record holds the hash of what each stage's result depends on, so
that only what has changed is graded again.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..grading.results import StageResult
from .own_account import OwnAccount


@dataclass(frozen=True)
class Record:
    """One learner. `digests` by stage; `submitted` and `graded` are times in ISO 8601, UTC; `fault` says why
    nothing of the submission could be read, or is empty; `accounts` are what the learner's own computer
    tells, by stage; `untouched` are the stages that were handed in as learners get them.
    """

    learner: str
    stages: tuple[StageResult, ...] = ()
    digests: dict[str, str] | None = None
    notes: tuple[str, ...] = ()
    fault: str = ""
    kit: str = ""
    submitted: str = ""
    graded: str = ""
    accounts: dict[str, OwnAccount] = field(default_factory=dict)
    untouched: tuple[str, ...] = ()

    def of(self, key: str) -> StageResult | None:
        """The result of a stage, if it was graded."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON's own types."""
        return {**asdict(self), "stages": [stage.as_json() for stage in self.stages]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Record":
        """The record that `as_json` gave."""
        stages = tuple(StageResult.from_json(stage) for stage in value["stages"])
        told = value.get("accounts", {})  # records of older versions have none
        accounts = {key: OwnAccount(**account) for key, account in told.items()}
        lists = {"stages": stages, "notes": tuple(value["notes"]), "accounts": accounts}
        return cls(**{**value, **lists, "untouched": tuple(value.get("untouched", ()))})


class Records:
    """The records of a class in a folder."""

    def __init__(self, out: Path):
        self.out = out
        self._folder = out / "learners"
        self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, learner: str) -> Record | None:
        """The record of a learner; None where there is none that can be read."""
        try:
            return Record.from_json(json.loads(self._path(learner).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, record: Record) -> None:
        """Store a record, as a whole."""
        text = json.dumps(record.as_json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        write_whole(self._path(record.learner), text)

    def all(self, learners: list[str]) -> Iterator[Record]:
        """The records of these learners, one at a time."""
        for learner in learners:
            record = self.read(learner)
            if record:
                yield record

    def _path(self, learner: str) -> Path:
        return self._folder / f"{learner}.json"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or as it was."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", errors="backslashreplace")
    os.replace(partial, path)
