"""In which order a stack's resources come and go, which come at all, and what an update changes."""

import json

import pytest
from botocore.exceptions import ClientError

from stacks import create, delete, described, events, outputs, reason, update

QUEUE = {"Type": "AWS::SQS::Queue"}
# Systems Manager refuses an empty value.
WITHOUT_VALUE = {"Type": "String", "Value": ""}


pytestmark = pytest.mark.usefixtures("no_stack_left")


def test_depends_on_orders_what_no_reference_does(cfn):
    # By name and by their places in the template they would come the other way round.
    resources = {"A": {**QUEUE, "DependsOn": ["B"]}, "B": {**QUEUE, "DependsOn": "C"}, "C": QUEUE}
    stack_id = create(cfn, "ordered", {"Resources": resources})["StackId"]
    delete(cfn, "ordered")
    ended = [(name, status) for name, status, _ in events(cfn, stack_id) if name in resources]
    assert [name for name, status in ended if status == "CREATE_COMPLETE"] == ["C", "B", "A"]
    assert [name for name, status in ended if status == "DELETE_COMPLETE"] == ["A", "B", "C"]


def test_conditions_make_resources_and_properties(cfn, local_cloud):
    chosen = {"Fn::If": ["IsLarge", 900, {"Ref": "AWS::NoValue"}]}
    template = {
        "Parameters": {"Size": {"Type": "String", "Default": "small"}},
        "Conditions": {
            "IsLarge": {"Fn::Equals": [{"Ref": "Size"}, "large"]},
            "IsSmall": {"Fn::Not": [{"Condition": "IsLarge"}]},
        },
        "Resources": {
            "Always": {**QUEUE, "Properties": {"DelaySeconds": chosen}},
            "Large": {**QUEUE, "Condition": "IsLarge"},
            "Small": {**QUEUE, "Condition": "IsSmall"},
        },
    }

    def resources():
        found = cfn.describe_stack_resources(StackName="sized")["StackResources"]
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in found
            if not each["ResourceStatus"].startswith("DELETE")
        }

    def delay():
        asked = {"QueueUrl": resources()["Always"], "AttributeNames": ["DelaySeconds"]}
        return local_cloud.client("sqs").get_queue_attributes(**asked)["Attributes"]["DelaySeconds"]

    create(cfn, "sized", template)
    assert set(resources()) == {"Always", "Small"}
    assert delay() == "0"
    large = [{"ParameterKey": "Size", "ParameterValue": "large"}]
    update(cfn, "sized", template, Parameters=large)
    assert described(cfn, "sized")["StackStatus"] == "UPDATE_COMPLETE"
    assert set(resources()) == {"Always", "Large"}
    assert delay() == "900"


def test_a_queue_gets_every_attribute_of_an_update_and_keeps_its_policy(cfn, local_cloud):
    sqs = local_cloud.client("sqs")
    policy = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "Q"}],
            "PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]},
        },
    }  # fmt: skip
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}

    def template(**properties):
        resources = {"Dead": QUEUE, "P": policy, "Q": {**QUEUE, "Properties": properties}}
        return {"Resources": resources, "Outputs": {"Url": {"Value": {"Ref": "Q"}}}}

    def attributes():
        url = outputs(described(cfn, "queues"))["Url"]
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    create(cfn, "queues", template(MessageRetentionPeriod=60))
    before = attributes()
    update(cfn, "queues", template(DelaySeconds=5, VisibilityTimeout=40, RedrivePolicy=dead))
    now = attributes()
    assert (now["DelaySeconds"], now["VisibilityTimeout"]) == ("5", "40")
    assert now["MessageRetentionPeriod"] == "345600"
    assert "maxReceiveCount" in now["RedrivePolicy"] and now["Policy"] == before["Policy"]
    update(cfn, "queues", template())
    assert attributes()["DelaySeconds"] == "0" and "RedrivePolicy" not in attributes()
    update(cfn, "queues", template(QueueName="renamed"))
    assert attributes()["QueueArn"].endswith(":renamed")


def test_retain_except_on_create_outlives_the_stack_but_not_a_rollback(cfn, local_cloud):
    kept = {**QUEUE, "DeletionPolicy": "RetainExceptOnCreate", "Properties": {"QueueName": "kept"}}
    wrong = {"Type": "AWS::SSM::Parameter", "DependsOn": "Kept", "Properties": WITHOUT_VALUE}
    queues = local_cloud.client("sqs").list_queues
    rolled_back = create(cfn, "undone", {"Resources": {"Kept": kept, "Wrong": wrong}})
    assert rolled_back["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "QueueUrls" not in queues()
    create(cfn, "made", {"Resources": {"Kept": kept, "Other": QUEUE}})
    update(cfn, "made", {"Resources": {"Other": QUEUE}})
    [url] = [each for each in queues()["QueueUrls"] if each.endswith("/kept")]
    local_cloud.client("sqs").delete_queue(QueueUrl=url)
    create(cfn, "again", {"Resources": {"Kept": kept}})
    assert delete(cfn, "again")["StackStatus"] == "DELETE_COMPLETE"
    [url] = [each for each in queues()["QueueUrls"] if each.endswith("/kept")]
    local_cloud.client("sqs").delete_queue(QueueUrl=url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Fn::GetAtt": ["A", "Nonsense"]},
        {"Fn::Select": [9, {"Fn::Split": [":", {"Fn::GetAtt": ["A", "Arn"]}]}]},
    ],
)
def test_an_update_to_what_has_no_value_is_rolled_back(cfn, wrong):
    create(cfn, "stack", {"Resources": {"A": QUEUE, "B": QUEUE}})
    named = {**QUEUE, "Properties": {"QueueName": wrong}}
    stack = update(cfn, "stack", {"Resources": {"A": QUEUE, "B": named}})
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ("B", "UPDATE_FAILED") in [each[:2] for each in events(cfn, "stack")]
    assert update(cfn, "stack", {"Resources": {"A": QUEUE}})["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::ApiGateway::RestApi", {"Name": "api"}),
        ("AWS::ApiGatewayV2::Api", {"Name": "api", "ProtocolType": "HTTP"}),
        ("AWS::SNS::Topic", {}),
    ],
)
def test_an_attribute_that_a_type_does_not_have_is_no_other(cfn, kind, properties):
    made = {"Type": kind, "Properties": properties}
    named = {**QUEUE, "Properties": {"QueueName": {"Fn::GetAtt": ["Made", "Nonsense"]}}}
    stack = create(cfn, "nonsense", {"Resources": {"Made": made, "Q": named}})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    words = "Template error: resource Made does not support attribute type Nonsense in Fn::GetAtt"
    assert words in reason(cfn, "nonsense", "Q", "CREATE_FAILED")


def test_a_resource_keeps_its_type(cfn):
    create(cfn, "typed", {"Resources": {"A": QUEUE, "B": QUEUE}})
    retyped = {"Resources": {"A": {"Type": "AWS::SNS::Topic"}, "B": QUEUE}}
    message = (
        "Update of resource type is not permitted. The new template modifies resource type of the "
        "following resources: [A]"
    )
    with pytest.raises(ClientError) as caught:
        update(cfn, "typed", retyped)
    assert caught.value.response["Error"]["Message"] == message
    proposal = {"StackName": "typed", "ChangeSetName": "retyped"}
    cfn.create_change_set(**proposal, TemplateBody=json.dumps(retyped))
    found = cfn.describe_change_set(**proposal)
    assert (found["Status"], found["StatusReason"]) == ("FAILED", message)
