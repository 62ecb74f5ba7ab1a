"""`lab destroy` where AWS refuses, is slow or has many pages."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from aws_account import DENIED, EXPIRED, TAG_LIST, TAGS, THROTTLED, Refusal, answering_account
from labkit import destroy
from labkit.inventory import KINDS


@pytest.fixture
def account(monkeypatch, tmp_path):
    with answering_account(monkeypatch, tmp_path) as account:
        yield account


def destroyed(capsys):
    """Status, result and words of `lab destroy --yes --json`."""
    status = destroy.run(yes=True, as_json=True)
    out, words = capsys.readouterr()
    return status, json.loads(out) if out else None, " ".join(words.split())


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
