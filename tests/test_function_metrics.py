"""Lambda's CloudWatch metrics, as boto3 reads them."""

import datetime
import json

import pytest
from botocore.config import Config

from deployment import deploy, invoke, make_role, wait_for

SOURCE = """
    import time
    def handler(event, context):
        time.sleep(event.get("s", 0))
        return 1 / event.get("divisor", 1)
"""


def window():
    now = datetime.datetime.now(datetime.UTC)
    span = datetime.timedelta(minutes=10)
    return {"StartTime": now - span, "EndTime": now + span}


def statistics(cloud, metric, **dimensions):
    """Sum, SampleCount, Minimum, Maximum and Average of ten minutes; None where there is nothing."""
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        Period=3600,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum", "Average"],
        **window(),
    )["Datapoints"]
    assert len(points) <= 1
    return points[0] if points else None


@pytest.fixture(scope="module")
def counted(local_cloud):
    """A cloud in which a function was invoked five times, twice by an alias, and failed once."""
    deploy(local_cloud, "counted", SOURCE)
    client = local_cloud.client("lambda")
    client.publish_version(FunctionName="counted")
    client.create_alias(FunctionName="counted", Name="live", FunctionVersion="1")
    for event in ({}, {}, {"divisor": 0}):
        invoke(local_cloud, "counted", event)
    for _ in range(2):
        invoke(local_cloud, "counted", {"s": 0.05}, Qualifier="live")
    deploy(local_cloud, "other", SOURCE)
    invoke(local_cloud, "other")
    return local_cloud


def test_invocations_and_errors(counted):
    assert statistics(counted, "Invocations", FunctionName="counted")["Sum"] == 5
    errors = statistics(counted, "Errors", FunctionName="counted")
    assert (errors["Sum"], errors["SampleCount"]) == (1, 5), "the average is the error rate"
    assert errors["Unit"] == "Count"


def test_dimensions(counted):
    assert statistics(counted, "Invocations")["Sum"] == 6, "over all functions"
    named = {"FunctionName": "counted"}
    assert statistics(counted, "Invocations", **named, Resource="counted")["Sum"] == 3
    assert statistics(counted, "Invocations", **named, Resource="counted:live")["Sum"] == 2
    executed = {**named, "Resource": "counted:live", "ExecutedVersion": "1"}
    assert statistics(counted, "Invocations", **executed)["Sum"] == 2
    assert statistics(counted, "Invocations", FunctionName="nobody") is None


def test_duration(counted):
    duration = statistics(counted, "Duration", FunctionName="counted", Resource="counted:live")
    assert duration["Unit"] == "Milliseconds"
    assert duration["Minimum"] >= 50
    assert duration["Minimum"] <= duration["Average"] <= duration["Maximum"]
    ends = [e for e in counted.record.entries(function="counted") if e["type"] == "invoke.end"]
    total = statistics(counted, "Duration", FunctionName="counted")["Sum"]
    assert total == pytest.approx(sum(end["duration_ms"] for end in ends))


def test_throttles(local_cloud):
    deploy(local_cloud, "closed", SOURCE)
    client = local_cloud.client("lambda", config=Config(retries={"max_attempts": 0}))
    client.put_function_concurrency(FunctionName="closed", ReservedConcurrentExecutions=0)
    for _ in range(3):
        with pytest.raises(client.exceptions.TooManyRequestsException):
            client.invoke(FunctionName="closed")
    assert statistics(local_cloud, "Throttles", FunctionName="closed")["Sum"] == 3
    assert statistics(local_cloud, "Invocations", FunctionName="closed") is None


def test_concurrent_executions(local_cloud):
    deploy(local_cloud, "crowd", SOURCE)
    client = local_cloud.client("lambda")
    for _ in range(3):
        client.invoke(FunctionName="crowd", InvocationType="Event", Payload=b'{"s": 4}')
    deploy(local_cloud, "reserved", SOURCE)
    client.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=5)
    invoke(local_cloud, "reserved")

    def ended():
        entries = local_cloud.record.entries(function="crowd")
        return [entry for entry in entries if entry["type"] == "invoke.end"][2:]

    wait_for(ended)
    assert statistics(local_cloud, "ConcurrentExecutions", FunctionName="crowd")["Maximum"] == 3
    assert statistics(local_cloud, "ConcurrentExecutions", FunctionName="reserved")["Maximum"] == 1
    overall = statistics(local_cloud, "ConcurrentExecutions")["Maximum"]
    assert overall >= 3
    assert statistics(local_cloud, "UnreservedConcurrentExecutions")["Maximum"] == 3
    # The five that are reserved are claimed, though one was used.
    assert statistics(local_cloud, "ClaimedAccountConcurrency")["Maximum"] == 3 + 5


def test_asynchronous_invocation_metrics(local_cloud):
    queue = "arn:aws:sqs:us-east-1:000000000000:never-made"
    role = make_role(local_cloud, "later-role", {"Action": "sqs:*", "Resource": "*"})
    deploy(local_cloud, "later", SOURCE, role=role)
    client = local_cloud.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName="later",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    for divisor in (0, 1):
        client.invoke(
            FunctionName="later", InvocationType="Event", Payload=json.dumps({"divisor": divisor})
        )
    named = {"FunctionName": "later"}
    wait_for(lambda: statistics(local_cloud, "DestinationDeliveryFailures", **named))
    wait_for(lambda: statistics(local_cloud, "Invocations", **named)["Sum"] == 2)
    assert statistics(local_cloud, "AsyncEventsReceived", **named)["Sum"] == 2
    assert statistics(local_cloud, "AsyncEventsDropped", **named)["Sum"] == 1
    assert statistics(local_cloud, "DestinationDeliveryFailures", **named)["Sum"] == 1
    age = wait_for(
        lambda: (
            (found := statistics(local_cloud, "AsyncEventAge", **named))
            and found["SampleCount"] == 2
            and found
        )
    )
    assert age["Unit"] == "Milliseconds"


def test_get_metric_data_and_its_expressions(counted):
    def query(name, metric, **dimensions):
        return {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
                },
                "Period": 3600,
                "Stat": "Sum",
            },
        }

    named = {"FunctionName": "counted"}
    answer = counted.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            query("errors", "Errors", **named),
            {**query("all", "Invocations", **named), "ReturnData": False},
            query("live", "Invocations", Resource="counted:live", **named),
            {"Id": "same", "Expression": "errors"},
        ],
        **window(),
    )
    values = {each["Id"]: each["Values"] for each in answer["MetricDataResults"]}
    assert values == {"errors": [1.0], "live": [2.0], "same": [1.0]}


def test_list_metrics_names_each_once(counted):
    metrics = counted.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
    )["Metrics"]
    found = sorted(
        tuple(sorted((each["Name"], each["Value"]) for each in metric["Dimensions"]))
        for metric in metrics
    )
    function = ("FunctionName", "counted")
    assert found == sorted(
        [
            (function,),
            (function, ("Resource", "counted")),
            (function, ("Resource", "counted:live")),
            (("ExecutedVersion", "1"), function, ("Resource", "counted:live")),
        ]
    )
