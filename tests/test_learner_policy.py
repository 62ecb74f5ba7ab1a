"""docs/learner-policy-*.json are what the stages need: somebody with exactly these policies can do them.

Here is a sample; `make policy` does so with every stage, every notebook and the commands.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import needs_documents
import stage_needs
from labkit import deploy, needs, project
from labkit.authoring.submissions import Submission
from labkit.grading.stages import stages

COMMITTED = json.loads(needs_documents.NEEDS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def learner():
    """A process with a cloud of its own, and the learner's rights there."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=stage_needs.begin_as_learner
    ) as pool:
        yield pool


@pytest.mark.parametrize("key", ["07-events-and-iam", "10-trigger"])
def test_policies_are_enough_for_a_stage(learner, key):
    one = Submission("solution", key, "solution")
    result, needed = learner.submit(stage_needs.recorded, one).result()
    assert one.faults(result) == [] and needed["refused"] == []
    assert set(needed["actions"]) <= set(COMMITTED[key]["checks"]["actions"]), "make policy"


@pytest.mark.parametrize("key", ["12-deploy", "13-capstone"])
def test_policies_are_enough_for_a_notebook(learner, key):
    needed = learner.submit(stage_needs.run_notebook, project.NOTEBOOKS / f"{key}.ipynb").result()
    assert needed["refused"] == []
    assert set(needed["actions"]) <= set(COMMITTED[key]["notebook"]["actions"]), "make policy"


def test_policies_are_enough_to_deploy_the_course(learner):
    deployed = learner.submit(deploy.run, bucket=None, values=[], yes=True, as_json=False)
    assert deployed.result() == 0


def test_every_stage_and_notebook_is_recorded():
    notebooks = {path.stem for path in project.NOTEBOOKS.glob("*.ipynb")}
    assert {key for key, parts in COMMITTED.items() if "notebook" in parts} == notebooks, (
        "make policy"
    )
    assert {stage.key for stage in stages()} == {
        key for key, parts in COMMITTED.items() if "checks" in parts
    }, "make policy"


def test_policies_are_made_of_the_record_and_each_has_room():
    for name, policy in needs_documents.policies(COMMITTED).items():
        written = json.loads(needs_documents.POLICIES[name].read_text(encoding="utf-8"))
        assert written == policy, "make policy"
        assert needs_documents.characters(written) <= needs_documents.MOST_CHARACTERS


def test_the_table_is_made_of_the_record_and_of_nothing_else():
    text = needs_documents.TABLE.read_text(encoding="utf-8")
    assert needs_documents.between(text, "stage table").strip() == needs_documents.table(COMMITTED)


def test_everything_that_is_written_has_the_courses_prefix():
    """Of what has a name; what has an id in its place is on `*`, and is listed here."""
    by_id = ("apigateway:", "bedrock:", "execute-api:")
    mappings = ("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping",
                "lambda:UpdateEventSourceMapping")  # fmt: skip
    for parts in COMMITTED.values():
        for one in parts.values():
            for action, resources in one["actions"].items():
                verb = action.partition(":")[2]
                reads = verb.startswith(("Get", "List", "Describe", "Simulate", "Retrieve"))
                if not (reads or action.startswith(by_id) or action in mappings):
                    assert all("lab-" in resource for resource in resources), action


def test_every_price_says_where_and_when_it_was_read():
    for billed, price in needs._prices().items():
        numbers = [unit for unit, value in price.items() if isinstance(value, float)]
        assert bool(numbers) == ("source" in price) == ("checked" in price), billed
        assert price["name"], billed


def test_what_is_billed_is_counted_or_named():
    for key, parts in COMMITTED.items():
        for one in parts.values():
            assert one["units"].keys() <= needs._prices().keys(), key
    assert needs.unpriced(["04-bedrock-models"]) and needs.cents(["04-bedrock-models"]) > 36
    assert needs.cents(["06-api-gateway"]) > 0
