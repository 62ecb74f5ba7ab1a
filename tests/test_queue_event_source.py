"""Event source mappings from SQS: batches, failures, filters, and what Lambda refuses."""

import json

import pytest

from deployment import deploy, invoke, make_role, wait_for
from event_sources import deploy_consumer, is_empty, make_queue, printed

PRINT = """
    import json
    def handler(event, context):
        print(json.dumps({"records": event["Records"], "id": context.aws_request_id}))
"""


def make_mapping(cloud, name, arn, **options):
    return cloud.client("lambda").create_event_source_mapping(
        FunctionName=name, EventSourceArn=arn, **options
    )


def test_a_messages_record(local_cloud):
    url, arn = make_queue(local_cloud, "plain", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "consumer", PRINT)
    made = make_mapping(local_cloud, "consumer", arn)
    assert made["State"] == "Creating"
    assert made["StateTransitionReason"] == "USER_INITIATED"
    assert made["BatchSize"] == 10 and made["MaximumBatchingWindowInSeconds"] == 0
    client = local_cloud.client("lambda")
    assert client.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"
    sent = local_cloud.client("sqs").send_message(
        QueueUrl=url,
        MessageBody="hello",
        MessageAttributes={"Weeks": {"DataType": "Number", "StringValue": "6"}},
    )
    [record] = printed(local_cloud, "consumer")[0]["records"]
    attributes = record.pop("attributes")
    assert attributes.pop("SentTimestamp").isdigit()
    assert attributes.pop("ApproximateFirstReceiveTimestamp").isdigit()
    assert attributes.pop("SenderId")
    assert attributes == {"ApproximateReceiveCount": "1"}
    assert record.pop("receiptHandle")
    assert record == {
        "messageId": sent["MessageId"],
        "body": "hello",
        "messageAttributes": {
            "Weeks": {
                "stringValue": "6",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Number",
            }
        },
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    }
    wait_for(lambda: is_empty(local_cloud, url))


def test_messages_sent_before_the_mapping_and_the_batching_window(local_cloud):
    url, arn = make_queue(local_cloud, "windowed", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "windowed", PRINT)
    sqs = local_cloud.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="0")
    make_mapping(local_cloud, "windowed", arn, BatchSize=100, MaximumBatchingWindowInSeconds=3)
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(1, 11)]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    [batch] = printed(local_cloud, "windowed")
    assert [record["body"] for record in batch["records"]] == [str(n) for n in range(11)]


def test_batch_size(local_cloud):
    url, arn = make_queue(local_cloud, "pairs", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "pairs", PRINT)
    sqs = local_cloud.client("sqs")
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(5)]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    make_mapping(local_cloud, "pairs", arn, BatchSize=2)
    batches = printed(local_cloud, "pairs", 3)
    assert sorted(len(batch["records"]) for batch in batches) == [1, 2, 2]


def test_a_failed_batch_comes_back_after_its_visibility_timeout_and_then_leaves(local_cloud):
    _, dead_arn = make_queue(local_cloud, "dead")
    dead_url, _ = make_queue(local_cloud, "dead")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"})
    url, arn = make_queue(local_cloud, "failing", RedrivePolicy=policy)
    source = """
        import json
        def handler(event, context):
            [record] = event["Records"]
            print(json.dumps({"n": record["attributes"]["ApproximateReceiveCount"]}))
            raise ValueError("never")
    """
    deploy_consumer(local_cloud, "failing", source, Timeout=1)
    make_mapping(local_cloud, "failing", arn, BatchSize=1)
    sqs = local_cloud.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    dead = wait_for(lambda: sqs.receive_message(QueueUrl=dead_url).get("Messages"))
    assert dead[0]["Body"] == "poison"
    assert printed(local_cloud, "failing", 2) == [{"n": "1"}, {"n": "2"}]
    deliveries = [
        entry["time"]
        for entry in local_cloud.record.entries(function="failing")
        if entry["type"] == "delivery"
    ]
    assert deliveries[1] - deliveries[0] >= 0.9, "not before the visibility timeout is over"


def test_partial_failures(local_cloud):
    url, arn = make_queue(local_cloud, "partial")
    source = """
        import json
        def handler(event, context):
            failed = []
            for record in event["Records"]:
                first = record["attributes"]["ApproximateReceiveCount"] == "1"
                if record["body"] == "bad" and first:
                    failed.append({"itemIdentifier": record["messageId"]})
            print(json.dumps({"bodies": sorted(r["body"] for r in event["Records"])}))
            return {"batchItemFailures": failed}
    """
    deploy_consumer(local_cloud, "partial", source, Timeout=1)
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(["good", "bad", "ok"])]
    local_cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    make_mapping(local_cloud, "partial", arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    batches = printed(local_cloud, "partial", 2)
    assert batches == [{"bodies": ["bad", "good", "ok"]}, {"bodies": ["bad"]}]
    wait_for(lambda: is_empty(local_cloud, url))


@pytest.mark.parametrize(
    ("answer", "comes_back"),
    [
        ("None", False),
        ("{}", False),
        ("{'batchItemFailures': []}", False),
        ("{'batchItemFailures': None}", False),
        ("{'batchItemFailures': [{'itemIdentifier': ''}]}", True),
        ("{'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", True),
        ("{'batchItemFailures': [{'wrong': 'x'}]}", True),
        ("'a text'", True),
    ],
)
def test_what_counts_as_a_partial_failure(answer, comes_back):
    from localcloud.event_sources.batch_failures import failed_items

    payload = json.dumps(eval(answer)).encode()
    assert failed_items(payload, ["a", "b"]) == ({"a", "b"} if comes_back else set())


def test_filters_drop_what_does_not_match(local_cloud):
    url, arn = make_queue(local_cloud, "filtered", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "filtered", PRINT)
    pattern = json.dumps({"body": {"kind": ["order"], "amount": [{"numeric": [">", 100]}]}})
    make_mapping(local_cloud, "filtered", arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    bodies = [
        json.dumps({"kind": "order", "amount": 5}),
        "no JSON at all",
        json.dumps({"kind": "order", "amount": 500}),
    ]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    local_cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    wait_for(lambda: is_empty(local_cloud, url))
    seen = [r["body"] for batch in printed(local_cloud, "filtered") for r in batch["records"]]
    assert seen == [bodies[2]]


def test_disabled_and_enabled_and_deleted(local_cloud):
    url, arn = make_queue(local_cloud, "paused", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "paused", PRINT)
    client, sqs = local_cloud.client("lambda"), local_cloud.client("sqs")
    made = make_mapping(local_cloud, "paused", arn, Enabled=False)
    assert made["State"] == "Disabled"
    sqs.send_message(QueueUrl=url, MessageBody="waits")
    invoke(local_cloud, "paused", {"Records": []})
    assert not is_empty(local_cloud, url)
    assert (
        client.update_event_source_mapping(UUID=made["UUID"], Enabled=True)["State"] == "Enabling"
    )
    wait_for(lambda: is_empty(local_cloud, url))
    assert client.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"
    assert client.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_event_source_mapping(UUID=made["UUID"])
    sqs.send_message(QueueUrl=url, MessageBody="stays")
    invoke(local_cloud, "paused", {"Records": []})
    assert not is_empty(local_cloud, url)


def test_maximum_concurrency(local_cloud):
    url, arn = make_queue(local_cloud, "narrow", VisibilityTimeout="30")
    source = "import time\ndef handler(event, context): time.sleep(0.2)\n"
    deploy_consumer(local_cloud, "narrow", source)
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(8)]
    local_cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    make_mapping(local_cloud, "narrow", arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    wait_for(lambda: is_empty(local_cloud, url))
    running = most = 0
    for entry in local_cloud.record.entries(function="narrow"):
        running += {"invoke.start": 1, "invoke.end": -1}.get(entry["type"], 0)
        most = max(most, running)
    assert most == 2


def test_a_fifo_queue_keeps_the_order_of_a_group(local_cloud):
    url, arn = make_queue(
        local_cloud, "ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true",
        VisibilityTimeout="30",
    )  # fmt: skip
    deploy_consumer(local_cloud, "ordered", PRINT)
    make_mapping(local_cloud, "ordered", arn, BatchSize=1)
    sqs = local_cloud.client("sqs")
    for number in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=str(number), MessageGroupId="g")
    wait_for(lambda: is_empty(local_cloud, url))
    records = [batch["records"][0] for batch in printed(local_cloud, "ordered", 6)]
    assert sorted(record["body"] for record in records) == [str(n) for n in range(6)]
    starts = [e for e in local_cloud.record.entries(function="ordered")
              if e["type"] in ("invoke.start", "invoke.end")]  # fmt: skip
    assert [e["type"] for e in starts] == ["invoke.start", "invoke.end"] * 6, "one at a time"
    assert records[0]["attributes"]["MessageGroupId"] == "g"


def test_throttled_batches_come_back(local_cloud):
    url, arn = make_queue(local_cloud, "throttled")
    deploy_consumer(local_cloud, "throttled", PRINT, Timeout=1)
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    make_mapping(local_cloud, "throttled", arn)
    local_cloud.client("sqs").send_message(QueueUrl=url, MessageBody="later")

    def throttles():
        entries = local_cloud.record.entries(function="throttled")
        return [entry for entry in entries if entry["type"] == "throttle"]

    wait_for(throttles)
    client.delete_function_concurrency(FunctionName="throttled")
    assert printed(local_cloud, "throttled")[0]["records"][0]["body"] == "later"


def test_sending_does_not_wait_for_the_function(local_cloud):
    url, arn = make_queue(local_cloud, "slow", VisibilityTimeout="30")
    deploy_consumer(local_cloud, "slow", "import time\ndef handler(e, c): time.sleep(5)\n")
    make_mapping(local_cloud, "slow", arn, BatchSize=1)
    sqs = local_cloud.client("sqs")
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    entries = local_cloud.record.entries(function="slow")
    assert not [entry for entry in entries if entry["type"] == "invoke.end"]


def test_a_loop_through_a_queue_is_stopped(local_cloud):
    url, arn = make_queue(local_cloud, "round", VisibilityTimeout="30")
    source = f"""
        import boto3
        sqs = boto3.client("sqs")
        def handler(event, context):
            sqs.send_message(QueueUrl="{url}", MessageBody="again")
    """
    deploy_consumer(local_cloud, "round", source, MemorySize=1769)
    make_mapping(local_cloud, "round", arn)
    local_cloud.client("sqs").send_message(QueueUrl=url, MessageBody="first")

    def of(kind):
        entries = local_cloud.record.entries(function="round")
        return [entry for entry in entries if entry["type"] == kind]

    wait_for(lambda: of("recursion"), seconds=60)
    assert len(of("invoke.start")) == 16
    assert not is_empty(local_cloud, url), "the message stays in the queue"


def refused(cloud, name, arn, code, **options):
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.ClientError) as caught:
        make_mapping(cloud, name, arn, **options)
    assert caught.value.response["Error"]["Code"] == code
    return caught.value.response["Error"]["Message"]


def test_refusals(local_cloud):
    invalid = "InvalidParameterValueException"
    _, arn = make_queue(local_cloud, "refused", VisibilityTimeout="30")
    _, short = make_queue(local_cloud, "short", VisibilityTimeout="5")
    deploy_consumer(local_cloud, "refused", PRINT)
    assert refused(local_cloud, "refused", f"{arn}-not", invalid) == (
        "Error occurred while ReceiveMessage. SQS Error Code: "
        "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
        "The specified queue does not exist."
    )
    assert refused(local_cloud, "refused", short, invalid) == (
        "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    )
    assert refused(local_cloud, "refused", arn, invalid, BatchSize=11) == (
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
        "greater than 10"
    )
    assert refused(local_cloud, "refused", arn, invalid, StartingPosition="LATEST") == (
        "StartingPosition is not valid for SQS event sources."
    )
    for pattern in ("simple string", '{"body": "text"}', '{"body": []}', "[1]"):
        criteria = {"Filters": [{"Pattern": pattern}]}
        message = refused(local_cloud, "refused", arn, invalid, FilterCriteria=criteria)
        assert message == "Invalid filter pattern definition."
    made = make_mapping(local_cloud, "refused", arn)
    assert refused(local_cloud, "refused", arn, "ResourceConflictException") == (
        f'An event source mapping with SQS arn (" {arn} ") and function (" refused ") already '
        f"exists. Please update or delete the existing mapping with UUID {made['UUID']}"
    )


def test_a_role_without_permission(local_cloud):
    _, arn = make_queue(local_cloud, "guarded", VisibilityTimeout="30")
    role = make_role(local_cloud, "poor-role", {"Action": "sqs:DeleteMessage", "Resource": "*"})
    deploy(local_cloud, "poor", PRINT, role=role)
    assert refused(local_cloud, "poor", arn, "InvalidParameterValueException") == (
        "The function execution role does not have permissions to call ReceiveMessage on SQS"
    )
