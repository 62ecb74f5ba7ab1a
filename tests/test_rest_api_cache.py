"""The cache of a stage: keys, time to live, invalidation, flushing."""

import time

import pytest

from http_apis import call_signed
from people import Person
from rest_apis import RestApi
from web_servers import web_server

BIG = 1_048_576


@pytest.fixture(scope="module")
def backend():
    """A server that counts: each answer is another one."""
    count = iter(range(1, 10_000))

    def answer(method, path, headers, body):
        size = int(path[1:] or 1)
        return 200, [("Content-Type", "text/plain")], str(next(count)).rjust(size).encode()

    with web_server(answer) as address:
        yield address


@pytest.fixture
def api(local_cloud, backend):
    """GET and POST /pets/{id}, where id and the query's sort are keys of GET."""
    api = RestApi(local_cloud)
    mapped = {
        "integration.request.path.id": "method.request.path.id",
        "integration.request.querystring.sort": "method.request.querystring.sort",
    }
    settings = {"uri": backend, "integrationHttpMethod": "GET", "requestParameters": mapped}
    for method, keys in (("GET", ["integration.request.path.id", "method.request.querystring.sort"]),
                         ("POST", [])):  # fmt: skip
        place = api.method(method, "/pets/{id}", "HTTP", cacheKeyParameters=keys, **settings)
        api.answer(place)
        got = api.client.get_integration(**place)
        assert got["cacheKeyParameters"] == keys
    for size in (BIG, BIG + 1):
        settings["uri"] = f"{backend}/{size}"
        api.answer(api.method("GET", f"/size{size}", "HTTP", **settings))
    api.deploy()
    api.patch("/cacheClusterEnabled", "true")
    api.patch("/*/*/caching/enabled", "true")
    api.patch("/*/*/caching/requireAuthorizationForCacheControl", "false")
    return api


def get(api, path="/dev/pets/1", method="GET", **headers):
    return api.call(path, method, headers=headers).body


FRESH = {"Cache-Control": "max-age=0"}


def test_keys(api):
    one = get(api)
    assert get(api) == one
    assert get(api, "/dev/pets/1?other=x") == one
    sorted_one = get(api, "/dev/pets/1?sort=up")
    assert sorted_one != one and get(api, "/dev/pets/1?sort=up&other=y") == sorted_one
    assert get(api, "/dev/pets/2") not in (one, sorted_one)


def test_only_get_unless_a_method_says_otherwise(api):
    assert get(api, method="POST") != get(api, method="POST")
    api.patch("/~1pets~1{id}/POST/caching/enabled", "true")
    kept = get(api, method="POST")
    # Without keys all have the one entry.
    assert get(api, "/dev/pets/2", "POST") == kept
    api.patch("/~1pets~1{id}/GET/caching/enabled", "false")
    assert get(api) != get(api)


def test_without_a_cluster_nothing_is_kept(api):
    api.patch("/cacheClusterEnabled", "false")
    assert get(api) != get(api)


def test_time_to_live(api):
    api.patch("/*/*/caching/ttlInSeconds", "0")
    assert get(api) != get(api)
    api.patch("/*/*/caching/ttlInSeconds", "1")
    first, began = get(api), time.monotonic()
    while get(api) == first:
        assert time.monotonic() - began < 30
    for wrong in ("3601", "-1"):
        with pytest.raises(api.client.exceptions.BadRequestException, match="3600"):
            api.patch("/*/*/caching/ttlInSeconds", wrong)


def test_answers_that_are_too_large(api):
    assert get(api, f"/dev/size{BIG}") == get(api, f"/dev/size{BIG}")
    assert get(api, f"/dev/size{BIG + 1}") != get(api, f"/dev/size{BIG + 1}")


def test_flushing(api):
    kept = get(api)
    api.client.flush_stage_cache(restApiId=api.id, stageName="dev")
    assert get(api) != kept


def test_anybody_may_invalidate_where_nobody_is_asked(api):
    kept = get(api)
    fresh = get(api, **FRESH)
    assert fresh != kept and get(api) == fresh, "the entry is replaced"


def test_invalidation_that_needs_a_permission(api, local_cloud):
    api.patch("/*/*/caching/requireAuthorizationForCacheControl", "true")
    strategy = "/*/*/caching/unauthorizedCacheControlHeaderStrategy"
    kept = get(api)
    reply = api.call("/dev/pets/1", headers=FRESH)
    assert reply.body == kept and reply.headers["warning"].startswith("199")
    api.patch(strategy, "SUCCEED_WITHOUT_RESPONSE_HEADER")
    reply = api.call("/dev/pets/1", headers=FRESH)
    assert reply.body == kept and reply.headers["warning"] is None
    api.patch(strategy, "FAIL_WITH_403")
    assert api.call("/dev/pets/1", headers=FRESH).status == 403
    person = Person(local_cloud, f"invalidator-{api.id}")
    keys = (person.key["AccessKeyId"], person.key["SecretAccessKey"])

    class Asking:
        host = api.host

        @staticmethod
        def call(path, method, body, headers):
            return api.call(path, method, body, {**headers, **FRESH})

    assert call_signed(Asking, "/dev/pets/1", keys).status == 403
    resource = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/pets/*"
    person.may({"Action": "execute-api:InvalidateCache", "Resource": resource})
    reply = call_signed(Asking, "/dev/pets/1", keys)
    assert reply.status == 200 and reply.body != kept
