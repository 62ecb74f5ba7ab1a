"""Drift: what has changed in a stack's resources behind CloudFormation's back."""

import json

import pytest
from botocore.exceptions import ClientError

from deployment import make_role
from stacks import create, delete, described

TEMPLATE = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 45}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "drifting"}},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": "as made",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole",
                     "Principal": {"Service": "lambda.amazonaws.com"}}]},
            },
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/drifting", "Type": "String", "Value": "one"},
        },
        "Rest": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "rest"}},
        "Http": {
            "Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "http", "ProtocolType": "HTTP"},
        },
    }
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("no_stack_left")


def detect(cfn, name, **more):
    """The status of a detection that has ended."""
    started = cfn.detect_stack_drift(StackName=name, **more)["StackDriftDetectionId"]
    return cfn.describe_stack_drift_detection_status(StackDriftDetectionId=started)


def drifts(cfn, name, **more):
    found = cfn.describe_stack_resource_drifts(StackName=name, **more)["StackResourceDrifts"]
    return {each["LogicalResourceId"]: each for each in found}


def statuses(cfn, name, **more):
    return {k: v["StackResourceDriftStatus"] for k, v in drifts(cfn, name, **more).items()}


def physical(cfn, name, logical_id):
    detail = cfn.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    return detail["StackResourceDetail"]["PhysicalResourceId"]


def test_nothing_has_drifted(cfn):
    create(cfn, "still", TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    assert described(cfn, "still")["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    assert statuses(cfn, "still") == {}
    status = detect(cfn, "still")
    assert status["DetectionStatus"] == "DETECTION_COMPLETE"
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    assert status["StackId"] == described(cfn, "still")["StackId"]
    assert statuses(cfn, "still") == dict.fromkeys(TEMPLATE["Resources"], "IN_SYNC")
    assert described(cfn, "still")["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_deleted_resources(cfn, local_cloud):
    create(cfn, "robbed", TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    for service, operation, parameter, logical_id in (
        ("sqs", "delete_queue", "QueueUrl", "Queue"),
        ("s3", "delete_bucket", "Bucket", "Bucket"),
        ("sns", "delete_topic", "TopicArn", "Topic"),
        ("logs", "delete_log_group", "logGroupName", "Group"),
        ("dynamodb", "delete_table", "TableName", "Table"),
        ("iam", "delete_role", "RoleName", "Role"),
        ("ssm", "delete_parameter", "Name", "Parameter"),
        ("apigateway", "delete_rest_api", "restApiId", "Rest"),
        ("apigatewayv2", "delete_api", "ApiId", "Http"),
    ):
        remove = getattr(local_cloud.client(service), operation)
        remove(**{parameter: physical(cfn, "robbed", logical_id)})
    status = detect(cfn, "robbed")
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("DRIFTED", 9)
    assert statuses(cfn, "robbed") == dict.fromkeys(TEMPLATE["Resources"], "DELETED")
    assert "ExpectedProperties" not in drifts(cfn, "robbed")["Queue"]
    listed = cfn.list_stack_resources(StackName="robbed")["StackResourceSummaries"]
    assert {each["DriftInformation"]["StackResourceDriftStatus"] for each in listed} == {"DELETED"}


def test_changed_properties(cfn, local_cloud):
    create(cfn, "changed", TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    url = physical(cfn, "changed", "Queue")
    local_cloud.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": "60", "DelaySeconds": "5"}
    )
    group = physical(cfn, "changed", "Group")
    local_cloud.client("logs").delete_retention_policy(logGroupName=group)
    assert detect(cfn, "changed")["DriftedStackResourceCount"] == 2
    modified = drifts(cfn, "changed", StackResourceDriftStatusFilters=["MODIFIED", "DELETED"])
    assert set(modified) == {"Queue", "Group"}
    # DelaySeconds stands in no template, and is not compared.
    assert modified["Queue"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/VisibilityTimeout", "ExpectedValue": "45", "ActualValue": "60",
            "DifferenceType": "NOT_EQUAL",
        }
    ]  # fmt: skip
    assert json.loads(modified["Queue"]["ExpectedProperties"]) == {"VisibilityTimeout": 45}
    assert modified["Group"]["PropertyDifferences"][0]["DifferenceType"] == "REMOVE"
    local_cloud.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": "45"}
    )
    one = cfn.detect_stack_resource_drift(StackName="changed", LogicalResourceId="Queue")
    assert one["StackResourceDrift"]["StackResourceDriftStatus"] == "IN_SYNC"
    assert detect(cfn, "changed", LogicalResourceIds=["Queue"])["StackDriftStatus"] == "DRIFTED"


def test_a_function_whose_settings_somebody_changed(cfn, local_cloud):
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "drifter", "Handler": "index.handler", "Runtime": "python3.13",
            "MemorySize": 256, "Environment": {"Variables": {"KEPT": "1", "LOST": "2"}},
            "Role": make_role(local_cloud, "drifter"), "Code": {"ZipFile": "x = 1"},
        },
    }  # fmt: skip
    create(cfn, "function", {"Resources": {"F": function}})
    assert detect(cfn, "function")["StackDriftStatus"] == "IN_SYNC"
    functions = local_cloud.client("lambda")
    functions.update_function_configuration(
        FunctionName="drifter", MemorySize=512, Environment={"Variables": {"KEPT": "1", "NEW": "3"}}
    )
    detect(cfn, "function")
    found = {
        (each["PropertyPath"], each["DifferenceType"])
        for each in drifts(cfn, "function")["F"]["PropertyDifferences"]
    }
    assert found == {
        ("/MemorySize", "NOT_EQUAL"),
        ("/Environment/Variables/LOST", "REMOVE"),
        ("/Environment/Variables/NEW", "ADD"),
    }
    functions.delete_function(FunctionName="drifter")
    detect(cfn, "function")
    assert statuses(cfn, "function") == {"F": "DELETED"}


def test_what_is_refused(cfn):
    unchecked = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    queue = {"Type": "AWS::SQS::Queue"}
    create(cfn, "refusing", {"Resources": {"H": unchecked, "Q": queue}})
    detect(cfn, "refusing")
    assert statuses(cfn, "refusing") == {"Q": "IN_SYNC"}
    with pytest.raises(ClientError, match="Stack with id nowhere does not exist"):
        cfn.detect_stack_drift(StackName="nowhere")
    with pytest.raises(ClientError, match="does not exist"):
        cfn.describe_stack_drift_detection_status(StackDriftDetectionId="0")
    with pytest.raises(ClientError, match="Resource X does not exist for stack refusing"):
        cfn.detect_stack_resource_drift(StackName="refusing", LogicalResourceId="X")
    stack_id = described(cfn, "refusing")["StackId"]
    delete(cfn, "refusing")
    with pytest.raises(ClientError, match="cannot be performed .* DELETE_COMPLETE"):
        cfn.detect_stack_drift(StackName=stack_id)
