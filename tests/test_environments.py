"""The life of execution environments: reuse, resets, suppressed inits, freezing and their end."""

import re

import pytest

from deployment import deploy, invoke, log_messages, zip_of

COUNTER = """
    import os, sys, tempfile, threading, time
    count = 0
    ticks = 0

    def tick():
        global ticks
        while True:
            ticks += 1
            time.sleep(0.01)

    def handler(event, context):
        global count
        count += 1
        tmp = tempfile.gettempdir() + "/mark"
        was_there = os.path.exists(tmp)
        open(tmp, "w").close()
        if event.get("thread"):
            threading.Thread(target=tick, daemon=True).start()
        if event.get("raise"):
            raise ValueError("on purpose")
        if "exit" in event:
            sys.exit(event["exit"])
        if event.get("kill"):
            os.kill(os.getpid(), 9)
        if event.get("sleep"):
            time.sleep(event["sleep"])
        if event.get("hoard"):
            keep = bytearray(event["hoard"] * 1024 * 1024)
            time.sleep(30)
        return {"count": count, "tmp": was_there, "ticks": ticks, "pid": os.getpid()}
"""


@pytest.fixture(scope="module")
def counter(local_cloud):
    """The counting function, with a timeout of three seconds."""
    deploy(local_cloud, "counter", COUNTER, Timeout=3)

    def call(**event):
        return invoke(local_cloud, "counter", event)

    return call


def test_globals_and_tmp_survive(counter):
    first, _, _ = counter()
    second, _, tail = counter()
    assert second["count"] == first["count"] + 1
    assert second["tmp"] is True
    assert "Init Duration" not in tail


def test_exception_keeps_the_environment(counter):
    before, _, _ = counter()
    payload, error, tail = counter(**{"raise": True})
    assert error == "Unhandled"
    assert payload["errorType"] == "ValueError"
    assert payload["errorMessage"] == "on purpose"
    assert payload["stackTrace"][0].startswith('  File "')
    assert "[ERROR] ValueError: on purpose\nTraceback (most recent call last):\n" in tail
    assert counter()[0]["count"] == before["count"] + 2


@pytest.mark.parametrize(
    ("event", "error_type", "message", "status"),
    [
        ({"exit": 0}, "Runtime.ExitError", "Runtime exited without providing a reason",
         "Status: error\tError Type: Runtime.ExitError"),
        ({"exit": 7}, "Runtime.ExitError", "Runtime exited with error: exit status 7",
         "Status: error\tError Type: Runtime.ExitError"),
        ({"kill": True}, "Runtime.ExitError", "Runtime exited with error: signal: killed",
         "Status: error\tError Type: Runtime.ExitError"),
        ({"sleep": 30}, "Sandbox.Timedout", "Task timed out after 3.00 seconds", "Status: timeout"),
        ({"hoard": 400}, "Runtime.ExitError", "Runtime exited with error: signal: killed",
         "Status: error\tError Type: Runtime.OutOfMemory"),
    ],
)  # fmt: skip
def test_crash_resets_but_keeps_tmp(counter, event, error_type, message, status):
    counter()
    payload, error, tail = counter(**event)
    request_id = re.search(r"START RequestId: (\S+)", tail)[1]
    assert error == "Unhandled"
    assert payload == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {request_id} Error: {message}",
    }
    assert tail.rstrip().endswith(status)
    after, error, tail = counter()
    assert error is None
    assert after["count"] == 1, "module globals are back at their first values"
    assert after["tmp"] is True, "/tmp outlives a reset"
    assert "Init Duration" not in tail, "a suppressed init is not reported"


def test_background_threads_stand_still_between_invocations(local_cloud):
    deploy(local_cloud, "threads", COUNTER)
    invoke(local_cloud, "threads", {"thread": True})
    before, _, _ = invoke(local_cloud, "threads", {"sleep": 0.3})
    # As long again, but frozen: measured on the cloud's own clock by an invocation of another.
    deploy(local_cloud, "pause", "import time\ndef handler(e, c): time.sleep(1)\n")
    invoke(local_cloud, "pause")
    after, _, _ = invoke(local_cloud, "threads")
    assert before["ticks"] > 5
    assert after["ticks"] - before["ticks"] < 20, "a second of running would be a hundred ticks"


def test_import_error_runs_the_module_twice(local_cloud):
    source = "print('loading')\nimport nothing_of_this_name\n"
    deploy(local_cloud, "broken", source)
    payload, error, _ = invoke(local_cloud, "broken")
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["errorMessage"] == (
        "Unable to import module 'app': No module named 'nothing_of_this_name'"
    )
    assert payload["requestId"] == ""
    lines = log_messages(local_cloud, "/aws/lambda/broken", "REPORT")
    assert sum(line == "loading\n" for line in lines) == 2
    reports = [line for line in lines if line.startswith("INIT_REPORT")]
    assert re.fullmatch(
        r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\t"
        r"Error Type: Runtime.ImportModuleError\t\n",
        reports[0],
    )
    assert "Phase: invoke" in reports[1]


@pytest.mark.parametrize(
    ("files", "handler", "error_type", "message"),
    [
        ({"app.py": "def handler(e, c) return 1\n"}, "app.handler", "Runtime.UserCodeSyntaxError",
         "Syntax error in module 'app'"),
        ({"app.py": "x = 1\n"}, "app.handler", "Runtime.HandlerNotFound",
         "Handler 'handler' missing on module 'app'"),
        ({"app.py": "x = 1\n"}, "app", "Runtime.MalformedHandlerName", "Bad handler 'app'"),
        ({"app.py": "x = 1\n"}, "other.handler", "Runtime.ImportModuleError",
         "Unable to import module 'other'"),
        ({"app.py": "raise Exception('at import')\n"}, "app.handler", "Exception", "at import"),
        ({"app.py": "import sys\nsys.exit(0)\n"}, "app.handler", "Runtime.ExitError",
         "Runtime exited without providing a reason"),
    ],
)  # fmt: skip
def test_bad_code_gives_aws_errors(local_cloud, files, handler, error_type, message):
    name = "bad-" + re.sub(r"\W+", "-", f"{error_type}-{message}")[:50]
    deploy(local_cloud, name, files, Handler=handler)
    payload, error, _ = invoke(local_cloud, name)
    assert error == "Unhandled"
    assert payload["errorType"] == error_type
    assert message in payload["errorMessage"]
    good = "def handler(e, c): return 'good'\n"
    client = local_cloud.client("lambda")
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": good}))
    client.update_function_configuration(FunctionName=name, Handler="app.handler")
    assert invoke(local_cloud, name)[0] == "good"


def test_result_that_json_cannot_hold(local_cloud):
    deploy(local_cloud, "marshal", "def handler(e, c): return object()\n")
    payload, error, _ = invoke(local_cloud, "marshal")
    assert (payload["errorType"], error) == ("Runtime.MarshalError", "Unhandled")


def test_update_replaces_environments(local_cloud):
    deploy(
        local_cloud, "updated", "import os\ndef handler(e, c): return os.environ.get('COLOUR')\n"
    )
    assert invoke(local_cloud, "updated")[0] is None
    local_cloud.client("lambda").update_function_configuration(
        FunctionName="updated", Environment={"Variables": {"COLOUR": "1"}}
    )
    payload, _, tail = invoke(local_cloud, "updated")
    assert payload == "1"
    assert "Init Duration" in tail


def test_nothing_of_the_runtime_is_compiled_anew(local_cloud):
    code = """
        import os, sys
        import boto3
        boto3.client("s3")

        def handler(event, context):
            kept = {name: getattr(module, "__cached__", None) for name, module in sys.modules.items()
                    if (getattr(module, "__file__", None) or "").startswith(os.environ["LAMBDA_RUNTIME_DIR"])}
            return [name for name, path in kept.items() if path and not os.path.exists(path)], len(kept)
    """
    deploy(local_cloud, "compiled", code)
    without_bytecode, of_the_runtime = invoke(local_cloud, "compiled")[0]
    assert without_bytecode == []
    assert of_the_runtime > 100
