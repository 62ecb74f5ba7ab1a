"""The autograder judges wrong and right submissions as it must.

They are many, and each is deployed for real: `make mutants` grades them all. Here is a
sample of each stage, and a mutant is graded by the check that must catch it alone.
"""

import pytest

from labkit.authoring import submissions
from labkit.authoring.submissions import Submission
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import stages

ALL = [submission for stage in stages() for submission in submissions.of(stage.key)]
SAMPLE = {"mutant": 3, "alternative": 1}
LEAST = {"mutant": 12, "alternative": 4, "starter": 1, "solution": 1}


def sample():
    """The submissions graded here: some of each kind, spread over the list."""
    kinds = {}
    for one in ALL:
        kinds.setdefault((one.key, one.kind), []).append(one)
    for (_, kind), found in kinds.items():
        step = max(1, len(found) // SAMPLE.get(kind, 1))
        yield from found[::step][: SAMPLE.get(kind, 1)]


@pytest.fixture(scope="module")
def grader():
    with submissions.graders(1) as pool:
        yield pool


@pytest.mark.parametrize("one", list(sample()), ids=lambda one: f"{one.key}-{one.kind}-{one.name}")
def test_it_is_judged_rightly(grader, one):
    only = (one.caught_by,) if one.kind == "mutant" else ()
    result = grader.submit(submissions.graded, one, only=only).result()
    assert one.faults(result) == []


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("stage", stages(), ids=lambda stage: stage.key)
def test_there_are_enough(stage, kind):
    names = [one.name for one in ALL if (one.key, one.kind) == (stage.key, kind)]
    assert len(set(names)) == len(names) >= LEAST[kind]


def result(**outcomes):
    return StageResult(
        "01-a", "A", 1,
        tuple(
            CheckResult(name, "", "", outcome.replace("_", " "), 1, seen=outcome != "passed" and "x")
            for name, outcome in outcomes.items()
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "outcomes", "right"),
    [
        ("mutant", {"a": "failed", "b": "passed"}, True),
        ("mutant", {"a": "passed", "b": "failed"}, False),
        ("mutant", {"a": "not_run", "b": "failed"}, False),
        ("mutant", {}, False),
        ("alternative", {"a": "passed"}, True),
        ("alternative", {"a": "passed", "b": "not_run"}, False),
        ("solution", {"a": "failed"}, False),
        ("starter", {"a": "failed", "b": "not_run"}, True),
        ("starter", {"a": "failed", "b": "passed"}, False),
    ],
)
def test_the_bars(kind, outcomes, right):
    one = Submission(kind, "01-a", "one", caught_by="a")
    assert (one.faults(result(**outcomes)) == []) == right


@pytest.mark.parametrize(
    ("replace", "words"),
    [
        ("no such text", "is there 0 times"),
        ("key", r"is there \d+ times"),
        ("def handler(event, context):", "invalid syntax"),
    ],
)
def test_a_mutant_must_be_a_small_change_that_runs(replace, words):
    mutant = {"name": "m", "file": "app.py", "replace": replace, "with": "def ("}
    with pytest.raises(ValueError, match=words):
        submissions._mutated("09-function", mutant)
