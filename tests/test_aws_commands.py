"""`lab publish`, `lab status`, `lab target` and `lab demo` where AWS refuses, is slow or has many pages."""

import json
from functools import partial

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

import labkit.demo_stack
from aws_account import DENIED, EXPIRED, TAG_LIST, THROTTLED, Refusal, answering_account
from labkit import (
    choose_target,
    deploy,
    needs,
    packages,
    preflight,
    publish,
    status,
)


@pytest.fixture
def account(monkeypatch, tmp_path):
    with answering_account(monkeypatch, tmp_path) as account:
        yield account


# -- lab target, and what is looked at before anything is made ------------------------------------


def findings(keys=("demo",)):
    return [f"{found.sign} {found.words}" for found in preflight.look(keys)]


def simulated(decision, *actions, **more):
    results = [{"EvalActionName": action, "EvalDecision": decision} for action in actions]
    return {"EvaluationResults": results, **more}


@pytest.fixture
def allowed(account):
    account.says("SimulatePrincipalPolicy", simulated("allowed", "s3:PutObject"))
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    account.says("GetAccountSettings", {"AccountLimit": limit})
    return account


def test_an_action_denied_on_a_later_page(allowed):
    allowed.says(
        "SimulatePrincipalPolicy",
        simulated("allowed", "s3:PutObject", IsTruncated=True, Marker="1"),
        simulated("implicitDeny", "s3:DeleteBucket"),
        simulated("allowed", "s3:GetObject"),
    )
    (denied,) = [each for each in findings() if "You may not" in each]
    assert denied.startswith("✗") and "s3:DeleteBucket" in denied and "s3:PutObject" not in denied
    assert allowed.asked["SimulatePrincipalPolicy"][1]["Marker"] == "1"


def test_actions_that_can_not_be_simulated_together_are_halved(allowed):
    allowed.says(
        "SimulatePrincipalPolicy", Refusal("InvalidInput"), simulated("allowed", "s3:PutObject")
    )
    assert any("by simulation" in each for each in findings())
    first, *halves = [len(each["ActionNames"]) for each in allowed.asked["SimulatePrincipalPolicy"]]
    assert sum(halves[:2]) == first


@pytest.mark.parametrize(
    ("operation", "refusal", "words"),
    [
        ("SimulatePrincipalPolicy", DENIED, "? You may not simulate policies"),
        ("SimulatePrincipalPolicy", THROTTLED, "? Not known: An error occurred (ThrottlingException)"),
        ("GetAccountSettings", DENIED, "? Not known: An error occurred (AccessDeniedException)"),
        ("GetAccountSettings", THROTTLED, "? Not known: An error occurred (ThrottlingException)"),
        ("ListLayers", DENIED, "? Not known: An error occurred (AccessDeniedException)"),
        ("ListLayers", Refusal("InvalidParameterValueException"), "✗ Lambda in eu-west-1 does not know"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said_and_the_rest_looked_at(allowed, operation, refusal, words):
    allowed.says(operation, refusal)
    found = findings()
    assert len([each for each in found if each.startswith(words)]) == 1
    assert found[-1].startswith("✓ One run costs")


def test_bedrock_models_that_can_not_be_called(allowed, monkeypatch):
    monkeypatch.setattr(
        needs, "models", lambda keys: {"us.amazon.old-v1:0": "", "amazon.none-v1:0": ""}
    )
    legacy = {"modelDetails": {"modelLifecycle": {"status": "LEGACY"}}}
    allowed.says(
        "GetFoundationModel", legacy, Refusal("ResourceNotFoundException", status=404), DENIED
    )
    found = [each for each in findings() if "Bedrock model" in each]
    assert found[0] == "✗ Bedrock model amazon.old-v1:0 is LEGACY in eu-west-1"
    assert found[1].startswith("✗ Bedrock model amazon.none-v1:0 can't be used in eu-west-1")
    assert allowed.asked["GetFoundationModel"][0] == {"modelIdentifier": "amazon.old-v1:0"}
    # Who may not ask doesn't know.
    assert [each[0] for each in findings() if "GetFoundationModel" in each] == ["?", "?"]


def test_a_session_stands_for_its_role(allowed):
    session = "arn:aws:sts::123456789012:assumed-role/Dev/ana"
    identity = {"Account": "123456789012", "Arn": session}
    allowed.says("GetCallerIdentity", identity)
    arn = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Dev"
    allowed.says("GetRole", {"Role": {"Arn": arn}}, DENIED)
    findings()
    assert allowed.asked["SimulatePrincipalPolicy"][0]["PolicySourceArn"] == arn
    assert preflight.principal_arn(session) == "arn:aws:iam::123456789012:role/Dev"


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (EXPIRED, "have expired"),
        (Refusal("InvalidClientTokenId", status=403), "does not know these keys"),
        (Refusal("OptInRequired", status=403), "not switched on"),
        (THROTTLED, "Wait a minute"),
        (EndpointConnectionError(endpoint_url="https://sts"), "Are you online"),
    ],
)
def test_who_is_not_known_chooses_nothing(account, capsys, monkeypatch, refusal, words):
    account.says("GetCallerIdentity", refusal)
    assert choose_target.run("aws", yes=True) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "The target stays as it was" in shown and words in shown
    assert set(account.asked) == {"GetCallerIdentity"}


def test_nothing_is_made_where_something_is_denied_and_nobody_agrees(allowed):
    allowed.says("SimulatePrincipalPolicy", simulated("explicitDeny", "s3:PutObject"))
    ask = partial(preflight.ask, ["demo"], console=Console(quiet=True))
    with pytest.raises(preflight.NotMeant):
        ask(yes=False)
    ask(yes=True)


# -- lab publish ----------------------------------------------------------------------------------


@pytest.fixture
def small_layer(monkeypatch):
    monkeypatch.setattr(packages, "pillow_layer_zip", lambda: b"layer")


@pytest.mark.usefixtures("small_layer")
def test_a_new_bucket_is_made_in_the_region_and_tagged(account, capsys):
    account.says("HeadBucket", Refusal("404", status=404))
    account.says("GetBucketTagging", Refusal("NoSuchBucket", status=404))
    assert publish.run("lab-templates", yes=True) == 0
    (made,) = account.asked["CreateBucket"]
    assert made["CreateBucketConfiguration"]["LocationConstraint"] == "eu-west-1"
    assert account.asked["HeadBucket"][0]["ExpectedBucketOwner"] == "123456789012"
    (tagged,) = account.asked["PutBucketTagging"]
    assert tagged["Tagging"] == {"TagSet": TAG_LIST}
    assert "eu-west-1.console.aws.amazon.com" in capsys.readouterr().out


@pytest.mark.usefixtures("small_layer")
@pytest.mark.parametrize(
    ("operation", "refusal", "words"),
    [
        ("HeadBucket", Refusal("403", "Forbidden", 403), "somebody else's"),
        ("HeadBucket", Refusal("301", "Moved Permanently", 301), "in another region"),
        ("CreateBucket", Refusal("BucketAlreadyExists", status=409), "BucketAlreadyExists"),
        ("CreateBucket", DENIED, "learner-policy-"),
        ("CreateBucket", Refusal("TooManyBuckets"), "TooManyBuckets"),
        ("PutObject", Refusal("AccessDenied", status=403), "learner-policy-"),
        ("PutObject", EXPIRED, "have expired"),
        ("PutObject", Refusal("SlowDown", status=503), "Wait a minute"),
    ],
)
def test_publish_says_what_was_refused(account, capsys, operation, refusal, words):
    if operation == "CreateBucket":
        account.says("HeadBucket", Refusal("404", status=404))
    account.says(operation, refusal)
    assert publish.run("lab-templates", yes=True) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "Nothing is published" in shown and words in shown
    assert not publish.PAGE.exists()


@pytest.mark.usefixtures("small_layer")
@pytest.mark.parametrize(("is_there", "code"), [(False, 2), (True, 0)])
def test_publish_asks_before_it_makes_a_bucket(account, capsys, is_there, code):
    """Nobody is here to be asked."""
    if not is_there:
        account.says("HeadBucket", Refusal("404", status=404))
    assert publish.run("lab-templates", yes=False) == code
    assert "CreateBucket" not in account.asked
    shown = capsys.readouterr().out
    assert ("account 123456789012, region eu-west-1" in shown) is not is_there
    assert ("Nothing was made in the account." in shown) is not is_there


# -- lab status -----------------------------------------------------------------------------------


def test_status_says_whose_account_it_is(account, capsys):
    assert status.run(as_json=False) == 0
    assert "account 123456789012, region eu-west-1, as arn:aws:" in capsys.readouterr().out
    assert set(account.asked) == {"GetCallerIdentity"}


def test_status_says_why_aws_does_not_answer(account, capsys):
    account.says("GetCallerIdentity", EXPIRED)
    assert status.run(as_json=False) == 1
    assert "have expired" in " ".join(capsys.readouterr().out.split())
    assert status.run(as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["target"], told["account"]) == ("aws", None) and "have expired" in told["problem"]


# -- lab deploy -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_layer")
@pytest.mark.parametrize("ending", [EXPIRED, KeyboardInterrupt()])
def test_the_token_is_told_before_anything_can_end_the_command(allowed, capsys, ending):
    names = ("Templates", "ArtifactBucket", "LayerKey", "Runtime", "Architecture", "DeleteToken")
    allowed.says("GetTemplateSummary", {"Parameters": [{"ParameterKey": name} for name in names]})
    allowed.says("DescribeStacks", Refusal("ValidationError"), {"Stacks": []}, ending)
    allowed.says("CreateStack", {"StackId": "s"})
    allowed.says("GetFoundationModel", {"modelDetails": {}})
    assert deploy.run(bucket=None, values=[], yes=True, as_json=False) in (1, 130)
    (made,) = allowed.asked["CreateStack"]
    (token,) = [
        each["ParameterValue"]
        for each in made["Parameters"]
        if each["ParameterKey"] == "DeleteToken"
    ]
    assert f"Bearer {token}" in capsys.readouterr().out


# -- lab demo's stack -----------------------------------------------------------------------------


def stack(status, **more):
    return {"Stacks": [{"StackName": "s", "StackId": "s", "StackStatus": status, **more}]}


def event(name, status, why=None):
    return {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": why}


@pytest.mark.usefixtures("small_layer")
def test_a_stack_that_fails_tells_the_first_reason(account):
    account.says("DescribeStacks", stack("CREATE_IN_PROGRESS"), stack("ROLLBACK_COMPLETE"))
    account.says(
        "DescribeStackEvents",
        {"StackEvents": [event("Later", "CREATE_FAILED", "cancelled")], "NextToken": "1"},
        {"StackEvents": [event("First", "CREATE_FAILED", "quota of 5 reached")]},
    )
    made = labkit.demo_stack.DemoStack()
    with pytest.raises(labkit.demo_stack.DemoError, match="First: quota of 5 reached"):
        made.deploy()


@pytest.mark.parametrize("refusal", [DENIED, EXPIRED, THROTTLED, Refusal("LimitExceededException")])
def test_a_stack_that_may_not_be_made(account, refusal):
    account.says("CreateStack", refusal)
    with pytest.raises(ClientError, match=refusal.code):
        labkit.demo_stack.DemoStack().deploy()
    assert not account.asked["DescribeStacks"]
