"""Recursive loops are stopped after sixteen invocations of a function in one chain of requests."""

import json

import botocore.exceptions
import pytest

from deployment import deploy, make_role, wait_for
from localcloud.functions.lineage import next_header

EVERYTHING = {"Action": ["s3:*", "lambda:*", "sqs:*"], "Resource": "*"}


def entries(cloud, kind, name):
    return [entry for entry in cloud.record.entries(function=name) if entry["type"] == kind]


def invocations_until_stopped(cloud, name):
    wait_for(lambda: entries(cloud, "recursion", name), seconds=60)
    return len(entries(cloud, "invoke.start", name))


def call_with_trace(cloud, name, trace):
    """Invoke with a trace header; return the header that the function saw."""
    client = cloud.client("lambda")

    def add_header(request, **kwargs):
        request.headers["X-Amzn-Trace-Id"] = trace

    client.meta.events.register("before-sign.lambda.Invoke", add_header)
    return json.loads(client.invoke(FunctionName=name)["Payload"].read())


def test_a_bucket_that_triggers_its_own_writer(local_cloud):
    source = """
        import boto3
        s3 = boto3.client("s3")
        def handler(event, context):
            record = event["Records"][0]["s3"]
            name = str(int(record["object"]["key"]) + 1)
            s3.put_object(Bucket=record["bucket"]["name"], Key=name, Body=b"x")
    """
    s3, client = local_cloud.client("s3"), local_cloud.client("lambda")
    role = make_role(local_cloud, "loop-role", EVERYTHING)
    arn = deploy(local_cloud, "loop", source, role=role, MemorySize=1769)["FunctionArn"]
    s3.create_bucket(Bucket="looping")
    client.add_permission(
        FunctionName="loop", StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::looping",
    )  # fmt: skip
    configuration = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="looping",
        NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]},
    )
    s3.put_object(Bucket="looping", Key="0", Body=b"x")
    assert invocations_until_stopped(local_cloud, "loop") == 16
    assert len(s3.list_objects_v2(Bucket="looping")["Contents"]) == 17
    dropped = wait_for(lambda: entries(local_cloud, "async.dropped", "loop"))
    assert dropped[0]["condition"] == "RecursiveInvocationDetected"
    metrics = local_cloud.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": "loop"}],
    )["Metrics"]
    assert metrics


def test_a_function_that_invokes_itself(local_cloud):
    source = """
        import boto3
        client = boto3.client("lambda")
        def handler(event, context):
            client.invoke(FunctionName=context.function_name, InvocationType="Event")
    """
    role = make_role(local_cloud, "self-role", EVERYTHING)
    deploy(local_cloud, "self", source, role=role, MemorySize=1769)
    local_cloud.client("lambda").invoke(FunctionName="self", InvocationType="Event")
    assert invocations_until_stopped(local_cloud, "self") == 16


def test_the_trace_header_counts_each_function_by_itself(local_cloud):
    source = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']\n"
    deploy(local_cloud, "ping", source)
    deploy(local_cloud, "pong", source)
    root = "Root=1-64d38018-6a56d23a731e0cbe6ed85687;Parent=1e4dbd311c45e826;Sampled=0"
    trace = root
    for count in range(16):
        trace = call_with_trace(local_cloud, "ping", trace)
        trace = call_with_trace(local_cloud, "pong", trace)
        assert trace.startswith(f"{root};Lineage=1:")
        assert [part.rsplit(":", 1)[1] for part in trace.split("|")] == [str(count)] * 2
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call_with_trace(local_cloud, "ping", trace)
    assert caught.value.response["Error"]["Code"] == "RecursiveInvocationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "recursive loop" in caught.value.response["Error"]["Message"]
    assert call_with_trace(local_cloud, "ping", root), "a new chain begins at nothing"


def test_recursion_can_be_allowed(local_cloud):
    client = local_cloud.client("lambda")
    deploy(local_cloud, "free", "def handler(event, context): return {}\n")
    assert client.get_function_recursion_config(FunctionName="free")["RecursiveLoop"] == "Terminate"
    answer = client.put_function_recursion_config(FunctionName="free", RecursiveLoop="Allow")
    assert answer["RecursiveLoop"] == "Allow"
    assert client.get_function_recursion_config(FunctionName="free")["RecursiveLoop"] == "Allow"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:free"
    mark = next_header("", arn)[0].split(":")[1]
    assert call_with_trace(local_cloud, "free", f"Root=1-a;Lineage=1:{mark}:40") == {}
    client.put_function_recursion_config(FunctionName="free", RecursiveLoop="Terminate")
    with pytest.raises(botocore.exceptions.ClientError):
        call_with_trace(local_cloud, "free", f"Root=1-a;Lineage=1:{mark}:40")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.put_function_recursion_config(FunctionName="free", RecursiveLoop="Sometimes")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Root=1-a", ("Root=1-a;Lineage=1:{mark}:0", 0)),
        ("Root=1-a;Lineage=1:{mark}:3", ("Root=1-a;Lineage=1:{mark}:4", 4)),
        # Of the time before the version number stood in front, and with the bar encoded.
        ("Root=1-a;Lineage={mark}:3;Sampled=0", ("Root=1-a;Sampled=0;Lineage=1:{mark}:4", 4)),
        (
            "Root=1-a;Lineage=1:68fd508a:5%7C1:{mark}:1",
            ("Root=1-a;Lineage=1:68fd508a:5|1:{mark}:2", 2),
        ),
        ("Root=1-a;Lineage=rubbish", ("Root=1-a;Lineage=1:{mark}:0", 0)),
    ],
)
def test_lineage(given, expected):
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    mark = next_header("", arn)[0].split(":")[1]
    header, before = expected
    assert next_header(given.format(mark=mark), f"{arn}:7") == (header.format(mark=mark), before)
