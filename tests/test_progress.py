"""The learner's progress: the best of all runs, never lost."""

import json
import multiprocessing
import os

import pytest

from kit_copy import KEY
from labkit import project
from labkit.grading import progress
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import Stage, Topic

STAGE = Stage(
    "01-a", "A", "Do it.", 5, 3, ("app.py",),
    (Topic("one", ("check_a",), ("1", "2", "3")), Topic("two", ("check_b",), ("1", "2", "3"))),
)  # fmt: skip


def result(**outcomes):
    checks = [
        CheckResult(f"check_{name}", "It works.", "", outcome.replace("_", " "), points=2)
        for name, outcome in outcomes.items()
    ]
    return StageResult("01-a", "A", 1, tuple(checks))


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "WORK", tmp_path / "work")
    return tmp_path / "work"


def test_the_best_result_stays():
    progress.record_results([result(a="passed", b="failed")])
    progress.record_results([result(a="failed", b="failed")])
    stored = progress.read().of("01-a")
    assert (stored.earned, stored.runs) == (2, 2)
    assert stored.checks["check_a"].outcome == "failed"
    assert stored.checks["check_b"].passed is None


def test_the_first_run_stays(monkeypatch):
    for second in ("one", "two"):
        monkeypatch.setattr(progress, "now", lambda second=second: second)
        progress.record_results([result(a="failed")])
    stored = progress.read().of("01-a")
    assert (stored.first_run, stored.last_run) == ("one", "two")


def test_the_file_of_an_older_kit_is_read_and_its_first_run_stays_unknown(work):
    """It has no `first_run`."""
    progress.record_results([result(a="failed")])
    value = json.loads(progress.path().read_text())
    del value["stages"]["01-a"]["first_run"]
    progress.path().write_text(json.dumps(value))
    stored = progress.record_results([result(a="passed")])
    assert stored.note == "" and stored.of("01-a").runs == 2
    assert stored.of("01-a").first_run is None


def test_the_open_topic_is_that_of_the_last_run():
    stored = progress.read().of("01-a")
    assert stored.open_topic(STAGE).title == "one"
    for outcomes, title in (
        ({"a": "passed", "b": "passed"}, None),
        ({"a": "passed", "b": "failed"}, "two"),
        ({"a": "not_run", "b": "passed"}, "one"),
    ):
        stored = progress.record_results([result(**outcomes)]).of("01-a")
        topic = stored.open_topic(STAGE)
        assert (topic and topic.title) == title


def test_a_stage_whose_checks_could_not_run_changes_nothing():
    progress.record_results([StageResult("01-a", "A", 1, (), "broken")])
    assert progress.read().stages == {}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", '"x"', '{"version": 2, "stages": {}}', '{"version": 1}', "[" * 100_000,
        '{"version": 1, "stages": {"01-a": {"unknown": 1}}}',
        '{"version": 1, "stages": {"01-a": {"checks": {"a": 5}}}}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_broken_file_is_set_aside(work, content):
    work.mkdir()
    content = content if isinstance(content, bytes) else content.encode()
    progress.path().write_bytes(content)
    after = progress.record_results([result(a="passed")])
    assert "progress-broken-" in after.note
    (aside,) = work.glob("progress-broken-*.json")
    assert aside.read_bytes() == content
    assert progress.read().note == ""
    assert progress.read().of("01-a").earned == 2


def test_a_change_that_fails_leaves_the_file_as_it_was():
    progress.record_results([result(a="passed")])
    before = progress.path().read_bytes()
    with pytest.raises(ZeroDivisionError), progress.changing() as stored:
        stored.of("01-a").runs = 1 / 0
    assert progress.path().read_bytes() == before


def _many(work, start, count):
    project.WORK = work
    start.wait()
    for _ in range(count):
        with progress.changing() as stored:
            stored.of("01-a").runs += 1


def test_two_processes_lose_nothing(work):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    both = [context.Process(target=_many, args=(work, start, 50)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert progress.read().of("01-a").runs == 100


def test_only_runs_over_lab_count(kit):
    kit.lab("check", KEY, "--workspace", "solutions", code=0)
    assert not (kit.work / "progress.json").exists()
    kit.solve()
    kit.lab("check", KEY, code=0)
    (stage,) = json.loads(kit.lab("progress", "--json", code=0).stdout)["stages"]
    assert (stage["earned"], stage["points"], stage["checks_passed"]) == (4, 4, 3)
    kit.lab("check", KEY, "--workspace", str(kit.folder / "lab" / os.curdir), code=0)
    stored = json.loads((kit.work / "progress.json").read_text())["stages"][KEY]
    assert stored["runs"] == 2 and stored["first_run"] <= stored["last_run"]


def test_a_broken_file_is_told_in_a_sentence(kit):
    kit.work.mkdir(exist_ok=True)
    (kit.work / "progress.json").write_text("{")
    done = kit.lab("progress", code=0)
    assert "could not be read. It is kept as progress-broken-" in done.stdout
    assert "0 of 4 points" in done.stdout
