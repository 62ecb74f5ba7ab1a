"""The Invoke operation: types, errors, concurrency, and faults that must not spread."""

import concurrent.futures
import json
import os
import signal

import botocore.exceptions
import psutil
import pytest
from botocore.config import Config

from deployment import deploy, invoke, log_messages, make_role, wait_for, zip_of

ECHO = "def handler(event, context): return event\n"


def test_request_response(local_cloud):
    deploy(local_cloud, "echo", ECHO)
    answer = local_cloud.client("lambda").invoke(FunctionName="echo", Payload=b'{"a": "\xc3\xa9"}')
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"a": "é"}
    arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
    for name in (arn, f"{arn}:$LATEST", "000000000000:function:echo"):
        assert invoke(local_cloud, name, [1])[0] == [1]


def test_none_is_null(local_cloud):
    deploy(local_cloud, "none", "def handler(event, context): pass\n")
    answer = local_cloud.client("lambda").invoke(FunctionName="none")
    assert answer["Payload"].read() == b"null"


def test_dry_run(local_cloud):
    deploy(local_cloud, "dry", ECHO)
    answer = local_cloud.client("lambda").invoke(FunctionName="dry", InvocationType="DryRun")
    assert answer["StatusCode"] == 204


def test_event_invocation_answers_first_and_runs_after(local_cloud):
    deploy(local_cloud, "later", "def handler(event, context): print('ran', event['n'])\n")
    answer = local_cloud.client("lambda").invoke(
        FunctionName="later", InvocationType="Event", Payload=b'{"n": 7}'
    )
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    log_messages(local_cloud, "/aws/lambda/later", "ran 7")


def test_unknown_function(local_cloud):
    client = local_cloud.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.invoke(FunctionName="doesnotexist")
    assert caught.value.response["Error"]["Message"] == (
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist:$LATEST"
    )


def test_payload_that_is_not_json(local_cloud):
    deploy(local_cloud, "strict", ECHO)
    client = local_cloud.client("lambda")
    with pytest.raises(client.exceptions.InvalidRequestContentException) as caught:
        client.invoke(FunctionName="strict", Payload=b"{broken")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "Could not parse request body into json" in str(caught.value)


def test_response_over_six_megabytes(local_cloud):
    deploy(local_cloud, "large", "def handler(e, c): return 'x' * e['n']\n", MemorySize=512)
    payload, error, _ = invoke(local_cloud, "large", {"n": 7 * 1024 * 1024})
    assert error == "Unhandled"
    assert payload == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        "(6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert len(invoke(local_cloud, "large", {"n": 5 * 1024 * 1024})[0]) == 5 * 1024 * 1024


def test_concurrent_invocations_have_environments_of_their_own(local_cloud):
    source = """
        import os, time
        def handler(event, context):
            time.sleep(3)
            return context.log_stream_name
    """
    deploy(local_cloud, "parallel", source)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(invoke, local_cloud, "parallel") for _ in range(4)]
        streams = {call.result()[0] for call in calls}
    assert len(streams) == 4
    assert invoke(local_cloud, "parallel")[0] in streams, "an idle one is used again"


def test_reserved_concurrency_zero_throttles(local_cloud):
    deploy(local_cloud, "off", ECHO)
    client = local_cloud.client("lambda", config=Config(retries={"max_attempts": 1}))
    client.put_function_concurrency(FunctionName="off", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
        client.invoke(FunctionName="off")
    assert caught.value.response["Error"]["Message"] == "Rate Exceeded."
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_corrupt_zip_is_refused(local_cloud):
    role = make_role(local_cloud, "corrupt-role")
    client = local_cloud.client("lambda")
    for data in (b"this is no zip", zip_of({"app.py": ECHO})[:-30]):
        with pytest.raises(client.exceptions.InvalidParameterValueException) as caught:
            client.create_function(
                FunctionName="corrupt", Role=role, Runtime="python3.13", Handler="app.handler",
                Code={"ZipFile": data},
            )  # fmt: skip
        assert caught.value.response["Error"]["Message"] == (
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        )
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="corrupt")


def test_environment_killed_from_outside(local_cloud):
    source = """
        import time
        with open("/proc/self/comm", "w") as name:
            name.write("the-victim")
        def handler(event, context):
            time.sleep(event.get("s", 0))
    """
    deploy(local_cloud, "victim", source)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = pool.submit(invoke, local_cloud, "victim", {"s": 9})
        wait_for(lambda: [e for e in local_cloud.record.entries() if e["type"] == "invoke.start"
                          and e["function"].endswith("victim")])  # fmt: skip
        children = psutil.Process(os.getpid()).children(recursive=True)
        [victim] = [child for child in children if child.name() == "the-victim"]
        victim.send_signal(signal.SIGKILL)
        payload, error, _ = call.result(timeout=60)
    assert error == "Unhandled"
    assert payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert invoke(local_cloud, "victim")[1] is None


def test_unknown_operations_answer_in_json(local_cloud):
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{local_cloud.endpoint_url}/2099-01-01/nothing")
    request.add_header(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/lambda/aws4_request, "
        "SignedHeaders=host, Signature=0",
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 404
    assert json.loads(caught.value.read())["__type"] == "UnknownOperationException"
    caught.value.close()


def test_client_errors_are_botocore_errors(local_cloud):
    client = local_cloud.client("lambda")
    with pytest.raises(botocore.exceptions.ClientError):
        client.get_function(FunctionName="nobody")
