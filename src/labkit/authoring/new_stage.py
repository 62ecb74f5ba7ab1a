"""`lab author KEY`: the places of a new stage, each with one small thing that works, to be written over."""

import re
from pathlib import Path
from string import Template

import nbformat

from .. import notebooks, project, terminal, workspace
from ..grading.stages import stages

MADE, REFUSED = 0, 2
_KEY = re.compile(r"\d\d(-[a-z0-9]+)+")
_ENTRY = re.compile(r'^\[\[stage\]\]\s*\nkey = "([^"]*)"', re.M)
_FENCE = re.compile(r"^```python\n(.*?)^```\n", re.M | re.S)


class Refused(Exception):
    """No stage can be made of this key; the text says why."""


def run(key: str) -> int:
    """Make the places and say what to do in each; return the exit code."""
    console = terminal.console()
    try:
        paths = make(key)
    except Refused as error:
        console.print(str(error), style="red", markup=False)
        return REFUSED
    for path in paths:
        console.print(f"  {path.relative_to(project.ROOT)}", markup=False)
    console.print(f"docs/author.md says what goes where. Next: lab author check {key}")
    return MADE


def make(key: str) -> list[Path]:
    """Write the places of the stage and return them. Raises Refused before anything is written."""
    if not _KEY.fullmatch(key):
        raise Refused(
            f"{key!r} is no key. A key is a number of two digits and words in small letters, "
            "such as 14-queues."
        )
    number, word = key.split("-", 1)
    for other in (*(stage.key for stage in stages()), *_notebook_keys()):
        if other == key:
            raise Refused(f"There is a stage {key} already.")
        if number == other[:2] or word == other[3:]:
            raise Refused(f"The stage {other} has this number or this word: take another.")
    values = {"key": key, "word": word, "title": word.replace("-", " ").capitalize()}
    values["number"], values["module"] = number, key.replace("-", "_")
    texts = {
        project.SOLUTIONS / key / "app.py": _filled("app.py.txt", values),
        project.CHECKS / f"check_{values['module']}.py": _filled("check.py.txt", values),
        project.MUTANTS / f"{key}.toml": _filled("mutants.toml", values),
        project.ALTERNATIVES / key / "format" / "app.py": _filled("alternative.py.txt", values),
        project.NOTEBOOKS / f"{key}.ipynb": _notebook(_filled("notebook.md", values)),
    }
    taken = [path for path in (*texts, project.LAB / key) if path.exists()]
    if taken:
        there = ", ".join(str(path.relative_to(project.ROOT)) for path in taken)
        raise Refused(f"Nothing was made, because this is there already: {there}")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    workspace.write_stage(project.LAB, key)
    listed = project.CHECKS / "stages.toml"
    entry = _filled("stage.toml", values)
    listed.write_text(_with(listed.read_text(encoding="utf-8"), key, entry), encoding="utf-8")
    return [*texts, project.LAB / key / "app.py", listed]


def _notebook_keys() -> list[str]:
    return [path.stem for path in project.NOTEBOOKS.glob("*.ipynb")]


def _filled(name: str, values: dict[str, str]) -> str:
    text = (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _notebook(text: str) -> str:
    """The notebook of a Markdown text, in which each block of Python is a cell."""
    cells = []
    for position, part in enumerate(_FENCE.split(text)):
        new_cell = nbformat.v4.new_code_cell if position % 2 else nbformat.v4.new_markdown_cell
        if part.strip():
            cells.append(new_cell(part.strip()))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebooks.normalise(notebook)
    return nbformat.writes(notebook) + "\n"


def _with(listed: str, key: str, entry: str) -> str:
    """stages.toml with the entry in its place: before the first stage whose key comes later."""
    later = [found.start() for found in _ENTRY.finditer(listed) if found[1] > key]
    if not later:
        return f"{listed.rstrip()}\n\n{entry}"
    return f"{listed[: later[0]]}{entry}\n{listed[later[0] :]}"
