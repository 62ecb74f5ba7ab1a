"""Hidden checks: learners are told their outcome in a sentence of their own, never their words, and never a
pass that was none.
"""

import csv
import json
import xml.etree.ElementTree as ElementTree

import pytest

from kit_copy import CHECKS, KEY, copy_kit
from labkit.classroom import reports
from labkit.classroom.records import Record, Records
from labkit.classroom.rules import Rules
from labkit.grading import html, lines
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import Stage

SECRET = "with secret words"
SENTENCE = "Your function meets names of other kinds."
STAGE = Stage("50-greeting", "Greeting", "", 5, 6, ("app.py",), ())
HIDDEN = '''

@pytest.mark.check(points=2, section="1 · Greeting", hidden="Your function meets names of other kinds.")
def check_secret(greeter, deployment):
    """It greets with secret words."""
    answer = deployment.invoke(greeter, {"name": "with secret words"})
    expect(answer.payload == {"greeting": "Hello, with secret words!"}, tried="sent secret words",
           expected="secret words", seen="no secret words", log=["secret words"])


@pytest.mark.check(points=1, section="1 · Greeting", needs=("check_secret",))
def check_after(workspace):
    """What comes after it."""
'''


def result(outcome):
    """A check that says its secret wherever it can."""
    told = {part: f"{part} {SECRET}" for part in ("tried", "expected", "seen")}
    return CheckResult("check_secret", f"It greets {SECRET}.", f"section {SECRET}", outcome, 2, **told,
                       log=(f"log {SECRET}",), pictures=((SECRET, "data:,"),), hidden=SENTENCE)  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Writes the reports of one learner with these outcomes of a hidden check, and gives their folder."""

    def write(*outcomes, fault=""):
        kept = Records(tmp_path)
        checks = tuple(map(result, outcomes))
        kept.write(Record("ada", (StageResult(KEY, "Greeting", 1, checks, fault),), {}))
        reports.write_all(kept, [STAGE], Rules(), {"ada": [tmp_path / "nowhere"]})
        return tmp_path

    return write


@pytest.mark.parametrize("outcome", ["passed", "failed", "not run"])
def test_reports_for_learners_tell_the_outcome_and_no_words(written, outcome):
    out = written(outcome)
    earned = 2 if outcome == "passed" else 0
    page = (out / "pages" / "ada.html").read_text()
    assert f"Hidden check: {SENTENCE}" in page and f"{earned} of 2</span>" in page
    assert ("passed" in page.partition("<main")[2]) == (outcome == "passed")
    (suite,) = ElementTree.parse(out / "junit.xml").getroot()
    counted = (suite.get("failures"), suite.get("skipped"))
    assert counted == (str(int(outcome == "failed")), str(int(outcome == "not run")))
    assert [case.get("name") for case in suite] == ["hidden_1"]
    assert [part.tag for part in suite[0]] == {
        "passed": [],
        "failed": ["failure"],
        "not run": ["skipped"],
    }[outcome]
    (test, rest) = json.loads((out / "gradescope" / "ada.json").read_text())["tests"]
    assert (test["score"], test["max_score"]) == (earned, 2)
    assert test["status"] == ("passed" if outcome == "passed" else "failed")
    assert (
        test["name"] == f"{KEY}: Hidden check: {SENTENCE}"
        and test["visibility"] == "after_published"
    )
    (row,) = csv.DictReader((out / "grades.csv").read_text("utf-8-sig").splitlines())
    assert (row[KEY], row["earned"]) == (str(earned), f"{earned}.0")
    for name in ("pages/ada.html", "junit.xml", "gradescope/ada.json", "grades.csv"):
        assert "secret" not in (out / name).read_text()


def test_whoever_grades_sees_all_of_it(written):
    out = written("failed", "passed")
    assert f"(hidden) It greets {SECRET}." in (out / "index.html").read_text()
    assert f"seen {SECRET}" in (out / "results.jsonl").read_text()


def test_one_that_was_not_reached_is_nowhere_passed(written):
    out = written(fault="stopped: it took longer than 240 s")
    assert "passed" not in (out / "pages" / "ada.html").read_text().partition("<main")[2]
    (suite,) = ElementTree.parse(out / "junit.xml").getroot()
    assert suite.get("errors") == "1" and [part.tag for case in suite for part in case] == ["error"]
    (test,) = json.loads((out / "gradescope" / "ada.json").read_text())["tests"]
    assert (test["status"], test["score"], test["max_score"]) == ("failed", 0, 6)


@pytest.mark.parametrize("outcome", ["passed", "failed", "not run"])
def test_terminals_and_notebooks_tell_no_words(outcome):
    found = StageResult(KEY, "Greeting", 1, (result(outcome),))
    text = "\n".join(line.plain for line in lines.stage_lines(STAGE, found))
    page = html.results([(STAGE, found)])
    for shown in (text, page):
        assert SENTENCE in shown and "secret" not in shown
    assert lines.SIGNS[outcome] in text and f">{outcome}</span>" in page


def test_lab_check_runs_it_and_says_its_sentence(tmp_path, local_cloud):
    kit = copy_kit(tmp_path / "kit", local_cloud.endpoint_url)
    (kit.folder / "checks" / "check_50_greeting.py").write_text(CHECKS + HIDDEN)
    kit.solve()
    assert f"✓ Hidden check: {SENTENCE}  2/2" in kit.lab("check", KEY, code=0).stdout
    app = kit.lab_files / "app.py"
    app.write_text('def handler(event, context):\n    name = event.get("name")\n'
                   '    if not name:\n        return {"error": "no name"}\n'
                   '    return {"greeting": f"Hello, {name.split()[0]}!"}\n')  # fmt: skip
    said = kit.lab("check", KEY, code=1).stdout
    assert f"✗ Hidden check: {SENTENCE}  0/2" in said and "secret" not in said
    assert f"Not run: first comes: Hidden check: {SENTENCE}" in said
