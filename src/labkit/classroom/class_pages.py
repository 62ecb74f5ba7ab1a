"""The pages of a class: an overview, and one for each learner. Jinja2 escapes whatever it is given.

They need nothing but themselves: no script, no network, nothing beside them.
"""

import functools
import math
from collections import Counter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..grading import lines
from ..grading.stages import Stage
from .records import Record
from .rules import Grade
from .similarity import Alike

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
    return made


def learner(record: Record, grade: Grade, stages: list[Stage]) -> str:
    """The page of one learner, who may read it: it names nobody else."""
    results = [
        (stage, result, [check.for_learners() for check in result.checks] if result else [],
         grade.stages[stage.key])
        for stage in stages for result in [record.of(stage.key)]
    ]  # fmt: skip
    return _environment().get_template("learner.html").render(
        record=record, grade=grade, results=results
    )  # fmt: skip


class Overview:
    """Takes one learner after the other, and gives the page of the class. It keeps a line of each."""

    def __init__(self, stages: list[Stage]):
        self._stages = stages
        self._rows: list[dict[str, Any]] = []
        self._failed: Counter[tuple[str, str]] = Counter()
        self._tried: Counter[tuple[str, str]] = Counter()
        self._passed: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._earned: Counter[str] = Counter()

    def add(self, record: Record, grade: Grade) -> None:
        """Count a learner in."""
        self._rows.append({
            "learner": record.learner, "grade": grade, "fault": record.fault, "notes": len(record.notes),
            "stopped": sum(bool(result.fault) for result in record.stages),
        })  # fmt: skip
        for stage in self._stages:
            result = record.of(stage.key)
            self._earned[stage.key] += grade.stages[stage.key]
            if result is None:
                continue
            self._passed[stage.key] += bool(result.passed)
            for check in result.checks:
                self._seconds[stage.key] += check.seconds
                wants = f"(hidden) {check.wants}" if check.hidden else check.wants
                self._tried[stage.key, wants] += check.outcome != "not run"
                self._failed[stage.key, wants] += check.outcome == "failed"

    def page(self, hints: dict[str, list[Alike]]) -> str:
        """The page of the class; `hints` are the pairs that look alike, by learner."""
        count = len(self._rows) or 1
        stages = [
            {"stage": stage, "passed": self._passed[stage.key], "mean": self._earned[stage.key] / count,
             "seconds": self._seconds[stage.key] / count}
            for stage in self._stages
        ]  # fmt: skip
        failed = [(key, wants, times, self._tried[key, wants])
                  for (key, wants), times in self._failed.most_common(_MOST_FAILED) if times]  # fmt: skip
        percents = [row["grade"].percent for row in self._rows]
        bins = Counter(min(_BINS - 1, math.floor(percent / _WIDTH)) for percent in percents)
        spread = [(f"{_WIDTH * n}–{_WIDTH * (n + 1)} %", bins[n]) for n in range(_BINS)]
        pairs = {frozenset((alike.learner, alike.other, alike.file)): alike
                 for found in hints.values() for alike in found}  # fmt: skip
        return _environment().get_template("class.html").render(
            rows=self._rows, stages=stages, failed=failed, spread=spread, most=max(bins.values(), default=1),
            pairs=sorted(pairs.values(), key=lambda alike: -alike.share)[:_MOST_PAIRS],
        )  # fmt: skip
