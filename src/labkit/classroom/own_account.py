"""What learners' own computers tell of their work: how long a stage took them, in how many runs.

`lab submit` puts .lab/progress.json into the submission. It is in the learner's hands, so that nothing of
it counts for a grade or proves anything, and what is not as the kit writes it is left out.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..grading.stages import Stage, stages

# More is no count of anything.
_MOST = 100_000
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True)
class OwnAccount:
    """One stage: `minutes` from the first run of its checks to the one with which all of them had passed,
    breaks included, or None where they have not, or the file is older than the time of the first run.
    """

    runs: int
    hints: int
    solution_shown: bool
    minutes: float | None


def read(progress: bytes | None) -> dict[str, OwnAccount]:
    """What a progress.json tells, by stage; nothing of a file or a stage that the kit did not write so."""
    try:
        kept = json.loads(progress or b"")["stages"]
    except _BROKEN:
        return {}
    found = {}
    for stage in stages():
        try:
            account = _stage(stage, kept[stage.key])
        except _BROKEN:
            continue
        if account.runs:
            found[stage.key] = account
    return found


def _stage(stage: Stage, kept: dict[str, Any]) -> OwnAccount:
    # Learners have no hidden checks, and may have run some that are gone since.
    known = {name for topic in stage.topics for name in topic.checks}
    passed = [check["passed"] for name, check in kept["checks"].items() if name in known]
    first, minutes = kept.get("first_run"), None
    if first and passed and all(passed):
        took = max(map(datetime.fromisoformat, passed)) - datetime.fromisoformat(first)
        minutes = round(took.total_seconds() / 60, 1)
        if minutes < 0:
            raise ValueError("it was solved before it was begun")
    hints = sum(map(_count, kept["hints"].values()))
    return OwnAccount(_count(kept["runs"]), hints, bool(kept["solution_shown"]), minutes)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError("no count")
    return value


def in_words(minutes: float) -> str:
    """A time in the two largest units that it has."""
    if minutes < 1:
        return "under 1 min"
    whole = round(minutes)
    if whole < 60:
        return f"{whole} min"
    if whole < 24 * 60:
        return f"{whole // 60} h {whole % 60} min"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h"
