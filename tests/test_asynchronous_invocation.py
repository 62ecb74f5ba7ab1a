"""Asynchronous invocation: tries, ages, destinations and dead letters, at six hundred times the speed."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.config import Config

from deployment import deploy, make_role, wait_for

ACCOUNT, REGION = "000000000000", "us-east-1"
FAILING = """
    def handler(event, context):
        print("tried", context.aws_request_id)
        raise ValueError("no good: " + event.get("name", ""))
"""
ECHO = "def handler(event, context): return {'seen': event}\n"


def settings(cloud, **values):
    """PUT /_localcloud/settings, or only read it where no values are given."""
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/_localcloud/settings",
        data=json.dumps(values).encode() if values else None,
        method="PUT" if values else "GET",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.fixture(autouse=True)
def fast(local_cloud):
    settings(local_cloud, event_speed=600)


def function_arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def queue(cloud, name, **attributes):
    """A queue's URL and ARN."""
    url = cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def receive(cloud, url):
    """Wait for one message of a queue."""
    sqs = cloud.client("sqs")

    def message():
        answer = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        return answer.get("Messages")

    return wait_for(message)[0]


def invoke_event(cloud, name, event=None, **options):
    """Invoke asynchronously and return the request id."""
    answer = cloud.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event or {}), **options
    )
    return answer["ResponseMetadata"]["RequestId"]


def entries(cloud, kind, name):
    return [entry for entry in cloud.record.entries(function=name) if entry["type"] == kind]


def deploy_with_destinations(
    cloud, name, source, *statements, success=None, failure=None, **config
):
    """Deploy a function and set where the records of its invocations go."""
    statements = statements or (
        {"Action": ["sqs:*", "sns:*", "lambda:*", "events:*", "s3:*"], "Resource": "*"},
    )
    deploy(cloud, name, source, role=make_role(cloud, f"{name}-role", *statements), Timeout=90)
    destinations = {}
    if success:
        destinations["OnSuccess"] = {"Destination": success}
    if failure:
        destinations["OnFailure"] = {"Destination": failure}
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig=destinations, **config
    )


def test_success_destination(local_cloud):
    url, arn = queue(local_cloud, "successes")
    deploy_with_destinations(local_cloud, "succeeds", ECHO, success=arn, failure=arn)
    request_id = invoke_event(local_cloud, "succeeds", {"n": 1})
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function_arn('succeeds')}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"seen": {"n": 1}},
    }


def test_two_retries_with_one_request_id_then_failure_destination(local_cloud):
    url, arn = queue(local_cloud, "failures")
    deploy_with_destinations(local_cloud, "fails", FAILING, failure=arn)
    request_id = invoke_event(local_cloud, "fails", {"name": "thrice"})
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "no good: thrice"
    assert record["responsePayload"]["requestId"] == request_id
    tries = entries(local_cloud, "invoke.end", "fails")
    assert [entry["request_id"] for entry in tries] == [request_id] * 3
    waits = [entry["delay_s"] for entry in entries(local_cloud, "async.retry", "fails")]
    assert waits == [60, 120]
    gaps = [b["time"] - a["time"] for a, b in zip(tries, tries[1:], strict=False)]
    assert gaps[0] >= 0.1 and gaps[1] >= 0.2, "a minute is a tenth of a second at this speed"


def test_maximum_retry_attempts(local_cloud):
    url, arn = queue(local_cloud, "once-failures")
    deploy_with_destinations(local_cloud, "once", FAILING, failure=arn, MaximumRetryAttempts=0)
    invoke_event(local_cloud, "once")
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1


def test_a_retry_that_would_come_too_late_is_not_waited_for(local_cloud):
    settings(local_cloud, event_speed=1)
    url, arn = queue(local_cloud, "aged-failures")
    deploy_with_destinations(local_cloud, "aged", FAILING, failure=arn, MaximumEventAgeInSeconds=60)
    invoke_event(local_cloud, "aged")
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"]["functionError"] == "Unhandled"


def test_throttled_events_wait_without_using_the_retries(local_cloud):
    url, arn = queue(local_cloud, "patient-results")
    source = """
        import time
        def handler(event, context):
            time.sleep(event["s"])
            return "done"
    """
    deploy_with_destinations(local_cloud, "patient", source, success=arn, MaximumRetryAttempts=0)
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="patient", ReservedConcurrentExecutions=1)
    invoke_event(local_cloud, "patient", {"s": 60})
    wait_for(lambda: entries(local_cloud, "invoke.start", "patient"))
    second = invoke_event(local_cloud, "patient", {"s": 0})

    def delays():
        tried = entries(local_cloud, "async.retry", "patient")
        return [entry["delay_s"] for entry in tried if entry["request_id"] == second]

    wait_for(lambda: len(delays()) >= 4)
    client.put_function_concurrency(FunctionName="patient", ReservedConcurrentExecutions=2)
    context = json.loads(receive(local_cloud, url)["Body"])["requestContext"]
    assert (context["requestId"], context["condition"]) == (second, "Success")
    assert context["approximateInvokeCount"] == 1
    waits = delays()
    assert waits[:4] == [1, 2, 4, 8], "the delay doubles"
    assert max(waits) <= 300


def test_throttled_until_too_old(local_cloud):
    settings(local_cloud, event_speed=60)
    url, arn = queue(local_cloud, "crowded-failures")
    source = "import time\ndef handler(event, context): time.sleep(event['s'])\n"
    deploy_with_destinations(
        local_cloud, "crowded", source, failure=arn, MaximumEventAgeInSeconds=60
    )
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="crowded", ReservedConcurrentExecutions=1)
    invoke_event(local_cloud, "crowded", {"s": 6})
    wait_for(lambda: entries(local_cloud, "invoke.start", "crowded"))
    invoke_event(local_cloud, "crowded", {"s": 0})
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record and "responsePayload" not in record


def test_reserved_concurrency_zero_goes_to_the_destination_at_once(local_cloud):
    url, arn = queue(local_cloud, "closed-failures")
    deploy_with_destinations(local_cloud, "closed", ECHO, failure=arn)
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="closed", ReservedConcurrentExecutions=0)
    invoke_event(local_cloud, "closed", {"n": 2})
    record = json.loads(receive(local_cloud, url)["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestPayload"] == {"n": 2}
    assert "responseContext" not in record and "responsePayload" not in record
    assert not entries(local_cloud, "async.retry", "closed")


def test_destination_lambda(local_cloud):
    deploy(local_cloud, "listener", "def handler(event, context): return event\n")
    deploy_with_destinations(local_cloud, "tells", ECHO, success=function_arn("listener"))
    invoke_event(local_cloud, "tells", {"n": 3})
    wait_for(lambda: entries(local_cloud, "invoke.end", "listener"))


def test_destination_topic(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="results")["TopicArn"]
    url, arn = queue(local_cloud, "results-of-topic")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    deploy_with_destinations(local_cloud, "announces", ECHO, success=topic)
    request_id = invoke_event(local_cloud, "announces", {"n": 4})
    message = json.loads(json.loads(receive(local_cloud, url)["Body"])["Message"])
    assert message["requestContext"]["requestId"] == request_id


def test_destination_event_bus(local_cloud):
    events = local_cloud.client("events")
    bus = events.create_event_bus(Name="results")["EventBusArn"]
    url, arn = queue(local_cloud, "results-of-bus")
    events.put_rule(
        Name="all", EventBusName="results", EventPattern=json.dumps({"source": ["lambda"]})
    )
    events.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "1", "Arn": arn}])
    deploy_with_destinations(local_cloud, "emits", ECHO, success=bus)
    request_id = invoke_event(local_cloud, "emits", {"n": 5})
    event = json.loads(receive(local_cloud, url)["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["resources"] == [f"{function_arn('emits')}:$LATEST", bus]
    assert event["detail"]["requestContext"]["requestId"] == request_id


def test_failure_destination_bucket(local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="async-failures")
    deploy_with_destinations(
        local_cloud, "stores", FAILING, failure="arn:aws:s3:::async-failures",
        MaximumRetryAttempts=0,
    )  # fmt: skip
    request_id = invoke_event(local_cloud, "stores")
    found = wait_for(lambda: s3.list_objects_v2(Bucket="async-failures").get("Contents"))
    key = found[0]["Key"]
    assert key.startswith("aws/lambda/async/stores/20")
    record = json.loads(s3.get_object(Bucket="async-failures", Key=key)["Body"].read())
    assert record["requestContext"]["requestId"] == request_id


def test_dead_letter_queue(local_cloud):
    url, arn = queue(local_cloud, "letters")
    role = make_role(local_cloud, "buries-role", {"Action": "sqs:SendMessage", "Resource": arn})
    made = deploy(local_cloud, "buries", FAILING, role=role, DeadLetterConfig={"TargetArn": arn})
    assert made["DeadLetterConfig"] == {"TargetArn": arn}
    local_cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="buries", MaximumRetryAttempts=0
    )
    request_id = invoke_event(local_cloud, "buries", {"name": "x" * 2000})
    message = receive(local_cloud, url)
    assert json.loads(message["Body"]) == {"name": "x" * 2000}
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": ("no good: " + "x" * 2000)[:1024]},
    }


def test_dead_letter_topic_beside_a_destination(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="letters")["TopicArn"]
    url, arn = queue(local_cloud, "letters-of-topic")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    failures_url, failures = queue(local_cloud, "both-failures")
    deploy_with_destinations(local_cloud, "both", FAILING, failure=failures, MaximumRetryAttempts=0)
    local_cloud.client("lambda").update_function_configuration(
        FunctionName="both", DeadLetterConfig={"TargetArn": topic}
    )
    request_id = invoke_event(local_cloud, "both", {"name": "twice"})
    notification = json.loads(receive(local_cloud, url)["Body"])
    assert json.loads(notification["Message"]) == {"name": "twice"}
    assert notification["MessageAttributes"]["RequestID"]["Value"] == request_id
    record = json.loads(receive(local_cloud, failures_url)["Body"])
    assert record["requestContext"]["requestId"] == request_id


def test_a_dead_letter_queue_that_is_gone_is_recorded(local_cloud):
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:no-letters"
    role = make_role(local_cloud, "lost-role", {"Action": "sqs:*", "Resource": "*"})
    deploy(local_cloud, "lost", FAILING, role=role, DeadLetterConfig={"TargetArn": arn})
    local_cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="lost", MaximumRetryAttempts=0
    )
    invoke_event(local_cloud, "lost")
    entry = wait_for(lambda: entries(local_cloud, "destination", "lost"))[0]
    assert entry["kind"] == "dead-letter" and "queue does not exist" in entry["error"]


def test_a_role_that_may_not_send_is_recorded_and_nothing_arrives(local_cloud):
    url, arn = queue(local_cloud, "forbidden")
    deploy_with_destinations(
        local_cloud, "powerless", ECHO, {"Action": "s3:GetObject", "Resource": "*"}, success=arn
    )
    invoke_event(local_cloud, "powerless")
    entry = wait_for(lambda: entries(local_cloud, "destination", "powerless"))[0]
    assert entry["error"] == "the role lacks sqs:SendMessage"
    assert "Messages" not in local_cloud.client("sqs").receive_message(QueueUrl=url)


def test_a_destination_that_is_gone_is_recorded(local_cloud):
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:never-made"
    deploy_with_destinations(local_cloud, "orphan", ECHO, success=arn)
    invoke_event(local_cloud, "orphan")
    entry = wait_for(lambda: entries(local_cloud, "destination", "orphan"))[0]
    assert "queue does not exist" in entry["error"]


def test_payload_limits(local_cloud):
    deploy(local_cloud, "sized", "def handler(event, context): return len(event)\n", MemorySize=512)
    client = local_cloud.client("lambda", config=Config(retries={"max_attempts": 0}))
    megabyte = 1024 * 1024
    largest = json.dumps("x" * (megabyte - 2))
    assert client.invoke(FunctionName="sized", InvocationType="Event", Payload=largest)
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.invoke(FunctionName="sized", InvocationType="Event", Payload=largest + " ")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert caught.value.response["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "1048577 byte payload is too large for the Event invocation type "
        "(limit 1048576 bytes)",
    }
    assert client.invoke(FunctionName="sized", Payload=json.dumps("x" * (6 * megabyte - 2)))
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.invoke(FunctionName="sized", Payload=json.dumps("x" * 6 * megabyte))
    assert caught.value.response["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    }


def test_settings_door(local_cloud):
    assert settings(local_cloud)["event_speed"] == 600
    assert settings(local_cloud, event_speed=60)["event_speed"] == 60
    for body, word in (
        (b'{"event_sped": 1}', "event_sped"),
        (b'{"event_speed": "fast"}', "at least 1"),
        (b'{"event_speed": 0}', "at least 1"),
        (b"[1]", "JSON object"),
        (b"{", "JSON object"),
    ):
        request = urllib.request.Request(
            f"{local_cloud.endpoint_url}/_localcloud/settings", data=body, method="PUT"
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=60)
        with caught.value as answer:
            assert answer.code == 400
            assert word in json.loads(answer.read())["message"]
    assert settings(local_cloud)["event_speed"] == 60, "refused settings change nothing"


def test_a_faster_clock_wakes_those_who_wait(local_cloud):
    settings(local_cloud, event_speed=1)
    deploy(local_cloud, "hurried", FAILING)
    invoke_event(local_cloud, "hurried")
    wait_for(lambda: entries(local_cloud, "async.retry", "hurried"))
    settings(local_cloud, event_speed=1200)
    wait_for(lambda: entries(local_cloud, "async.dropped", "hurried"))
    assert len(entries(local_cloud, "invoke.end", "hurried")) == 3
