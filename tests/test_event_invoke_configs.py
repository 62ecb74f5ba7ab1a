"""Settings of asynchronous invocation."""

import datetime
import json

import pytest

from deployment import deploy, make_role, unchecked, wait_for
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
INVALID = "InvalidParameterValueException"


@pytest.fixture(scope="module")
def functions(local_cloud):
    deploy(local_cloud, "fn", "def handler(event, context): pass\n")
    deploy(local_cloud, "other", "def handler(event, context): pass\n")
    client = unchecked(local_cloud, "lambda")
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return client


@pytest.fixture(autouse=True)
def no_configs(functions):
    yield
    for found in functions.list_function_event_invoke_configs(FunctionName="fn")[
        "FunctionEventInvokeConfigs"
    ]:
        functions.delete_function_event_invoke_config(FunctionName=found["FunctionArn"])


def test_put_replaces_and_update_keeps(functions):
    given = {"FunctionName": "fn"}
    made = functions.put_function_event_invoke_config(
        **given, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    made.pop("ResponseMetadata")
    age = datetime.datetime.now(datetime.UTC) - made.pop("LastModified")
    assert abs(age.total_seconds()) < 60
    assert made == {
        "FunctionArn": f"{ARN}:$LATEST",
        "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}},
    }
    kept = functions.update_function_event_invoke_config(**given, MaximumEventAgeInSeconds=60)
    assert (kept["MaximumRetryAttempts"], kept["MaximumEventAgeInSeconds"]) == (1, 60)
    assert kept["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE}
    functions.put_function_event_invoke_config(**given, MaximumRetryAttempts=0)
    found = functions.get_function_event_invoke_config(**given)
    assert found["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in found
    assert found["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}


def test_qualifiers_have_settings_of_their_own(functions):
    for qualifier, attempts in (("live", 0), ("1", 1), ("$LATEST", 2)):
        functions.put_function_event_invoke_config(
            FunctionName="fn", Qualifier=qualifier, MaximumRetryAttempts=attempts
        )
    found = functions.get_function_event_invoke_config(FunctionName="fn", Qualifier="live")
    assert (found["FunctionArn"], found["MaximumRetryAttempts"]) == (f"{ARN}:live", 0)
    listed = functions.list_function_event_invoke_configs(FunctionName="fn")[
        "FunctionEventInvokeConfigs"
    ]
    assert {each["FunctionArn"]: each["MaximumRetryAttempts"] for each in listed} == {
        f"{ARN}:live": 0, f"{ARN}:1": 1, f"{ARN}:$LATEST": 2
    }  # fmt: skip
    first = functions.list_function_event_invoke_configs(FunctionName="fn", MaxItems=2)
    assert len(first["FunctionEventInvokeConfigs"]) == 2 and first["NextMarker"]


def test_a_version_does_not_inherit(functions):
    functions.put_function_event_invoke_config(FunctionName="fn", MaximumRetryAttempts=0)
    functions.update_function_configuration(FunctionName="fn", Description="other")
    version = functions.publish_version(FunctionName="fn")["Version"]
    answer = refusal(
        functions.get_function_event_invoke_config, FunctionName="fn", Qualifier=version
    )
    assert answer[2] == f"The function {ARN}:{version} doesn't have an EventInvokeConfig"


def test_missing(functions):
    none = (
        404, "ResourceNotFoundException",
        f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig",
    )  # fmt: skip
    given = {"FunctionName": "fn"}
    assert refusal(functions.get_function_event_invoke_config, **given) == none
    assert refusal(functions.delete_function_event_invoke_config, **given) == none
    change = {"MaximumRetryAttempts": 1}
    assert refusal(functions.update_function_event_invoke_config, **given, **change) == none
    missing = (404, "ResourceNotFoundException", "The function doesn't exist.")
    put = functions.put_function_event_invoke_config
    assert refusal(put, FunctionName="nobody", **change) == missing
    assert refusal(put, **given, Qualifier="9", **change) == missing
    assert refusal(functions.list_function_event_invoke_configs, FunctionName="nobody") == missing


def test_refusals(functions):
    def refused(on_success=None, **given):
        if on_success:
            given["DestinationConfig"] = {"OnSuccess": {"Destination": on_success}}
        return refusal(functions.put_function_event_invoke_config, FunctionName="fn", **given)

    assert refused() == (
        400, INVALID, "You must specify at least one of error handling or destination setting."
    )  # fmt: skip
    assert refused(ARN) == (
        400, INVALID, "You can't specify the function as a destination for itself."
    )  # fmt: skip
    missing = f"{ARN[:-2]}nobody"
    assert refused(missing) == (400, INVALID, f"The destination ARN {missing} is invalid.")
    bucket = "arn:aws:s3:::bucket"
    assert refused(bucket) == (
        400, INVALID,
        f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={bucket}), "
        "onFailure=null) is invalid.",
    )  # fmt: skip
    assert refused("queue")[1] == "ValidationException"
    prefix = "1 validation error detected: Value"
    constraint = "failed to satisfy constraint: Member must have value"
    assert refused(MaximumRetryAttempts=3)[2] == (
        f"{prefix} '3' at 'maximumRetryAttempts' {constraint} less than or equal to 2"
    )
    assert refused(MaximumEventAgeInSeconds=59)[2] == (
        f"{prefix} '59' at 'maximumEventAgeInSeconds' {constraint} greater than or equal to 60"
    )
    assert refused(MaximumEventAgeInSeconds=21601)[2] == (
        f"{prefix} '21601' at 'maximumEventAgeInSeconds' {constraint} less than or equal to 21600"
    )


def test_destinations_of_every_kind(functions):
    for arn in (
        QUEUE,
        "arn:aws:sns:us-east-1:000000000000:topic",
        "arn:aws:events:us-east-1:000000000000:event-bus/default",
        f"{ARN[:-2]}other",
    ):
        functions.put_function_event_invoke_config(
            FunctionName="fn", DestinationConfig={"OnSuccess": {"Destination": arn}}
        )
    functions.put_function_event_invoke_config(
        FunctionName="fn", DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}
    )


def test_settings_of_an_alias_are_those_of_its_invocations(local_cloud, functions):
    queues = local_cloud.client("sqs")
    url = queues.create_queue(QueueName="failed")["QueueUrl"]
    role = make_role(local_cloud, "fails", {"Action": "sqs:SendMessage", "Resource": QUEUE})
    deploy(local_cloud, "fails", "def handler(event, context): raise ValueError(event)\n", role)
    functions.publish_version(FunctionName="fails")
    functions.create_alias(FunctionName="fails", Name="live", FunctionVersion="1")
    functions.put_function_event_invoke_config(
        FunctionName="fails", Qualifier="live", MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )  # fmt: skip
    # Without settings of its own the function is tried again in a minute, and nothing is sent.
    functions.invoke(FunctionName="fails", InvocationType="Event", Payload='"unqualified"')
    functions.invoke(
        FunctionName="fails", Qualifier="live", InvocationType="Event", Payload='"by alias"'
    )
    [message] = wait_for(lambda: queues.receive_message(QueueUrl=url).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestPayload"] == "by alias"
    assert record["requestContext"]["approximateInvokeCount"] == 1
