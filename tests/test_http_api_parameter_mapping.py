"""Parameter mapping: what an HTTP API changes in requests and answers."""

import pytest

from http_apis import HttpApi, make_function
from refusals import refusal
from web_servers import mirror, web_server


@pytest.fixture(scope="module")
def backend():
    with web_server(mirror) as address:
        yield address


def mapped(local_cloud, uri, mappings, stage_options=None, **options):
    api = HttpApi(local_cloud, stage_options=stage_options)
    integration = api.integrate(uri, RequestParameters=mappings, **options)
    api.route("POST /pets/{id}", integration)
    return api


def values(seen, name):
    return [value for key, value in seen["headers"] if key == name]


def test_what_can_stand_in_a_value(local_cloud, backend):
    expressions = {
        "header": "$request.header.X-Given",
        "query": "$request.querystring.color",
        "path": "$request.path",
        "variable": "$request.path.id",
        "body": "$request.body.owner.names[1]",
        "context": "$context.requestId",
        "route": "$context.routeKey",
        "stage": "$stageVariables.table",
        "static": "plain text",
        "nothing": "$request.header.not-there",
    }
    mappings = {f"append:header.x-{name}": text for name, text in expressions.items()}
    options = {"StageVariables": {"table": "pets"}}
    api = mapped(local_cloud, backend, mappings, options)
    reply = api.call(
        "/pets/7?color=red&color=blue", "POST", b'{"owner": {"names": ["a", "b"]}}',
        [("X-Given", "one"), ("X-Given", "two")],
    )  # fmt: skip
    seen = reply.json()
    assert {name: values(seen, f"x-{name}") for name in expressions} == {
        "header": ["one,two"],
        "query": ["red,blue"],
        "path": ["/pets/7"],
        "variable": ["7"],
        "body": ["b"],
        "context": [reply.headers["apigw-requestid"]],
        "route": ["POST /pets/{id}"],
        "stage": ["pets"],
        "static": ["plain text"],
        "nothing": [],
    }


def test_append_overwrite_and_remove(local_cloud, backend):
    api = mapped(
        local_cloud, f"{backend}/base",
        {
            "append:header.x-a": "new",
            "overwrite:header.x-b": "new",
            "remove:header.x-c": "''",
            "append:querystring.a": "new",
            "overwrite:querystring.b": "new",
            "remove:querystring.c": "''",
            "overwrite:path": "/moved/$",
        },
    )  # fmt: skip
    headers = {"X-A": "old", "X-B": "old", "X-C": "old"}
    seen = api.call("/pets/7?a=old&b=old&c=old", "POST", b"", headers).json()
    assert ",".join(values(seen, "x-a")).replace(" ", "") == "old,new"
    assert values(seen, "x-b") == ["new"] and values(seen, "x-c") == []
    assert seen["path"] == "/moved/$?a=old&a=new&b=new"


def test_functions_get_mapped_requests_too(local_cloud):
    echo = make_function(local_cloud, "echo")
    mappings = {"append:header.x-who": "$context.apiId", "overwrite:path": "/other"}
    api = mapped(local_cloud, echo, mappings)
    event = api.call("/pets/7", "POST").json()
    assert event["headers"]["x-who"] == api.id and event["rawPath"] == "/other"


def test_a_body_that_no_reader_gets_to_the_end_of(local_cloud):
    api = HttpApi(local_cloud)
    mappings = {"overwrite:header.x": "$request.body.x"}
    arn = make_function(local_cloud, "deep")
    api.route("$default", api.integrate(arn, RequestParameters=mappings))
    reply = api.call("/", "POST", b"[" * 100_000)
    assert (reply.status, reply.json()) == (500, {"message": "Internal Server Error"})
    assert reply.headers["apigw-requestid"]


def test_answers(local_cloud):
    def answer(method, path, headers, body):
        sent = [("X-Kept", "1"), ("X-Gone", "1"), ("Content-Type", "application/json")]
        return int(path[-3:]), sent, b'{"reason": {"code": 5, "lines": "one\\ntwo"}}'

    with web_server(answer) as backend:
        api = HttpApi(local_cloud)
        integration = api.integrate(
            f"{backend}/{{status}}",
            ResponseParameters={
                "500": {
                    "overwrite:statuscode": "403",
                    "append:header.x-code": "$response.body.reason.code",
                    "append:header.x-lines": "$response.body.reason.lines",
                    "append:header.x-copy": "$response.header.X-Kept",
                    "remove:header.x-gone": "''",
                },
                "404": {"overwrite:header.x-kept": "$context.stage"},
            },
        )
        api.route("GET /{status}", integration)
        changed = api.call("/500")
        assert (changed.status, changed.headers["x-code"], changed.headers["x-copy"]) == (
            403,
            "5",
            "1",
        )
        assert changed.headers["x-lines"] == "one two"
        assert changed.headers["x-gone"] is None and changed.headers["x-kept"] == "1"
        assert api.call("/404").headers["x-kept"] == "$default"
        untouched = api.call("/200")
        assert (untouched.status, untouched.headers["x-gone"]) == (200, "1")


def test_reserved_headers_are_refused(local_cloud):
    api = HttpApi(local_cloud)
    for header in ("Authorization", "x-amzn-mine", "Access-Control-Allow-Origin", "via"):
        status, code, _ = refusal(
            api.client.create_integration, ApiId=api.id, IntegrationType="HTTP_PROXY",
            IntegrationUri="http://127.0.0.1:9/", IntegrationMethod="ANY",
            PayloadFormatVersion="1.0", RequestParameters={f"append:header.{header}": "x"},
        )  # fmt: skip
        assert (status, code) == (400, "BadRequestException"), header
