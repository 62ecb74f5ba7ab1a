"""What a stack's resources really are, read by their services' own operations, for drift detection.

Each reader gives the properties it knows under the names of CloudFormation's resource schemas, None for one
that is not set; the whole is None where the resource has gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

Properties = dict[str, Any]
# What services say of something that does not exist.
GONE = (
    "404", "NoSuchBucket", "NoSuchEntity", "NotFound", "NotFoundException", "ParameterNotFound",
    "QueueDoesNotExist", "ResourceNotFound", "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
)  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """`read` takes a client of `service` and a physical id."""

    service: str
    read: Callable[[Any, str], Properties | None]


def is_gone(error: ClientError) -> bool:
    """Whether a service says that something does not exist."""
    return error.response["Error"]["Code"] in GONE


def _some(answer: Mapping[str, Any], *names: str) -> Properties:
    return {name: answer.get(name) for name in names}


def _function(functions: Any, name: str) -> Properties:
    found = functions.get_function_configuration(FunctionName=name)
    environment = {"Environment": found["Environment"]} if "Environment" in found else {}
    names = ("Handler", "Runtime", "MemorySize", "Timeout", "Description", "Role")
    return {**_some(found, *names), **environment}


def _bucket(s3: Any, name: str) -> Properties:
    s3.head_bucket(Bucket=name)
    status = s3.get_bucket_versioning(Bucket=name).get("Status")
    return {"VersioningConfiguration": {"Status": status} if status else None}


def _queue(sqs: Any, url: str) -> Properties:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return _some(
        found, "VisibilityTimeout", "DelaySeconds", "MaximumMessageSize", "KmsMasterKeyId",
        "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    )  # fmt: skip


def _topic(sns: Any, arn: str) -> Properties:
    return _some(sns.get_topic_attributes(TopicArn=arn)["Attributes"], "DisplayName")


def _table(dynamodb: Any, name: str) -> Properties:
    found = dynamodb.describe_table(TableName=name)["Table"]
    return _some(found.get("BillingModeSummary", {}), "BillingMode")


def _log_group(logs: Any, name: str) -> Properties | None:
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == name), None)
    return found and {"RetentionInDays": found.get("retentionInDays")}


def _role(iam: Any, name: str) -> Properties:
    return _some(iam.get_role(RoleName=name)["Role"], "Description", "MaxSessionDuration")


def _parameter(ssm: Any, name: str) -> Properties:
    return _some(ssm.get_parameter(Name=name)["Parameter"], "Type", "Value")


def _rest_api(gateway: Any, api_id: str) -> Properties:
    found = gateway.get_rest_api(restApiId=api_id)
    return {"Description": found.get("description")}


def _api(gateway: Any, api_id: str) -> Properties:
    return {"Description": gateway.get_api(ApiId=api_id).get("Description")}


READERS: Mapping[str, Reader] = {
    "AWS::Lambda::Function": Reader("lambda", _function),
    "AWS::S3::Bucket": Reader("s3", _bucket),
    "AWS::SQS::Queue": Reader("sqs", _queue),
    "AWS::SNS::Topic": Reader("sns", _topic),
    "AWS::DynamoDB::Table": Reader("dynamodb", _table),
    "AWS::Logs::LogGroup": Reader("logs", _log_group),
    "AWS::IAM::Role": Reader("iam", _role),
    "AWS::SSM::Parameter": Reader("ssm", _parameter),
    "AWS::ApiGateway::RestApi": Reader("apigateway", _rest_api),
    "AWS::ApiGatewayV2::Api": Reader("apigatewayv2", _api),
}
