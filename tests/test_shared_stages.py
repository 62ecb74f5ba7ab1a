"""`lab grade`: what several hand in alike, such as an untouched starter, is graded once for all of them."""

import json
import re

import pytest

from kit_copy import CHECKS, KEY, copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(600)]
LIMIT_S = 400
SAME = [f"same-{number}" for number in range(10)]
# A check that tells when it ran: whoever has been graded together has been told the same.
TELLING = CHECKS.replace('"another text"', 'f"another text, {time.time_ns()}"')
# One that goes wrong the first time, for whatever reason the machine has, and not again.
ONCE = """
@pytest.fixture(autouse=True)
def machine():
    try:
        open({flag!r}, "x").close()
    except FileExistsError:
        return
    {fault}
"""


def handed_in(folder, **texts):
    for learner, text in texts.items():
        own = folder / learner / "lab" / KEY
        own.mkdir(parents=True, exist_ok=True)
        (own / "app.py").write_text(text)
        (own / "notes.txt").write_text("nobody's\n")
    return folder


def stages(out):
    """The learners' results of the stage."""
    lines = map(json.loads, (out / "results.jsonl").read_text().splitlines())
    return {record["learner"]: record["stages"][0] for record in lines}


def timeless(stage):
    words = re.sub(r'"seconds": [\d.]+|another text, \d+', "", json.dumps(stage))
    assert words != json.dumps(stage)
    return words


@pytest.fixture
def kit(tmp_path):
    return copy_kit(tmp_path / "kit", "http://127.0.0.1:9")


@pytest.fixture
def grade(kit, tmp_path):
    """Grade a class, and return what is said and the results."""

    def graded(folder, *more, out=tmp_path / "out"):
        arguments = ("grade", str(folder), "--out", str(out), "--seed", "7", *more)
        done = kit.lab(*arguments, limit_s=LIMIT_S, code=0)
        return " ".join(done.stdout.split()), stages(out)

    return graded


def test_the_same_work_is_graded_once(kit, grade, tmp_path):
    checks = kit.folder / "checks" / "check_50_greeting.py"
    checks.write_text(f"import time\n{TELLING}")
    solution = (kit.folder / "solutions" / KEY / "app.py").read_text()
    half = solution.replace("no name", "nobody")
    texts = dict.fromkeys(SAME, half) | {"eve": solution, "zoe": f"{half}# mine\n"}
    folder = handed_in(tmp_path / "class", **texts)
    said, first = grade(folder)
    assert "12 submissions, 0 stages as before, 3 graded, 9 the same as another's." in said
    assert "Stages graded" in said and "3/3" in said
    assert all(first[learner] == first["same-0"] for learner in SAME)
    assert len({stage["checks"][2]["seen"] for stage in first.values()}) == 3
    assert [first[learner]["earned"] for learner in ("same-9", "eve", "zoe")] == [2, 3, 2]

    alone = {}
    for learner in ("same-9", "eve", "zoe"):
        by_itself = handed_in(tmp_path / "alone" / learner, **{learner: texts[learner]})
        alone |= grade(by_itself, out=tmp_path / "alone" / f"{learner}-out")[1]
    assert {name: timeless(first[name]) for name in alone} == {
        name: timeless(stage) for name, stage in alone.items()
    }

    # Who hands in later takes what is there, of those too who were alone with it.
    handed_in(folder, lou=half, max=solution)
    said, later = grade(folder)
    assert "14 submissions, 12 stages as before, 0 graded, 2 the same as another's." in said
    assert later == first | {"lou": first["same-0"], "max": first["eve"]}

    # Who changes something gets a result of their own, and the others keep theirs.
    handed_in(folder, **{"same-0": solution.replace("Hello", "Bye")})
    said, changed = grade(folder)
    assert "14 submissions, 13 stages as before, 1 graded, 0 the same as another's." in said
    assert changed.pop("same-0")["earned"] == 0
    assert changed == {name: later[name] for name in changed}

    said, again = grade(folder, "--again")
    assert "0 stages as before, 4 graded, 10 the same as another's." in said
    assert again["lou"] != later["lou"] and timeless(again["lou"]) == timeless(later["lou"])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("import os; os._exit(1)", "its grading ended early"),
        ("raise OSError", "the check itself broke"),
    ],
)
def test_what_was_not_their_doing_is_nobody_elses_result(kit, grade, tmp_path, fault, words):
    checks = kit.folder / "checks" / "check_50_greeting.py"
    checks.write_text(CHECKS + ONCE.format(flag=str(tmp_path / "flag"), fault=fault))
    solution = (kit.folder / "solutions" / KEY / "app.py").read_text()
    folder = handed_in(tmp_path / "class", ada=solution, bob=solution, eve=solution)
    # What is trusted sees the machine: the check remembers there that it has been run.
    said, found = grade(folder, "--trusted", "--processes", "1")
    assert "3 submissions, 0 stages as before, 3 graded, 0 the same as another's." in said
    assert words in json.dumps(found["ada"]) and found["ada"]["earned"] < 3
    assert [found[name]["earned"] for name in ("bob", "eve")] == [3, 3]
    # The one who comes later takes a good one.
    handed_in(folder, zoe=solution)
    said, found = grade(folder, "--trusted")
    assert "3 stages as before, 0 graded, 1 the same as another's." in said
    assert found["zoe"] == found["eve"]
