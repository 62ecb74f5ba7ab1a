"""lab/, the learner's workspace, made from solutions/: `python -m labkit.workspace` writes it anew.

In a solution a region to be written by the learner stands between two marks:

    # >>> TODO 1: Undo the URL encoding of the key.
    key = unquote_plus(record["object"]["key"])
    #| key = record["object"]["key"]
    # <<<

The starter has the TODO as a comment, and below it the `#|` lines without their mark. A file that can't
hold such marks has its starter in the solution's folder starter/, under the same name.
"""

import re
import sys
from pathlib import Path

from . import project

_BEGIN = re.compile(r"^\s*# >>> (?P<todo>.+)$")
_STARTER = re.compile(r"^(?P<indent>\s*)#\|(?: (?P<code>.*))?$")
_END = re.compile(r"^\s*# <<<$")
STARTERS = "starter"


class BadMarks(Exception):
    """A solution's marks don't pair; the text says where."""


def starter(solution: str, name: str = "the solution") -> str:
    """Return the starter that a solution's text holds. Raises BadMarks."""
    return "".join(_starter_lines(solution, name))


def without_marks(solution: str, name: str = "the solution") -> str:
    """Return the solution as a learner reads it: the code of its regions, without the marks."""
    kept, inside = [], False
    for line, inside, mark in _marked(solution, name):
        if not mark and not (inside and _STARTER.match(line.rstrip("\n"))):
            kept.append(line)
    return "".join(kept)


def starter_files(key: str) -> dict[str, bytes]:
    """The files of one stage's starter folder: path below it -> content."""
    folder = project.SOLUTIONS / key
    given = folder / STARTERS
    files = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts or given in path.parents:
            continue
        relative = path.relative_to(folder).as_posix()
        override = given / relative
        content = override if override.is_file() else path
        if override.is_file() or path.suffix not in (".py", ".yaml"):
            files[relative] = content.read_bytes()
        else:
            files[relative] = starter(path.read_text(encoding="utf-8"), str(path)).encode()
    return files


def keys() -> list[str]:
    """The stages that have a solution, in order."""
    return sorted(path.name for path in project.SOLUTIONS.iterdir() if path.is_dir())


def write(target: Path) -> None:
    """Write every stage's starter below the folder."""
    for key in keys():
        write_stage(target, key)


def write_stage(target: Path, key: str) -> None:
    """Write one stage's starter below the folder."""
    for name, content in starter_files(key).items():
        path = target / key / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _starter_lines(solution: str, name: str):
    for line, inside, mark in _marked(solution, name):
        if mark and (begin := _BEGIN.match(line.rstrip("\n"))):
            yield line[: line.index("#")] + f"# {begin['todo']}\n"
        elif not mark and not inside:
            yield line
        elif inside and (code := _STARTER.match(line.rstrip("\n"))):
            yield f"{code['indent']}{code['code']}\n" if code["code"] else "\n"


def _marked(solution: str, name: str):
    """Yield (line, whether it lies inside a region, whether it is a mark)."""
    opened = 0
    for number, line in enumerate(solution.splitlines(keepends=True), 1):
        text = line.rstrip("\n")
        begins, ends = bool(_BEGIN.match(text)), bool(_END.match(text))
        if begins and opened:
            raise BadMarks(f"{name}, line {number}: the region of line {opened} is still open")
        if ends and not opened:
            raise BadMarks(f"{name}, line {number}: no region is open here")
        opened = number if begins else 0 if ends else opened
        yield line, bool(opened) or ends, begins or ends
    if opened:
        raise BadMarks(f"{name}: the region of line {opened} is never closed")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else project.LAB)
