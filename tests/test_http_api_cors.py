"""CORS configurations of HTTP APIs."""

import pytest

from http_apis import HttpApi, make_function

CORS = {
    "AllowOrigins": ["https://a.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["authorization", "x-mine"],
    "ExposeHeaders": ["x-shown"],
    "AllowCredentials": True,
    "MaxAge": 300,
}
SOURCE = """
    def handler(event, context):
        headers = {"Access-Control-Allow-Origin": "nobody", "X-Own": "1"}
        return {"statusCode": 200, "headers": headers, "body": event["routeKey"]}
"""
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def arn(local_cloud):
    return make_function(local_cloud, "shared", SOURCE)


def test_a_preflight_is_answered_by_the_gateway(local_cloud, arn):
    api = HttpApi(local_cloud, CorsConfiguration=CORS)
    api.route("ANY /pets", api.integrate(arn))
    for path in ("/pets", "/not/a/route"):
        reply = api.call(path, "OPTIONS", headers=PREFLIGHT)
        assert (reply.status, reply.body) == (204, b"")
        assert reply.headers["access-control-allow-origin"] == "https://a.example"
        assert reply.headers["access-control-allow-methods"] == "GET,POST"
        assert reply.headers["access-control-allow-headers"] == "authorization,x-mine"
        assert reply.headers["access-control-allow-credentials"] == "true"
        assert reply.headers["access-control-max-age"] == "300"
    assert not local_cloud.record.entries(function="shared")
    foreign = api.call("/pets", "OPTIONS", headers={**PREFLIGHT, "Origin": "https://b.example"})
    assert foreign.headers["access-control-allow-origin"] is None
    plain = api.call("/pets", "OPTIONS")
    assert plain.body == b"ANY /pets", "without an origin it is a request like any other"


def test_answers_carry_the_configuration_and_not_the_functions_headers(local_cloud, arn):
    api = HttpApi(local_cloud, CorsConfiguration=CORS)
    api.route("GET /pets", api.integrate(arn))
    reply = api.call("/pets", headers={"Origin": "https://a.example"})
    assert reply.headers.get_all("access-control-allow-origin") == ["https://a.example"]
    assert reply.headers["access-control-expose-headers"] == "x-shown"
    assert reply.headers["x-own"] == "1"
    for headers in ({"Origin": "https://b.example"}, {}):
        assert api.call("/pets", headers=headers).headers["access-control-allow-origin"] is None
    api.client.delete_cors_configuration(ApiId=api.id)
    reply = api.call("/pets", headers={"Origin": "https://a.example"})
    assert reply.headers["access-control-allow-origin"] == "nobody"
    assert api.call("/pets", "OPTIONS", headers=PREFLIGHT).status == 404


@pytest.mark.parametrize(
    ("allowed", "origin", "shown"),
    [
        ("*", "http://x.example", "*"),
        ("https://*", "https://x.example", "https://x.example"),
        ("https://*", "http://x.example", None),
    ],
)
def test_wildcards(local_cloud, arn, allowed, origin, shown):
    api = HttpApi(local_cloud, CorsConfiguration={"AllowOrigins": [allowed]})
    api.route("GET /pets", api.integrate(arn))
    reply = api.call("/pets", headers={"Origin": origin})
    assert reply.headers["access-control-allow-origin"] == shown
