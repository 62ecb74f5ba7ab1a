"""Odd forms of the query protocol get the service's own error, and none is an error of the server."""

import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.model import Shape

from localcloud.service_models import service_model
from people import refusal

VALIDATION = "1 validation error detected: Value "
TOPIC = "arn:aws:sns:us-east-1:000000000000:odd"
SERVICES = ["sts", "iam", "sqs", "sns", "cloudformation", "cloudwatch"]


def post(cloud, service, **form) -> tuple[int, str, str]:
    """Status, code and message of what a service answers to a form; both empty where it is content."""
    body = urllib.parse.urlencode({"Version": service_model(service).api_version, **form}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", f"{cloud.endpoint_url}/", headers, body)
    signing_name = {"cloudwatch": "monitoring"}.get(service, service)
    SigV4Auth(Credentials("test", "test"), signing_name, "us-east-1").add_auth(request)
    asked = urllib.request.Request(request.url, body, dict(request.headers))
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, "", ""
    except urllib.error.HTTPError as error:
        with error:
            elements = {
                each.tag.rpartition("}")[2]: each.text for each in ElementTree.parse(error).iter()
            }
        return error.status, elements["Code"], elements["Message"] or ""


@pytest.mark.parametrize(
    ("service", "form", "code", "message"),
    [
        ("sts", {"Action": "AssumeRole", "RoleSessionName": "me"}, "ValidationError",
         f"{VALIDATION}null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ("sts", {"Action": "GetSessionToken", "DurationSeconds": "soon"}, "MalformedInput",
         "DurationSeconds is not of the type integer"),
        ("iam", {"Action": "ListUsers", "MaxItems": "all"}, "MalformedInput",
         "MaxItems is not of the type integer"),
        ("iam", {"Action": "ListRoles", "Marker": "mine"}, "ValidationError",
         "Value mine for parameter Marker is invalid."),
        ("iam", {"Action": "TagRole", "RoleName": "r", "Tags.member.1.Key": "k"}, "ValidationError",
         f"{VALIDATION}null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"),
        ("sqs", {"Action": "CreateQueue"}, "MissingParameter",
         "The request must contain the parameter QueueName."),
        ("sqs", {"Action": "ListQueues", "MaxResults": "many"}, "InvalidParameterValue",
         "Value many for parameter MaxResults is invalid. Reason: Must be an integer."),
        ("sns", {"Action": "DeleteTopic"}, "InvalidParameter",
         "Invalid parameter: TopicArn Reason: no value for required parameter"),
        ("sns", {"Action": "GetTopicAttributes", "TopicArn": "odd"}, "InvalidParameter",
         "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        ("sns", {"Action": "Publish", "Message": "m"}, "InvalidParameter",
         "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"),
        ("sns", {"Action": "Publish", "Message": "m", "TopicArn": TOPIC,
                 "MessageAttributes.entry.1.Name": "n"}, "MalformedInput",
         "MessageAttributes has a key without a value"),
        ("sns", {"Action": "ListTopics", "NextToken": "mine"}, "InvalidParameter",
         "Invalid parameter: NextToken"),
        ("cloudwatch", {"Action": "GetMetricStatistics", "Namespace": "n", "MetricName": "m",
                        "StartTime": "yesterday"}, "MalformedInput", "timestamp must follow ISO8601"),
        ("cloudwatch", {"Action": "PutDashboard"}, "MissingParameter",
         "The parameter DashboardName is required.\nThe parameter DashboardBody is required."),
    ],
)  # fmt: skip
def test_an_odd_form_gets_the_service_s_own_error(local_cloud, service, form, code, message):
    assert post(local_cloud, service, **form) == (400, code, message)


def test_boto3_without_its_own_checks_is_told_as_well(local_cloud):
    sns = local_cloud.session().client(
        "sns", endpoint_url=local_cloud.endpoint_url, config=Config(parameter_validation=False)
    )
    assert refusal(sns.get_topic_attributes, TopicArn="odd") == (
        "InvalidParameter",
        "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
        400,
    )


def scalars(shape: Shape):
    """A structure's members that are neither structures, lists nor maps, by their names in a form."""
    for name, member in shape.members.items():
        if member.type_name not in ("structure", "list", "map"):
            yield member.serialization.get("name", name)


@pytest.mark.parametrize("service", SERVICES)
def test_no_form_is_the_server_s_fault(local_cloud, service):
    """Every operation, without parameters, with odd ones alone and with all of them."""
    model = service_model(service)
    faults = []
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        names = list(scalars(shape)) if shape else []
        for form in (
            {},
            *({each: "odd" for each in part} for part in (names[:1], names[1:], names)),
        ):
            status, code, message = post(local_cloud, service, Action=name, **form)
            if status >= 500:
                faults.append((name, form, code, message))
    assert [fault for fault in faults if fault[0] != "CreateServiceLinkedRole"] == []
