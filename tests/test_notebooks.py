"""Every notebook was run from top to bottom, and what nbval would let pass is seen here.

nbval compares nothing in a notebook that was never run, and nothing in a cell tagged to be ignored.
"""

from pathlib import Path

import nbformat
import pytest

from labkit import notebooks

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def small_notebook():
    code = nbformat.v4.new_code_cell("print(1)", execution_count=1)
    code.outputs = [nbformat.v4.new_output("stream", name="stdout", text="1\n")]
    return nbformat.v4.new_notebook(cells=[code], metadata=notebooks.METADATA)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_was_run_from_top_to_bottom(path):
    assert notebooks.faults(nbformat.read(path, as_version=4)) == []


def test_a_good_notebook_has_no_fault():
    assert notebooks.faults(small_notebook()) == []


def never_run(notebook):
    notebook.cells[0].execution_count = None


def run_twice(notebook):
    notebook.cells[0].execution_count = 2


def failed(notebook):
    error = nbformat.v4.new_output("error", ename="E", evalue="e", traceback=[])
    notebook.cells[0].outputs.append(error)


def tagged_without_error(notebook):
    notebook.cells[0].metadata["tags"] = ["raises-exception"]


def warned(notebook):
    warning = nbformat.v4.new_output("stream", name="stderr", text="beware")
    notebook.cells[0].outputs.append(warning)


def hides_text(notebook):
    notebook.cells[0].metadata["tags"] = [notebooks.IGNORED]


@pytest.mark.parametrize(
    "damage", [never_run, run_twice, failed, tagged_without_error, warned, hides_text]
)
def test_the_guard_sees(damage):
    notebook = small_notebook()
    damage(notebook)
    assert len(notebooks.faults(notebook)) == 1


def test_normalising_keeps_tags_and_joins_streams():
    notebook = small_notebook()
    cell = notebook.cells[0]
    cell.metadata.update({"tags": ["x"], "execution": {"iopub.busy": "now"}})
    cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text="2\n"))
    notebooks.normalise(notebook)
    assert cell.metadata == {"tags": ["x"]}
    assert [output.text for output in cell.outputs] == ["1\n2\n"]
