"""What AWS may answer and the local cloud does not: throttles, refusals, late roles, many pages."""

import io

import boto3
import pytest
from botocore import exceptions
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from checks import deployment, stacks

from labkit import resource_kinds
from labkit.cloud_errors import explain


@pytest.fixture(autouse=True)
def somebody(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the pauses between retries
    boto3.setup_default_session()
    for cached in (deployment.client, deployment.invoker):
        cached.cache_clear()
    yield
    for cached in (deployment.client, deployment.invoker):
        cached.cache_clear()


class Answers:
    """Answers a client's requests one after the other, in place of a network."""

    def __init__(self, client, *answers):
        self.left, self.asked = list(answers), 0
        client.meta.events.register("before-send", self._answer)

    def _answer(self, request, **_):
        self.asked += 1
        status, headers, body = self.left.pop(0)

        class Raw(io.BytesIO):
            def stream(self, amount=None, **__):
                yield self.read()

        return AWSResponse(request.url, status, headers, Raw(body))


THROTTLED = (429, {"x-amzn-ErrorType": "TooManyRequestsException"}, b'{"message": "Rate exceeded"}')
BROKEN = (503, {}, b"{}")
FOUND = (200, {}, b'{"FunctionName": "f", "State": "Active"}')


@pytest.mark.parametrize("trouble", [THROTTLED, BROKEN], ids=["throttled", "unavailable"])
def test_the_control_plane_is_asked_again(trouble):
    functions = deployment.client("lambda")
    answers = Answers(functions, trouble, trouble, trouble, FOUND)
    assert functions.get_function_configuration(FunctionName="f")["State"] == "Active"
    assert answers.asked == 4


def test_a_deletion_that_is_allowed_once_in_30_seconds_is_tried_ten_times():
    resource_kinds.client.cache_clear()
    gateway = resource_kinds.client("apigateway")
    answers = Answers(gateway, *[THROTTLED] * 9, (202, {}, b""))
    resource_kinds.by("apigateway", "delete_rest_api", "restApiId")("a")
    assert answers.asked == 10
    resource_kinds.client.cache_clear()


@pytest.mark.parametrize("trouble", [THROTTLED, BROKEN], ids=["throttled", "unavailable"])
def test_an_invocation_is_never_made_twice(trouble):
    answers = Answers(deployment.invoker(), trouble)
    with pytest.raises(ClientError):
        deployment.invoker().invoke(FunctionName="f")
    assert answers.asked == 1


def test_a_role_that_is_not_known_everywhere_yet():
    functions = boto3.client("lambda")
    role = "arn:aws:iam::123456789012:role/lab-r"
    asked = {"FunctionName": "f", "Role": role, "Handler": "app.handler"}
    with Stubber(functions) as stub:
        stub.add_client_error(
            "create_function", "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.", 400,
        )  # fmt: skip
        stub.add_response("create_function", {"FunctionName": "f"})
        stub.add_client_error("create_function", "AccessDeniedException", "no", 403)
        assert deployment.is_created(functions, {"app.py": "x = 1"}, **asked) is False
        assert deployment.is_created(functions, {"app.py": "x = 1"}, **asked) is True
        with pytest.raises(ClientError, match="AccessDenied"):
            deployment.is_created(functions, {"app.py": "x = 1"}, **asked)


def test_a_kept_layer_is_found_on_the_second_page():
    functions = deployment.client("lambda")
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:lab-l:1"
    with Stubber(functions) as stub:
        other = {"LayerVersionArn": "arn:other", "Description": "other"}
        wanted = {"LayerVersionArn": arn, "Description": "Pillow 13"}
        stub.add_response("list_layer_versions", {"LayerVersions": [other], "NextMarker": "more"})
        stub.add_response("list_layer_versions", {"LayerVersions": [wanted]})
        assert deployment.kept_layer("lab-l", "Pillow 13", bytes) == arn


def test_the_first_failure_of_a_stack_is_on_the_last_page():
    cloudformation = deployment.client("cloudformation")

    def event(name, status):
        return {
            "StackId": "s", "EventId": name, "StackName": "s", "Timestamp": 0,
            "LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": "why",
        }  # fmt: skip

    with Stubber(cloudformation) as stub:
        late, first = event("Later", "CREATE_FAILED"), event("First", "CREATE_FAILED")
        stub.add_response("describe_stack_events", {"StackEvents": [late], "NextToken": "more"})
        stub.add_response("describe_stack_events", {"StackEvents": [first]})
        assert stacks.Stack(None, "s", "", {}).failure() == "First: why"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "have expired"),
        ("ExpiredTokenException", "have expired"),
        ("RequestExpired", "have expired"),
        ("InvalidClientTokenId", "does not know these keys"),
        ("SignatureDoesNotMatch", "does not know these keys"),
        ("AccessDenied", "docs/learner-policy-"),
        ("AccessDeniedException", "docs/learner-policy-"),
        ("Throttling", "Wait a minute"),
        ("TooManyRequestsException", "Wait a minute"),
        ("OptInRequired", "not switched on"),
    ],
)
def test_refusals_say_what_to_do(code, words):
    error = ClientError({"Error": {"Code": code, "Message": "AWS's own words"}}, "GetFunction")
    assert "AWS's own words" in explain(error) and words in explain(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NoCredentialsError(), "aws configure"),
        (exceptions.NoRegionError(), "AWS_REGION"),
        (exceptions.ProfileNotFound(profile="p"), "AWS_PROFILE"),
        (exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "Are you online"),
    ],
)
def test_what_fails_before_aws_is_asked(error, words):
    assert words in explain(error)
