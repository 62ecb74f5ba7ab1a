"""Concurrency limits, each test with a cloud whose numbers a few calls can reach."""

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config

from deployment import deploy
from localcloud import LocalCloud

# Says that it runs, and runs until it is let go.
_WAITS = """
    import os, time
    def handler(event, context):
        while not os.path.exists(event["until"]):
            time.sleep(0.01)
        return "done"
"""


def _client(cloud):
    """A Lambda client that does not try again by itself."""
    options = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
    return cloud.client("lambda", config=options)


class _Held:
    """Invocations that go on until the block is left."""

    def __init__(self, cloud, function: str, count: int, folder):
        self._gate = folder / f"gate-{function}"
        self._client, self._function = _client(cloud), function
        self._pool = ThreadPoolExecutor(count)
        self._cloud, self._count = cloud, count

    def __enter__(self):
        payload = json.dumps({"until": str(self._gate)})
        arguments = {"FunctionName": self._function, "Payload": payload}
        before = self._started()
        self.calls = [
            self._pool.submit(lambda: self._client.invoke(**arguments)) for _ in range(self._count)
        ]
        while self._started() < before + self._count:
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *exc_info):
        self._gate.touch()
        self._pool.shutdown()
        self._gate.unlink()

    def _started(self) -> int:
        entries = self._cloud.record.entries(function=self._function.split(":")[0])
        return sum(entry["type"] == "invoke.start" for entry in entries)


def _throttled(cloud, function: str, **arguments) -> str | None:
    """The reason for which an invocation is throttled; None where it is not."""
    client = _client(cloud)
    try:
        client.invoke(FunctionName=function, Payload=json.dumps({"until": "/"}), **arguments)
    except client.exceptions.TooManyRequestsException as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert error.response["Error"]["Message"] == "Rate Exceeded."
        return error.response["Reason"]
    return None


# The gate is a file of this machine.
_OPEN = {"isolation": "plain"}


def test_the_accounts_limit_is_shared_by_all_functions(tmp_path):
    with LocalCloud(port=0, account_concurrency=3, **_OPEN) as cloud:
        deploy(cloud, "first", _WAITS, Timeout=60)
        deploy(cloud, "second", _WAITS, Timeout=60)
        with _Held(cloud, "first", 3, tmp_path):
            assert _throttled(cloud, "first") == "ConcurrentInvocationLimitExceeded"
            assert _throttled(cloud, "second") == "ConcurrentInvocationLimitExceeded"
        assert _throttled(cloud, "second") is None


def test_a_reservation_is_a_cap_and_a_share(tmp_path):
    with LocalCloud(port=0, account_concurrency=103, **_OPEN) as cloud:
        deploy(cloud, "capped", _WAITS, Timeout=60)
        client = cloud.client("lambda")
        client.put_function_concurrency(FunctionName="capped", ReservedConcurrentExecutions=2)
        client.publish_version(FunctionName="capped")
        with _Held(cloud, "capped", 2, tmp_path):
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            assert _throttled(cloud, "capped") == reason
            assert _throttled(cloud, "capped", Qualifier="1") == reason  # one cap for all versions
            deploy(cloud, "other", _WAITS, Timeout=60)
            assert _throttled(cloud, "other") is None
        client.put_function_concurrency(FunctionName="capped", ReservedConcurrentExecutions=0)
        assert _throttled(cloud, "capped") == "ReservedFunctionConcurrentInvocationLimitExceeded"
        client.delete_function_concurrency(FunctionName="capped")
        assert _throttled(cloud, "capped") is None


def test_new_environments_come_at_the_scaling_rate(tmp_path):
    with LocalCloud(port=0, scaling_rate=2, **_OPEN) as cloud:
        deploy(cloud, "grows", _WAITS, Timeout=60)
        with _Held(cloud, "grows", 2, tmp_path):
            assert _throttled(cloud, "grows") == "ConcurrentInvocationLimitExceeded"
            deploy(cloud, "another", _WAITS, Timeout=60)
            assert _throttled(cloud, "another") is None  # each function has its own
        assert _throttled(cloud, "grows") is None  # an environment that is there is no growth


def test_requests_a_second_are_ten_times_the_concurrency():
    with LocalCloud(port=0, request_rate=1) as cloud:
        deploy(cloud, "quick", "def handler(e, c): return 1\n")
        client = cloud.client("lambda")
        client.put_function_concurrency(FunctionName="quick", ReservedConcurrentExecutions=20)
        assert _throttled(cloud, "quick") is None
        client.put_function_concurrency(FunctionName="quick", ReservedConcurrentExecutions=1)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: _throttled(cloud, "quick"), range(20)))
        assert "ReservedFunctionInvocationRateLimitExceeded" in answers


def test_limits_change_while_the_cloud_runs(tmp_path):
    with LocalCloud(port=0, **_OPEN) as cloud:
        deploy(cloud, "settable", _WAITS, Timeout=60)
        with _Held(cloud, "settable", 1, tmp_path):
            body = json.dumps({"account_concurrency": 1}).encode()
            url = f"{cloud.endpoint_url}/_localcloud/settings"
            request = urllib.request.Request(url, body, method="PUT")
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert json.load(answer)["account_concurrency"] == 1
            assert _throttled(cloud, "settable") == "ConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_a_throttle_is_recorded_and_an_event_waits(tmp_path, kind):
    with LocalCloud(port=0, account_concurrency=1, event_speed=60, **_OPEN) as cloud:
        deploy(cloud, "busy", _WAITS, Timeout=60)
        with _Held(cloud, "busy", 1, tmp_path):
            if kind == "RequestResponse":
                assert _throttled(cloud, "busy") is not None
            else:
                assert _throttled(cloud, "busy", InvocationType="Event") is None
            while not any(e["type"] == "throttle" for e in cloud.record.entries()):
                threading.Event().wait(0.01)
