"""Quotas of usage plans, counted in days of UTC (UsagePlan in the API reference; "QuotaSettings" in the
CloudFormation template reference).

What offset means is told in two ways there; this is CloudFormation's, which the limits of the values fit:
the day on which a period starts, 0 being Sunday or the first of the month.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

PERIODS = ("DAY", "WEEK", "MONTH")
LARGEST_OFFSETS = {"DAY": 0, "WEEK": 6, "MONTH": 27}


def period_start(day: date, period: str, offset: int = 0) -> date:
    """The first day of the period that a day is in."""
    if period == "DAY":
        return day
    if period == "WEEK":
        since_sunday = (day.weekday() + 1) % 7
        return day - timedelta(days=(since_sunday - offset) % 7)
    month = day if day.day > offset else day.replace(day=1) - timedelta(days=1)
    return month.replace(day=offset + 1)


@dataclass
class Usage:
    """What an API key has used of a plan, by day; and by how much the quota of one period was changed."""

    used: dict[date, int] = field(default_factory=dict)
    changed_period: date | None = None
    change: int = 0

    def remaining(self, quota: Mapping, day: date) -> int:
        """What is left at the end of a day, or now if that is today."""
        start = _start(quota, day)
        spent = sum(count for when, count in self.used.items() if start <= when <= day)
        change = self.change if start == self.changed_period else 0
        return max(0, int(quota["limit"]) + change - spent)

    def take(self, quota: Mapping, day: date) -> bool:
        """Count a request, if the quota has room for it."""
        if not self.remaining(quota, day):
            return False
        self.used[day] = self.used.get(day, 0) + 1
        return True

    def set_remaining(self, quota: Mapping, day: date, wanted: int) -> None:
        """Let so many requests pass in the rest of the period."""
        start = _start(quota, day)
        spent = sum(count for when, count in self.used.items() if start <= when <= day)
        self.changed_period, self.change = start, wanted + spent - int(quota["limit"])


def _start(quota: Mapping, day: date) -> date:
    return period_start(day, quota["period"], int(quota.get("offset") or 0))
