"""Access logs: a line for each request, in the stage's format."""

import json

import pytest

from deployment import log_messages
from http_apis import HttpApi, make_function

GROUP = "/gateway/access"
NAMES = (
    "requestId", "apiId", "stage", "routeKey", "httpMethod", "path", "protocol", "status",
    "responseLength", "domainName", "accountId", "identity.sourceIp", "identity.userAgent",
    "error.message", "integrationStatus", "integration.status", "integrationErrorMessage",
    "authorizer.error", "authorizer.said", "requestTime", "requestTimeEpoch",
    "integrationLatency", "responseLatency",
)  # fmt: skip
FORMAT = json.dumps({name: f"$context.{name}" for name in NAMES})


@pytest.fixture(scope="module")
def api(local_cloud):
    local_cloud.client("logs").create_log_group(logGroupName=GROUP)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    settings = {"AccessLogSettings": {"DestinationArn": arn, "Format": FORMAT}}
    api = HttpApi(local_cloud, stage="dev", stage_options=settings)
    source = "def handler(event, context): return {'statusCode': 201, 'body': 'made'}\n"
    api.route("GET /pets/{id}", api.integrate(make_function(local_cloud, "makes", source)))
    broken = make_function(local_cloud, "breaks", "def handler(event, context): return 1 / 0\n")
    api.route("GET /broken", api.integrate(broken))
    authorizer = """
        def handler(event, context):
            return {"isAuthorized": True, "context": {"said": "welcome"}}
    """
    uri = make_function(local_cloud, "welcomes", authorizer)
    made = api.client.create_authorizer(
        ApiId=api.id, Name="a", AuthorizerType="REQUEST", AuthorizerPayloadFormatVersion="2.0",
        AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{uri}/invocations",
        EnableSimpleResponses=True, IdentitySource=["$request.header.Authorization"],
    )  # fmt: skip
    api.route(
        "GET /guarded", api.integrate(broken), AuthorizationType="CUSTOM",
        AuthorizerId=made["AuthorizerId"],
    )  # fmt: skip
    return api


def logged(api, *args, **options):
    """The reply and the line that it left."""
    reply = api.call(*args, **options)
    request_id = reply.headers["apigw-requestid"]
    messages = log_messages(api.cloud, GROUP, until=request_id)
    [line] = [json.loads(text) for text in messages if request_id in text]
    return reply, line


def test_a_line(api):
    reply, line = logged(api, "/dev/pets/7?x=1", headers={"User-Agent": "me"})
    assert (reply.status, reply.body) == (201, b"made")
    assert line["requestTime"].endswith(" +0000") and line["requestTimeEpoch"].isdecimal()
    assert line["integrationLatency"].isdecimal() and line["responseLatency"].isdecimal()
    expected = {
        "apiId": api.id, "stage": "dev", "routeKey": "GET /pets/{id}", "httpMethod": "GET",
        "path": "/dev/pets/7", "protocol": "HTTP/1.1", "status": "201", "responseLength": "4",
        "domainName": api.host, "accountId": "000000000000", "identity.sourceIp": "127.0.0.1",
        "identity.userAgent": "me", "error.message": "-", "integrationStatus": "200",
        "integration.status": "201", "integrationErrorMessage": "-", "authorizer.error": "-",
        "authorizer.said": "-",
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected


def test_errors_say_why(api):
    reply, line = logged(api, "/dev/nowhere")
    assert (line["status"], line["routeKey"]) == ("404", "-")
    assert line["error.message"] == "Not Found"
    reply, line = logged(api, "/dev/broken")
    assert line["status"] == "500" and line["error.message"] == "Internal Server Error"
    assert line["integrationErrorMessage"] == "The Lambda function returned an error"
    reply, line = logged(api, "/dev/guarded")
    assert (line["status"], line["authorizer.error"]) == ("401", "Unauthorized")
    reply, line = logged(api, "/dev/guarded", headers={"Authorization": "x"})
    assert line["authorizer.said"] == "welcome"


def test_a_missing_permission_is_named(api, local_cloud):
    local_cloud.client("lambda").remove_permission(FunctionName="makes", StatementId="gateway")
    reply, line = logged(api, "/dev/pets/7")
    assert reply.status == 500
    assert "doesn't have permissions to call the integration" in line["integrationErrorMessage"]


def test_no_log_is_kept_without_settings(api, local_cloud):
    api.client.delete_access_log_settings(ApiId=api.id, StageName="dev")
    assert "AccessLogSettings" not in api.client.get_stage(ApiId=api.id, StageName="dev")
