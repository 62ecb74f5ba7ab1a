"""Throttling: token buckets of routes and stages, in the server and by a clock of the test's own."""

import pytest

from http_apis import HttpApi, make_function
from localcloud.gateways.throttling import TokenBucket

# So slow that nothing comes back while a test runs.
SLOW = 0.001


@pytest.fixture(scope="module")
def arn(local_cloud):
    return make_function(local_cloud, "echo")


def statuses(api, path, count):
    return [api.call(path).status for _ in range(count)]


def test_a_routes_own_bucket_and_the_stages_default(local_cloud, arn):
    settings = {
        "DefaultRouteSettings": {"ThrottlingRateLimit": SLOW, "ThrottlingBurstLimit": 3},
        "RouteSettings": {"GET /one": {"ThrottlingRateLimit": SLOW, "ThrottlingBurstLimit": 1}},
    }
    api = HttpApi(local_cloud, stage_options=settings)
    for path in ("/one", "/two", "/three"):
        api.route(f"GET {path}", api.integrate(arn))
    assert statuses(api, "/one", 3) == [200, 429, 429]
    assert statuses(api, "/two", 5) == [200, 200, 200, 429, 429]
    assert statuses(api, "/three", 3) == [200, 200, 200], "each route has a bucket"
    reply = api.call("/one")
    assert reply.body == b'{"message":"Too Many Requests"}'
    assert reply.headers["content-type"] == "application/json"


def test_settings_change_at_once(local_cloud, arn):
    api = HttpApi(local_cloud)
    api.route("GET /pets", api.integrate(arn))
    assert statuses(api, "/pets", 5) == [200] * 5, "only the account's limit holds"
    closed = {"GET /pets": {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}}
    api.client.update_stage(ApiId=api.id, StageName="$default", RouteSettings=closed)
    assert statuses(api, "/pets", 2) == [429, 429]
    api.client.delete_route_settings(ApiId=api.id, StageName="$default", RouteKey="GET /pets")
    assert statuses(api, "/pets", 2) == [200, 200]


@pytest.mark.parametrize(("rate", "burst"), [(10, 5), (100, 50), (0.5, 1)])
def test_at_twice_the_rate_what_passes_is_the_burst_and_the_rate(rate, burst):
    bucket = TokenBucket(rate, burst, now=0.0)
    seconds, asked = 60 / rate * 10, 2 * rate
    passed = sum(bucket.take(n / asked) for n in range(int(seconds * asked)))
    assert passed == pytest.approx(burst + rate * seconds, rel=0.05)
    assert passed <= burst + rate * seconds


def test_a_rest_fills_the_bucket_no_further_than_the_burst():
    bucket = TokenBucket(10, 3, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.05) and bucket.take(0.11)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
