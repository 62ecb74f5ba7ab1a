"""docs/learner-policy.json is what the stages need: somebody with exactly that policy can do them."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import stage_needs
from labkit import deploy
from labkit.authoring.submissions import Submission
from labkit.grading.stages import stages

COMMITTED = json.loads(stage_needs.NEEDS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def learner():
    """A process with a cloud of its own, and the learner's rights there."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=stage_needs.begin_as_learner
    ) as pool:
        yield pool


@pytest.mark.parametrize("key", ["07-events-and-iam", "10-trigger"])
def test_policy_is_enough_for_a_stage(learner, key):
    one = Submission("solution", key, "solution")
    result, needed = learner.submit(stage_needs.recorded, one).result()
    assert one.faults(result) == []
    assert set(needed["actions"]) <= set(COMMITTED[key]["actions"]), "make policy"


def test_policy_is_enough_to_deploy_the_course(learner):
    deployed = learner.submit(deploy.run, bucket=None, values=[], yes=True, as_json=False)
    assert deployed.result() == 0


def test_every_stage_is_recorded():
    assert {stage.key for stage in stages()} <= set(COMMITTED), "make policy"


def test_policy_is_made_of_the_record_and_fits_into_one():
    written = json.loads(stage_needs.POLICY.read_text(encoding="utf-8"))
    assert written == stage_needs.policy(COMMITTED.values())
    text = json.dumps(written, separators=(",", ":"))
    assert len(text) <= stage_needs.MOST_CHARACTERS
