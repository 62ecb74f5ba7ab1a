"""Lets the learner's choose.py measure a function, and reads in that function's log what it measured."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from labkit.grading import expect

from .deployment import Deployment

_REPORT = re.compile(
    r"\tDuration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>\d+) ms"
    r"\tMemory Size: (?P<memory>\d+) MB"
)


class Tuning:
    """The learner's `chooser` and the function that it measures, whose tasks have the `names`."""

    def __init__(
        self, deployment: Deployment, chooser: str, measured: str, names: Mapping[str, str]
    ):
        self._deployment = deployment
        self._chooser = chooser
        self._names = names
        self.measured = measured

    def choose(self, task: str, sizes: Sequence[int], deadline_ms: int, wanted: int | None) -> None:
        """Have the learner's code choose for a function that does the task, and compare.

        What the function does makes `wanted` the best by a wide margin. A busy computer can turn that
        round, and the times in the function's log, which are those that the learner's code saw, show it.
        """
        since, payload = int(time.time() * 1000), {"task": self._names[task]}
        event = {
            "function": self.measured,
            "payload": payload,
            "sizes": list(sizes),
            "deadline_ms": deadline_ms,
        }
        answer = self._deployment.invoke(self._chooser, event)
        right = answer.error is None and answer.payload == wanted
        table = ""
        if not right and not answer.error:
            best, table = self._seen(since, payload, sizes, deadline_ms)
            right = answer.payload in best
        expect(
            right,
            tried=f"had choose.py choose among {sizes} MB, within {deadline_ms} ms, for a function "
            f"that {task}",
            expected=str(wanted),
            seen=answer.problem or f"{answer.payload}{table}",
            log=answer.log if answer.error else (),
        )

    def _seen(
        self, since: int, payload: Mapping[str, Any], sizes: Sequence[int], deadline_ms: int
    ) -> tuple[list[int | None], str]:
        """The best size by what the log tells, if it tells of every size, and all of that in words."""
        lines = self._lines(since)
        wanted = f"called with {json.dumps(payload)}"
        for line in lines:
            if line.startswith("called with ") and line != wanted:
                return [], f" (in its log: {line}, and not with the payload {json.dumps(payload)})"
        calls: dict[int, list[tuple[float, int]]] = {size: [] for size in sizes}
        failed = set()
        for found in filter(None, map(_REPORT.search, lines)):
            size = int(found["memory"])
            if "\tStatus: " in found.string:
                failed.add(size)
            elif "\tInit Duration: " not in found.string and size in calls:
                calls[size].append((float(found["duration"]), int(found["billed"])))
        costs, words = {}, []
        for size, times in sorted(calls.items()):
            if size in failed:
                words.append(f"{size} MB failed")
            elif times:
                duration, billed = (median(column) for column in zip(*times, strict=True))
                words.append(f"{size} MB {duration:g} ms, cost {size * billed:,.0f}")
                if duration <= deadline_ms:
                    costs[size] = size * billed
        best = [min(costs, key=costs.get, default=None)] if len(words) == len(sizes) else []
        return best, f" (warm medians in its log: {'; '.join(words) or 'no warm call'})"

    def _lines(self, since: int) -> list[str]:
        pages = (
            self._deployment.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{self.measured}", startTime=since)
        )
        return [event["message"].strip() for page in pages for event in page["events"]]
