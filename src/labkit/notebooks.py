"""`python -m labkit.notebooks FILE…`: run notebooks from top to bottom and keep their outputs.

Each runs as it does under the tests: in its own folder, on a local cloud of its kernel's own. What
changes from run to run without meaning, such as times of execution, is not stored.
"""

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

_CELL_S = 60
# nbval does not compare the outputs of a cell with this tag.
IGNORED = "nbval-ignore-output"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> None:
    """Run one notebook and write it back. Raises CellExecutionError and leaves the file alone."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=_CELL_S, kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}}, record_timing=False,
    )  # fmt: skip
    client.execute()
    normalise(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Leave only what the notebook's text needs: no editor's notes, one piece for each stream, and of a
    picture no page beside it, which other viewers would choose and could not show."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with a stored notebook, as sentences; nbval compares nothing where it was never run."""
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"not run in order, each cell once: {counts}")
    for number, cell in enumerate(code, 1):
        tags = cell.metadata.get("tags", [])
        errors = [out for out in cell.outputs if out.output_type == "error"]
        if bool(errors) != ("raises-exception" in tags):
            found.append(f"cell {number}: an error and the tag raises-exception go together")
        if any(out.get("name") == "stderr" for out in cell.outputs):
            found.append(f"cell {number}: wrote to stderr")
        pictures = [out for out in cell.outputs if _is_picture(out)]
        if IGNORED in tags and len(pictures) != len(cell.outputs):
            found.append(f"cell {number}: its output is ignored, and is more than a picture")
    if notebook.metadata != METADATA:
        found.append("its metadata is not normalised")
    return found


def _is_picture(output: nbformat.NotebookNode) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if "image/png" in output.get("data", {}):
            output.data.pop("text/html", None)
        streams = output.output_type == "stream" and last and last.output_type == "stream"
        if streams and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def main(paths: list[str]) -> int:
    """Run the notebooks named; return how many failed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    failed = 0
    for path in map(Path, paths):
        began = time.monotonic()
        try:
            execute(path.resolve())
            print(f"{path}: {time.monotonic() - began:.1f} s")
        except CellExecutionError as error:
            failed += 1
            print(f"{path} failed:\n{error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
