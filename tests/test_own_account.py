"""How long a stage took a learner, as their own computer tells: read as the kit wrote it, or not at all."""

import json

import pytest

from labkit.classroom import own_account
from labkit.classroom.own_account import OwnAccount
from labkit.grading.stages import find

STAGE = find("10-trigger")
CHECKS = [name for topic in STAGE.topics for name in topic.checks]
FIRST, LAST = "2026-11-24T09:00:00+00:00", "2026-11-24T10:30:00+00:00"


def progress(**changes):
    """A progress.json as `lab submit` sends it: solved with the third run."""
    checks = {name: {"points": 1, "passed": FIRST, "outcome": "passed"} for name in CHECKS}
    checks[CHECKS[-1]]["passed"] = LAST
    stage = {"checks": checks, "runs": 3, "first_run": FIRST, "last_run": LAST,
             "hints": {"one": 2, "two": 1}, "solution_shown": None} | changes  # fmt: skip
    return json.dumps({"version": 1, "stages": {STAGE.key: stage, "99-gone": stage}}).encode()


def changed(**of_a_check):
    """The checks with one of them changed."""
    checks = json.loads(progress())["stages"][STAGE.key]["checks"]
    checks[CHECKS[0]] |= of_a_check
    return checks


def test_what_the_kit_wrote_is_told():
    assert own_account.read(progress()) == {STAGE.key: OwnAccount(3, 3, False, 90.0)}


@pytest.mark.parametrize(
    "changes",
    [{"checks": changed(passed=None)}, {"first_run": None}, {"checks": {}, "hints": {"a": 3}}],
    ids=["one has not passed", "written by an older kit", "none was run"],
)
def test_what_was_not_solved_or_not_begun_has_no_time(changes):
    assert own_account.read(progress(**changes)) == {STAGE.key: OwnAccount(3, 3, False, None)}


def test_an_older_file_without_the_field_is_read():
    value = json.loads(progress())
    del value["stages"][STAGE.key]["first_run"]
    assert own_account.read(json.dumps(value).encode())[STAGE.key].minutes is None


def test_checks_that_are_gone_and_hidden_ones_do_not_matter():
    checks = changed() | {"check_of_last_year": {"points": 1, "passed": None, "outcome": "failed"}}
    del checks[CHECKS[1]]
    assert own_account.read(progress(checks=checks))[STAGE.key].minutes == 90


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": -1}, {"runs": 10**9}, {"runs": "3"}, {"runs": True}, {"runs": None}, {"runs": 0},
        {"first_run": "2027-01-01T00:00:00+00:00"}, {"first_run": "yesterday"}, {"first_run": 5},
        {"first_run": "2026-11-24T09:00:00"}, {"checks": []}, {"checks": changed(passed=[1])},
        {"hints": {"<script>": "<script>"}}, {"hints": [1]},
    ],
)  # fmt: skip
def test_what_nobody_can_have_done_is_left_out(changes):
    assert own_account.read(progress(**changes)) == {}


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"[]", b"5", b"[" * 100_000, b"\xff\xfe", b'{"stages": 5}']
)
def test_what_is_no_progress_tells_nothing(content):
    assert own_account.read(content) == {}


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "under 1 min"), (1, "1 min"), (59.4, "59 min"), (59.6, "1 h 0 min"), (90, "1 h 30 min"),
     (1439.4, "23 h 59 min"), (1439.9, "1 d 0 h"), (3000, "2 d 2 h")],
)  # fmt: skip
def test_a_time_is_told_in_its_two_largest_units(minutes, words):
    assert own_account.in_words(minutes) == words
