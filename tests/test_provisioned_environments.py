"""Provisioned concurrency: environments that are initialised before anybody calls."""

import datetime
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from deployment import deploy, log_messages, wait_for

_SOURCE = """
    import os, time
    print("initialised")
    def handler(event, context):
        time.sleep(event.get("s", 0))
        return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""


def _provide(cloud, function: str, count: int, qualifier: str = "1", status="READY") -> dict:
    client = cloud.client("lambda")
    name = {"FunctionName": function, "Qualifier": qualifier}
    answer = client.put_provisioned_concurrency_config(
        **name, ProvisionedConcurrentExecutions=count
    )
    assert answer["Status"] == "IN_PROGRESS"

    def shown():
        config = client.get_provisioned_concurrency_config(**name)
        return config if config["Status"] != "IN_PROGRESS" else None

    config = wait_for(shown)
    assert config["Status"] == status
    return config


def _published(cloud, name: str, source: str = _SOURCE) -> None:
    deploy(cloud, name, source)
    cloud.client("lambda").publish_version(FunctionName=name)


def _invoke(cloud, function: str, seconds: float = 0, **arguments):
    payload = json.dumps({"s": seconds})
    answer = cloud.client("lambda").invoke(
        FunctionName=function, Payload=payload, LogType="Tail", **arguments
    )
    return json.load(answer["Payload"])


def _entries(cloud, function: str, kind: str) -> list[dict]:
    return [e for e in cloud.record.entries(function=function) if e["type"] == kind]


def test_they_are_initialised_before_the_first_call(local_cloud):
    _published(local_cloud, "ready")
    config = _provide(local_cloud, "ready", 2)
    assert config["AllocatedProvisionedConcurrentExecutions"] == 2
    assert config["AvailableProvisionedConcurrentExecutions"] == 2
    starts = _entries(local_cloud, "ready", "init.start")
    assert [e["initialization_type"] for e in starts] == ["provisioned-concurrency"] * 2
    assert not _entries(local_cloud, "ready", "invoke.start")
    assert _invoke(local_cloud, "ready", Qualifier="1") == "provisioned-concurrency"
    lines = log_messages(local_cloud, "/aws/lambda/ready", "REPORT")
    assert any(line.startswith("INIT_REPORT Init Duration: ") for line in lines)
    assert not any("Init Duration" in line for line in lines if line.startswith("REPORT"))
    assert len(_entries(local_cloud, "ready", "init.start")) == 2


def test_what_is_too_much_spills_over(local_cloud):
    _published(local_cloud, "spills")
    _provide(local_cloud, "spills", 1)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(_invoke, local_cloud, "spills", 2, Qualifier="1") for _ in range(2)]
        kinds = sorted(call.result() for call in calls)
    assert kinds == ["on-demand", "provisioned-concurrency"]


def test_metrics_tell_invocations_from_spillover(local_cloud):
    _published(local_cloud, "counted")
    _provide(local_cloud, "counted", 1)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _invoke(local_cloud, "counted", 2, Qualifier="1"), range(2)))
    now = datetime.datetime.now(datetime.UTC)
    span = datetime.timedelta(minutes=10)

    def statistic(metric: str, kind: str) -> float:
        answer = local_cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Statistics=[kind], Period=3600,
            StartTime=now - span, EndTime=now + span,
            Dimensions=[{"Name": "FunctionName", "Value": "counted"},
                        {"Name": "Resource", "Value": "counted:1"}],
        )  # fmt: skip
        return answer["Datapoints"][0][kind]

    assert statistic("ProvisionedConcurrencyInvocations", "Sum") == 1
    assert statistic("ProvisionedConcurrencySpilloverInvocations", "Sum") == 1
    assert statistic("ProvisionedConcurrencyUtilization", "Maximum") == 1
    assert statistic("ProvisionedConcurrentExecutions", "Maximum") == 1
    assert statistic("Invocations", "Sum") == 2


def test_other_ways_to_the_function_have_no_part_in_it(local_cloud):
    _published(local_cloud, "only-one")
    _provide(local_cloud, "only-one", 1)
    assert _invoke(local_cloud, "only-one") == "on-demand"


def test_an_init_that_fails_fails_the_configuration(local_cloud):
    _published(local_cloud, "breaks", "raise ValueError('no')\ndef handler(e, c): pass\n")
    config = _provide(local_cloud, "breaks", 1, status="FAILED")
    assert config["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert config["AvailableProvisionedConcurrentExecutions"] == 0


def test_an_alias_takes_them_along_to_another_version(local_cloud):
    _published(local_cloud, "moves")
    client = local_cloud.client("lambda")
    client.create_alias(FunctionName="moves", Name="live", FunctionVersion="1")
    _provide(local_cloud, "moves", 1, "live")
    client.update_function_configuration(FunctionName="moves", Description="another")
    client.get_waiter("function_updated_v2").wait(FunctionName="moves")
    client.publish_version(FunctionName="moves")
    client.update_alias(FunctionName="moves", Name="live", FunctionVersion="2")
    wait_for(
        lambda: [
            e for e in _entries(local_cloud, "moves", "init.end") if e["function"].endswith(":2")
        ]
    )
    wait_for(lambda: _entries(local_cloud, "moves", "shutdown"))
    wait_for(lambda: _invoke(local_cloud, "moves", Qualifier="live") == "provisioned-concurrency")


def test_all_of_a_reservation_leaves_nothing_on_demand(local_cloud):
    _published(local_cloud, "all-of-it")
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="all-of-it", ReservedConcurrentExecutions=1)
    _provide(local_cloud, "all-of-it", 1)
    assert _invoke(local_cloud, "all-of-it", Qualifier="1") == "provisioned-concurrency"
    with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
        client.invoke(FunctionName="all-of-it")
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_they_end_with_their_configuration(local_cloud):
    _published(local_cloud, "ends")
    _provide(local_cloud, "ends", 2)
    local_cloud.client("lambda").delete_provisioned_concurrency_config(
        FunctionName="ends", Qualifier="1"
    )
    wait_for(lambda: len(_entries(local_cloud, "ends", "shutdown")) == 2)
    assert _invoke(local_cloud, "ends", Qualifier="1") == "on-demand"


def test_one_that_crashed_goes_on_with_a_suppressed_init(local_cloud):
    source = """
        import os
        def handler(event, context):
            if event["s"]:
                os._exit(1)
            return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
    """
    _published(local_cloud, "crashes", source)
    _provide(local_cloud, "crashes", 1)
    assert _invoke(local_cloud, "crashes", 1, Qualifier="1")["errorType"] == "Runtime.ExitError"
    assert _invoke(local_cloud, "crashes", Qualifier="1") == "provisioned-concurrency"
    phases = [e["phase"] for e in _entries(local_cloud, "crashes", "init.start")]
    assert phases == ["init", "invoke"]
