"""A result as lines of text: what `lab check` prints, and what a notebook has besides its HTML."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from .results import CheckResult, StageResult
from .stages import Stage

SIGNS = {"passed": "✓", "failed": "✗", "not run": "·"}
STYLES = {"passed": "green", "failed": "red", "not run": "yellow"}
_LABEL = 10


def heading(stage: Stage) -> Text:
    """The stage's key and title."""
    return Text.assemble((stage.key, "bold"), f" · {stage.title}")


def check_lines(
    stage: Stage, result: CheckResult, before: CheckResult | None = None, width: int | None = None
) -> Iterator[Text]:
    """One check, and the one `before` it; `width` in columns, None where lines may be of any length."""
    result = result.for_learners()
    style = STYLES[result.outcome]
    points = f"{result.earned}/{result.points}"
    first, *rest = _wrapped(result.wants, width and width - 6 - len(points))
    yield Text.assemble((f"  {SIGNS[result.outcome]} ", style), first, (f"  {points}", "dim"))
    yield from (Text(f"    {line}") for line in rest)
    if result.outcome == "not run" and not same_reason(result, before):
        reason = _wrapped(result.seen, width and width - 4)
        yield from (Text(f"    {line}", style="dim") for line in reason)
    if result.outcome != "failed":
        return
    for label in ("tried", "expected", "seen"):
        yield from _labelled(label, _wrapped(getattr(result, label), width and width - 4 - _LABEL))
    yield from _labelled("log", result.log)
    if result.section:
        yield from _labelled("read", [f"{result.section} ({stage.notebook.name})"])


def same_reason(result: CheckResult, before: CheckResult | None) -> bool:
    """Whether the check before it was not run for the same reason, which need not be said again."""
    return bool(before) and before.outcome == result.outcome and before.seen == result.seen


def summary(result: StageResult) -> Text:
    """The points and the seed, or what kept the checks from running."""
    if result.fault:
        return Text.assemble("  ", (f"{result.key}: {result.fault}", "red"))
    style = "bold green" if result.passed else "bold"
    earned = f"{result.earned} of {result.points} points"
    return Text.assemble(f"  {result.key}: ", (earned, style), (f" · seed {result.seed}", "dim"))


def next_step(results: Sequence[StageResult]) -> str:
    """The command that helps now, without `lab`; empty where everything passed or could not run."""
    open_ones = (result.key for result in results if not (result.passed or result.fault))
    return next((f"hint {key}" for key in open_ones), "")


def stage_lines(stage: Stage, result: StageResult) -> Iterator[Text]:
    """All of a stage's result."""
    yield heading(stage)
    for before, check in zip((None, *result.checks), result.checks, strict=False):
        yield from check_lines(stage, check, before)
    yield summary(result)


def _labelled(label: str, lines: Iterable[str]) -> Iterator[Text]:
    for line in lines:
        yield Text.assemble("    ", (f"{label:<{_LABEL}}", "dim"), line)
        label = ""


def _wrapped(words: str, width: int | None) -> list[str]:
    if width is None:
        return [words]
    return textwrap.wrap(words, max(width, 20), break_on_hyphens=False) or [""]
