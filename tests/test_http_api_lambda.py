"""Functions behind an HTTP API: their events, their answers, and what goes wrong."""

import base64
import json

import pytest

from deployment import deploy
from http_apis import HttpApi, make_function

INTERNAL = b'{"message":"Internal Server Error"}'
UNAVAILABLE = b'{"message":"Service Unavailable"}'
# Answers what the body says, as a function could.
ANSWERS = "import json\ndef handler(event, context): return json.loads(event['body'])\n"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def api(local_cloud):
    api = HttpApi(local_cloud)
    echo, answers = (
        make_function(local_cloud, "echo"),
        make_function(local_cloud, "answers", ANSWERS),
    )
    for version in ("1.0", "2.0"):
        api.route(f"ANY /{version}/events/{{id}}", api.integrate(echo, version))
        api.route(f"POST /{version}/answers", api.integrate(answers, version))
    wrap = "import json\ndef handler(event, context):\n"
    wrap += "    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    wrapped = make_function(local_cloud, "wrapped", wrap)
    api.route("ANY /v1/{id}", api.integrate(wrapped, "1.0"))
    return api


def test_the_event_of_format_2(api):
    reply = api.call(
        "/2.0/events/a%20b?x=1&x=2&y=%C3%A9", "POST", b'{"n": 1}',
        [("Content-Type", "application/json"), ("Cookie", "one=1; two=2"), ("Cookie", "three=3"),
         ("X-Twice", "a"), ("X-Twice", "b"), ("User-Agent", "agent"),
         ("X-Forwarded-For", "10.0.0.1")],
    )  # fmt: skip
    event = reply.json()
    context = event.pop("requestContext")
    assert context.pop("requestId") == reply.headers["apigw-requestid"]
    assert context.pop("time").endswith(" +0000") and isinstance(context.pop("timeEpoch"), int)
    assert context == {
        "accountId": "000000000000",
        "apiId": api.id,
        "domainName": api.host,
        "domainPrefix": api.id,
        "http": {
            "method": "POST",
            "path": "/2.0/events/a b",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "agent",
        },
        "routeKey": "ANY /2.0/events/{id}",
        "stage": "$default",
    }
    headers = event.pop("headers")
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers == {
        "content-length": "8",
        "content-type": "application/json",
        "host": api.host,
        "user-agent": "agent",
        "x-forwarded-for": "10.0.0.1, 127.0.0.1",
        "x-forwarded-port": str(api.cloud.port),
        "x-forwarded-proto": "http",
        "x-twice": "a,b",
    }
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /2.0/events/{id}",
        "rawPath": "/2.0/events/a b",
        "rawQueryString": "x=1&x=2&y=%C3%A9",
        "cookies": ["one=1", "two=2", "three=3"],
        "queryStringParameters": {"x": "1,2", "y": "é"},
        "pathParameters": {"id": "a b"},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    plain = api.call("/2.0/events/1").json()
    assert not {"body", "cookies", "queryStringParameters", "stageVariables"} & set(plain)


def test_the_event_of_format_1(api):
    reply = api.call(
        "/v1/7?x=1&x=2", "PUT", b"\x00\xff",
        [("Content-Type", "image/png"), ("X-Twice", "a"), ("X-Twice", "b"), ("User-Agent", "me")],
    )  # fmt: skip
    event = reply.json()
    assert list(event) == [
        "version", "resource", "path", "httpMethod", "headers", "multiValueHeaders",
        "queryStringParameters", "multiValueQueryStringParameters", "requestContext",
        "pathParameters", "stageVariables", "body", "isBase64Encoded",
    ]  # fmt: skip
    assert event["version"] == "1.0" and event["httpMethod"] == "PUT"
    assert (event["resource"], event["path"]) == ("/v1/{id}", "/v1/7")
    assert event["headers"]["x-twice"] == "b"
    assert event["multiValueHeaders"]["x-twice"] == ["a", "b"]
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["pathParameters"] == {"id": "7"} and event["stageVariables"] is None
    assert base64.b64decode(event["body"]) == b"\x00\xff" and event["isBase64Encoded"]
    context = event["requestContext"]
    assert context["requestId"] == reply.headers["apigw-requestid"]
    assert context["identity"]["sourceIp"] == "127.0.0.1" and context["identity"]["user"] is None
    assert context["resourcePath"] == "/v1/{id}" and context["resourceId"] is None
    assert context["authorizer"] == {"claims": None, "scopes": None}
    plain = api.call("/v1/7").json()
    assert plain["body"] is None and plain["queryStringParameters"] is None


@pytest.mark.parametrize(
    ("data", "content_type", "encoded"),
    [
        (b"text", "text/plain", False),
        (b"{}", "application/vnd.api+json", False),
        (b"\x89PNG", "image/png", True),
        (b"a=1", "application/x-www-form-urlencoded", True),
    ],
)
def test_which_bodies_are_encoded(api, data, content_type, encoded):
    event = api.call("/2.0/events/1", "POST", data, {"Content-Type": content_type}).json()
    assert event["isBase64Encoded"] is encoded
    body = event["body"]
    assert (base64.b64decode(body) if encoded else body.encode()) == data


def answer(api, value, version="2.0"):
    return api.call(f"/{version}/answers", "POST", json.dumps(value).encode(), JSON)


def test_answers_of_format_2(api):
    inferred = answer(api, {"message": "Hello"})
    assert (inferred.status, inferred.json()) == (200, {"message": "Hello"})
    assert inferred.headers["content-type"] == "application/json"
    assert answer(api, "Hello").body == b"Hello"
    assert answer(api, [1]).body == b"[1]"
    full = answer(
        api,
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "X-Mine": "yes"},
            "cookies": ["a=1; Secure", "b=2"],
            "body": "made",
        },
    )
    assert (full.status, full.body, full.headers["x-mine"]) == (201, b"made", "yes")
    assert full.headers.get_all("set-cookie") == ["a=1; Secure", "b=2"]
    picture = base64.b64encode(b"\x89PNG").decode()
    binary = {"statusCode": 200, "body": picture, "isBase64Encoded": True}
    untyped = answer(api, binary)
    assert untyped.body == b"\x89PNG"
    assert untyped.headers["content-type"] == "text/plain; charset=utf-8"


def test_answers_of_format_1(api):
    reply = answer(
        api,
        {
            "statusCode": "202",
            "headers": {"X-One": "1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "text",
        },
        "1.0",
    )
    assert (reply.status, reply.body, reply.headers["x-one"]) == (202, b"text", "1")
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]
    picture = base64.b64encode(b"\x89PNG").decode()
    binary = {"statusCode": 200, "body": picture, "isBase64Encoded": True}
    untyped = answer(api, binary, "1.0")
    assert untyped.body == b"\x89PNG"
    assert untyped.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("version", "value"),
    [
        ("1.0", {}),
        ("1.0", "just a string"),
        ("1.0", {"statusCode": "test"}),
        ("1.0", {"statusCode": 200, "wrongValue": 1}),
        ("1.0", {"statusCode": 200, "body": {"an": "object"}}),
        ("1.0", {"statusCode": 200, "multiValueHeaders": {"x": "no list"}}),
        ("2.0", {"statusCode": "test"}),
        ("1.0", {"statusCode": 200, "headers": {"Content Type": "text/plain"}}),
        ("2.0", {"statusCode": 200, "headers": {"Content Type": "text/plain"}}),
        ("2.0", {"statusCode": 42}),
        ("2.0", {"statusCode": 200, "headers": ["no", "headers"]}),
    ],
)
def test_a_malformed_answer_is_an_internal_error(api, version, value):
    reply = answer(api, value, version)
    assert (reply.status, reply.body) == (500, INTERNAL)
    assert reply.headers["content-type"] == "application/json"


def test_a_failing_function_is_an_internal_error(local_cloud):
    api = HttpApi(local_cloud)
    source = "def handler(event, context): return 1 / 0\n"
    api.route("$default", api.integrate(make_function(local_cloud, "fails", source)))
    assert (api.call("/").status, api.call("/").body) == (500, INTERNAL)
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="fails", ReservedConcurrentExecutions=0)
    assert (api.call("/").status, api.call("/").body) == (503, UNAVAILABLE)
    client.delete_function(FunctionName="fails")
    assert (api.call("/").status, api.call("/").body) == (500, INTERNAL)


def test_the_function_must_let_the_route_in(local_cloud):
    api = HttpApi(local_cloud, stage="dev")
    arn = deploy(local_cloud, "guarded", "def handler(event, context): return 'in'\n")[
        "FunctionArn"
    ]
    integration = api.integrate(arn)
    api.route("GET /pets/{id}", integration)
    api.route("$default", integration)
    assert (api.call("/dev/pets/1").status, api.call("/dev/pets/1").body) == (500, INTERNAL)
    source = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}"
    client = local_cloud.client("lambda")

    def let_in(statement, resource):
        client.add_permission(
            FunctionName="guarded", StatementId=statement, Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=f"{source}/{resource}",
        )  # fmt: skip

    let_in("another-stage", "prod/GET/pets/{id}")
    let_in("another-method", "*/POST/pets/{id}")
    assert api.call("/dev/pets/1").status == 500
    let_in("this", "*/*/pets/{id}")
    assert api.call("/dev/pets/1").body == b"in"
    assert api.call("/dev/other").status == 500
    let_in("default", "*/$default")
    assert api.call("/dev/other").body == b"in"


def test_a_role_may_let_the_route_in(local_cloud):
    api = HttpApi(local_cloud)
    arn = deploy(local_cloud, "by-role", "def handler(event, context): return 'in'\n")[
        "FunctionArn"
    ]
    iam = local_cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}}
    role = iam.create_role(
        RoleName="gateway",
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
        ),
    )["Role"]["Arn"]
    api.route("$default", api.integrate(arn, CredentialsArn=role))
    assert api.call("/").status == 500
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="gateway", PolicyName="invoke", PolicyDocument=document)
    assert api.call("/").body == b"in"


def test_a_slow_function_is_given_up_on(local_cloud):
    api = HttpApi(local_cloud)
    source = "import time\ndef handler(event, context): time.sleep(1); return 'late'\n"
    slow = make_function(local_cloud, "slow", source)
    api.route("GET /slow", api.integrate(slow, TimeoutInMillis=300))
    api.route("GET /patient", api.integrate(slow))
    reply = api.call("/slow")
    assert (reply.status, reply.body) == (503, UNAVAILABLE)
    assert api.call("/patient").body == b"late"


def test_what_is_too_large(api):
    binary = {"Content-Type": "application/octet-stream"}
    for path, size in (("/2.0/events/1", 6 * 1024 * 1024 + 1), ("/none", 10 * 1024 * 1024 + 1)):
        reply = api.call(path, "POST", bytes(size), binary)
        assert (reply.status, reply.body) == (413, b'{"message":"Request Too Long"}')
    assert api.call("/2.0/events/1", "POST", bytes(3 * 1024 * 1024), binary).status == 200
    assert api.call("/2.0/events/1", headers={"X-Large": "x" * 10_240}).status == 431
    assert api.call("/2.0/events/1", headers={"X-Large": "x" * 9_000}).status == 200
