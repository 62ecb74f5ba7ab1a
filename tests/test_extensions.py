"""External and internal extensions, as they and a caller see the phases of an environment."""

import io
import json
import stat
import textwrap
import zipfile

import pytest

from deployment import deploy, invoke, make_role, wait_for

TIMEOUT_S = 5

# Prints every event that it gets, each on a line of its own in the function's log.
_WATCHER = """
    #!/usr/bin/env python3
    import http.client, json, os, sys, time
    name = os.path.basename(sys.argv[0])
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    def call(method, path, body=None, **headers):
        api.request(method, "/2020-01-01/extension/" + path, body, headers)
        answer = api.getresponse()
        return answer, json.loads(answer.read() or b"{}")
    events = json.dumps({"events": ["INVOKE", "SHUTDOWN"]})
    answer, said = call("POST", "register", events, **{
        "Lambda-Extension-Name": name, "Lambda-Extension-Accept-Feature": "accountId"})
    print("EXT", json.dumps({"registered": said, "status": answer.status}), flush=True)
    me = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
    if os.environ.get("EXTENSION_DIES") == "init":
        call("POST", "init/error", "{}", **me, **{
            "Lambda-Extension-Function-Error-Type": "Extension.NoReason"})
        sys.exit(1)
    while True:
        _, event = call("GET", "event/next", **me)
        event["left_ms"] = event["deadlineMs"] - time.time() * 1000
        print("EXT", json.dumps(event), flush=True)
        if event["eventType"] == "SHUTDOWN":
            break
        if os.environ.get("EXTENSION_DIES") == "invoke":
            os._exit(3)
        time.sleep(float(os.environ.get("EXTENSION_WORKS", "0")))
"""


# Subscribes to everything and prints what it is sent, as soon as it comes.
_LISTENER = """
    #!/usr/bin/env python3
    import http.client, http.server, json, os, threading
    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                if not str(event["record"]).startswith("TEL "):
                    os.write(1, b"TEL " + json.dumps(event).encode() + b"\\n")
            self.send_response(200)
            self.end_headers()
        def log_message(self, *_):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    def call(method, path, body=None, **headers):
        api.request(method, path, body and json.dumps(body), headers)
        answer = api.getresponse()
        return answer, answer.read()
    answer, _ = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE", "SHUTDOWN"]},
                     **{"Lambda-Extension-Name": "listener"})
    me = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
    uri = f"http://sandbox.localdomain:{server.server_port}"
    wrong = {"schemaVersion": "1", "types": ["platform"],
             "destination": {"protocol": "HTTP", "URI": uri}}
    answer, body = call("PUT", "/2022-07-01/telemetry", wrong, **me)
    print("TEL", json.dumps({"status": answer.status, "type": "refused", "record": ""}), flush=True)
    call("PUT", "/2022-07-01/telemetry", {
        "schemaVersion": "2022-12-13", "types": os.environ.get("TYPES", "platform,function").split(","),
        "buffering": {"timeoutMs": 25}, "destination": {"protocol": "HTTP", "URI": uri}}, **me)
    print("one line of its own", flush=True)
    while json.loads(call("GET", "/2020-01-01/extension/event/next", **me)[1])["eventType"] != "SHUTDOWN":
        pass
"""


def _layer(cloud, name: str, source: str = _WATCHER) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo(f"extensions/{name}")
        entry.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(entry, textwrap.dedent(source).lstrip())
    published = cloud.client("lambda").publish_layer_version(
        LayerName=name, Content={"ZipFile": buffer.getvalue()}
    )
    return published["LayerVersionArn"]


@pytest.fixture(scope="module")
def layer(local_cloud):
    return _layer(local_cloud, "watcher")


@pytest.fixture(scope="module")
def role(local_cloud):
    return make_role(local_cloud, "extensions-role")


def _said(cloud, function: str, word: str = "EXT ") -> list[dict]:
    logs = cloud.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    lines = [event["message"] for event in events]
    return [json.loads(line[4:]) for line in lines if line.startswith(word)]


def _put(cloud, layer, role, function: str, source: str, **variables: str) -> None:
    deploy(cloud, function, source, role, Layers=[layer], Environment={"Variables": variables},
           Timeout=TIMEOUT_S, MemorySize=1769)  # fmt: skip


_HELLO = (
    "import time\ndef handler(e, c):\n    time.sleep(e.get('s', 0))\n    return c.aws_request_id\n"
)


def test_an_extension_sees_init_invoke_and_shutdown(local_cloud, layer, role):
    _put(local_cloud, layer, role, "watched", _HELLO)
    request_id, error, _ = invoke(local_cloud, "watched")
    assert error is None
    local_cloud.client("lambda").delete_function(FunctionName="watched")
    wait_for(lambda: len(_said(local_cloud, "watched")) == 3)
    registered, invoked, shut_down = _said(local_cloud, "watched")
    assert registered == {
        "status": 200,
        "registered": {
            "functionName": "watched", "functionVersion": "$LATEST", "handler": "app.handler",
            "accountId": "000000000000",
        },
    }  # fmt: skip
    assert invoked["eventType"] == "INVOKE"
    assert invoked["requestId"] == request_id
    assert invoked["invokedFunctionArn"].endswith(":function:watched")
    assert invoked["tracing"]["value"].startswith("Root=1-")
    assert 0 < invoked["left_ms"] <= TIMEOUT_S * 1000
    assert shut_down["eventType"] == "SHUTDOWN"
    assert shut_down["shutdownReason"] == "SPINDOWN"
    assert 0 < shut_down["left_ms"] <= 2000


def test_an_invocation_lasts_until_the_extension_is_done(local_cloud, layer, role):
    _put(local_cloud, layer, role, "slow-ext", _HELLO, EXTENSION_WORKS="0.4")
    invoke(local_cloud, "slow-ext")
    payload, error, log = invoke(local_cloud, "slow-ext")
    assert error is None
    assert float(log.split("Duration: ")[1].split(" ")[0]) >= 400


def test_the_timeout_holds_for_function_and_extension_together(local_cloud, layer, role):
    _put(local_cloud, layer, role, "late-ext", _HELLO, EXTENSION_WORKS="30")
    payload, error, log = invoke(local_cloud, "late-ext")
    assert payload["errorType"] == "Sandbox.Timedout"
    assert "Status: timeout" in log


def test_a_timeout_of_the_function_shuts_the_extension_down(local_cloud, layer, role):
    _put(local_cloud, layer, role, "times-out", _HELLO)
    assert invoke(local_cloud, "times-out", {"s": 9})[0]["errorType"] == "Sandbox.Timedout"

    def events():
        return [said for said in _said(local_cloud, "times-out") if "eventType" in said]

    assert wait_for(lambda: events()[1:])[0]["shutdownReason"] == "TIMEOUT"
    assert invoke(local_cloud, "times-out")[1] is None  # and both start anew
    seen = wait_for(lambda: events() if len(events()) == 3 else None)
    assert [event["eventType"] for event in seen] == ["INVOKE", "SHUTDOWN", "INVOKE"]


def test_an_extension_that_fails_fails_the_phase(local_cloud, layer, role):
    _put(local_cloud, layer, role, "no-init", _HELLO, EXTENSION_DIES="init")
    payload, error, log = invoke(local_cloud, "no-init")
    assert error == "Unhandled"
    assert payload["errorType"] == "Extension.NoReason"
    assert "Error Type: Extension.NoReason" in log
    _put(local_cloud, layer, role, "no-invoke", _HELLO, EXTENSION_DIES="invoke")
    payload, error, log = invoke(local_cloud, "no-invoke", {"s": 1})
    assert payload["errorType"] == "Extension.Crash"
    assert "Error Type: Extension.Crash" in log


def test_an_internal_extension_may_not_ask_for_shutdown(local_cloud):
    source = """
        import http.client, json, os
        def register(name, *events):
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            api.request("POST", "/2020-01-01/extension/register", json.dumps({"events": events}),
                        {"Lambda-Extension-Name": name} if name else {})
            answer = api.getresponse()
            return answer.status, json.loads(answer.read()).get("errorType")
        seen = [register("mine", "SHUTDOWN"), register("", "INVOKE"), register("mine", "OTHER")]
        def handler(event, context):
            return seen + [register("late", "INVOKE")]
    """
    deploy(local_cloud, "internal", source)
    assert invoke(local_cloud, "internal")[0] == [
        [403, "Extension.InvalidEventType"],
        [403, "Extension.InvalidExtensionName"],
        [403, "Extension.InvalidEventType"],
        [403, "Extension.RegistrationClosed"],
    ]


@pytest.fixture(scope="module")
def listener(local_cloud):
    return _layer(local_cloud, "listener", _LISTENER)


def test_an_extensions_output_is_a_stream_of_its_own(local_cloud, role, listener):
    source = "def handler(e, c): print('at work')\n"
    _put(local_cloud, listener, role, "apart", source, TYPES="extension,function")
    invoke(local_cloud, "apart")
    local_cloud.client("lambda").delete_function(FunctionName="apart")  # the rest comes at its end
    said = wait_for(
        lambda: [s for s in [_said(local_cloud, "apart", "TEL ")[1:]] if len(s) == 2]
    )[0]  # fmt: skip
    assert sorted((event["type"], event["record"]) for event in said) == [
        ("extension", "one line of its own\n"), ("function", "at work\n"),
    ]  # fmt: skip


def test_telemetry_tells_of_init_invocations_and_output(local_cloud, role, listener):
    source = "print('at init')\ndef handler(e, c): print('at work')\n"
    _put(local_cloud, listener, role, "told", source)
    invoke(local_cloud, "told")
    local_cloud.client("lambda").delete_function(FunctionName="told")  # the rest comes at its end
    said = wait_for(
        lambda: [s for s in [_said(local_cloud, "told", "TEL ")]
                 if any(e["type"] == "platform.report" for e in s)]
    )[0]  # fmt: skip
    assert said[0] == {"status": 400, "type": "refused", "record": ""}
    kinds = [event["type"] for event in said[1:]]
    wanted = [
        "platform.initStart", "platform.telemetrySubscription", "function", "platform.extension",
        "platform.initRuntimeDone", "platform.initReport", "platform.start", "function",
        "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    assert sorted(kinds) == sorted(wanted)
    by_kind = {event["type"]: event["record"] for event in said[1:]}
    assert [e["record"] for e in said if e["type"] == "function"] == ["at init\n", "at work\n"]
    assert by_kind["platform.initStart"]["initializationType"] == "on-demand"
    assert by_kind["platform.initReport"]["status"] == "success"
    assert by_kind["platform.initReport"]["metrics"]["durationMs"] > 0
    assert by_kind["platform.runtimeDone"]["metrics"]["producedBytes"] == len("null")
    metrics = by_kind["platform.report"]["metrics"]
    assert metrics["billedDurationMs"] >= metrics["durationMs"] + metrics["initDurationMs"] - 0.01
    assert by_kind["platform.extension"] == {
        "name": "listener", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"],
    }  # fmt: skip
    assert by_kind["platform.telemetrySubscription"]["types"] == ["function", "platform"]
