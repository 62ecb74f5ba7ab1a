"""The pages of a class: an overview, and one for each learner. Jinja2 escapes whatever it is given.

They need nothing but themselves: no script, no network, nothing beside them.
"""

import functools
import math
import statistics
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..grading import lines
from ..grading.stages import Stage
from . import own_account
from .grade_stage import NOT_HANDED_IN
from .records import Record
from .rules import Grade, Rules
from .similarity import SOLUTION, Alike

_BINS, _WIDTH = 10, 10
_MOST_FAILED = 12
_MOST_PAIRS = 50


@functools.cache
def _environment() -> Environment:
    loader = PackageLoader(__package__, "pages")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["signs"] = lines.SIGNS
    made.filters["duration"] = own_account.in_words
    return made


def learner(record: Record, grade: Grade, stages: list[Stage]) -> str:
    """The page of one learner, who may read it: it names nobody else."""
    results = []
    for stage in stages:
        result = record.of(stage.key)
        checks = [check.for_learners() for check in result.checks] if result else []
        pairs = zip(checks, (None, *checks), strict=False)
        told = [(check, lines.same_reason(check, before)) for check, before in pairs]
        results.append((stage, result, told, record.accounts.get(stage.key)))
    return _environment().get_template("learner.html").render(
        record=record, grade=grade, results=results
    )  # fmt: skip


class Overview:
    """Takes one learner after the other, and gives the page of the class. It keeps a line of each."""

    def __init__(self, stages: list[Stage], rules: Rules):
        self._stages = stages
        self._rules = rules
        self._rows: list[dict[str, Any]] = []
        self._failed: Counter[tuple[str, str]] = Counter()
        self._tried: Counter[tuple[str, str]] = Counter()
        self._passed: Counter[str] = Counter()
        self._graded: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._earned: Counter[str] = Counter()
        self._minutes: dict[str, list[float]] = {stage.key: [] for stage in stages}

    def add(self, record: Record, grade: Grade) -> None:
        """Count a learner in."""
        self._rows.append({
            "learner": record.learner, "grade": grade, "fault": record.fault,
            "to_look_at": list(_to_look_at(record, self._stages)),
        })  # fmt: skip
        for stage in self._stages:
            result, account = record.of(stage.key), record.accounts.get(stage.key)
            self._earned[stage.key] += grade.stages[stage.key]
            if account and account.minutes is not None:
                self._minutes[stage.key].append(account.minutes)
            if result is None:
                continue
            self._passed[stage.key] += bool(result.passed)
            self._graded[stage.key] += bool(result.checks)
            for check in result.checks:
                self._seconds[stage.key] += check.seconds
                wants = f"(hidden) {check.wants}" if check.hidden else check.wants
                self._tried[stage.key, wants] += check.outcome != "not run"
                self._failed[stage.key, wants] += check.outcome == "failed"

    def page(self, hints: dict[str, list[Alike]]) -> str:
        """The page of the class; `hints` are the files that look alike, by learner."""
        count = len(self._rows) or 1
        stages = [
            {"stage": stage, "weight": self._rules.weight(stage), "passed": self._passed[stage.key],
             "points": self._rules.weight(stage) * stage.points, "mean": self._earned[stage.key] / count,
             "seconds": self._seconds[stage.key] / (self._graded[stage.key] or 1),
             "minutes": self._minutes[stage.key], **_spread(self._minutes[stage.key])}
            for stage in self._stages
        ]  # fmt: skip
        failed = [(key, wants, times, self._tried[key, wants])
                  for (key, wants), times in self._failed.most_common(_MOST_FAILED) if times]  # fmt: skip
        percents = [row["grade"].percent for row in self._rows]
        bins = Counter(min(_BINS - 1, math.floor(percent / _WIDTH)) for percent in percents)
        spread = [(f"{_WIDTH * n}–{_WIDTH * (n + 1)} %", bins[n]) for n in range(_BINS)]
        return _environment().get_template("class.html").render(
            rows=self._rows, stages=stages, failed=failed, spread=spread, most=max(bins.values(), default=1),
            median=statistics.median(percents or [0]), points=sum(each["points"] for each in stages),
            unread=sum(bool(row["fault"]) for row in self._rows),
            late=sum(bool(row["grade"].days_late) for row in self._rows), rules=self._rules,
            pairs=_pairs(hints)[:_MOST_PAIRS],
        )  # fmt: skip


def _to_look_at(record: Record, stages: list[Stage]) -> Iterator[str]:
    results = [result for stage in stages if (result := record.of(stage.key))]
    absent = [result.key[:2] for result in results if result.fault == NOT_HANDED_IN]
    stopped = [
        result.key[:2] for result in results if result.fault and result.key[:2] not in absent
    ]
    if stopped:
        yield f"not graded to the end: {', '.join(stopped)}"
    if absent:
        yield f"not handed in: {', '.join(absent) if len(absent) < len(stages) else 'all of it'}"
    if untouched := [stage.key[:2] for stage in stages if stage.key in record.untouched]:
        yield f"the starter as it was: {', '.join(untouched)}"
    if record.notes:
        yield "1 note" if len(record.notes) == 1 else f"{len(record.notes)} notes"


def _spread(minutes: list[float]) -> dict[str, Any]:
    """The median, and the two times between which the middle half lies."""
    if not minutes:
        return {"median": None, "quartiles": None}
    first, median, third = statistics.quantiles(
        minutes * (2 if len(minutes) == 1 else 1), n=4, method="inclusive"
    )
    return {"median": median, "quartiles": (first, third)}


def _pairs(hints: dict[str, list[Alike]]) -> list[tuple[str, str, list[Alike]]]:
    """Two learners and their files that look alike; first those who have most of them in common."""
    found: dict[frozenset[str], dict[str, Alike]] = {}
    for alike in (each for several in hints.values() for each in several):
        found.setdefault(frozenset((alike.learner, alike.other)), {}).setdefault(alike.file, alike)
    pairs = []
    for files in found.values():
        alikes = sorted(files.values(), key=lambda alike: alike.file)
        other = "the kit's own solution" if alikes[0].other == SOLUTION else alikes[0].other
        pairs.append((alikes[0].learner, other, alikes))
    return sorted(
        pairs, key=lambda pair: (-len(pair[2]), -max(alike.share for alike in pair[2]), pair[:2])
    )
