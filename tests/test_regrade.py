"""A second `lab grade`: what a changed check judges is graded again, and nothing else."""

import json

import pytest

from kit_copy import STAGES, copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(300)]
KEYS = ("51-words", "52-numbers")
CHECK = '''import pytest

from labkit.grading import expect
from . import judge_{word}


@pytest.mark.check(points=4, section="1 · One")
def check_{word}(workspace):
    """The file holds what it must."""
    there = [each.name for each in workspace.folder.parent.iterdir()]
    expect(there == [workspace.key], tried="looked", expected="this stage's files alone", seen=f"{{there}}")
    expect(judge_{word}.right(workspace.text("notes.txt")), tried="read it", expected="more", seen="less")
'''


@pytest.fixture
def kit(tmp_path):
    """A copy of the kit with two stages, each with a module of its own that its check imports."""
    entry = STAGES.replace('["app.py", "notes.txt"]', '["notes.txt"]').partition(
        "  [[stage.topics]]"
    )[0]
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    listed = ""
    for key in KEYS:
        word = key.replace("-", "_")
        listed += entry.replace("50-greeting", key) + "  topics = []\n"
        (kit.folder / "checks" / f"check_{word}.py").write_text(CHECK.format(word=word))
        (kit.folder / "checks" / f"judge_{word}.py").write_text("def right(text): return True\n")
        for learner in ("ada", "bob"):
            own = tmp_path / "class" / learner / "lab" / key
            own.mkdir(parents=True)
            (own / "notes.txt").write_text("mine\n")
    (kit.folder / "checks" / "stages.toml").write_text(listed)
    return kit


def test_a_changed_check_touches_its_own_stage_alone(kit, tmp_path):
    out = tmp_path / "out"

    def graded():
        said = kit.lab("grade", str(tmp_path / "class"), "--out", str(out), code=0).stdout
        ada, bob = (
            json.loads(line)["stages"] for line in (out / "results.jsonl").read_text().splitlines()
        )
        assert ada == bob
        return said, {stage["key"]: stage for stage in ada}

    said, first = graded()
    assert "0 stages as before, 2 graded, 2 the same as another's" in said
    assert [first[key]["earned"] for key in KEYS] == [4, 4]
    # Not the check itself, but what it imports.
    (kit.folder / "checks" / "judge_51_words.py").write_text("def right(text): return False\n")
    said, second = graded()
    assert "2 stages as before, 1 graded, 1 the same as another's" in said
    assert second[KEYS[0]]["earned"] == 0
    assert second[KEYS[1]] == first[KEYS[1]]  # its times, too: it is the record of before
    assert "4 stages as before, 0 graded, 0 the same" in graded()[0]
