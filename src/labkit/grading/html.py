"""Results as HTML for notebooks: readable in a light and a dark theme, and to those who listen.

Colours are JupyterLab's own variables, with a fallback for other viewers; no meaning is in a colour alone.
Whatever learner code has said is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape

from . import lines
from .results import CheckResult, StageResult
from .stages import Stage

_COLOURS = {
    "passed": "var(--jp-success-color1, #2e7d32)",
    "failed": "var(--jp-error-color1, #c62828)",
    "not run": "var(--jp-warn-color1, #b26a00)",
}
_FAINT = "var(--jp-ui-font-color2, #6b6b6b)"
_LINE = "var(--jp-border-color2, #c0c0c0)"
_MONO = "var(--jp-code-font-family, monospace)"


def results(found: Sequence[tuple[Stage, StageResult]]) -> str:
    """The checks of stages, each with its outcome, and what to do now."""
    step = lines.next_step([result for _, result in found])
    after = f"Next: <code>%{escape(step)}</code>" if step else ""
    if found and all(result.passed for _, result in found):
        after = "Everything passes."
    return _box("Results of the checks", [*(_stage(*one) for one in found), _paragraph(after)])


def hints(title: str, words: Iterable[str], after: str) -> str:
    """The hints shown so far for a topic, and where more is to be had."""
    items = "".join(f"<li style='margin:2px 0'>{escape(hint)}</li>" for hint in words)
    return _box(
        f"Hints: {title}",
        [_title(title), f"<ol>{items}</ol>" if items else "", _paragraph(escape(after))],
    )


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], after: str) -> str:
    """A table; the first column names its row."""
    columns = "".join(
        f"<th scope='col' style='text-align:left;padding:2px 12px'>{escape(name)}</th>"
        for name in head
    )
    body = "".join(
        f"<tr><th scope='row' style='text-align:left;padding:2px 12px'>{escape(first)}</th>"
        + "".join(
            f"<td style='text-align:left;padding:2px 12px'>{escape(cell)}</td>" for cell in rest
        )
        + "</tr>"
        for first, *rest in rows
    )
    whole = f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
    return _box(caption, [whole, _paragraph(escape(after))])


def message(words: str) -> str:
    """A sentence."""
    return _box("Message", [_paragraph(escape(words))])


def _stage(stage: Stage, result: StageResult) -> str:
    pairs = zip((None, *result.checks), result.checks, strict=False)
    checks = "".join(_check(stage, check, before) for before, check in pairs)
    listed = f"<ul style='list-style:none;padding:0;margin:4px 0'>{checks}</ul>" if checks else ""
    return (
        _title(lines.heading(stage).plain)
        + listed
        + _paragraph(f"<strong>{escape(lines.summary(result).plain.strip())}</strong>")
    )


def _check(stage: Stage, check: CheckResult, before: CheckResult | None) -> str:
    check = check.for_learners()
    sign, colour = lines.SIGNS[check.outcome], _COLOURS[check.outcome]
    head = (
        f"<span aria-hidden='true' style='color:{colour};font-weight:bold'>{sign}</span> "
        f"<span style='color:{colour}'>{check.outcome}</span> {escape(check.wants)} "
        f"<span style='color:{_FAINT}'>{check.earned}/{check.points}</span>"
    )
    if check.outcome == "not run" and not lines.same_reason(check, before):
        head += f"<div style='margin-left:1.5em;color:{_FAINT}'>{escape(check.seen)}</div>"
    elif check.outcome == "failed":
        head += f"<dl style='margin:2px 0 2px 1.5em'>{_reasons(stage, check)}</dl>"
    return f"<li style='border-left:3px solid {colour};padding:2px 8px;margin:3px 0'>{head}</li>"


def _reasons(stage: Stage, check: CheckResult) -> str:
    told = [(label, escape(getattr(check, label))) for label in ("tried", "expected", "seen")]
    if check.log:
        style = f"margin:0;padding:4px 8px;border:1px solid {_LINE};font-family:{_MONO};white-space:pre-wrap"
        told.append(("log", f"<pre style='{style}'>{escape(chr(10).join(check.log))}</pre>"))
    if check.section:
        told.append(("read", escape(f"{check.section} ({stage.notebook.name})")))
    return "".join(
        f"<dt style='color:{_FAINT};float:left;clear:left;width:5em'>{label}</dt>"
        f"<dd style='margin:0 0 0 5em'>{words}</dd>"
        for label, words in told
    )


def _box(label: str, parts: Iterable[str]) -> str:
    style = "color:var(--jp-content-font-color1, inherit);line-height:1.5"
    return f"<section role='region' aria-label='{escape(label)}' style='{style}'>{''.join(parts)}</section>"


def _title(words: str) -> str:
    return f"<p style='margin:4px 0'><strong>{escape(words)}</strong></p>"


def _paragraph(content: str) -> str:
    return f"<p style='margin:4px 0'>{content}</p>" if content else ""
