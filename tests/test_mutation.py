"""The mutation test: which changes of a solution it makes, and what it remembers. Grading takes hours."""

import dataclasses
import json

import pytest

import mutation
from labkit.grading.stages import find
from source_mutants import mutants

PYTHON = '''\
"""Words."""


def handler(event, context):
    """More words."""
    return event["n"] + 1 if event.get("n", 0) > 2 else None
'''


def test_python_is_changed_in_small_ways_that_compile():
    found = [mutant.after for mutant in mutants("app.py", PYTHON)]
    for line in (
        'return event["n"] - 1 if event.get("n", 0) > 2 else None',
        'return event["n"] + 1 if event.get("n", 0) >= 2 else None',
        'return event["XXnXX"] + 1 if event.get("n", 0) > 2 else None',
        'return event["n"] + 1 if event.get("n", 1) > 2 else None',
        'return event["n"] + 1 if event.get(0) > 2 else None',
    ):
        assert (line,) in found
    assert len(set(found)) == len(found)
    assert not any("ords" in "".join(after) for after in found)
    for mutant in mutants("app.py", PYTHON):
        compile(mutant.text, "app.py", "exec")


def test_json_loses_values_and_gets_others():
    found = [json.loads(one.text) for one in mutants("a.json", '{"a": ["s3:GetObject"], "b": 1}')]
    for value in (
        {"b": 1}, {"a": [], "b": 1}, {"a": ["*"], "b": 1}, {"a": ["XXs3:GetObjectXX"], "b": 1},
        {"a": ["s3:GetObject"]}, {"a": ["s3:GetObject"], "b": 2},
    ):  # fmt: skip
        found.remove(value)
    assert found == []


def test_other_files_are_left_alone():
    assert list(mutants("storm.md", "# Storm\n")) == []


@pytest.fixture(scope="module")
def candidates():
    """The mutants of the files that the list of equivalent ones names."""
    named = sorted({(excuse.stage, excuse.file) for excuse in mutation.excuses()})
    return [
        mutation.Candidate(find(key), file, mutant)
        for key, file in named
        for mutant in mutants(file, (mutation.project.SOLUTIONS / key / file).read_text("utf-8"))
    ]


def test_every_equivalent_change_is_one_that_is_made(candidates):
    for excuse in mutation.excuses():
        assert len(excuse.reason) > 20 and excuse.reason.endswith(".")
        each = [dataclasses.replace(excuse, to=(line,)) for line in excuse.to] or [excuse]
        assert all(any(one.covers(candidate) for candidate in candidates) for one in each), excuse


def test_verdicts_are_kept_under_the_content(tmp_path, monkeypatch, candidates):
    monkeypatch.setattr(mutation, "KEPT", tmp_path / "verdicts")
    first, second = candidates[:2]
    mutation.Verdicts(first.stage).keep(first, "check_a", "another text")
    kept = mutation.Verdicts(first.stage)
    assert first in kept and kept[first] == "check_a"
    assert second not in kept
    with monkeypatch.context() as changed:
        changed.setattr(mutation, "checks_of", lambda stage: (b"other checks",))
        again = dataclasses.replace(first)
        assert again not in kept


def test_a_verdict_depends_on_the_checks_and_all_that_they_import(candidates):
    stage = candidates[0].stage
    texts = mutation.checks_of(stage)
    assert stage.checks.read_bytes() in texts
    assert (mutation.project.CHECKS / "deployment.py").read_bytes() in texts


def test_a_stage_below_the_floor_fails_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mutation, "KEPT", tmp_path / "verdicts")
    stage = find("03")
    kept, first, *others = mutation.Verdicts(stage), *mutation.candidates(stage)
    for one in others:
        kept.keep(one, "check_a", "another text")
    assert mutation.main(["03", "--kept"]) == 0
    kept.keep(first, "", "")
    kept.keep(others[0], "", "")
    assert mutation.main(["03", "--kept"]) == 1
    assert "below 95%: 03-concurrency" in capsys.readouterr().out


def test_the_check_that_killed_a_mutant_is_tried_first(tmp_path, monkeypatch):
    monkeypatch.setattr(mutation, "KEPT", tmp_path / "verdicts")
    stage = find("03")
    first, second, *_ = mutation.candidates(stage)
    known, gone = stage.topics[0].checks[0], "check_of_long_ago"
    kept = mutation.Verdicts(stage)
    kept.keep(first, known, "another text")
    kept.keep(second, gone, "another text")
    monkeypatch.setattr(mutation, "checks_of", lambda stage: (b"other checks",))
    kept = mutation.Verdicts(stage)
    again = [dataclasses.replace(one) for one in (first, second)]
    assert [kept.suspect(one) for one in again] == [known, ""]
    assert not any(one in kept for one in again)
