"""What an update of a stack does to the properties of its resources: nothing is dropped in silence.

A stack is made with resources that say little, updated to all that they may say, and back. Each is read by
its service's own operations.
"""

import json

import pytest

from deployment import make_role
from stacks import create, described, events, function_parts, reason, update

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/1"
DOMAIN = {
    "DomainName": "http.example.com",
    "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}],
}


def attributes_of(*names):
    def read(cloud, url):
        sqs = cloud("sqs")
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {name: found.get(name) for name in names}

    return read


def log_group(cloud, name):
    (group,) = cloud("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {"KmsKeyId": group.get("kmsKeyId"), "RetentionInDays": group.get("retentionInDays")}


def subscription(cloud, arn):
    found = cloud("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    names = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    found = {name: found.get(name) for name in names}
    for name in ("FilterPolicy", "RedrivePolicy"):
        found[name] = json.loads(found[name]) if found[name] else None
    found["FilterPolicyScope"] = found["FilterPolicyScope"] or "MessageAttributes"
    return found


def table(cloud, name):
    dynamodb = cloud("dynamodb")
    found = dynamodb.describe_table(TableName=name)["Table"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return {
        "TimeToLive": ttl["TimeToLiveStatus"],
        "Recovery": recovery,
        "Protection": found.get("DeletionProtectionEnabled", False),
        "Stream": bool((found.get("StreamSpecification") or {}).get("StreamEnabled")),
    }


def mapping(cloud, uuid):
    found = cloud("lambda").get_event_source_mapping(UUID=uuid)
    return {
        "BatchSize": found["BatchSize"],
        "MaximumBatchingWindowInSeconds": found["MaximumBatchingWindowInSeconds"],
        "FilterCriteria": found.get("FilterCriteria") or None,
        "FunctionResponseTypes": found["FunctionResponseTypes"],
        "ScalingConfig": found.get("ScalingConfig") or None,
        "Enabled": found["State"] in ("Enabled", "Enabling", "Creating"),
    }


def function(cloud, name):
    found = cloud("lambda").get_function_configuration(FunctionName=name)
    return {
        "DeadLetterConfig": (found.get("DeadLetterConfig") or {}).get("TargetArn"),
        "SnapStart": found["SnapStart"]["ApplyOn"],
        "VpcConfig": (found.get("VpcConfig") or {}).get("SubnetIds") or [],
    }


def function_url(cloud, name):
    found = cloud("lambda").get_function_url_config(FunctionName=name)
    return {"InvokeMode": found["InvokeMode"], "Cors": found.get("Cors") or None}


def versioning(cloud, name):
    found = cloud("s3").get_bucket_versioning(Bucket=name)
    return {"Enabled": found.get("Status") == "Enabled"}


def http_api(cloud, api_id):
    found = cloud("apigatewayv2").get_api(ApiId=api_id)
    names = ("Description", "Version", "ApiKeySelectionExpression", "CorsConfiguration")
    return {name: found.get(name) for name in names}


def api_mapping(cloud, mapping_id):
    found = cloud("apigatewayv2").get_api_mappings(DomainName=DOMAIN["DomainName"])["Items"]
    return {each["ApiMappingId"]: each.get("ApiMappingKey") or "" for each in found}


def own_tags(tags):
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def http_domain(cloud, name):
    return {"Tags": own_tags(cloud("apigatewayv2").get_domain_name(DomainName=name)["Tags"])}


def rest_domain(cloud, name):
    found = cloud("apigateway").get_domain_name(domainName=name)
    return {"SecurityPolicy": found.get("securityPolicy"), "Tags": own_tags(found["tags"])}


def att(logical_id, name="Arn"):
    return {"Fn::GetAtt": [logical_id, name]}


# By logical id: the type, what its template always says, what it says in the second state, how it is read,
# and what the reading must be then (None: the same).
ROWS = {
    "Fifo": (
        "AWS::SQS::Queue",
        {"QueueName": "jobs.fifo", "FifoQueue": True},
        {
            "ContentBasedDeduplication": True, "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        },
        attributes_of(
            "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"
        ),
        {
            "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        },
    ),
    "Group": (
        "AWS::Logs::LogGroup", {"LogGroupName": "/kept"}, {"KmsKeyId": KEY, "RetentionInDays": 7},
        log_group, None,
    ),
    "Subscription": (
        "AWS::SNS::Subscription",
        {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": att("Plain")},
        {
            "FilterPolicyScope": "MessageBody", "FilterPolicy": {"kind": ["a"]},
            "RawMessageDelivery": True, "RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:r:0:q"},
        },
        subscription,
        {
            "FilterPolicyScope": "MessageBody", "FilterPolicy": {"kind": ["a"]},
            "RawMessageDelivery": "true",
            "RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:r:0:q"},
        },
    ),
    "Table": (
        "AWS::DynamoDB::Table",
        {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
        {
            "TimeToLiveSpecification": {"AttributeName": "end", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "DeletionProtectionEnabled": True,
            "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
        },
        table,
        {
            "TimeToLive": "ENABLED", "Recovery": "ENABLED",
            "Protection": True, "Stream": True,
        },
    ),
    "Mapping": (
        "AWS::Lambda::EventSourceMapping",
        {"FunctionName": {"Ref": "Function"}, "EventSourceArn": att("Plain")},
        {
            "BatchSize": 3, "MaximumBatchingWindowInSeconds": 1, "Enabled": False,
            "FilterCriteria": {"Filters": [{"Pattern": '{"body": ["a"]}'}]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 5},
        },
        mapping, None,
    ),
    "Function": (
        None, {},
        {
            "DeadLetterConfig": {"TargetArn": att("Plain")},
            "SnapStart": {"ApplyOn": "PublishedVersions"},
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        },
        function,
        {
            "DeadLetterConfig": "arn:aws:sqs:us-east-1:000000000000:plain",
            "SnapStart": "PublishedVersions", "VpcConfig": ["subnet-1"],
        },
    ),
    "Url": (
        "AWS::Lambda::Url", {"TargetFunctionArn": att("Function"), "AuthType": "NONE"},
        {"InvokeMode": "RESPONSE_STREAM", "Cors": {"AllowOrigins": ["https://example.com"]}},
        function_url, None,
    ),
    "Bucket": (
        "AWS::S3::Bucket", {}, {"VersioningConfiguration": {"Status": "Enabled"}}, versioning,
        {"Enabled": True},
    ),
    "Api": (
        "AWS::ApiGatewayV2::Api", {"Name": "an-api", "ProtocolType": "HTTP"},
        {
            "Description": "described", "Version": "2",
            "ApiKeySelectionExpression": "$request.header.key",
            "CorsConfiguration": {"AllowOrigins": ["https://example.com"]},
        },
        http_api, None,
    ),
    "HttpDomain": (
        "AWS::ApiGatewayV2::DomainName", DOMAIN, {"Tags": {"team": "a"}}, http_domain, None,
    ),
    "RestDomain": (
        "AWS::ApiGateway::DomainName",
        {
            "DomainName": "rest.example.com", "RegionalCertificateArn": CERTIFICATE,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
        },
        {"SecurityPolicy": "TLS_1_2", "Tags": [{"Key": "team", "Value": "a"}]},
        rest_domain, {"SecurityPolicy": "TLS_1_2", "Tags": {"team": "a"}},
    ),
    "ApiMapping": (
        "AWS::ApiGatewayV2::ApiMapping",
        {
            "DomainName": {"Ref": "HttpDomain"}, "ApiId": {"Ref": "Api"},
            "Stage": {"Ref": "Stage"},
        },
        {"ApiMappingKey": "v1"}, api_mapping, None,
    ),
}  # fmt: skip
OTHERS = {
    "Plain": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "plain"}},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Stage": {
        "Type": "AWS::ApiGatewayV2::Stage",
        "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default"},
    },
}


def template(role, says_all):
    made = dict(OTHERS)
    for logical_id, (kind, base, more, *_) in ROWS.items():
        properties = {**base, **more} if says_all else base
        part = {"Type": kind, "Properties": properties}
        if kind is None:
            part = function_parts(role, "def handler(event, context): pass")["Function"]
            part["Properties"] = part["Properties"] | properties
        made[logical_id] = part
    return {"Resources": made}


@pytest.fixture(scope="module")
def readings(local_cloud, cfn, cloud):
    """By logical id: what was read after the creation, the update, and the update back."""
    role = make_role(local_cloud, "any", {"Action": ["sqs:*", "ec2:*"], "Resource": "*"})
    found = {logical_id: [] for logical_id in ROWS}
    for change, says_all in ((create, False), (update, True), (update, False)):
        stack = change(cfn, "whole", template(role, says_all))
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), events(cfn, "whole")
        resources = cfn.list_stack_resources(StackName="whole")["StackResourceSummaries"]
        ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        for logical_id, (_, _, _, read, _) in ROWS.items():
            found[logical_id].append(read(cloud, ids[logical_id]))
    return found


@pytest.mark.parametrize("logical_id", ROWS)
def test_an_update_applies_what_a_template_says_and_says_no_more(readings, logical_id):
    _, _, more, _, expected = ROWS[logical_id]
    first, second, third = readings[logical_id]
    if logical_id == "ApiMapping":  # the same mapping, with another key
        ((mapping_id, _),) = first.items()
        expected = {mapping_id: "v1"}
    assert second == (expected or more)
    assert third == first != second


REFUSED = [
    ("AWS::Logs::LogGroup", {}, {"LogGroupClass": "INFREQUENT_ACCESS"}),
    (
        "AWS::DynamoDB::Table",
        {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
        {"SSESpecification": {"SSEEnabled": True}},
    ),
    ("AWS::S3::Bucket", {}, {"AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}),
    ("AWS::SNS::Topic", {}, {"DataProtectionPolicy": {"Name": "p"}}),
    (
        "AWS::ApiGatewayV2::DomainName", DOMAIN,
        {"DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_1_2"}]},
    ),
]  # fmt: skip


@pytest.mark.usefixtures("no_stack_left")
@pytest.mark.parametrize(("kind", "base", "more"), REFUSED)
def test_what_an_update_would_drop_is_refused_by_name(cfn, kind, base, more):
    base = base | ({"DomainName": "other.example.com"} if "DomainName" in base else {})
    part = {"Type": kind, "Properties": base}
    create(cfn, "refusing", {"Resources": {"R": part}})
    stack = update(cfn, "refusing", {"Resources": {"R": {**part, "Properties": base | more}}})
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    why = reason(cfn, "refusing", "R", "UPDATE_FAILED")
    assert why.startswith(f"{next(iter(more))} of {kind} can't be changed here yet")
    assert described(cfn, "refusing")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
