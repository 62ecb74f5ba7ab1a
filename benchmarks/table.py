"""The one table: a line a measure, both clouds, their ratio, the target and whether it is met."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from .measures import SHARES_MB
from .peer import LEAN
from .servers import OURS
from .turns import Samples

PEER = "MiniStack"


@dataclass(frozen=True)
class Target:
    """A bound on our value, on our value divided by the peer's, or both; inclusive."""

    at_most: float | None = None
    at_least: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None

    def reached(self, ours: float | None, ratio: float | None) -> bool | None:
        """None where something that it needs was not measured."""
        verdicts = [
            _compare(ours, self.at_most, lambda value, bound: value <= bound),
            _compare(ours, self.at_least, lambda value, bound: value >= bound),
            _compare(ratio, self.ratio_at_most, lambda value, bound: value <= bound),
            _compare(ratio, self.ratio_at_least, lambda value, bound: value >= bound),
        ]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def __str__(self) -> str:
        told = [
            ("≤ {:g}", self.at_most),
            ("≥ {:g}", self.at_least),
            ("≤ {:g}×", self.ratio_at_most),
            ("≥ {:g}×", self.ratio_at_least),
        ]
        return ", ".join(form.format(bound) for form, bound in told if bound is not None)


@dataclass(frozen=True)
class Line:
    """One line: which samples it reads, how it sums them up."""

    label: str
    unit: str
    samples: str
    digits: int
    target: Target | None = None
    summary: Callable[[Samples, str], float | None] = Samples.median
    peer: str = PEER


@dataclass(frozen=True)
class Outcome:
    """A line's numbers."""

    line: Line
    ours: float | None
    peer: float | None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.ours is not None and self.peer else None

    @property
    def reached(self) -> bool | None:
        return self.line.target.reached(self.ours, self.ratio) if self.line.target else None

    def as_dict(self) -> dict:
        return {
            "label": self.line.label,
            "unit": self.line.unit,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "target": str(self.line.target or ""),
            "reached": self.reached,
        }


# The targets are those of "Lambda to the letter" and of "API Gateway", their parts on speed.
LINES = (
    Line("start to first answer, p50", "s", "start", 2, Target(at_most=1.0)),
    Line("resident memory, idle after start", "MB", "memory-idle", 0,
         Target(at_most=120)),
    Line("resident memory after the run, functions deleted", "MB",
         "memory-after", 0),
    Line("cold invoke, trivial handler, p50", "ms", "cold", 1, Target(ratio_at_most=0.25)),
    Line("  the same, MiniStack without boto3 to import", "ms", "cold", 1, peer=LEAN),
    Line("cold invoke, boto3 client made at import, p50", "ms", "cold-boto3", 1,
         Target(ratio_at_most=0.75)),
    Line("warm invoke, prints a line, p50", "ms", "warm", 2,
         Target(at_most=2.0, ratio_at_most=0.25)),
    Line("warm invoke, slowest over median", "×", "warm", 1, Target(at_most=3.0),
         Samples.worst_over_median),
    Line("8 callers, prints a line", "1/s", "throughput", 0, Target(ratio_at_least=2.0)),
    Line("16 callers, sleeps 50 ms (ideal 320)", "1/s", "sleepers", 0, Target(at_least=288)),
    Line("HTTP API in front of a trivial warm function, p50", "ms", "api", 2,
         Target(ratio_at_most=0.25)),
    Line("  over the invoke itself, p50", "ms", "api-added", 2, Target(at_most=1.5)),
    Line("8 callers of the HTTP API", "1/s", "api-throughput", 0, Target(at_least=500)),
    Line("PUT of 1600×1200 JPEG to thumbnail, warm p50", "ms", "thumbnail", 1,
         Target(ratio_at_most=0.5)),
    *(Line(f"busy at {mb} MB, duration × memory over 1,769 MB's", "×", f"share-{mb}", 2,
           Target(at_least=0.85, at_most=1.15)) for mb in SHARES_MB),
    Line("1,000 WebSocket connections open, more memory", "MB", "websocket-memory", 0,
         Target(at_most=300)),
    Line("WebSocket messages to a function and back, 8 connections", "1/s", "websocket-messages", 0),
)  # fmt: skip


def outcomes(results: dict[str, Samples]) -> list[Outcome]:
    return [
        Outcome(
            line,
            line.summary(results[line.samples], OURS),
            line.summary(results[line.samples], line.peer),
        )
        for line in LINES
        if line.samples in results
        and (results[line.samples].values or results[line.samples].failures)
    ]


def render(found: list[Outcome], versions: dict[str, str], results: dict[str, Samples]) -> Table:
    table = Table(
        title="Speed, turn by turn in one run",
        caption="Memory: resident sets of the server's process tree, added up. Cold: a new "
        "environment after a change of configuration. Functions have 1,769 MB "
        "where no other size is named.",
    )
    table.add_column("measure")
    table.add_column("unit")
    for cloud in (OURS, PEER):
        version = versions.get(cloud)
        table.add_column(f"{cloud}\n{version}" if version else cloud, justify="right")
    table.add_column("ours /\npeer's", justify="right")
    table.add_column("target", justify="right")
    table.add_column("reached", justify="center")
    for outcome in found:
        line, failures = outcome.line, results[outcome.line.samples].failures
        table.add_row(
            line.label,
            line.unit,
            _number(outcome.ours, line.digits, OURS in failures),
            _number(outcome.peer, line.digits, line.peer in failures),
            "–" if outcome.ratio is None else f"{outcome.ratio:.2f}×",
            str(line.target or "–"),
            _mark(outcome.reached),
        )
    return table


def _compare(
    value: float | None, bound: float | None, holds: Callable[[float, float], bool]
) -> bool | None:
    if bound is None:
        return True
    return None if value is None else holds(value, bound)


def _number(value: float | None, digits: int, failed: bool) -> Text:
    if failed:
        return Text("failed", style="red")
    return Text("–" if value is None else f"{value:,.{digits}f}")


def _mark(reached: bool | None) -> Text:
    if reached is None:
        return Text("–")
    return Text("yes", style="green") if reached else Text("no", style="red")
