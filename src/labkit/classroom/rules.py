"""How points become a grade: a small TOML file.

partial = "checks"          # "stages": a stage counts only when all its checks pass
[late]
deadline = 2026-12-01T23:59:00Z
grace_minutes = 15
percent_per_day = 10        # of the points; each day that has begun
at_most_percent = 50
[weights]                   # a stage's share, where not all count the same
"09-function" = 2
[submitted]                 # when, where the file's own time is not to be trusted
ada = 2026-12-02T08:00:00Z
"""

import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..grading.stages import Stage
from .records import Record

_EXAMPLE = "2026-12-01T23:59:00Z"
_NAMES = 'A name with blanks, dots or accents stands in quotes, as "Ada Lovelace" does.'


class BadRules(Exception):
    """The rules can't be used; the text says why, and what to do."""


@dataclass(frozen=True)
class Grade:
    """A learner's points. `stages` holds each stage's, before what lateness takes, and `possible` those that
    it could have had; `words` say to the learner what the rules have done.
    """

    stages: dict[str, float]
    possible: dict[str, float]
    points: float
    earned: float
    days_late: int
    late_percent: float
    words: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """What was earned, of a hundred."""
        return round(100 * self.earned / self.points, 1) if self.points else 0.0


@dataclass(frozen=True)
class Rules:
    """The rules of a class; without a file every check counts and nobody is late."""

    partial: str = "checks"
    deadline: datetime | None = None
    grace_minutes: float = 0
    percent_per_day: float = 0
    at_most_percent: float = 100
    weights: dict[str, float] = field(default_factory=dict)
    submitted: dict[str, datetime] = field(default_factory=dict)

    def grade(self, record: Record, stages: list[Stage]) -> Grade:
        """The grade that a record gets for these stages."""
        earned, possible = {}, {}
        for stage in stages:
            weight = self.weight(stage)
            possible[stage.key] = round(weight * stage.points, 2)
            result = record.of(stage.key)
            counts = result and (self.partial == "checks" or result.passed)
            earned[stage.key] = round(weight * (result.earned if counts else 0), 2)
        submitted = self._submitted(record)
        days = self._days_late(submitted)
        percent = min(days * self.percent_per_day, self.at_most_percent)
        total = sum(earned.values()) * (1 - percent / 100)
        words = (
            *self._words_on_time(record, submitted, days, percent),
            *self._words_on_stages(stages),
        )
        points = round(float(sum(possible.values())), 2)
        return Grade(earned, possible, points, round(total, 2), days, percent, words)

    def weight(self, stage: Stage) -> float:
        """How often a stage's points count."""
        return self.weights.get(stage.key, 1)

    def _words_on_time(
        self, record: Record, submitted: datetime | None, days: int, percent: float
    ) -> Iterator[str]:
        if self.deadline is None or submitted is None:
            return
        told = "" if record.learner in self.submitted else ", as its file says"
        zone = self.deadline.tzinfo
        words = f"Handed in {_moment_in_words(submitted.astimezone(zone))}{told}; the deadline was "
        words += _moment_in_words(self.deadline)
        if self.grace_minutes:
            words += f", with {self.grace_minutes:g} minutes of grace"
        if not days:
            yield f"{words}: in time."
        else:
            late = "1 day" if days == 1 else f"{days} days"
            yield f"{words}: {late} late, so that {percent:g} % of all points are taken off."

    def _words_on_stages(self, stages: list[Stage]) -> Iterator[str]:
        if self.partial == "stages":
            yield "A stage counts only when all its checks pass."
        for stage in stages:
            if self.weight(stage) != 1:
                yield f"The points of {stage.key} count {self.weight(stage):g} times."

    def _submitted(self, record: Record) -> datetime | None:
        if record.learner in self.submitted:
            return self.submitted[record.learner]
        return datetime.fromisoformat(record.submitted) if record.submitted else None

    def _days_late(self, submitted: datetime | None) -> int:
        if self.deadline is None or submitted is None:
            return 0
        late = submitted - self.deadline - timedelta(minutes=self.grace_minutes)
        return max(0, math.ceil(late / timedelta(days=1)))


def read(path: Path | None, keys: list[str]) -> Rules:
    """Read rules; `keys` are the stages that they may name. Raises BadRules."""
    if path is None:
        return Rules()
    try:
        # Some editors begin a file with a mark of its encoding, which TOML knows nothing of.
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise BadRules(f"{path} is not in UTF-8: save it as UTF-8 in your editor") from None
    except tomllib.TOMLDecodeError as error:
        raise BadRules(f"{path}: {error}. {_NAMES} A time is written {_EXAMPLE}") from None
    except OSError as error:
        raise BadRules(f"{path} can't be read: {error.strerror}") from None
    _only(path, "", given, "partial", "late", "weights", "submitted")
    late, weights, times = (_table(path, given, name) for name in ("late", "weights", "submitted"))
    _only(path, "late", late, "deadline", "grace_minutes", "percent_per_day", "at_most_percent")
    _only(path, "weights", weights, *keys)
    if given.get("partial", "checks") not in ("checks", "stages"):
        raise BadRules(f'{path}: partial is "checks" or "stages", not {given["partial"]!r}')
    for table, numbers in (("late", late), ("weights", weights)):
        for name, value in numbers.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name != "deadline" and not (is_number and 0 <= value < math.inf):
                raise BadRules(
                    f"{path}: {name} under [{table}] must be a number of at least 0, not {value!r}"
                )
    if late.get("at_most_percent", 100) > 100:
        raise BadRules(
            f"{path}: at_most_percent must be 100 at most, not {late['at_most_percent']}"
        )
    if late and "deadline" not in late:
        raise BadRules(
            f"{path}: [late] has no deadline, so that nobody would be late: add deadline = {_EXAMPLE}"
        )
    settings: dict[str, Any] = {
        **late,
        "partial": given.get("partial", "checks"),
        "weights": weights,
    }
    if late:
        settings["deadline"] = _moment(path, "deadline", late["deadline"])
    settings["submitted"] = {name: _moment(path, name, value) for name, value in times.items()}
    return Rules(**settings)


def unknown_learners(rules: Rules, learners: Iterable[str]) -> list[str]:
    """A sentence for each name under [submitted] that no submission has: a slip, or somebody of another
    class.
    """
    there = list(learners)
    return [
        f"[submitted] names {name!r}, and there is no submission of that name.{_meant(name, there)}"
        for name in rules.submitted
        if name not in there
    ]


def _moment_in_words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def _table(path: Path, given: dict[str, Any], name: str) -> dict[str, Any]:
    table = given.get(name, {})
    if not isinstance(table, dict):
        raise BadRules(f"{path}: {name} must be a table, which begins with [{name}], not {table!r}")
    return table


def _only(path: Path, table: str, given: dict[str, Any], *known: str) -> None:
    place = f"under [{table}]" if table else "at the top"
    for name in given:
        if name not in known:
            raise BadRules(
                f"{path}: there is no {name!r} {place}.{_meant(name, known)} "
                f"What can stand there: {', '.join(known)}"
            )


def _meant(name: str, known: Iterable[str]) -> str:
    """A guess at what was meant, as a sentence with a blank before it; "" where there is none."""
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1) or [
        each for each in folded if name and each.startswith(name.casefold())
    ]
    return f" Do you mean {folded[near[0]]!r}?" if near else ""


def _moment(path: Path, name: str, value: object) -> datetime:
    if isinstance(value, dict):
        raise BadRules(f"{path}: {name} must be a time such as {_EXAMPLE}, not a table. {_NAMES}")
    if not isinstance(value, datetime):
        raise BadRules(
            f"{path}: {name} must be a time such as {_EXAMPLE}, without quotes, not {value!r}"
        )
    if value.tzinfo is None:
        raise BadRules(
            f"{path}: {name} = {value.isoformat()} does not say in which time zone. Add Z for UTC, or what "
            f"your clocks are ahead of it: {value.isoformat()}+01:00"
        )
    return value
