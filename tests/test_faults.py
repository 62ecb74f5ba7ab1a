"""Functions that misbehave: each ends in AWS's error, and the next good call works."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import urllib.parse

import psutil
import pytest

from deployment import deploy, invoke, wait_for, zip_of


def family():
    """The processes that are below this one now, each environment's own among them."""
    living = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # one ended since it was listed
            if process.status() != psutil.STATUS_ZOMBIE:
                living.add(process.pid)
    return living


@pytest.mark.parametrize(
    "result",
    ["{1, 2}", "object()", "(lambda: 1)", "circle", "{(1, 2): 3}", "1j", "open('/dev/null')"],
)  # fmt: skip
def test_a_result_that_json_cannot_hold(local_cloud, result):
    name = "unholdable"
    source = f"""
        circle = []
        circle.append(circle)
        def handler(event, context):
            return {result} if event.get("bad") else "good"
    """
    client = local_cloud.client("lambda")
    try:
        client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": source}))
    except client.exceptions.ResourceNotFoundException:
        deploy(local_cloud, name, source)
    payload, error, _ = invoke(local_cloud, name, {"bad": 1})
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.MarshalError"
    assert payload["errorMessage"].startswith("Unable to marshal response: ")
    assert invoke(local_cloud, name)[:2] == ("good", None)


def test_an_endless_loop_is_cut_off(local_cloud):
    source = """
        def handler(event, context):
            while event.get("loop"):
                pass
            return "good"
    """
    deploy(local_cloud, "endless", source, Timeout=1)
    payload, error, _ = invoke(local_cloud, "endless", {"loop": True})
    assert error == "Unhandled"
    assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert invoke(local_cloud, "endless")[:2] == ("good", None)


FORK_BOMB = """
    import os, time

    def handler(event, context):
        end = time.monotonic() + 30  # later than any timeout, also where the machine is busy
        while event.get("bomb") and time.monotonic() < end:
            os.fork()
        return "good"
"""


def test_a_fork_bomb_ends_with_its_environment(local_cloud):
    """Each process forks as fast as it can, until the environment is killed for what it holds."""
    deploy(local_cloud, "bomb", FORK_BOMB, Timeout=5)
    assert invoke(local_cloud, "bomb")[0] == "good"
    payload, error, _ = invoke(local_cloud, "bomb", {"bomb": True})
    assert error == "Unhandled"
    assert payload["errorType"] in ("Runtime.ExitError", "Runtime.OutOfMemory", "OSError",
                                    "BlockingIOError", "Sandbox.Timedout")  # fmt: skip
    wait_for(lambda: len(family()) < 50)
    assert invoke(local_cloud, "bomb")[:2] == ("good", None)


def test_files_run_out_at_1024(local_cloud):
    source = """
        import errno
        def handler(event, context):
            files = []
            try:
                while len(files) < event["files"]:
                    files.append(open("/dev/null"))
            except OSError as error:
                return errno.errorcode[error.errno], len(files)
            return "good", len(files)
    """
    deploy(local_cloud, "files", source)
    (word, count), _, _ = invoke(local_cloud, "files", {"files": 2000})
    assert word == "EMFILE"
    assert 900 < count < 1024
    assert invoke(local_cloud, "files", {"files": 900})[0] == ["good", 900]


@pytest.mark.needs("bwrap")
def test_threads_run_out_at_1024(local_cloud):
    """Lambda's limit of processes counts threads. The system doesn't apply it to root."""
    source = """
        import threading
        def handler(event, context):
            end = threading.Event()
            started = 0
            try:
                while started < event["threads"]:
                    threading.Thread(target=end.wait, daemon=True).start()
                    started += 1
            except RuntimeError as error:
                return str(error), started
            finally:
                end.set()
            return "good", started
    """
    deploy(local_cloud, "threads", source, MemorySize=1024, Timeout=60)
    (word, started), _, _ = invoke(local_cloud, "threads", {"threads": 1100})
    if os.geteuid() == 0:
        assert (word, started) == ("good", 1100)
    else:
        assert word == "can't start new thread"
        assert 900 < started < 1024
    assert invoke(local_cloud, "threads", {"threads": 500})[0] == ["good", 500]


@pytest.mark.needs("bwrap")
def test_a_filled_tmp_is_an_oserror(local_cloud):
    source = """
        import errno, os
        def handler(event, context):
            if event.get("clear"):
                os.unlink("/tmp/big")
                return open("/tmp/small", "w").write("good")
            block = bytes(1 << 20)
            try:
                with open("/tmp/big", "ab") as file:
                    while True:
                        file.write(block)
            except OSError as error:
                return errno.errorcode[error.errno], os.path.getsize("/tmp/big") >> 20
    """
    deploy(local_cloud, "full", source, MemorySize=1024, Timeout=60)
    (word, size), error, _ = invoke(local_cloud, "full")
    assert (word, error) == ("ENOSPC", None)
    assert 500 <= size <= 512
    assert invoke(local_cloud, "full")[0] == ["ENOSPC", size], "it is still full"
    assert invoke(local_cloud, "full", {"clear": True})[:2] == (4, None)


def test_a_corrupt_update_leaves_the_old_code(local_cloud):
    deploy(local_cloud, "steady", "def handler(event, context): return 'old'\n")
    client = local_cloud.client("lambda")
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.update_function_code(FunctionName="steady", ZipFile=b"PK\x03\x04 and no more")
    assert invoke(local_cloud, "steady")[0] == "old"
    sha = client.get_function_configuration(FunctionName="steady")["CodeSha256"]
    good = zip_of({"app.py": "def handler(event, context): return 'new'\n"})
    assert client.update_function_code(FunctionName="steady", ZipFile=good)["CodeSha256"] != sha
    assert invoke(local_cloud, "steady")[0] == "new"


# Keys that IAM doesn't know are the administrator's; their signature says nothing.
_ADMINISTRATOR = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
}


def test_two_hundred_invocations_at_once(local_cloud):
    deploy(local_cloud, "many", "def handler(event, context): return event\n", Timeout=60)
    port = urllib.parse.urlsplit(local_cloud.endpoint_url).port

    def call(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
        try:
            path = "/2015-03-31/functions/many/invocations"
            connection.request("POST", path, json.dumps({"number": number}), _ADMINISTRATOR)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(call, range(200)))
    assert answers == [(200, {"number": number}) for number in range(200)]
    assert invoke(local_cloud, "many", "after")[0] == "after"
