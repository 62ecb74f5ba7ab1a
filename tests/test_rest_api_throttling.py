"""REST APIs: throttling by stage, method, API key and account; by HTTP, and by a clock of the tests' own."""

import http.client
import json
import time

import pytest

from http_apis import HttpApi, make_function
from localcloud.gateways.descriptions import Throttle
from localcloud.gateways.throttling import AccountThrottle, Throttles
from rest_apis import RestApi

# So slow that nothing comes back while a test runs.
SLOW = "0.001"


def statuses(api, path, count, **options):
    return [api.call(path, **options).status for _ in range(count)]


def throttle(api, burst, method="*/*", rate=SLOW):
    changes = {"rateLimit": rate, "burstLimit": str(burst)}
    api.client.update_stage(
        restApiId=api.id, stageName="dev",
        patchOperations=[
            {"op": "replace", "path": f"/{method}/throttling/{name}", "value": value}
            for name, value in changes.items()
        ],
    )  # fmt: skip


@pytest.fixture
def api(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets/{id}")
    api.mock("POST", "/pets/{id}")
    api.mock("GET", "/")
    api.deploy()
    return api


def set_account(cloud, **limits):
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port)
    connection.request("PUT", "/_localcloud/settings", json.dumps(limits))
    assert connection.getresponse().status == 200
    connection.close()


def test_a_stages_default_holds_for_each_method_at_once(api):
    assert statuses(api, "/dev/pets/7", 4) == [200] * 4
    throttle(api, 2)
    assert statuses(api, "/dev/pets/7", 4) == [200, 200, 429, 429]
    assert statuses(api, "/dev/pets/8", 1) == [429], "the method's bucket, not the path's"
    assert statuses(api, "/dev/pets/7", 3, method="POST") == [200, 200, 429]
    reply = api.call("/dev/pets/7")
    assert reply.body == b'{"message":"Too Many Requests"}'
    assert reply.headers["x-amzn-errortype"] == "TooManyRequestsException"


def test_a_methods_own_settings_stand_in_for_the_default(api):
    throttle(api, 1)
    throttle(api, 3, "~1pets~1{id}/GET")
    throttle(api, 2, "~1/GET")
    assert statuses(api, "/dev/pets/7", 4) == [200, 200, 200, 429]
    assert statuses(api, "/dev/pets/7", 2, method="POST") == [200, 429]
    assert statuses(api, "/dev/", 3) == [200, 200, 429]


def test_no_more_passes_than_the_rate_and_the_burst(api):
    rate, burst = 20, 5
    throttle(api, burst, rate=str(rate))
    began = time.monotonic()
    passed = statuses(api, "/dev/pets/7", 60).count(200)
    assert burst <= passed <= burst + rate * (time.monotonic() - began)


def test_other_settings_of_a_stage_throttle_nothing(api):
    api.client.update_stage(
        restApiId=api.id, stageName="dev",
        patchOperations=[{"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"}],
    )  # fmt: skip
    settings = api.client.get_stage(restApiId=api.id, stageName="dev")["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (10_000, 5_000)


def test_a_throttled_answer_may_be_worded(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets")
    api.client.put_gateway_response(
        restApiId=api.id, responseType="THROTTLED", statusCode="503",
        responseParameters={"gatewayresponse.header.Retry-After": "'1'"},
    )  # fmt: skip
    api.deploy()
    throttle(api, 0)
    reply = api.call("/dev/pets")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def test_the_account_is_shared_by_apis_of_every_kind(local_cloud, api):
    http_api = HttpApi(local_cloud)
    arn = make_function(local_cloud, "shared")
    http_api.route("GET /", http_api.integrate(arn))
    set_account(local_cloud, api_rate=0.001, api_burst=3)
    try:
        assert statuses(api, "/dev/", 2) == [200, 200]
        assert statuses(http_api, "/", 2) == [200, 429]
        assert statuses(api, "/dev/", 1) == [429]
    finally:
        set_account(local_cloud, api_rate=10_000, api_burst=5_000)
    assert statuses(api, "/dev/", 2) == [200, 200]


METHOD, STAGE, KEY = ("GET /pets",), ("dev",), ("plan", "key")


@pytest.mark.parametrize(
    ("account", "limits", "rate", "burst"),
    [
        (AccountThrottle(100, 50), (), 100, 50),
        (AccountThrottle(), ((METHOD, Throttle(40.0, 20)),), 40, 20),
        (AccountThrottle(), ((KEY, Throttle(5.0, 10)), (METHOD, Throttle(400.0, 20))), 5, 10),
        (AccountThrottle(), ((KEY, Throttle(0.5, 1)), (STAGE, Throttle())), 0.5, 1),
        (AccountThrottle(30, 10), ((KEY, Throttle(None, 10)),), 30, 10),
    ],
)
def test_at_twice_the_rate_what_passes_is_the_rate_and_the_burst(account, limits, rate, burst):
    """The narrowest bucket says what passes, whichever it is."""
    now = 0.0
    throttles = Throttles(account, lambda: now)
    seconds, passed = 40 / rate * 10, 0
    for n in range(int(seconds * 2 * rate)):
        now = n / (2 * rate)
        passed += throttles.admit("us-east-1", *limits)
    assert passed == pytest.approx(rate * seconds + burst, rel=0.05)
    assert passed <= rate * seconds + burst


def test_each_region_has_an_account_limit_of_its_own():
    throttles = Throttles(AccountThrottle(1, 1), lambda: 0.0)
    assert [throttles.admit(region) for region in ("a", "a", "b", "b")] == [True, False] * 2
