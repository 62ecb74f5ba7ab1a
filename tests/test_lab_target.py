"""`lab target`, and what is looked at before anything is made in an AWS account."""

import json
import sys

import pytest

from deployment import make_role, zip_of
from labkit import needs, target
from needs_documents import POLICIES
from people import Person
from second_cloud import lab, second_cloud


def account(person):
    """The environment in which the local cloud stands for AWS, with a user's own keys."""
    return {
        "LAB_TARGET": "aws", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": person.key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": person.key["SecretAccessKey"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def learner(local_cloud):
    person = Person(local_cloud, "learner")
    iam = local_cloud.client("iam")
    for name, path in POLICIES.items():
        policy = iam.create_policy(
            PolicyName=name, PolicyDocument=path.read_text(encoding="utf-8")
        )["Policy"]["Arn"]
        iam.attach_user_policy(UserName="learner", PolicyArn=policy)
    return account(person)


@pytest.fixture(scope="module")
def stranger(local_cloud):
    return account(Person(local_cloud, "stranger"))


def without_target(environment):
    return {name: value for name, value in environment.items() if name != "LAB_TARGET"}


def test_the_local_cloud_is_what_nobody_has_chosen(kit):
    assert "The target is local" in kit.lab("target", code=0).stdout


def test_nothing_is_chosen_before_somebody_says_yes(kit, learner):
    shown = kit.lab("target", "aws", code=2, **without_target(learner))
    assert "account 000000000000, region us-east-1" in shown.stdout
    assert "user/learner" in shown.stdout and "--yes" in shown.stderr
    assert "The target is local" in kit.lab("target", code=0).stdout


def test_every_command_follows_the_choice(kit, learner, local_cloud):
    keys = without_target(learner)
    chosen = kit.lab("target", "aws", "--yes", code=0, **keys)
    assert "Your policies allow the" in chosen.stdout and "US cents" in chosen.stdout
    assert "The target is aws" in kit.lab("target", code=0, **keys).stdout
    assert json.loads(kit.lab("status", "--json", code=0, **keys).stdout)["target"] == "aws"
    refused = kit.lab("check", "50", "--workspace", "solutions", code=2, **keys)
    assert "Nothing was made in the account." in refused.stdout
    assert local_cloud.client("lambda").list_functions()["Functions"] == []
    passed = kit.lab("check", "50", "--workspace", "solutions", "--yes", code=0, **keys)
    assert "user/learner" in passed.stdout
    won = kit.lab("target", code=0, LAB_TARGET="local", **keys).stdout
    assert "The target is local" in won and "LAB_TARGET wins" in won
    assert "The target is local" in kit.lab("target", "local", code=0, **keys).stdout
    kit.lab("check", "50", "--workspace", "solutions", code=0, **keys)


def test_an_unknown_target(kit):
    assert "local or aws, not 'azure'" in kit.lab("target", "azure", code=2).stdout
    told = kit.lab("status", code=2, LAB_TARGET="azure").stderr
    assert "LAB_TARGET is local or aws, not" in told and "Traceback" not in told


def test_what_is_not_allowed_is_named(kit, local_cloud):
    simulates = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
    buckets = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    half = Person(local_cloud, "half", simulates, buckets)
    shown = kit.lab("target", "aws", code=2, **without_target(account(half))).stdout
    denied = next(line for line in shown.splitlines() if "You may not:" in line)
    assert "lambda:CreateFunction" in denied and "s3:PutObject" not in denied
    assert "docs/learner-policy-" in denied


def test_who_may_not_simulate_is_told(kit, stranger):
    shown = kit.lab("target", "aws", code=2, **without_target(stranger)).stdout
    assert "? You may not simulate policies (iam:SimulatePrincipalPolicy)" in shown


def test_too_few_concurrent_executions(kit, learner, local_cloud):
    settings = local_cloud.client("lambda").get_account_settings()["AccountLimit"]
    taken = settings["ConcurrentExecutions"] - 100 - needs.reserved(["03-concurrency"]) + 1
    role = make_role(local_cloud, "taker")
    functions = local_cloud.client("lambda")
    functions.create_function(
        FunctionName="taker", Role=role, Handler="app.handler", Runtime="python3.13",
        Code={"ZipFile": zip_of({"app.py": "x = 1"})},
    )  # fmt: skip
    functions.put_function_concurrency(FunctionName="taker", ReservedConcurrentExecutions=taken)
    # The kit's copy has another stage; this is what stage 03 needs.
    script = (
        "import labkit.preflight as p\n"
        "print(*(f'{f.sign} {f.words}' for f in p.look(['03-concurrency'])), sep='\\n')"
    )
    shown = kit.python("-c", script, code=0, **learner).stdout
    functions.delete_function(FunctionName="taker")
    assert "AWS refuses that" in shown


def test_a_notebook_says_whose_account_it_works_in(kit, learner):
    script = "from labkit import target; print(target.enter_notebook())"
    shown = kit.python(
        "-c", script, code=0, JPY_SESSION_NAME="notebooks/09-function.ipynb", **learner
    ).stdout
    assert "account 000000000000" in shown and "US cents" in shown


def test_settings_for_the_local_cloud_are_taken_back():
    environment = {"AWS_PROFILE": "work"}
    target.apply("http://127.0.0.1:4566", environment)
    target.leave(environment)
    assert not [name for name in environment if name.startswith("AWS_")]
    own = {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL": "https://vpce.example"}
    target.leave(own)
    assert own["AWS_ENDPOINT_URL"] == "https://vpce.example"


@pytest.mark.timeout(300)
def test_the_second_cloud():
    """A sample of `make second`: the trigger's checks and the demo in MiniStack, by LAB_TARGET=aws."""
    with second_cloud() as environment:
        shown = lab(environment, "demo", "--yes", "--json")
    answer = json.loads(shown.stdout)
    assert answer["cold"]["thumbnail_pixels"] and answer["warm"]["thumbnail_pixels"]
    # MiniStack's functions log neither INIT_START nor an Init Duration.
    assert all("INIT_START" in fault or "Init Duration" in fault for fault in answer["faults"])
    assert sys.platform != "linux" or answer["cold"]["mean_difference"] < 10
