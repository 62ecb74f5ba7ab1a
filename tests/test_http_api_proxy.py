"""HTTP proxy integrations: another server behind an HTTP API."""

import threading

import pytest

from http_apis import HttpApi
from web_servers import mirror, web_server

UNAVAILABLE = b'{"message":"Service Unavailable"}'


@pytest.fixture(scope="module")
def backend():
    with web_server(mirror) as address:
        yield address


def test_the_request_goes_on(local_cloud, backend):
    api = HttpApi(local_cloud)
    api.route("ANY /pets/{id}", api.integrate(f"{backend}/animals/{{id}}?fixed=1"))
    reply = api.call(
        "/pets/a%20b?x=1&x=2", "PUT", b"data",
        [("X-Mine", "yes"), ("X-Twice", "a"), ("X-Twice", "b"), ("Connection", "close")],
    )  # fmt: skip
    assert reply.status == 200 and reply.headers["content-type"] == "application/json"
    seen = reply.json()
    assert (seen["method"], seen["body"]) == ("PUT", "data")
    assert seen["path"] == "/animals/a%20b?fixed=1&x=1&x=2"
    headers = {}
    for name, value in seen["headers"]:
        headers.setdefault(name, []).append(value)
    assert headers["x-mine"] == ["yes"]
    assert ",".join(headers["x-twice"]).replace(" ", "") == "a,b"
    assert headers["host"] == [backend.removeprefix("http://")]
    assert headers["forwarded"] == [f"for=127.0.0.1;host={api.host};proto=http"]
    assert headers["via"] == ["HTTP/1.1 AmazonAPIGateway"]
    assert headers["x-amzn-trace-id"][0].startswith("Root=1-")


def test_paths_and_methods(local_cloud, backend):
    api = HttpApi(local_cloud, stage="dev", stage_options={"StageVariables": {"v": "v2"}})
    api.route("GET /shop/{proxy+}", api.integrate(f"{backend}/${{stageVariables.v}}/{{proxy}}"))
    api.route("GET /fixed", api.integrate(f"{backend}/one", IntegrationMethod="POST"))
    api.route("$default", api.integrate(f"{backend}/all"))
    assert api.call("/dev/shop/cart/1").json()["path"] == "/v2/cart/1"
    fixed = api.call("/dev/fixed").json()
    assert (fixed["method"], fixed["path"]) == ("POST", "/one")
    assert api.call("/dev/a/b?c=d", "DELETE").json()["path"] == "/all/a/b?c=d"


def test_the_answer_comes_back_as_it_is(local_cloud):
    def answer(method, path, headers, body):
        sent = [("Location", "/there"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        return 302, [*sent, ("Keep-Alive", "timeout=5"), ("Content-Type", "x/y")], b"\x00\xff"

    with web_server(answer) as backend:
        api = HttpApi(local_cloud)
        api.route("$default", api.integrate(backend))
        reply = api.call("/")
    assert (reply.status, reply.body) == (302, b"\x00\xff"), "a redirect isn't followed"
    assert reply.headers["location"] == "/there" and reply.headers["content-type"] == "x/y"
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert reply.headers["keep-alive"] is None, "it is of the other connection"


def test_no_answer_is_service_unavailable(local_cloud):
    release = threading.Event()

    def slow(method, path, headers, body):
        release.wait(20)
        return 200, [], b""

    with web_server(slow) as backend:
        api = HttpApi(local_cloud)
        api.route("GET /slow", api.integrate(backend, TimeoutInMillis=200))
        api.route("GET /nobody", api.integrate("http://127.0.0.1:9/"))
        for path in ("/slow", "/nobody"):
            reply = api.call(path)
            assert (reply.status, reply.body) == (503, UNAVAILABLE), path
        release.set()


def test_headers_beyond_ascii(local_cloud):
    seen = []

    def answer(method, path, headers, body):
        seen.append(headers["X-Mapped"].encode("latin-1"))
        return 200, [("X-Latin", "caf\xe9"), ("X-Utf", "日".encode().decode("latin-1"))], b""

    with web_server(answer) as backend:
        api = HttpApi(local_cloud)
        mapping = {"append:header.x-mapped": "$request.body.name"}
        api.route("POST /", api.integrate(backend, RequestParameters=mapping))
        reply = api.call("/", "POST", '{"name": "日"}'.encode())
    assert seen == ["日".encode()]
    assert reply.headers["x-latin"].encode("latin-1") == b"caf\xe9"
    assert reply.headers["x-utf"].encode("latin-1") == "日".encode()
