"""Which route takes a request, and what a route key may be."""

import pytest

from http_apis import HttpApi, make_function
from refusals import refusal

KEYS = (
    "GET /pets/dog/1", "GET /pets/dog/{id}", "ANY /pets/dog/{id}", "GET /pets/{proxy+}",
    "ANY /{proxy+}", "GET /", "GET /shops/{shop}/items/{item}", "GET /shops/here/items/{item}",
)  # fmt: skip


@pytest.fixture(scope="module")
def api(local_cloud):
    api = HttpApi(local_cloud)
    integration = api.integrate(make_function(local_cloud, "echo"))
    for key in KEYS:
        api.route(key, integration)
    return api


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", None),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("PUT", "/pets/dog/2", "ANY /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("POST", "/pets/cat/1", "ANY /{proxy+}", {"proxy": "pets/cat/1"}),
        ("GET", "/", "GET /", None),
        ("GET", "/shops/there/items/7", "GET /shops/{shop}/items/{item}",
         {"shop": "there", "item": "7"}),
        ("GET", "/shops/here/items/7", "GET /shops/here/items/{item}", {"item": "7"}),
        ("GET", "/pets/dog/a%20b%2Fc?x=1", "GET /pets/dog/{id}", {"id": "a b/c"}),
    ],
)  # fmt: skip
def test_the_most_specific_route_takes_a_request(api, method, path, key, parameters):
    reply = api.call(path, method)
    assert reply.status == 200
    event = reply.json()
    assert event["routeKey"] == event["requestContext"]["routeKey"] == key
    assert event.get("pathParameters") == parameters


def test_no_route_is_not_found_until_there_is_a_default(local_cloud, api):
    lonely = HttpApi(local_cloud)
    integration = lonely.integrate(make_function(local_cloud, "lonely"))
    lonely.route("GET /only", integration)
    for method, path in (("GET", "/"), ("POST", "/only"), ("GET", "/only/"), ("GET", "/other")):
        reply = lonely.call(path, method)
        assert (reply.status, reply.body) == (404, b'{"message":"Not Found"}'), (method, path)
        assert reply.headers["content-type"] == "application/json"
        assert len(reply.headers["apigw-requestid"]) == 16
    default = lonely.route("$default", integration)
    assert lonely.call("/other", "DELETE").json()["routeKey"] == "$default"
    assert lonely.call("/only").json()["routeKey"] == "GET /only"
    lonely.client.delete_route(ApiId=lonely.id, RouteId=default)
    assert lonely.call("/other", "DELETE").status == 404
    assert api.call("/pets/dog/1").status == 200, "another API's routes are its own"


def test_a_route_can_be_moved(local_cloud):
    api = HttpApi(local_cloud)
    route = api.route("GET /old", api.integrate(make_function(local_cloud, "moved")))
    api.client.update_route(ApiId=api.id, RouteId=route, RouteKey="GET /new")
    assert (api.call("/old").status, api.call("/new").status) == (404, 200)


def test_route_keys_that_are_refused(api):
    for key in ("/pets", "FETCH /pets", "GET pets", "GET /{proxy+}/more"):
        status, code, message = refusal(api.client.create_route, ApiId=api.id, RouteKey=key)
        assert (status, code) == (400, "BadRequestException")
        assert message.startswith("The provided route key is not formatted properly")
    status, code, message = refusal(api.client.create_route, ApiId=api.id, RouteKey="GET /")
    assert (status, code) == (409, "ConflictException")
    assert message == "Route with key GET / already exists for this API"


def test_a_route_without_an_integration_is_an_internal_error(local_cloud):
    api = HttpApi(local_cloud)
    api.client.create_route(ApiId=api.id, RouteKey="GET /")
    reply = api.call("/")
    assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_what_only_the_other_kind_of_api_has(local_cloud):
    client = local_cloud.client("apigatewayv2")
    http = HttpApi(local_cloud)
    for kind in ("MOCK", "AWS", "HTTP"):
        status, code, message = refusal(
            client.create_integration,
            ApiId=http.id,
            IntegrationType=kind,
            PayloadFormatVersion="1.0",
        )
        assert (status, code) == (400, "BadRequestException"), kind
        assert "may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY)" in message
    sockets = client.create_api(
        Name="sockets", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    assert client.create_integration(ApiId=sockets, IntegrationType="MOCK")["IntegrationId"]
    jwt = {"Issuer": "https://issuer.example", "Audience": ["me"]}
    status, code, _ = refusal(
        client.create_authorizer, ApiId=sockets, Name="jwt", AuthorizerType="JWT",
        IdentitySource=["route.request.header.Auth"], JwtConfiguration=jwt,
    )  # fmt: skip
    assert (status, code) == (400, "BadRequestException")
