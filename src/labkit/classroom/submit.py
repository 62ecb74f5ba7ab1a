"""`lab submit`: everything that is graded, and nothing else, in one zip.

submission.json         {"kit": "0.1.0", "made": "2026-11-29T10:00:00+00:00"}
lab/KEY/NAME            the files that stages.toml names
progress.json           .lab/progress.json as it is
answers.json            {"01-lifecycle": {"my_guess_count": 3}}: the predictions of the notebooks
"""

import ast
import importlib.metadata
import json
import zipfile
from pathlib import Path
from typing import Any

from rich.console import Console

from .. import project
from ..grading import progress
from ..grading.stage_files import LARGEST_BYTES
from ..grading.stages import stages

DONE, NOTHING = 0, 1
PREDICTION = "my_guess_"


def run(out: Path) -> int:
    """Write the zip and say what is in it; return the exit code."""
    console = Console()
    files, left_out = files_to_submit()
    for reason in left_out:
        console.print(f"Left out: {reason}", style="yellow", markup=False)
    if not files:
        console.print(f"There is nothing to submit in {project.LAB}.", style="red", markup=False)
        return NOTHING
    write(out, files)
    console.print(f"{out}: {len(files)} files of {project.LAB.name}/, your progress and your predictions.",
                  markup=False)  # fmt: skip
    return DONE


def files_to_submit() -> tuple[dict[str, bytes], list[str]]:
    """The learner's files by KEY/NAME, and sentences about those that can't be taken."""
    found, left_out = {}, []
    for stage in stages():
        for name in stage.files:
            path = project.LAB / stage.key / name
            if path.is_symlink() or not path.is_file():
                left_out.append(f"{stage.key}/{name} is no file of its own")
            elif path.stat().st_size > LARGEST_BYTES:
                left_out.append(f"{stage.key}/{name} has more than {LARGEST_BYTES:,} bytes")
            else:
                found[f"{stage.key}/{name}"] = path.read_bytes()
    return found, left_out


def write(out: Path, files: dict[str, bytes]) -> None:
    """Write the zip; one that is there already is replaced as a whole."""
    partial = out.with_name(f"{out.name}.partial")
    about = {"kit": importlib.metadata.version("serverless-lab-kit"), "made": progress.now()}
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission.json", json.dumps(about, indent=2) + "\n")
        archive.writestr("answers.json", json.dumps(answers(), indent=2, sort_keys=True) + "\n")
        if progress.path().is_file():
            archive.write(progress.path(), "progress.json")
        for name, content in sorted(files.items()):
            archive.writestr(f"lab/{name}", content)
    partial.replace(out)


def answers() -> dict[str, dict[str, Any]]:
    """The predictions that stand in the notebooks, by notebook and name; what is no literal is left out."""
    found = {}
    for path in sorted(project.NOTEBOOKS.glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found[path.stem] = {
            name: value for source in sources for name, value in _predictions(source)
        }
    return {notebook: values for notebook, values in found.items() if values}


def _predictions(source: str):
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):  # a magic, or work in progress
        return
    for statement in statements:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
            continue
        value = statement.value.value
        for target in statement.targets:
            is_prediction = isinstance(target, ast.Name) and target.id.startswith(PREDICTION)
            if is_prediction and isinstance(value, str | int | float | bool | None):
                yield target.id, value
