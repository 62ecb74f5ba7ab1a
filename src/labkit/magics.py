"""`%check`, `%hint`, `%solution` and `%progress`: the `lab` command in a notebook.

Each runs the command in a process of its own, in the cloud that the notebook uses, and shows its JSON.
"""

import json
import subprocess
import sys
from typing import Any

from IPython.display import display

from .grading import html, lines
from .grading.results import StageResult
from .grading.stages import find

_TIDY_S = 15


def register(shell: Any) -> None:
    """Make the magics known to IPython."""
    for magic in (check, hint, solution, progress):
        shell.register_magic_function(magic, "line")


def check(line: str) -> None:
    """`%check KEY`: check a stage, or all without a key."""
    if (answer := _lab("check", *line.split(), "--yes")) is None:
        return
    results = [StageResult.from_json(value) for value in answer["stages"]]
    found = [(find(result.key), result) for result in results]
    words = [text.plain for one in found for text in lines.stage_lines(*one)]
    if step := lines.next_step(results):
        words.append(f"Next: %{step}")
    _show("\n".join(words), html.results(found))


def hint(line: str) -> None:
    """`%hint KEY`: one more hint for the first thing that is not right yet."""
    if (answer := _lab("hint", *line.split())) is None:
        return
    if answer["topic"] is None:
        _say(f"Every check of {answer['key']} passes: there is nothing to hint at.")
        return
    command = (
        f"%hint {answer['key']} says more."
        if answer["left"]
        else f"%solution {answer['key']} shows it all."
    )
    numbered = [f"{number}. {words}" for number, words in enumerate(answer["hints"], 1)]
    plain = "\n".join([answer["topic"], *numbered, command])
    _show(plain, html.hints(answer["topic"], answer["hints"], command))


def solution(line: str) -> None:
    """`%solution KEY --yes`: a stage's whole solution."""
    words = line.split()
    if "--yes" not in words:
        key = " ".join(words) or "KEY"
        _say(f"This shows the whole solution, and your progress notes it: %solution {key} --yes")
        return
    if (answer := _lab("solution", *words)) is None:
        return
    # Markdown, because JupyterLab colours its code to fit the theme.
    languages = {"py": "python", "json": "json", "yaml": "yaml"}
    parts = [
        f"**solutions/{answer['key']}/{name}**\n\n```{languages.get(name.rpartition('.')[2], '')}\n{text}```"
        for name, text in answer["files"].items()
    ]
    plain = "\n\n".join(
        f"solutions/{answer['key']}/{name}\n{text}" for name, text in answer["files"].items()
    )
    display({"text/markdown": "\n\n".join(parts), "text/plain": plain}, raw=True)


def progress(line: str) -> None:
    """`%progress`: which checks have passed, and which hints were shown."""
    if (answer := _lab("progress", *line.split())) is None:
        return
    rows = [
        (
            f"{row['key']} · {row['title']}", f"{row['earned']}/{row['points']}",
            f"{row['checks_passed']}/{row['checks']}", str(row["hints"]),
            "seen" if row["solution_shown"] else "",
        )
        for row in answer["stages"]
    ]  # fmt: skip
    total = f"{answer['earned']} of {answer['points']} points"
    head = ("stage", "points", "checks", "hints", "solution")
    plain = "\n".join("  ".join(row).rstrip() for row in (head, *rows))
    _show(f"{plain}\n{total}", html.table("Progress", head, rows, total))


def _lab(*words: str) -> dict[str, Any] | None:
    """What `lab WORDS --json` prints; None after its message was shown where it could not."""
    command = [sys.executable, "-m", "labkit.cli", *words, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed, told = process.communicate()
        except KeyboardInterrupt:
            # "Interrupt the kernel" has reached the command too, which now removes what it has made.
            process.wait(_TIDY_S)
            raise
    if not printed:
        _say(told.strip() or "The command ended without a word.")
        return None
    return json.loads(printed)


def _say(words: str) -> None:
    _show(words, html.message(words))


def _show(plain: str, rich: str) -> None:
    display({"text/plain": plain, "text/html": rich}, raw=True)
