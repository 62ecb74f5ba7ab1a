"""Edge-optimised, regional and private REST APIs: what their callers and functions see of it."""

import json
import re

import pytest

from http_apis import make_function, request
from localcloud.actions import ApiRequest
from localcloud.gateways import addresses

ANSWERS = """
import json
def handler(event, context):
    return {"statusCode": int(event["path"].rpartition("/")[2]), "body": json.dumps(event)}
"""
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"


@pytest.fixture(scope="module")
def make_api(local_cloud):
    arn = make_function(local_cloud, "answers", ANSWERS)
    client = local_cloud.client("apigateway")

    def make(**options):
        api = client.create_rest_api(name="api", **options)["id"]
        root = client.get_resources(restApiId=api)["items"][0]["id"]
        child = client.create_resource(restApiId=api, parentId=root, pathPart="{status}")["id"]
        place = {"restApiId": api, "resourceId": child, "httpMethod": "ANY"}
        client.put_method(**place, authorizationType="NONE")
        client.put_integration(
            **place, type="AWS_PROXY", integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        )  # fmt: skip
        client.create_deployment(restApiId=api, stageName="prod")
        return api

    return make


def call(cloud, api, status=200, headers=()):
    host = f"{api}.execute-api.localhost"
    return request(cloud, host, f"/prod/{status}", "GET", None, headers)


def test_an_edge_optimised_api_is_the_default(local_cloud, make_api):
    api = make_api()
    reply = call(local_cloud, api, headers={"User-Agent": CHROME})
    assert reply.headers["x-cache"] == "Miss from cloudfront"
    assert re.fullmatch(r"1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)", reply.headers["via"])
    assert reply.headers["x-amz-cf-pop"] == "LOCAL-P1" and reply.headers["x-amz-cf-id"]
    assert reply.headers["x-amzn-requestid"]
    assert call(local_cloud, api, 404).headers["x-cache"] == "Error from cloudfront"
    # The gateway's own errors come through the edge as well.
    assert (
        request(local_cloud, f"{api}.execute-api.localhost", "/prod/a/b").headers["x-cache"]
        == "Error from cloudfront"
    )


def test_what_the_function_sees_behind_the_edge(local_cloud, make_api):
    sent = {
        "x-own": "1",
        "cookie": "b=2; a=1",
        "X-Forwarded-For": "192.0.2.7",
        "User-Agent": CHROME,
    }
    event = call(local_cloud, make_api(), headers=sent).json()
    headers = event["headers"]
    assert headers["X-Own"] == "1", "the edge capitalises names"
    assert headers["Cookie"] == "a=1; b=2", "and sorts cookies"
    assert headers["CloudFront-Forwarded-Proto"] == "http"
    assert headers["Via"].endswith(".cloudfront.net (CloudFront)") and headers["X-Amz-Cf-Id"]
    assert headers["X-Forwarded-For"] == "192.0.2.7, 127.0.0.1, 127.0.0.1"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert "CloudFront-Viewer-Country" not in headers, "that only geography can say"


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (CHROME, "Desktop"), (IPHONE, "Mobile"), (IPAD, "Tablet"), ("curl/8.5.0", "Desktop"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) Version/2.4.0 TV Safari/538.1", "SmartTV"),
    ],
)  # fmt: skip
def test_the_kind_of_viewer(local_cloud, make_api, agent, kind):
    headers = call(local_cloud, make_api(), headers={"User-Agent": agent}).json()["headers"]
    kinds = {
        each: headers[f"CloudFront-Is-{each}-Viewer"]
        for each in ("Desktop", "Mobile", "Tablet", "SmartTV")
    }
    assert [each for each, told in kinds.items() if told == "true"] == [kind]


def test_a_regional_api(local_cloud, make_api):
    api = make_api(endpointConfiguration={"types": ["REGIONAL"]})
    reply = call(local_cloud, api, headers={"x-oWn": "1", "cookie": "b=2; a=1"})
    for name in ("x-cache", "via", "x-amz-cf-pop", "x-amz-cf-id"):
        assert name not in reply.headers
    headers = reply.json()["headers"]
    assert headers["x-oWn"] == "1" and headers["cookie"] == "b=2; a=1", "as they were sent"
    assert headers["Host"] == f"{api}.execute-api.localhost" and "X-Amzn-Trace-Id" in headers
    assert not [name for name in headers if name.lower().startswith("cloudfront")]
    assert "Via" not in headers


def test_an_api_changes_its_type(local_cloud, make_api):
    api = make_api()
    local_cloud.client("apigateway").update_rest_api(
        restApiId=api,
        patchOperations=[
            {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"}
        ],
    )
    assert "x-cache" not in call(local_cloud, api).headers


def test_a_private_api(local_cloud, make_api):
    through = {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c"}}
    statement = {
        "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*", "Condition": through,
    }  # fmt: skip
    api = make_api(
        endpointConfiguration={"types": ["PRIVATE"]}, policy=json.dumps({"Statement": [statement]})
    )
    reply = call(local_cloud, api)
    assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')
    named = {"x-apigw-api-id": api}
    for host, status in (("vpce-0a1b2c", 200), ("vpce-0f0f0f", 403)):
        host = f"{host}.execute-api.localhost"
        reply = request(local_cloud, host, "/prod/200", headers=named)
        assert reply.status == status and "x-cache" not in reply.headers
    path = f"/_aws/execute-api/{api}-vpce-0a1b2c/prod/200"
    assert request(local_cloud, "127.0.0.1", path).status == 200


@pytest.mark.parametrize(
    ("host", "path", "api", "endpoint"),
    [
        ("abc123-vpce-0a1b2c.execute-api.localhost:4566", "/prod/x", "abc123", "vpce-0a1b2c"),
        (
            "vpce-0a1b2c-x9.execute-api.us-east-1.vpce.amazonaws.com",
            "/prod/x",
            "abc123",
            "vpce-0a1b2c-x9",
        ),
        ("127.0.0.1:4566", "/_aws/execute-api/abc123-vpce-0a1b2c/prod/x", "abc123", "vpce-0a1b2c"),
        ("abc123.execute-api.localhost", "/prod/x", "abc123", None),
    ],
)
def test_how_a_request_names_its_vpc_endpoint(host, path, api, endpoint):
    asked = ApiRequest("GET", path, "", {"host": host, "x-apigw-api-id": "abc123"})
    scope = {"headers": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 4566)}
    found = addresses.match(asked, scope)
    assert (found.api_id, found.path, found.vpc_endpoint) == (api, "/prod/x", endpoint)
