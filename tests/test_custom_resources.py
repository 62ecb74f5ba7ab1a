"""Custom resources: a real function gets Create, Update and Delete, and answers by a PUT."""

import json
import re
import urllib.error
import urllib.request

import pytest

from deployment import deploy, make_role, wait_for
from stacks import create, delete, described, ended, events, outputs, reason, update

# It keeps what it was asked as objects, and answers as its properties tell it.
PROVIDER = """
import json, time, urllib.request, boto3
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket="requests", Key=str(time.time_ns()), Body=json.dumps(event))
    given = event["ResourceProperties"]
    kind = event["RequestType"]
    if given.get("Silent") == kind:
        return
    answer = {
        "Status": "FAILED" if given.get("Fail") == kind else "SUCCESS",
        "Reason": "the sun was in my eyes",
        "PhysicalResourceId": given.get("Id", "first"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": given.get("NoEcho") == "true",
        "Data": {"Secret": "s3same", "A.B": "dotted"},
    }
    for name in given.get("Without", []):
        del answer[name]
    if given.get("Large") == kind:
        answer["Data"]["Large"] = "x" * 4096
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT")
    assert urllib.request.urlopen(request).status == 200
"""


@pytest.fixture(scope="module")
def provider(local_cloud):
    """The function's ARN."""
    local_cloud.client("s3").create_bucket(Bucket="requests")
    role = make_role(
        local_cloud,
        "provider-role",
        {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::requests/*"},
    )
    return deploy(local_cloud, "provider", PROVIDER, role)["FunctionArn"]


@pytest.fixture
def name(request, cfn):
    """A stack's name; the stack is deleted after the test."""
    name = re.sub(r"\W|_", "-", request.node.name)[:60]
    yield name
    cfn.delete_stack(StackName=name)


@pytest.fixture
def asked(local_cloud, provider):
    """A function that gives the requests that came for a stack, oldest first."""
    s3 = local_cloud.client("s3")

    def requests(stack):
        items = s3.list_objects_v2(Bucket="requests").get("Contents", [])  # named by the time
        found = [
            json.loads(s3.get_object(Bucket="requests", Key=item["Key"])["Body"].read())
            for item in items
        ]
        return [request for request in found if request["StackId"] == stack["StackId"]]

    return requests


def custom(provider, kind="Custom::Thing", **properties):
    return {"Type": kind, "Properties": {"ServiceToken": provider, **properties}}


def template(resource, **more):
    shown = {"Id": {"Value": {"Ref": "Thing"}}}
    return {"Resources": {"Thing": resource}, "Outputs": shown, **more}


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_create_update_and_delete_reach_the_function(cfn, name, asked, provider, kind):
    stack = create(cfn, name, template(custom(provider, kind, Size=5, On=True, Tags=[{"N": 1.5}])))
    assert (stack["StackStatus"], outputs(stack)) == ("CREATE_COMPLETE", {"Id": "first"})
    stack = update(cfn, name, template(custom(provider, kind, Size=6)))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert delete(cfn, name)["StackStatus"] == "DELETE_COMPLETE"

    first, second, third = asked(stack)
    properties = {"ServiceToken": provider, "Size": "5", "On": "true", "Tags": [{"N": "1.5"}]}
    common = {
        "ServiceToken": provider,
        "StackId": stack["StackId"],
        "LogicalResourceId": "Thing",
        "ResourceType": kind,
    }
    for request in (first, second, third):
        assert request.pop("ResponseURL").endswith(request["RequestId"])
        del request["RequestId"]
    assert first == {**common, "RequestType": "Create", "ResourceProperties": properties}
    assert second == {
        **common,
        "RequestType": "Update",
        "PhysicalResourceId": "first",
        "ResourceProperties": {"ServiceToken": provider, "Size": "6"},
        "OldResourceProperties": properties,
    }
    assert third == {
        **common,
        "RequestType": "Delete",
        "PhysicalResourceId": "first",
        "ResourceProperties": {"ServiceToken": provider, "Size": "6"},
    }


def test_an_update_that_changes_nothing_of_it_is_not_sent(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider)))
    update(cfn, name, template(custom(provider), Description="other"))
    assert [request["RequestType"] for request in asked(stack)] == ["Create"]


def test_a_new_physical_id_deletes_the_old_one_after_the_update(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider, Id="one")))
    stack = update(cfn, name, template(custom(provider, Id="two")))
    assert outputs(stack) == {"Id": "two"}
    told = [(r["RequestType"], r.get("PhysicalResourceId")) for r in asked(stack)]
    assert told == [("Create", None), ("Update", "one"), ("Delete", "one")]
    assert asked(stack)[2]["ResourceProperties"]["Id"] == "one"
    happened = [(i, s) for i, s, _ in events(cfn, name)]
    cleaning = happened.index((name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert cleaning < happened.index(("Thing", "DELETE_COMPLETE"))


def test_a_rollback_takes_the_old_one_back_and_deletes_the_new(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider, Id="one")))
    broken = template(custom(provider, Id="two"))
    broken["Resources"]["Late"] = {**custom(provider, Fail="Create"), "DependsOn": "Thing"}
    stack = update(cfn, name, broken)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert outputs(stack) == {"Id": "one"}
    deleted = [r["PhysicalResourceId"] for r in asked(stack) if r["RequestType"] == "Delete"]
    assert sorted(deleted) == ["first", "two"]  # "first" is Late's


def test_a_failed_creation_tells_the_functions_reason_and_is_deleted(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider, Fail="Create", Id="half-made")))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    first, second = asked(stack)
    assert reason(cfn, name, "Thing", "CREATE_FAILED") == (
        "Received response status [FAILED] from custom resource. Message returned: "
        f"the sun was in my eyes (RequestId: {first['RequestId']})"
    )
    assert (second["RequestType"], second["PhysicalResourceId"]) == ("Delete", "half-made")


def test_a_failed_update_is_undone_with_the_old_properties(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider, Size="1")))
    stack = update(cfn, name, template(custom(provider, Size="2", Fail="Update")))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "the sun was in my eyes" in reason(cfn, name, "Thing", "UPDATE_FAILED")
    assert [r["ResourceProperties"].get("Size") for r in asked(stack)] == ["1", "2", "1"]


def test_a_failed_deletion_leaves_the_stack(cfn, name, provider):
    create(cfn, name, template(custom(provider, Fail="Delete")))
    assert delete(cfn, name)["StackStatus"] == "DELETE_FAILED"
    assert "the sun was in my eyes" in reason(cfn, name, "Thing", "DELETE_FAILED")


def test_no_answer_in_time(cfn, name, provider):
    stack = create(cfn, name, template(custom(provider, Silent="Create", ServiceTimeout="1")))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = reason(cfn, name, "Thing", "CREATE_FAILED")
    assert told.startswith("CloudFormation did not receive a response from your Custom Resource.")


def test_a_stack_that_waits_in_vain_can_be_deleted(cfn, name, asked, provider, monkeypatch):
    from localcloud.control_plane import stack_deployment

    monkeypatch.setattr(stack_deployment, "_PATIENCE_S", 0.0)
    waiting = template(custom(provider, Silent="Create"))
    stack_id = cfn.create_stack(StackName=name, TemplateBody=json.dumps(waiting))["StackId"]
    stack = described(cfn, stack_id)
    assert stack["StackStatus"] == "CREATE_IN_PROGRESS"
    wait_for(lambda: asked(stack))
    cfn.delete_stack(StackName=name)
    wait_for(lambda: described(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE")
    assert "Resource creation cancelled" in reason(cfn, stack_id, "Thing", "CREATE_FAILED")


def test_a_stack_that_is_deleted_twice_while_it_is_made(cfn, name, asked, provider, monkeypatch):
    from localcloud.control_plane import stack_deployment

    monkeypatch.setattr(stack_deployment, "_PATIENCE_S", 0.0)
    waiting = template(custom(provider, Silent="Create"))
    stack_id = cfn.create_stack(StackName=name, TemplateBody=json.dumps(waiting))["StackId"]
    wait_for(lambda: asked(described(cfn, stack_id)))
    cfn.delete_stack(StackName=name)
    cfn.delete_stack(StackName=name)
    wait_for(lambda: stack_id not in stack_deployment._latest)
    assert described(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Without": ["PhysicalResourceId"]}, "Invalid PhysicalResourceId"),
        ({"Without": ["Status"]}, "Invalid response object"),
        ({"Large": "Create"}, "Response object is too long."),
        ({"ServiceToken": ""}, "Property ServiceToken cannot be empty."),
        ({"ServiceToken": "arn:aws:sns:us-east-1:000000000000:t"}, "no custom resources but of"),
        (
            {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:nobody"},
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
        ),
    ],
)
def test_answers_and_tokens_that_are_not_right(cfn, name, provider, properties, words):
    stack = create(cfn, name, template(custom(provider, **properties)))
    assert stack["StackStatus"].startswith("ROLLBACK")
    assert words in reason(cfn, name, "Thing", "CREATE_FAILED")


def test_the_service_token_stays(cfn, name, provider):
    create(cfn, name, template(custom(provider)))
    stack = update(cfn, name, template(custom(provider + "-2")))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    told = reason(cfn, name, "Thing", "UPDATE_FAILED")
    assert told == "Modifying service token is not allowed."


def test_data_is_what_getatt_gives(cfn, name, provider, local_cloud):
    uses = template(custom(provider))
    uses["Outputs"] = {
        "Secret": {"Value": {"Fn::GetAtt": ["Thing", "Secret"]}},
        "Dotted": {"Value": {"Fn::Sub": "<${Thing.A.B}>"}},
    }
    assert outputs(create(cfn, name, uses)) == {"Secret": "s3same", "Dotted": "<dotted>"}


def test_noecho_hides_the_data_in_outputs_and_not_from_resources(cfn, name, provider, local_cloud):
    secret = template(custom(provider, NoEcho="true"))
    value = {"Fn::GetAtt": ["Thing", "Secret"]}
    secret["Resources"]["Kept"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": f"/{name}", "Type": "String", "Value": value},
    }
    secret["Outputs"] = {"Secret": {"Value": value}, "Id": {"Value": {"Ref": "Thing"}}}
    assert outputs(create(cfn, name, secret)) == {"Secret": "*****", "Id": "first"}
    kept = local_cloud.client("ssm").get_parameter(Name=f"/{name}")["Parameter"]["Value"]
    assert kept == "s3same"


@pytest.mark.parametrize("place", ["resource", "output"])
def test_an_attribute_that_the_answer_lacks(cfn, name, provider, place):
    lacking = template(custom(provider))
    value = {"Fn::GetAtt": ["Thing", "Nothing"]}
    if place == "output":
        lacking["Outputs"] = {"Nothing": {"Value": value}}
    else:
        lacking["Resources"]["User"] = custom(provider, Value=value)
    stack = create(cfn, name, lacking)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = " ".join(r for _, _, r in events(cfn, name))
    assert "CustomResource attribute error: Vendor response doesn't contain Nothing key" in told


def test_a_response_url_takes_one_answer_and_no_strangers(cfn, name, asked, provider):
    stack = create(cfn, name, template(custom(provider)))
    url = asked(stack)[0]["ResponseURL"]
    request = urllib.request.Request(url, b'{"Status": "FAILED"}', method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.code == 403
    assert ended(cfn, name)["StackStatus"] == "CREATE_COMPLETE"


def test_cfnresponse_is_beside_source_in_a_template(cfn, name, local_cloud):
    source = (
        "import cfnresponse\n"
        "def handler(event, context):\n"
        "    data = {'Answer': '42'}\n"
        "    cfnresponse.send(event, context, cfnresponse.SUCCESS, data, 'answer-id')\n"
    )
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"ZipFile": source},
            "Handler": "index.handler",
            "Role": make_role(local_cloud, "inline-role"),
            "Runtime": "python3.13",
        },
    }
    whole = template(custom({"Fn::GetAtt": ["Provider", "Arn"]}))
    whole["Resources"]["Provider"] = function
    whole["Outputs"]["Answer"] = {"Value": {"Fn::GetAtt": ["Thing", "Answer"]}}
    assert outputs(create(cfn, name, whole)) == {"Id": "answer-id", "Answer": "42"}
