"""`lab grade`: a stage that several hand in alike, such as an untouched starter, is graded once for all."""

import json

import pytest

from kit_copy import KEY, copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(600)]
LIMIT_S = 400


def handed_in(folder, **texts):
    for learner, text in texts.items():
        own = folder / learner / "lab" / KEY
        own.mkdir(parents=True)
        (own / "app.py").write_text(text)
    return folder


def stage_of(out, learner):
    """A learner's result of the stage, without its times."""
    (stage,) = json.loads((out / "learners" / f"{learner}.json").read_text())["stages"]
    for check in stage["checks"]:
        check.pop("seconds")
    return stage


def shared(out):
    return sorted(path.name for path in (out / "shared").iterdir())


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("alike")
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    half = (kit.folder / "solutions" / KEY / "app.py").read_text().replace("no name", "nobody")
    folder = handed_in(tmp_path / "class", ada=half, grace=half, eve=half + "# mine\n")

    def grade(submissions, out, *more):
        arguments = ("grade", str(submissions), "--out", str(out), "--seed", "7", *more)
        done = kit.lab(*arguments, limit_s=LIMIT_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    return grade, half, folder, tmp_path / "out", grade(folder, tmp_path / "out")


def test_the_same_files_are_graded_once(graded):
    _, _, _, out, said = graded
    assert (
        "3 submissions, 0 stages as before, 1 graded, 2 with the very files of others "
        "(1 graded for them)"
    ) in said
    assert stage_of(out, "ada") == stage_of(out, "grace")
    assert stage_of(out, "ada")["earned"] == 2 == stage_of(out, "eve")["earned"]
    assert len(shared(out)) == 1


def test_it_is_what_each_would_have_been_told_alone(graded, tmp_path):
    grade, half, _, out, _ = graded
    alone = grade(handed_in(tmp_path / "class", ada=half), tmp_path / "out")
    assert "1 graded. Open" in alone
    assert stage_of(tmp_path / "out", "ada") == stage_of(out, "ada")


def test_it_holds_for_who_hands_it_in_later_and_not_for_a_regrade(graded, tmp_path):
    grade, half, folder, out, _ = graded
    handed_in(folder, zoe=half)
    later = grade(folder, out)
    assert (
        "4 submissions, 3 stages as before, 0 graded, 1 with the very files of others "
        "(0 graded for them)"
    ) in later
    kept = out / "shared" / shared(out)[0]
    kept.write_text(kept.read_text().replace("nobody", "somebody"))
    again = grade(folder, out, "--again")
    assert "0 stages as before, 1 graded, 3 with the very files of others (1 graded" in again
    assert "somebody" not in json.dumps(stage_of(out, "zoe"))
