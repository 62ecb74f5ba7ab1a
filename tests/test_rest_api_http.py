"""Another server behind a REST API: HTTP and HTTP_PROXY integrations."""

import threading

import pytest

from rest_apis import RestApi
from web_servers import mirror, web_server


@pytest.fixture(scope="module")
def backend():
    with web_server(mirror) as address:
        yield address


@pytest.fixture
def api(local_cloud):
    return RestApi(local_cloud)


def headers_of(seen):
    return dict(seen["headers"])


def test_a_proxy_passes_on_what_comes(api, backend):
    api.method(
        "ANY", "/shop/{proxy+}", "HTTP_PROXY", uri=f"{backend}/${{stageVariables.v}}/{{proxy}}?fixed=1",
        integrationHttpMethod="ANY", requestParameters={
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-Static": "'yes'",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.querystring.x": "method.request.header.X-Mine",
        },
    )  # fmt: skip
    api.deploy(variables={"v": "v2"})
    reply = api.call("/dev/shop/cart/1?x=1&y=a%20b", "PUT", b"data", {"X-Mine": "mine"})
    seen = reply.json()
    assert (seen["method"], seen["body"]) == ("PUT", "data")
    assert seen["path"] == "/v2/cart/1?fixed=1&y=a+b&x=mine"
    headers = headers_of(seen)
    assert (headers["x-static"], headers["x-stage"], headers["x-mine"]) == ("yes", "dev", "mine")
    assert headers["host"] == backend.removeprefix("http://")
    assert headers["x-forwarded-for"] == "127.0.0.1, 127.0.0.1", "the caller, and the edge"
    assert "forwarded" not in headers
    assert headers["x-amzn-apigateway-api-id"] == api.id


def test_headers_that_are_the_gateways_own_come_back_under_another_name(api):
    def answer(method, path, headers, body):
        sent = [("WWW-Authenticate", "Basic"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        return 401, [*sent, ("Content-Type", "text/x")], b"\x00\xff"

    with web_server(answer) as backend:
        api.method("GET", "/", "HTTP_PROXY", uri=backend, integrationHttpMethod="GET")
        api.deploy()
        reply = api.call("/dev/")
    assert (reply.status, reply.body) == (401, b"\x00\xff")
    assert reply.headers["x-amzn-remapped-www-authenticate"] == "Basic"
    assert reply.headers["www-authenticate"] is None
    assert reply.headers["x-amzn-remapped-server"].startswith("BaseHTTP")
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert reply.headers["content-type"] == "text/x"


def test_without_a_proxy_only_what_is_mapped_goes_on(api, backend):
    place = api.method(
        "POST", "/pets/{id}", "HTTP", uri=f"{backend}/animals/{{id}}", integrationHttpMethod="PUT",
        requestParameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.querystring.all": "method.request.multivaluequerystring.x",
            "integration.request.header.X-Name": "method.request.body.pet.name",
        },
        requestTemplates={"application/json": """
            #set($context.requestOverride.header.X-Override = "over")
            #set($context.requestOverride.path.id = "9$input.params('id')")
            #set($context.requestOverride.querystring.more = "1"){"name": $input.json('$.pet.name')}"""},
    )  # fmt: skip
    api.answer(place, headers={
        "X-Type": "integration.response.header.Content-Type",
        "X-Method": "integration.response.body.method",
    })  # fmt: skip
    api.deploy()
    reply = api.call(
        "/dev/pets/7?x=1&x=2&y=3", "POST", b'{"pet": {"name": "Bo"}}', {"X-Mine": "mine"}
    )
    seen = reply.json()
    assert (seen["method"], seen["path"]) == ("PUT", "/animals/97?all=1&all=2&more=1")
    assert seen["body"].strip() == '{"name": "Bo"}'
    headers = headers_of(seen)
    assert "x-mine" not in headers and headers["x-override"] == "over"
    assert headers["x-name"] == "Bo" and headers["user-agent"] == f"AmazonAPIGateway_{api.id}"
    assert (reply.headers["x-type"], reply.headers["x-method"]) == ("application/json", "PUT")


def test_the_status_chooses_the_answer(api):
    def answer(method, path, headers, body):
        return int(path[1:]), [("Content-Type", "application/json")], b'{"message": "said"}'

    with web_server(answer) as backend:
        mapped = {"integration.request.path.status": "method.request.path.status"}
        place = api.method(
            "GET", "/{status}", "HTTP", uri=f"{backend}/{{status}}", integrationHttpMethod="GET",
            requestParameters=mapped,
        )  # fmt: skip
        api.answer(place, 200)
        api.answer(place, 404, selectionPattern="4\\d{2}", responseTemplates={
            "application/json": '{"error": "$input.path(\'$.message\')"}'
        })  # fmt: skip
        api.deploy()
        assert (api.call("/dev/200").status, api.call("/dev/503").status) == (200, 200)
        reply = api.call("/dev/403")
    assert (reply.status, reply.json()) == (404, {"error": "said"})


def test_a_server_that_does_not_answer(api):
    def late(method, path, headers, body):
        stop.wait(5)
        return 200, [], b""

    stop = threading.Event()
    gone = "http://127.0.0.1:1/"
    for kind in ("HTTP", "HTTP_PROXY"):
        place = api.method("GET", f"/gone{kind}", kind, uri=gone, integrationHttpMethod="GET")
        api.answer(place)
    with web_server(late) as backend:
        settings = {"integrationHttpMethod": "GET", "timeoutInMillis": 100}
        api.method("GET", "/late", "HTTP_PROXY", uri=backend, **settings)
        api.deploy()
        reply = api.call("/dev/late")
        stop.set()
    assert (reply.status, reply.json()) == (504, {"message": "Endpoint request timed out"})
    for kind in ("HTTP", "HTTP_PROXY"):
        reply = api.call(f"/dev/gone{kind}")
        message = {"message": "Network error communicating with endpoint"}
        assert (reply.status, reply.json()) == (504, message)
