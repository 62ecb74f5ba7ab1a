"""`lab destroy`, `lab publish`, `lab target` and `lab demo` where AWS refuses, is slow or has many pages."""

import json
from functools import partial

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.loaders import create_loader
from rich.console import Console

import labkit.demo_stack
from aws_account import TAG_LIST, TAGS, Account, Refusal
from labkit import (
    choose_target,
    deploy,
    destroy,
    needs,
    packages,
    preflight,
    project,
    publish,
    resource_kinds,
    tagging,
)
from labkit.inventory import KINDS

EXPIRED = Refusal("ExpiredToken", status=403)
DENIED = Refusal("AccessDeniedException", "ana is not authorized to perform this", 403)
LOADER = create_loader()
THROTTLED = Refusal("ThrottlingException", "Rate exceeded")


@pytest.fixture
def account(monkeypatch, tmp_path):
    monkeypatch.setenv("LAB_TARGET", "aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(project, "WORK", tmp_path)
    monkeypatch.setattr(publish, "PAGE", tmp_path / "launch-stack.html")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    account, install = Account(), tagging.install

    def install_and_listen():
        install()
        # Services' models are read once for all tests.
        boto3.DEFAULT_SESSION._session.register_component("data_loader", LOADER)
        account.listen()

    monkeypatch.setattr(tagging, "install", install_and_listen)
    resource_kinds.client.cache_clear()
    install_and_listen()
    yield account
    resource_kinds.client.cache_clear()
    boto3.DEFAULT_SESSION = None


def destroyed(capsys):
    """Status, result and words of `lab destroy --yes --json`."""
    status = destroy.run(yes=True, as_json=True)
    out, words = capsys.readouterr()
    return status, json.loads(out) if out else None, " ".join(words.split())


# -- lab destroy ----------------------------------------------------------------------------------


def looking_operations():
    """Everything that is listed first; the fixture's account holds nothing."""
    return (
        "DescribeStacks", "ListEventSourceMappings", "ListAgents", "ListKnowledgeBases",
        "ListGuardrails", "ListVectorBuckets", "GetUsagePlans", "GetApiKeys", "GetRestApis",
        "GetApis", "ListFunctions", "ListLayers", "ListBuckets", "ListQueues", "ListTopics",
        "ListTables", "DescribeLogGroups", "ListPolicies", "ListRoles",
    )  # fmt: skip


def test_every_kind_is_looked_for(account, capsys):
    assert destroyed(capsys)[0] == 0
    # Data sources and indexes are listed by what holds them.
    assert set(account.asked) == {"GetCallerIdentity", *looking_operations()}
    assert len(KINDS) == len(looking_operations()) + 2


@pytest.mark.parametrize("operation", looking_operations())
def test_a_kind_that_may_not_be_listed_is_named(account, capsys, operation):
    account.says(operation, DENIED)
    status, result, words = destroyed(capsys)
    assert (status, result["left"]) == (3, [])
    assert result["not_seen"] and all(
        "is not authorized" in why for why in result["not_seen"].values()
    )
    assert "not looked at" in words and "learner-policy-" in words
    assert set(looking_operations()) <= set(account.asked)  # the others were looked at


@pytest.mark.parametrize("operation", looking_operations())
def test_keys_that_expire_meanwhile(account, capsys, operation):
    account.says(operation, EXPIRED)
    status, result, words = destroyed(capsys)
    assert (status, result) == (3, None)
    assert "have expired" in words and "nothing with the kit's tag" not in words


def test_a_bucket_that_hides_its_tags_is_told_and_the_others_go(account, capsys):
    buckets = {"Buckets": [{"Name": "lab-a"}, {"Name": "hidden"}, {"Name": "lab-b"}]}
    account.says("ListBuckets", buckets, buckets, {"Buckets": [{"Name": "hidden"}]})
    tags, none = {"TagSet": TAG_LIST}, Refusal("NoSuchTagSet", status=404)
    account.says("GetBucketTagging", none, DENIED, tags, tags, DENIED, none, DENIED)
    status, result, words = destroyed(capsys)
    assert (status, set(result["not_seen"])) == (3, {"bucket"})
    assert [name for _, name in result["removed"]] == ["lab-b", "lab-a"]
    assert "not looked at" in words and "among the rest" in words


def test_a_connection_that_breaks_holds_up_nothing_else(account, capsys):
    both = {"Functions": [function("lab-a"), function("lab-b")]}
    account.says("ListFunctions", both, both, {})
    account.says("ListTags", {"Tags": TAGS})
    account.says("DeleteFunction", ReadTimeoutError(endpoint_url="https://lambda"), {})
    account.says("ListTopics", ReadTimeoutError(endpoint_url="https://sns"))
    status, result, words = destroyed(capsys)
    assert status == 3
    assert ["function", "lab-b"] in result["removed"] and set(result["not_seen"]) == {"topic"}
    assert "✗ function lab-a: Read timeout" in words


def test_ctrl_c_says_how_to_go_on(account, capsys):
    account.says("ListFunctions", {"Functions": [function("lab-a")]})
    account.says("ListTags", {"Tags": TAGS})
    account.says("DeleteFunction", KeyboardInterrupt())
    status, result, words = destroyed(capsys)
    assert (status, result) == (130, None) and "still there" in words


def test_a_service_that_the_region_has_not(account, capsys):
    account.says("ListVectorBuckets", EndpointConnectionError(endpoint_url="https://s3vectors"))
    status, result, words = destroyed(capsys)
    assert status == 3 and set(result["not_seen"]) == {"vector index", "vector bucket"}
    assert "not in this region" in words


@pytest.mark.parametrize(
    "answer",
    [
        Refusal("UnknownOperationException", status=404),
        Refusal("405", "MethodNotAllowed", 405),
        THROTTLED,
    ],
)
def test_a_kind_that_the_cloud_does_not_list(account, capsys, answer):
    account.says("ListVectorBuckets", answer)
    status, result, words = destroyed(capsys)
    assert status == 3 and set(result["not_seen"]) == {"vector index", "vector bucket"}
    assert answer.message in words and set(looking_operations()) <= set(account.asked)


def function(name):
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    return {"FunctionName": name, "FunctionArn": arn}


def test_functions_on_many_pages(account, capsys):
    account.says(
        "ListFunctions",
        {"Functions": [function("lab-a")], "NextMarker": "1"},
        {"Functions": [function("lab-b")], "NextMarker": "2"},
        {"Functions": [function("lab-c")]},
        {"Functions": []},
    )
    account.says("ListTags", {"Tags": TAGS})
    status, result, _ = destroyed(capsys)
    assert status == 0
    assert [name for _, name in result["removed"]] == ["lab-a", "lab-b", "lab-c"]
    assert [asked["FunctionName"] for asked in account.asked["DeleteFunction"]] == [
        "lab-a",
        "lab-b",
        "lab-c",
    ]
    assert account.asked["ListFunctions"][1]["Marker"] == "1"


def test_what_has_another_tag_or_none_is_not_touched(account, capsys):
    account.says("ListFunctions", {"Functions": [function("own"), function("theirs")]})
    account.says("ListTags", {"Tags": {}}, {"Tags": {"project": "another"}})
    status, result, _ = destroyed(capsys)
    assert (status, result["removed"]) == (0, [])
    assert not account.asked["DeleteFunction"]


def table(account):
    account.says("ListTables", {"TableNames": ["lab-t"]})
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/lab-t"
    account.says("DescribeTable", {"Table": {"TableArn": arn}})
    account.says("ListTagsOfResource", {"Tags": TAG_LIST})


def test_a_table_that_takes_its_time_to_go(account, capsys):
    table(account)
    listed = {"TableNames": ["lab-t"]}
    account.says("ListTables", listed, listed, listed, listed, {"TableNames": []})
    status, result, _ = destroyed(capsys)
    assert (status, result["left"]) == (0, [])
    assert account.counts()["DeleteTable"] == 1
    assert account.counts()["ListTables"] == 5


def test_what_has_gone_since_it_was_listed(account, capsys):
    account.says("ListQueues", {"QueueUrls": ["https://sqs.eu-west-1.amazonaws.com/1/lab-q"]})
    account.says("ListQueueTags", Refusal("AWS.SimpleQueueService.NonExistentQueue"))
    account.says("ListRoles", {"Roles": [{"RoleName": "lab-r", "Path": "/"}]})
    account.says("ListRoleTags", Refusal("NoSuchEntity", status=404))
    table(account)
    account.says("DescribeTable", Refusal("ResourceNotFoundException"))
    status, result, _ = destroyed(capsys)
    assert (status, result) == (0, {"removed": [], "left": [], "not_seen": {}})


@pytest.mark.parametrize("refusal", [DENIED, THROTTLED, Refusal("ResourceInUseException")])
def test_what_will_not_go_is_left_and_told(account, capsys, refusal):
    table(account)
    account.says("DeleteTable", refusal)
    account.says("ListFunctions", {"Functions": [function("lab-f")]}, {"Functions": []})
    account.says("ListTags", {"Tags": TAGS})
    status, result, words = destroyed(capsys)
    assert status == 1
    assert result == {
        "removed": [["function", "lab-f"]],
        "left": [["table", "lab-t"]],
        "not_seen": {},
    }
    assert f"✗ table lab-t: An error occurred ({refusal.code})" in words


def test_a_stack_that_is_busy_is_waited_for(account, capsys):
    def stack(status):
        about = {
            "StackName": "lab-s",
            "StackId": "arn:lab-s",
            "StackStatus": status,
            "Tags": TAG_LIST,
        }
        return {"Stacks": [about]}

    account.says(
        "DescribeStacks", *[stack("CREATE_IN_PROGRESS")] * 3, stack("CREATE_COMPLETE"),
        stack("DELETE_IN_PROGRESS"), stack("DELETE_COMPLETE"), {"Stacks": []},
    )  # fmt: skip
    account.says("DescribeStackResources", {"StackResources": []})
    status, result, _ = destroyed(capsys)
    assert (status, result["removed"]) == (0, [["stack", "lab-s"]])
    assert account.counts()["DeleteStack"] == 1
    # By its name: not every implementation knows the id here, as AWS does.
    assert account.asked["DescribeStackResources"] == [{"StackName": "lab-s"}]


def knowledge_base(account, *sources):
    arn = "arn:aws:bedrock:eu-west-1:123456789012:knowledge-base/BASE"
    listed = {"knowledgeBaseSummaries": [{"knowledgeBaseId": "BASE"}]}
    account.says("ListKnowledgeBases", listed, listed, {})
    gone = Refusal("ResourceNotFoundException", status=404)
    base = {"knowledgeBase": {"knowledgeBaseArn": arn, "status": "DELETING"}}
    account.says("GetKnowledgeBase", base, base, base, gone)
    account.says("ListTagsForResource", {"tags": TAGS})
    account.says("ListDataSources", {"dataSourceSummaries": [{"dataSourceId": "SOURCE"}]})
    account.says("GetDataSource", *sources, gone)


def test_a_data_source_whose_index_has_gone_leaves_its_vectors(account, capsys):
    configuration = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::lab-b"}}
    about = {"name": "lab-d", "dataSourceConfiguration": configuration}
    source = {
        "dataSource": {**about, "status": "DELETE_UNSUCCESSFUL", "failureReasons": ["no index"]}
    }
    knowledge_base(account, source, source)
    status, result, _ = destroyed(capsys)
    assert (status, result["removed"]) == (
        0, [["data source", "BASE/SOURCE"], ["knowledge base", "BASE"]],
    )  # fmt: skip
    (updated,) = account.asked["UpdateDataSource"]
    assert updated["dataDeletionPolicy"] == "RETAIN"
    assert updated["dataSourceConfiguration"] == configuration
    assert account.counts()["DeleteDataSource"] == 2


def test_an_agent_goes_with_its_aliases_but_the_one_that_stays(account, capsys):
    account.says("ListAgents", {"agentSummaries": [{"agentId": "AGENT"}]}, {})
    arn = "arn:aws:bedrock:eu-west-1:123456789012:agent/AGENT"
    agent = {"agent": {"agentArn": arn, "agentStatus": "DELETING"}}
    account.says("GetAgent", agent, agent, Refusal("ResourceNotFoundException", status=404))
    account.says("ListTagsForResource", {"tags": TAGS})
    aliases = [{"agentAliasId": "TSTALIASID"}, {"agentAliasId": "LIVEALIAS1"}]
    account.says("ListAgentAliases", {"agentAliasSummaries": aliases})
    status, result, _ = destroyed(capsys)
    assert (status, result["removed"]) == (0, [["agent", "AGENT"]])
    assert [asked["agentAliasId"] for asked in account.asked["DeleteAgentAlias"]] == ["LIVEALIAS1"]


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
    assert publish.run("lab-templates") == 0
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
    assert publish.run("lab-templates") == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "Nothing is published" in shown and words in shown
    assert not publish.PAGE.exists()


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
