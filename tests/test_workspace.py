"""lab/ is what the generator makes of solutions/, and the generator refuses marks that don't pair."""

import ast

import pytest

from labkit import project, workspace
from labkit.grading.stages import stages

STARTERS = [(stage.key, name) for stage in stages() for name in workspace.starter_files(stage.key)]
SOLUTION = '''\
import json


def handler(event):
    """Return the key."""
    # >>> TODO 1: Take the key.
    key = event["key"]
    #| key = None
    #|
    # <<<
    return key
'''


def test_a_region_becomes_a_todo_and_its_starter_lines():
    assert workspace.starter(SOLUTION).splitlines()[5:] == [
        "    # TODO 1: Take the key.", "    key = None", "", "    return key",
    ]  # fmt: skip


def test_a_solution_is_shown_without_marks():
    lines = workspace.without_marks(SOLUTION).splitlines()
    assert lines[4:] == ['    """Return the key."""', '    key = event["key"]', "    return key"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# >>> TODO 1: a\n", "line 1 is never closed"),
        ("# <<<\n", "line 1: no region is open"),
        ("# >>> TODO 1: a\n# >>> TODO 2: b\n# <<<\n", "line 2: the region of line 1 is still open"),
    ],
)
@pytest.mark.parametrize("read", [workspace.starter, workspace.without_marks])
def test_marks_that_do_not_pair_are_refused(text, words, read):
    with pytest.raises(workspace.BadMarks, match=words):
        read(text, "app.py")


def test_lab_is_what_the_generator_makes(tmp_path):
    for stage in stages():
        workspace.write_stage(tmp_path, stage.key)
    made, committed = (
        {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
        }
        for root in (tmp_path, project.LAB)
    )
    assert committed == made, "python -m labkit.workspace writes it anew"


@pytest.mark.parametrize(("key", "name"), STARTERS, ids=lambda part: part)
def test_a_starter_has_no_marks_and_is_python(key, name):
    text = workspace.starter_files(key)[name].decode()
    assert not [mark for mark in ("# >>>", "# <<<", "#| ") if mark in text]
    if name.endswith(".py") and not (project.SOLUTIONS / key / workspace.STARTERS / name).exists():
        ast.parse(text)
