"""`lab hint` and `lab solution`: help, from a question to the whole answer."""

import json

from rich.console import Console
from rich.syntax import Syntax

from . import project, terminal, workspace
from .grading import progress
from .grading.stages import Stage, UnknownStage, find

SHOWN, NOT_SHOWN, UNKNOWN = 0, 1, 2


def hint(key: str, *, as_json: bool) -> int:
    """Show one more hint for the first thing that is not right yet; return the exit code."""
    console = terminal.console(stderr=as_json)
    stage = _find(key, console)
    if stage is None:
        return UNKNOWN
    with progress.changing() as stored:
        mine = stored.of(stage.key)
        topic = mine.open_topic(stage)
        count = 0
        if topic:
            count = min(mine.hints.get(topic.title, 0) + 1, len(topic.hints))
            mine.hints[topic.title] = count
    hints = list(topic.hints[:count]) if topic else []
    left = len(topic.hints) - count if topic else 0
    if as_json:
        title = topic.title if topic else None
        shown = {"key": stage.key, "topic": title, "hints": hints, "left": left}
        print(json.dumps(shown, indent=2))
        return SHOWN
    if stored.note:
        console.print(stored.note, markup=False)
    if topic is None:
        console.print(f"Every check of {stage.key} passes: there is nothing to hint at.")
        return SHOWN
    console.print(f"{stage.key} · {topic.title}", style="bold", markup=False)
    for number, words in enumerate(hints, 1):
        console.print(f"  {number}. {words}", markup=False)
    last = f"That was the last hint. lab solution {stage.key} shows it all."
    more = f"lab hint {stage.key} says more." if left else last
    console.print(f"\n{more}", style="dim", markup=False)
    return SHOWN


def solution(key: str, *, yes: bool, as_json: bool) -> int:
    """Show the reference solution, once it is clear that it is wanted; return the exit code."""
    console = terminal.console(stderr=as_json)
    stage = _find(key, console)
    if stage is None:
        return UNKNOWN
    if not (yes or terminal.agrees(f"Show the whole solution of {stage.key}?")):
        console.print("Nothing was shown.")
        return NOT_SHOWN
    files = solution_files(stage)
    with progress.changing() as stored:
        mine = stored.of(stage.key)
        mine.solution_shown = mine.solution_shown or progress.now()
    if as_json:
        print(json.dumps({"key": stage.key, "files": files}, indent=2))
        return SHOWN
    for name, text in files.items():
        console.print(f"solutions/{stage.key}/{name}", style="bold", markup=False)
        if console.is_terminal and not console.no_color:
            lexer = Syntax.guess_lexer(name, text)
            console.print(Syntax(text, lexer, theme="ansi_dark", background_color="default"))
        else:
            console.print(text, markup=False, end="")
    return SHOWN


def solution_files(stage: Stage) -> dict[str, str]:
    """The files of a stage's solution as a learner reads them: name -> text."""
    paths = {name: project.SOLUTIONS / stage.key / name for name in stage.files}
    return {
        name: workspace.without_marks(path.read_text(encoding="utf-8"), name)
        for name, path in paths.items()
    }


def _find(key: str, console: Console) -> Stage | None:
    try:
        return find(key)
    except UnknownStage as error:
        console.print(str(error), style="red", markup=False)
        return None
