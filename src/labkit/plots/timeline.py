"""A function's life as a timeline: one row for each execution environment, from Init to Shutdown.

On the local cloud it is drawn from the cloud's record, on AWS from the function's log, which lacks what
Lambda does not write there: how long an environment stayed frozen at the end, and its Shutdown.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import COLOURS

Kind = Literal["init", "invoke", "frozen", "shutdown", "throttled"]
WORDS: dict[Kind, str] = {
    "init": "Init",
    "invoke": "Invoke",
    "frozen": "frozen",
    "shutdown": "Shutdown",
    "throttled": "throttled",
}
_DURATION = re.compile(r"\t(Init )?Duration: ([\d.]+) ms")


@dataclass(frozen=True)
class Span:
    """Something that an environment did: `start` and `end` in Unix seconds; equal for a moment."""

    environment: str
    kind: Kind
    start: float
    end: float
    failed: bool = False

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) * 1000


def spans_of_record(entries: Iterable[dict[str, Any]]) -> list[Span]:
    """The spans in entries of the local cloud's record (docs/record.md), in order of time."""
    spans: list[Span] = []
    begun: dict[tuple[str, Kind], float] = {}
    last = 0.0
    for entry in entries:
        kind, _, edge = entry["type"].partition(".")
        environment, last = entry.get("environment", ""), entry["time"]
        if entry["type"] == "throttle":
            spans.append(Span("", "throttled", last, last))
        if not environment:
            continue
        frozen = begun.pop((environment, "frozen"), None)
        if frozen is not None:
            spans.append(Span(environment, "frozen", frozen, last))
        if edge == "start":
            begun[environment, kind] = last
        elif edge == "end" and (environment, kind) in begun:
            failed = bool(entry.get("failed") or entry.get("error_type"))
            spans.append(Span(environment, kind, begun.pop((environment, kind)), last, failed))
        elif kind == "freeze":
            begun[environment, "frozen"] = last
        elif kind == "shutdown":
            spans.append(Span(environment, "shutdown", last, last))
    spans += [Span(name, kind, start, last) for (name, kind), start in begun.items()]
    return sorted(spans, key=lambda span: span.start)


def spans_of_log(events: Iterable[dict[str, Any]]) -> list[Span]:
    """The spans in a function's log events (filter_log_events' items), in order of time.

    A log stream is an environment. START and REPORT give an invocation, INIT_START an Init.
    """
    spans: list[Span] = []
    init: dict[str, float] = {}
    started: dict[str, float] = {}
    free: dict[str, float] = {}
    for event in sorted(events, key=lambda item: (item["timestamp"], item.get("eventId", ""))):
        stream, words, time = event["logStreamName"], event["message"], event["timestamp"] / 1000
        if words.startswith("INIT_START"):
            init[stream] = time
        elif words.startswith("START "):
            if stream in free:
                spans.append(Span(stream, "frozen", free.pop(stream), time))
            started[stream] = time
        elif words.startswith("REPORT "):
            found = {bool(name): float(value) / 1000 for name, value in _DURATION.findall(words)}
            if True in found and stream in init:
                begin = init.pop(stream)
                spans.append(Span(stream, "init", begin, begin + found[True]))
            begin = started.pop(stream, time)
            free[stream] = begin + found.get(False, 0.0)
            failed = "\tStatus: " in words
            spans.append(Span(stream, "invoke", begin, free[stream], failed))
    return sorted(spans, key=lambda span: span.start)


def describe(spans: Sequence[Span]) -> str:
    """The timeline in words: what a reader sees, for one who can't see it."""
    lines = []
    for row, environment in enumerate(_environments(spans), 1):
        parts = []
        for span in spans:
            if span.environment == environment:
                size = f" {span.milliseconds:.0f} ms" if span.end > span.start else ""
                parts.append(WORDS[span.kind] + size + (" (failed)" if span.failed else ""))
        lines.append(f"environment {row}: " + ", ".join(parts))
    throttled = sum(span.kind == "throttled" for span in spans)
    if throttled:
        lines.append(f"throttled: {throttled}")
    return "\n".join(lines) or "nothing has run yet"


def figure(spans: Sequence[Span], title: str = "") -> Any:
    """Draw the timeline and return matplotlib's figure. Time is in ms from the first span's start."""
    from matplotlib.figure import Figure

    labels = row_labels(spans)
    height = 0.9 + 0.42 * len(labels)
    drawn = Figure(figsize=(8, height), layout="constrained")
    axes = drawn.subplots()
    zero = min((span.start for span in spans), default=0.0)
    whole = (max((span.end for span in spans), default=1.0) - zero) * 1000 or 1.0
    for span in spans:
        left, width, row = (span.start - zero) * 1000, span.milliseconds, row_of(span, spans)
        if span.kind == "throttled":
            axes.plot(left, row, marker="x", color=COLOURS["throttled"], linestyle="none")
        elif span.kind == "shutdown":
            axes.plot(left, row, marker="|", markersize=16, markeredgewidth=3,
                      color=COLOURS["shutdown"], linestyle="none")  # fmt: skip
            _label(axes, left + whole * 0.012, row, "Shutdown", "left")
        else:
            _bar(axes, span, row, left, width, whole)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("ms")
    axes.set_title(title)
    return drawn


def row_labels(spans: Sequence[Span]) -> list[str]:
    """The rows of the picture: the environments in the order in which they came to be, then throttles."""
    labels = [f"environment {number}" for number in range(1, len(_environments(spans)) + 1)]
    return labels + ["throttled"] * any(span.kind == "throttled" for span in spans)


def row_of(span: Span, spans: Sequence[Span]) -> int:
    """The row in which a span stands, from 0."""
    environments = _environments(spans)
    return environments.index(span.environment) if span.environment else len(environments)


def _environments(spans: Sequence[Span]) -> list[str]:
    """Environments in the order in which they came to be."""
    return list(dict.fromkeys(span.environment for span in spans if span.environment))


def _bar(axes: Any, span: Span, row: int, left: float, width: float, whole: float) -> None:
    frozen = span.kind == "frozen"
    axes.barh(
        row, max(width, whole * 0.002), left=left, height=0.16 if frozen else 0.62,
        color=COLOURS[span.kind], alpha=0.6 if frozen else 1,
        hatch="////" if span.failed else None, edgecolor="white" if span.failed else "none",
    )  # fmt: skip
    if width > whole * 0.09:
        words = WORDS[span.kind] + (" failed" if span.failed else "")
        if frozen:
            _label(axes, left + width / 2, row - 0.24, words, "center")
        else:
            # A hatched bar's lines would run through the word.
            plain = {"facecolor": COLOURS[span.kind], "edgecolor": "none", "pad": 2}
            axes.text(
                left + width / 2, row, words, ha="center", va="center", color="white", fontsize=9,
                bbox=plain if span.failed else None,
            )  # fmt: skip


def _label(axes: Any, x: float, y: float, words: str, side: str) -> None:
    axes.text(x, y, words, ha=side, va="center", fontsize=9)
