"""REST APIs: resources and methods, deployments as snapshots, functions as proxies, mocks."""

import base64
import json

import pytest

from http_apis import call_signed, make_function
from people import Person
from rest_apis import RestApi

INTERNAL = b'{"message": "Internal server error"}'
# Answers what the body says; without a body, with its event.
SOURCE = """
    import json, time
    def handler(event, context):
        if event["body"] is None or not event["body"].startswith("{"):
            return {"statusCode": 200, "body": json.dumps(event)}
        said = json.loads(event["body"])
        if "raise" in said:
            raise ValueError(said["raise"])
        time.sleep(said.pop("sleep", 0))
        return said.get("answer")
"""


@pytest.fixture(scope="module")
def arn(local_cloud):
    return make_function(local_cloud, "function", SOURCE)


@pytest.fixture(scope="module")
def api(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("ANY", "/pets/{id}", arn)
    api.proxy("GET", "/pets/special", arn)
    api.proxy("GET", "/files/{proxy+}", arn)
    api.proxy("POST", "/slow", arn, timeoutInMillis=300)
    api.deploy(variables={"table": "pets"})
    return api


def say(api, said, path="/dev/pets/7"):
    return api.call(path, "POST", json.dumps(said).encode(), {"Content-Type": "application/json"})


def test_the_event(api):
    reply = api.call(
        "/dev/pets/a%20b?x=1&x=2", "PUT", b"text",
        [("X-Twice", "a"), ("X-Twice", "b"), ("Content-Type", "image/png")],
    )  # fmt: skip
    event = reply.json()
    assert "version" not in event
    assert (event["resource"], event["path"], event["httpMethod"]) == (
        "/pets/{id}", "/pets/a b", "PUT",
    )  # fmt: skip
    assert event["pathParameters"] == {"id": "a b"}
    assert event["stageVariables"] == {"table": "pets"}
    assert event["multiValueHeaders"]["X-Twice"] == ["a", "b"]
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (event["body"], event["isBase64Encoded"]) == ("text", False)
    context = event["requestContext"]
    assert (context["path"], context["stage"]) == ("/dev/pets/a b", "dev")
    assert (context["resourcePath"], context["resourceId"]) == (
        "/pets/{id}", api.resources["/pets/{id}"],
    )  # fmt: skip
    assert context["requestId"] == reply.headers["x-amzn-requestid"]
    assert context["extendedRequestId"] == reply.headers["x-amz-apigw-id"]
    assert "authorizer" not in context
    assert reply.headers["x-amzn-trace-id"].startswith("Root=1-")
    plain = api.call("/dev/pets/7").json()
    assert plain["body"] is None and plain["queryStringParameters"] is None


def test_the_most_specific_resource_takes_a_request(api):
    assert api.call("/dev/pets/special").json()["resource"] == "/pets/special"
    assert api.call("/dev/pets/other").json()["resource"] == "/pets/{id}"
    assert api.call("/dev/files/a/b").json()["pathParameters"] == {"proxy": "a/b"}


def test_what_is_not_there(api):
    for path, method in (("/dev/nowhere", "GET"), ("/dev/files/a", "DELETE"), ("/dev/", "GET")):
        reply = api.call(path, method)
        assert (reply.status, reply.json()) == (403, {"message": "Missing Authentication Token"})
        assert reply.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    reply = api.call("/prod/pets/7")
    assert (reply.status, reply.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"statusCode": 200}, 200),
        ({"headers": {"X-Mine": "yes"}}, 200),
        ({"statusCode": "201"}, 201),
        ({"statusCode": "test"}, 502),
        ({}, 502),
        ({"statusCode": 200, "wrongValue": 1}, 502),
        ("justAString", 502),
        ({"statusCode": 200, "multiValueHeaders": {"x": "no list"}}, 502),
        ({"statusCode": 200, "body": {"an": "object"}}, 502),
        ({"statusCode": 200, "body": {}}, 502),
        ({"statusCode": 200, "body": None, "headers": {"x-nothing": None}}, 200),
    ],
)
def test_answers(api, answer, status):
    reply = say(api, {"answer": answer})
    assert reply.status == status
    if status == 502:
        assert reply.body == INTERNAL
        assert reply.headers["x-amzn-errortype"] == "InternalServerErrorException"
    else:
        assert reply.body == b"" and reply.headers["content-type"] == "application/json"
        assert "x-nothing" not in reply.headers


def test_failures(api, local_cloud):
    assert (say(api, {"raise": "no"}).status, say(api, {"raise": "no"}).body) == (502, INTERNAL)
    late = say(api, {"sleep": 1, "answer": {"statusCode": 200}}, "/dev/slow")
    assert (late.status, late.json()) == (504, {"message": "Endpoint request timed out"})


def test_binary_media_types(local_cloud, arn):
    picture = base64.b64encode(b"\x89PNG").decode()
    answer = {"statusCode": 200, "isBase64Encoded": True, "body": picture}
    said = {"answer": {**answer, "headers": {"Content-Type": "image/png"}}}
    for types, received in (([], picture.encode()), (["image/png"], b"\x89PNG")):
        api = RestApi(local_cloud, binaryMediaTypes=types)
        api.proxy("ANY", "/pets/{id}", arn)
        api.deploy()
        assert say(api, said).body == received
        headers = {"Content-Type": "image/png"}
        event = api.call("/dev/pets/7", "POST", b"\x89PNG", headers).json()
        assert event["isBase64Encoded"] is bool(types)
    added = {"op": "add", "path": "/binaryMediaTypes/image~1gif"}
    changed = api.client.update_rest_api(restApiId=api.id, patchOperations=[added])
    assert changed["binaryMediaTypes"] == ["image/png", "image/gif"]
    gone = {"op": "remove", "path": "/binaryMediaTypes/image~1png"}
    changed = api.client.update_rest_api(restApiId=api.id, patchOperations=[gone])
    assert changed["binaryMediaTypes"] == ["image/gif"]


def test_the_function_must_let_the_method_in(local_cloud):
    arn = make_function(local_cloud, "guarded", SOURCE)
    client = local_cloud.client("lambda")
    client.remove_permission(FunctionName="guarded", StatementId="gateway")
    api = RestApi(local_cloud)
    api.proxy("GET", "/pets/{id}", arn)
    api.deploy()
    reply = api.call("/dev/pets/7")
    assert (reply.status, reply.body) == (500, INTERNAL)
    source = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/*/GET/pets/*"
    client.add_permission(
        FunctionName="guarded", StatementId="this", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=source,
    )  # fmt: skip
    assert api.call("/dev/pets/7").status == 200


def test_a_change_is_live_when_it_is_deployed(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("GET", "/one", arn)
    first = api.deploy()
    api.client.update_stage(
        restApiId=api.id, stageName="dev",
        patchOperations=[{"op": "replace", "path": "/variables/kept", "value": "yes"}],
    )  # fmt: skip
    api.proxy("GET", "/two", arn)
    assert (api.call("/dev/one").status, api.call("/dev/two").status) == (200, 403)
    api.deploy()
    assert api.call("/dev/two").json()["stageVariables"] == {"kept": "yes"}
    api.client.delete_method(restApiId=api.id, resourceId=api.resources["/two"], httpMethod="GET")
    assert api.call("/dev/two").status == 200, "a deployment is a snapshot"
    api.client.update_stage(
        restApiId=api.id, stageName="dev",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
    )  # fmt: skip
    assert (api.call("/dev/one").status, api.call("/dev/two").status) == (200, 403)


def test_a_mock(local_cloud):
    api = RestApi(local_cloud)
    template = {"application/json": '{"statusCode": 200}'}
    place = api.method("OPTIONS", "/pets", "MOCK", requestTemplates=template)
    origin = "method.response.header.Access-Control-Allow-Origin"
    api.client.put_method_response(**place, statusCode="200", responseParameters={origin: False})
    api.client.put_integration_response(
        **place, statusCode="200", responseParameters={origin: "'*'"},
        responseTemplates={"application/json": '{"mocked": true}'},
    )  # fmt: skip
    broken = api.method("GET", "/pets", "MOCK", requestTemplates={"application/json": "nothing"})
    assert broken
    api.deploy()
    reply = api.call("/dev/pets", "OPTIONS")
    assert (reply.status, reply.json()) == (200, {"mocked": True})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["x-amzn-trace-id"] is None
    assert (api.call("/dev/pets").status, api.call("/dev/pets").body) == (500, INTERNAL)


def test_what_is_too_large_to_be_looked_at(api):
    reply = api.call("/dev/pets/7", "POST", bytes(10 * 1024 * 1024 + 1))
    assert (reply.status, reply.body) == (413, b"HTTP content length exceeded 10485760 bytes.")
    assert "x-amzn-requestid" not in reply.headers
    reply = api.call("/dev/pets/7", headers={"X-Large": "x" * 10_240})
    assert (reply.status, reply.body) == (431, b"HTTP header is larger than 10240 bytes.")
    assert api.call("/dev/pets/7", headers={"X-Large": "x" * 9_000}).status == 200


def test_gateway_responses(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("ANY", "/pets/{id}", arn)
    worded = '{"said": $context.error.messageString, "kind": "$context.error.responseType"}'
    api.client.put_gateway_response(
        restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404",
        responseParameters={"gatewayresponse.header.X-Help": "'/docs'"},
        responseTemplates={"application/json": worded},
    )  # fmt: skip
    api.client.put_gateway_response(
        restApiId=api.id, responseType="DEFAULT_5XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    )  # fmt: skip
    api.client.put_gateway_response(
        restApiId=api.id, responseType="REQUEST_TOO_LARGE", statusCode="400"
    )
    api.method("GET", "/broken", "MOCK", requestTemplates={"application/json": "nothing"})
    api.deploy()
    reply = api.call("/dev/pets/7", "POST", b"x" * (6 * 1024 * 1024 + 1))
    assert (reply.status, reply.body) == (413, b'{"message": "Request Too Long"}')
    reply = api.call("/dev/nowhere")
    assert (reply.status, reply.headers["x-help"]) == (404, "/docs")
    assert reply.json() == {
        "said": "Missing Authentication Token", "kind": "MISSING_AUTHENTICATION_TOKEN",
    }  # fmt: skip
    for status, reply in ((502, say(api, {"raise": "no"})), (500, api.call("/dev/broken"))):
        assert (reply.status, reply.body) == (status, INTERNAL)
        assert reply.headers["access-control-allow-origin"] == "*"


def test_iam_authorization(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("GET", "/pets/{id}", arn, authorization="AWS_IAM")
    api.deploy()
    assert api.call("/dev/pets/7").json() == {"message": "Missing Authentication Token"}
    person = Person(local_cloud, "caller")
    keys = (person.key["AccessKeyId"], person.key["SecretAccessKey"])
    resource = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/pets/7"
    refusal = (
        "User: arn:aws:iam::000000000000:user/caller is not authorized to perform: "
        "execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********0000:{api.id}/dev/GET/pets/7"
    )
    reply = call_signed(api, "/dev/pets/7", keys)
    assert (reply.status, reply.json()) == (403, {"Message": refusal})
    assert reply.headers["x-amzn-errortype"] == "AccessDeniedException"
    person.may({"Action": "execute-api:Invoke", "Resource": resource})
    identity = call_signed(api, "/dev/pets/7", keys).json()["requestContext"]["identity"]
    assert identity["userArn"] == "arn:aws:iam::000000000000:user/caller"
    assert identity["accessKey"] == keys[0]
    assert call_signed(api, "/dev/pets/8", keys).status == 403
    reply = call_signed(api, "/dev/pets/7", keys, secret="wrong")
    assert reply.json()["message"].startswith("The request signature we calculated does not match")
    assert reply.headers["x-amzn-errortype"] == "InvalidSignatureException"
    person.may({"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*"})
    reply = call_signed(api, "/dev/pets/7", keys)
    assert reply.json() == {"Message": f"{refusal} with an explicit deny"}
