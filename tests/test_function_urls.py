"""Function URLs: their event, their answers, who may use them, and CORS."""

import base64
import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from deployment import deploy, policy_of

ECHO = "def handler(event, context): return event\n"
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


def make_url(cloud, name, source=ECHO, auth_type="NONE", public=True, **config):
    """Deploy a function with a URL and return the URL's host name."""
    deploy(cloud, name, source)
    client = cloud.client("lambda")
    made = client.create_function_url_config(FunctionName=name, AuthType=auth_type, **config)
    if public:
        client.add_permission(
            FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl",
            Principal="*", FunctionUrlAuthType="NONE",
        )  # fmt: skip
        client.add_permission(
            FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction",
            Principal="*", InvokedViaFunctionUrl=True,
        )  # fmt: skip
    return urlsplit(made["FunctionUrl"]).hostname


def call(cloud, host, path="/", method="GET", body=None, headers=None, by_path=False):
    """Send a request to a URL; return the status, the headers and the body."""
    if by_path:
        path = f"/_aws/lambda-url/{host.split('.')[0]}{path}"
    sent = {"User-Agent": "agent", **({} if by_path else {"Host": host}), **(headers or {})}
    request = urllib.request.Request(
        f"{cloud.endpoint_url}{path}", data=body, method=method, headers=sent
    )
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read()


def test_the_event(local_cloud):
    host = make_url(local_cloud, "echo")
    status, headers, body = call(
        local_cloud, host, "/my/pa%20th?a=1&a=2&b=x%20y", "POST", b'{"n": 1}',
        {"Content-Type": "application/json", "Cookie": "one=1; two=2", "X-Mine": "yes"},
    )  # fmt: skip
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    event = json.loads(body)
    assert headers["x-amzn-RequestId"] == event["requestContext"].pop("requestId")
    assert event["requestContext"].pop("time").endswith(" +0000")
    assert isinstance(event["requestContext"].pop("timeEpoch"), int)
    assert event.pop("requestContext") == {
        "accountId": "anonymous",
        "apiId": host.split(".")[0],
        "domainName": host,
        "domainPrefix": host.split(".")[0],
        "http": {
            "method": "POST",
            "path": "/my/pa th",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "agent",
        },
        "routeKey": "$default",
        "stage": "$default",
    }
    sent = event.pop("headers")
    assert sent["x-mine"] == "yes" and sent["host"] == host
    assert sent["x-amzn-trace-id"].startswith("Root=1-")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/pa th",
        "rawQueryString": "a=1&a=2&b=x%20y",
        "cookies": ["one=1", "two=2"],
        "queryStringParameters": {"a": "1,2", "b": "x y"},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    _, _, body = call(local_cloud, host, "/my/path", by_path=True)
    plain = json.loads(body)
    assert plain["rawPath"] == "/my/path" and plain["requestContext"]["domainName"] == host
    assert not {"body", "cookies", "queryStringParameters"} & set(plain)
    _, _, body = call(
        local_cloud, host, "/", "PUT", b"\x00\xff", {"Content-Type": "application/octet-stream"}
    )
    binary = json.loads(body)
    assert binary["isBase64Encoded"] and base64.b64decode(binary["body"]) == b"\x00\xff"


ANSWERS = """
    import json
    def handler(event, context):
        return json.loads(event["body"])
"""


def test_answers(local_cloud):
    host = make_url(local_cloud, "answers", ANSWERS)

    def answer(value):
        body = json.dumps(value).encode()
        return call(local_cloud, host, "/", "POST", body, {"Content-Type": "application/json"})

    status, headers, body = answer({"message": "Hello"})
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {"message": "Hello"}
    assert answer("Hello")[2] == b"Hello"
    assert answer([1, 2])[2] == b"[1, 2]"
    status, headers, body = answer(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "My-Header": "Value"},
            "cookies": ["a=1; Max-Age=5", "b=2"],
            "body": "made",
        }
    )
    assert (status, body) == (201, b"made")
    assert headers["Content-Type"] == "text/plain" and headers["My-Header"] == "Value"
    assert headers.get_all("Set-Cookie") == ["a=1; Max-Age=5", "b=2"]
    data = base64.b64encode(b"\x89PNG").decode()
    encoded = {"statusCode": 200, "body": data, "isBase64Encoded": True}
    assert answer(encoded)[2] == b"\x89PNG"
    assert answer({"statusCode": 204})[::2] == (204, b"")
    assert answer({"statusCode": "404", "body": "no"})[::2] == (404, b"no")
    for broken in (
        {"statusCode": 42},
        {"statusCode": 200, "headers": ["no", "headers"]},
        {"statusCode": 200, "body": "abcde", "isBase64Encoded": True},
    ):
        assert answer(broken)[::2] == (502, b"Internal Server Error")
    false_length = {"statusCode": 200, "headers": {"Content-Length": "99"}, "body": "short"}
    assert answer(false_length)[::2] == (200, b"short")


def test_a_failing_function(local_cloud):
    host = make_url(local_cloud, "fails", "def handler(event, context): return 1 / 0\n")
    assert call(local_cloud, host)[::2] == (502, b"Internal Server Error")
    client = local_cloud.client("lambda")
    client.put_function_concurrency(FunctionName="fails", ReservedConcurrentExecutions=0)
    assert call(local_cloud, host)[0] == 429


def test_an_unknown_url(local_cloud):
    status, headers, body = call(local_cloud, "nothing.lambda-url.us-east-1.on.aws")
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert json.loads(body) == {"Message": None}


def test_without_both_permissions_nobody_gets_in(local_cloud):
    host = make_url(local_cloud, "private", public=False)
    client = local_cloud.client("lambda")
    status, headers, body = call(local_cloud, host)
    assert (status, json.loads(body)) == (403, {"Message": FORBIDDEN})
    assert headers["x-amzn-ErrorType"] == "AccessDeniedException"
    client.add_permission(
        FunctionName="private", StatementId="url", Action="lambda:InvokeFunctionUrl",
        Principal="*", FunctionUrlAuthType="NONE",
    )  # fmt: skip
    assert call(local_cloud, host)[0] == 403, "lambda:InvokeFunction is still lacking"
    client.add_permission(
        FunctionName="private", StatementId="invoke", Action="lambda:InvokeFunction",
        Principal="*", InvokedViaFunctionUrl=True,
    )  # fmt: skip
    assert call(local_cloud, host)[0] == 200


def signed(cloud, host, keys):
    """The headers of a request to / that is signed with an access key and its secret."""
    request = botocore.awsrequest.AWSRequest(method="GET", url=f"{cloud.endpoint_url}/")
    request.headers["Host"] = host
    credentials = botocore.credentials.Credentials(*keys)
    botocore.auth.SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    return dict(request.headers)


def test_iam_authorisation(local_cloud):
    host = make_url(local_cloud, "guarded", auth_type="AWS_IAM", public=False)
    assert call(local_cloud, host)[0] == 403, "not signed"
    status, _, body = call(local_cloud, host, headers=signed(local_cloud, host, ("test", "test")))
    assert status == 200
    context = json.loads(body)["requestContext"]
    assert context["authorizer"]["iam"]["userArn"] == "arn:aws:iam::000000000000:root"
    iam = local_cloud.client("iam")
    user = iam.create_user(UserName="caller")["User"]
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    keys = (key["AccessKeyId"], key["SecretAccessKey"])
    assert call(local_cloud, host, headers=signed(local_cloud, host, keys))[0] == 403
    actions = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
    arn = "arn:aws:lambda:us-east-1:000000000000:function:guarded"
    document = policy_of({"Action": actions, "Resource": arn})
    iam.put_user_policy(UserName="caller", PolicyName="url", PolicyDocument=document)
    status, _, body = call(local_cloud, host, headers=signed(local_cloud, host, keys))
    assert status == 200
    context = json.loads(body)["requestContext"]
    assert context["accountId"] == "000000000000" and context["authentication"] is None
    assert context["authorizer"]["iam"] == {
        "accessKey": key["AccessKeyId"],
        "accountId": "000000000000",
        "callerId": user["UserId"],
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": user["Arn"],
        "userId": user["UserId"],
    }


def test_cors(local_cloud):
    source = """
        def handler(event, context):
            return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "nobody"}}
    """
    cors = {
        "AllowOrigins": ["https://a.example"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["x-mine"],
        "ExposeHeaders": ["x-shown"],
        "AllowCredentials": True,
        "MaxAge": 300,
    }
    host = make_url(local_cloud, "shared", source, Cors=cors)
    origin = {"Origin": "https://a.example"}
    asking = {**origin, "Access-Control-Request-Method": "POST"}
    status, headers, body = call(local_cloud, host, method="OPTIONS", headers=asking)
    assert (status, body) == (200, b"")
    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert headers["Access-Control-Allow-Methods"] == "GET,POST"
    assert headers["Access-Control-Allow-Headers"] == "x-mine"
    assert headers["Access-Control-Max-Age"] == "300"
    assert not local_cloud.record.entries(function="shared"), "a preflight runs no function"
    status, headers, _ = call(local_cloud, host, headers=origin)
    assert status == 200
    assert headers.get_all("Access-Control-Allow-Origin") == ["https://a.example"]
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Expose-Headers"] == "x-shown"
    _, headers, _ = call(local_cloud, host, headers={"Origin": "https://b.example"})
    assert headers["Access-Control-Allow-Origin"] == "nobody", "the function's own stays"


def test_a_function_behind_a_url_leaves_the_other_services_alone(local_cloud):
    assert local_cloud.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("path", ["/_aws/lambda-url/", "/_aws/lambda-url", "/_aws/lambda-url/x"])
def test_odd_paths_are_plain_errors(local_cloud, path):
    status, headers, _ = call(local_cloud, "127.0.0.1", path)
    assert status in (403, 404)
    assert "json" in headers["Content-Type"] or "xml" in headers["Content-Type"]
