"""Event source mappings from DynamoDB streams and Kinesis."""

import json
import time

import pytest

from deployment import deploy, wait_for
from event_sources import deploy_consumer, make_queue, printed
from test_asynchronous_invocation import settings

PRINT = """
    import json
    def handler(event, context):
        print(json.dumps({"records": event["Records"]}))
"""
FAIL_ON_BAD = """
    import base64, json
    def handler(event, context):
        data = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
        print(json.dumps({"data": data, "id": context.aws_request_id}))
        if "bad" in data:
            raise ValueError("bad")
"""
REPORT_BAD = """
    import base64, json
    def handler(event, context):
        data = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
        print(json.dumps({"data": data}))
        numbers = [r["kinesis"]["sequenceNumber"] for r in event["Records"]]
        failed = [n for n, d in zip(numbers, data) if d == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": n} for n in failed]}
"""


@pytest.fixture(autouse=True)
def fast(local_cloud):
    settings(local_cloud, event_speed=100)


def make_table(cloud, name, view="NEW_AND_OLD_IMAGES"):
    """A table's name and its stream's ARN."""
    table = cloud.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )["TableDescription"]
    return table["LatestStreamArn"]


def make_stream(cloud, name, shards=1):
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"


def put(cloud, stream, *data, key="k"):
    cloud.client("kinesis").put_records(
        StreamName=stream, Records=[{"Data": each, "PartitionKey": key} for each in data]
    )


def map_stream(cloud, name, arn, position="TRIM_HORIZON", **options):
    return cloud.client("lambda").create_event_source_mapping(
        FunctionName=name, EventSourceArn=arn, StartingPosition=position, **options
    )


def test_a_tables_changes(local_cloud):
    arn = make_table(local_cloud, "orders")
    deploy_consumer(local_cloud, "orders", PRINT)
    made = map_stream(local_cloud, "orders", arn, BatchSize=10)
    assert made["State"] == "Creating"
    assert made["LastProcessingResult"] == "No records processed"
    assert made["MaximumRetryAttempts"] == -1 and made["ParallelizationFactor"] == 1
    dynamodb = local_cloud.client("dynamodb")
    item = {"id": {"S": "a"}, "n": {"N": "1"}, "raw": {"B": b"foobar"}}
    dynamodb.put_item(TableName="orders", Item=item)
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}, "n": {"N": "2"}})
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "a"}})

    def records():
        found = printed(local_cloud, "orders")
        found = [record for batch in found for record in batch["records"]]
        return found if len(found) == 3 else None

    first, second, third = wait_for(records)
    assert [each["eventName"] for each in (first, second, third)] == ["INSERT", "MODIFY", "REMOVE"]
    change = first.pop("dynamodb")
    assert first.pop("eventID")
    assert first == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": arn,
    }
    assert change["Keys"] == {"id": {"S": "a"}}
    assert change["NewImage"] == {"id": {"S": "a"}, "n": {"N": "1"}, "raw": {"B": "Zm9vYmFy"}}
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert abs(change["ApproximateCreationDateTime"] - time.time()) < 60
    assert int(second["dynamodb"]["SequenceNumber"]) > int(change["SequenceNumber"])
    assert third["dynamodb"]["OldImage"]["n"] == {"N": "2"}
    client = local_cloud.client("lambda")
    found = wait_for(
        lambda: (m := client.get_event_source_mapping(UUID=made["UUID"])) and
        m["LastProcessingResult"] == "OK" and m
    )  # fmt: skip
    assert found["State"] == "Enabled"


def test_latest_leaves_out_what_was_there(local_cloud):
    arn = make_table(local_cloud, "late", "KEYS_ONLY")
    dynamodb = local_cloud.client("dynamodb")
    deploy_consumer(local_cloud, "late", PRINT)
    dynamodb.put_item(TableName="late", Item={"id": {"S": "before"}})
    made = map_stream(local_cloud, "late", arn, "LATEST")
    client = local_cloud.client("lambda")
    # The poller is there when a first record passes.
    wait_for(lambda: client.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
    dynamodb.put_item(TableName="late", Item={"id": {"S": "after"}})
    [record] = printed(local_cloud, "late")[0]["records"]
    assert record["dynamodb"]["Keys"] == {"id": {"S": "after"}}
    assert "NewImage" not in record["dynamodb"]


def test_filter_of_a_table(local_cloud):
    arn = make_table(local_cloud, "picky")
    deploy_consumer(local_cloud, "picky", PRINT)
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"Keys": {"id": {"S": ["b"]}}}})
    map_stream(local_cloud, "picky", arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    for name in "abc":
        local_cloud.client("dynamodb").put_item(TableName="picky", Item={"id": {"S": name}})
    records = [r for batch in printed(local_cloud, "picky") for r in batch["records"]]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == ["b"]


def test_kinesis_record_and_order(local_cloud):
    arn = make_stream(local_cloud, "clicks")
    deploy_consumer(local_cloud, "clicks", PRINT)
    put(local_cloud, "clicks", b"0", b"1", b"2")
    map_stream(local_cloud, "clicks", arn, BatchSize=2)
    put(local_cloud, "clicks", b"3")

    def records():
        found = [r for batch in printed(local_cloud, "clicks") for r in batch["records"]]
        return found if len(found) == 4 else None

    found = wait_for(records)
    assert [record["kinesis"]["data"] for record in found] == ["MA==", "MQ==", "Mg==", "Mw=="]
    first = found[0]
    number = first["kinesis"]["sequenceNumber"]
    assert abs(first["kinesis"].pop("approximateArrivalTimestamp") - time.time()) < 60
    assert first == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "sequenceNumber": number,
            "data": "MA==",
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/clicks-role",
        "awsRegion": "us-east-1",
        "eventSourceARN": arn,
    }


def test_retries_then_the_failure_destination_and_on(local_cloud):
    arn = make_stream(local_cloud, "broken")
    queue_url, queue_arn = make_queue(local_cloud, "broken-batches")
    deploy_consumer(local_cloud, "broken", FAIL_ON_BAD)
    put(local_cloud, "broken", b"bad")
    map_stream(
        local_cloud, "broken", arn, BatchSize=1, MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )  # fmt: skip
    put(local_cloud, "broken", b"good")
    lines = printed(local_cloud, "broken", 3)
    assert [line["data"] for line in lines] == [["bad"], ["bad"], ["good"]]
    sqs = local_cloud.client("sqs")
    message = wait_for(lambda: sqs.receive_message(QueueUrl=queue_url).get("Messages"))[0]
    record = json.loads(message["Body"])
    info = record.pop("KinesisBatchInfo")
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "requestContext": {
            "requestId": lines[0]["id"],
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:broken",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
    }
    assert info["shardId"] == "shardId-000000000000" and info["batchSize"] == 1
    assert info["streamArn"] == arn and info["startSequenceNumber"] == info["endSequenceNumber"]


def test_records_that_are_too_old(local_cloud):
    arn = make_stream(local_cloud, "stale")
    queue_url, queue_arn = make_queue(local_cloud, "stale-batches")
    deploy_consumer(local_cloud, "stale", FAIL_ON_BAD)
    put(local_cloud, "stale", b"bad")
    map_stream(
        local_cloud, "stale", arn, MaximumRecordAgeInSeconds=120,
        DestinationConfig={"OnFailure": {"Destination": queue_arn}},
    )  # fmt: skip
    sqs = local_cloud.client("sqs")
    message = wait_for(lambda: sqs.receive_message(QueueUrl=queue_url).get("Messages"))[0]
    context = json.loads(message["Body"])["requestContext"]
    assert context["condition"] == "RecordAgeExceeded"


def test_bisect(local_cloud):
    arn = make_stream(local_cloud, "halves")
    deploy_consumer(local_cloud, "halves", FAIL_ON_BAD)
    put(local_cloud, "halves", b"a", b"b", b"bad", b"d")
    map_stream(local_cloud, "halves", arn, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    batches = [line["data"] for line in printed(local_cloud, "halves", 5)]
    assert batches == [["a", "b", "bad", "d"], ["a", "b"], ["bad", "d"], ["bad"], ["d"]]


def test_partial_failures_go_on_from_the_first(local_cloud):
    arn = make_stream(local_cloud, "checkpoints")
    deploy_consumer(local_cloud, "checkpoints", REPORT_BAD)
    put(local_cloud, "checkpoints", b"a", b"bad", b"c")
    map_stream(
        local_cloud, "checkpoints", arn, MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    put(local_cloud, "checkpoints", b"z")
    batches = [line["data"] for line in printed(local_cloud, "checkpoints", 3)]
    assert batches[0][:3] == ["a", "bad", "c"]
    assert batches[1][:2] == ["bad", "c"]
    assert batches[-1][-1] == "z"


def test_a_paused_mapping_goes_on_where_it_was(local_cloud):
    arn = make_stream(local_cloud, "resumed")
    deploy_consumer(local_cloud, "resumed", FAIL_ON_BAD)
    made = map_stream(local_cloud, "resumed", arn)
    put(local_cloud, "resumed", b"1")
    printed(local_cloud, "resumed")
    client = local_cloud.client("lambda")
    wait_for(
        lambda: client.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] == "OK"
    )
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    put(local_cloud, "resumed", b"2")
    client.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    put(local_cloud, "resumed", b"3")

    def data():
        found = [d for line in printed(local_cloud, "resumed") for d in line["data"]]
        return found if "3" in found else None

    assert wait_for(data) == ["1", "2", "3"]


def test_refusals(local_cloud):
    table, stream = make_table(local_cloud, "refused"), make_stream(local_cloud, "refused")
    deploy_consumer(local_cloud, "refused", PRINT)
    deploy(local_cloud, "powerless", PRINT)
    client = local_cloud.client("lambda")

    def refusal(name, arn, **options):
        with pytest.raises(client.exceptions.ClientError) as caught:
            client.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **options)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    invalid = "InvalidParameterValueException"
    assert refusal("refused", table) == (
        invalid,
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
        "constraint: Member must not be null.",
    )
    assert refusal(
        "refused", stream, StartingPosition="LATEST", StartingPositionTimestamp=1700000000
    ) == (invalid, "Timestamp only valid with StartingPosition AT_TIMESTAMP")
    assert refusal(
        "refused", table, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1700000000
    ) == (invalid, f"Unsupported starting position for arn type: {table}")
    assert refusal("powerless", stream, StartingPosition="LATEST") == (
        invalid,
        f"Cannot access stream {stream}. Please ensure the role can perform the GetRecords, "
        "GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your stream "
        "in IAM.",
    )
    made = map_stream(local_cloud, "refused", table)
    assert refusal("refused", table, StartingPosition="LATEST") == (
        "ResourceConflictException",
        f'The event source arn (" {table} ") and function (" refused ") provided mapping already '
        f"exists. Please update or delete the existing mapping with UUID {made['UUID']}",
    )
