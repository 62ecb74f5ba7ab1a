"""WebSocket APIs: who may connect, how often, and what is written of it."""

import json

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

from deployment import log_messages, wait_for
from http_apis import make_function
from people import Person
from test_http_api_metrics import statistics
from websocket_apis import ECHO, WebSocketApi, ask

GROUP = "/sockets/access"
# Lets in who says yes, on the route that was asked for.
AUTHORIZER = """
def handler(event, context):
    said = event["headers"]["Auth"]
    if said == "raise": raise ValueError(said)
    statement = {
        "Action": "execute-api:Invoke", "Effect": "Allow" if said == "yes" else "Deny",
        "Resource": event["methodArn"],
    }
    return {
        "principalId": "me",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"arn": event["methodArn"], "type": event["type"],
                    "query": event["queryStringParameters"].get("room", "none")},
    }
"""
SLOW = 0.001  # so slow that nothing comes back while a test runs


def guarded(cloud, name, sources):
    api = WebSocketApi(cloud)
    arn = make_function(cloud, f"{name}-authorizer", AUTHORIZER)
    made = api.client.create_authorizer(
        ApiId=api.id, Name="lambda", AuthorizerType="REQUEST", IdentitySource=sources,
        AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )  # fmt: skip
    echo = api.integrate(make_function(cloud, name, ECHO))
    api.route("$connect", echo, AuthorizationType="CUSTOM", AuthorizerId=made["AuthorizerId"])
    api.route("$default", echo, two_way=True)
    return api


def test_a_lambda_authorizer(local_cloud):
    sources = ["route.request.header.Auth", "route.request.querystring.room"]
    api = guarded(local_cloud, "guarded", sources)
    assert api.refused("?room=1")[0] == 401, "an identity source is missing"
    assert api.refused(headers={"Auth": "yes"})[0] == 401
    status, body = api.refused("?room=1", headers={"Auth": "no"})
    assert status == 403 and json.loads(body)["message"] == "Forbidden"
    assert api.refused("?room=1", headers={"Auth": "raise"})[0] == 500
    with api.connect("?room=1", headers={"Auth": "yes"}) as connection:
        authorizer = ask(connection, "hello")["requestContext"]["authorizer"]
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/prod/$connect"
    expected = {"principalId": "me", "arn": arn, "type": "REQUEST", "query": "1"}
    assert authorizer == expected, "of messages too"


def signed(api, session, service="execute-api"):
    """The query of a presigned handshake, and the headers of a signed one."""
    url = f"http://{api.host}:{api.cloud.port}/{api.stage}"
    credentials = session.get_credentials()
    asked = botocore.awsrequest.AWSRequest(method="GET", url=url)
    botocore.auth.SigV4QueryAuth(credentials, service, "us-east-1").add_auth(asked)
    query = asked.url.partition("?")[2]
    asked = botocore.awsrequest.AWSRequest(method="GET", url=url)
    botocore.auth.SigV4Auth(credentials, service, "us-east-1").add_auth(asked)
    return f"?{query}", dict(asked.headers.items())


def test_iam_authorization(local_cloud):
    api = WebSocketApi(local_cloud)
    echo = api.integrate(make_function(local_cloud, "signed", ECHO))
    api.route("$connect", echo, AuthorizationType="AWS_IAM")
    api.route("$default", echo, two_way=True)
    assert api.refused()[0] == 403
    person = Person(local_cloud, "connector")
    key = person.key
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])
    query, headers = signed(api, session)
    assert api.refused(query)[0] == 403
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/prod/$connect"
    person.may({"Action": "execute-api:Invoke", "Resource": arn})
    for options in ({"query": query}, {"headers": headers}):
        with api.connect(**options) as connection:
            identity = ask(connection, "hello")["requestContext"]["identity"]
        assert identity["userArn"].endswith("user/connector")
        assert identity["accessKey"] == key["AccessKeyId"]
    assert api.refused(signed(api, boto3.Session(key["AccessKeyId"], "wrong"))[0])[0] == 403


def test_throttling(local_cloud):
    settings = {
        "RouteSettings": {
            "$connect": {"ThrottlingRateLimit": SLOW, "ThrottlingBurstLimit": 2},
            "$default": {"ThrottlingRateLimit": SLOW, "ThrottlingBurstLimit": 1},
        }
    }
    api = WebSocketApi(local_cloud, stage_options=settings)
    echo = api.integrate(make_function(local_cloud, "busy", ECHO))
    api.route("$connect", echo)
    api.route("$default", echo, two_way=True)
    with api.connect() as connection, api.connect():
        assert api.refused()[0] == 429
        assert ask(connection, "one")["body"] == "one"
        assert ask(connection, "two")["message"] == "Too Many Requests"


def test_access_logs_and_metrics(local_cloud):
    local_cloud.client("logs").create_log_group(logGroupName=GROUP)
    names = (
        "eventType", "routeKey", "status", "connectionId", "messageId", "stage", "apiId",
        "requestId", "error.message", "identity.sourceIp", "integrationStatus",
    )  # fmt: skip
    settings = {
        "AccessLogSettings": {
            "DestinationArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}",
            "Format": json.dumps({name: f"$context.{name}" for name in names}),
        },
        "RouteSettings": {"join": {"DetailedMetricsEnabled": True}},
    }
    api = WebSocketApi(local_cloud, stage_options=settings)
    echo = api.integrate(make_function(local_cloud, "noted", ECHO))
    for key in ("$connect", "$disconnect"):
        api.route(key, echo)
    api.route("join", echo, two_way=True)
    with api.connect() as connection:
        event = ask(connection, {"action": "join"})
        assert ask(connection, "no route")["message"] == "Forbidden"
        broken = api.integrate(
            make_function(local_cloud, "broken", "def handler(e, c): return 1 / 0\n")
        )
        api.route("breaks", broken)
        assert ask(connection, {"action": "breaks"})["message"] == "Internal server error"
    lines = [json.loads(line) for line in log_messages(local_cloud, GROUP, '"DISCONNECT"')]
    kinds = [(line["eventType"], line["routeKey"], line["status"]) for line in lines]
    assert kinds == [
        ("CONNECT", "$connect", "200"), ("MESSAGE", "join", "200"), ("MESSAGE", "-", "403"),
        ("MESSAGE", "breaks", "502"), ("DISCONNECT", "$disconnect", "200"),
    ]  # fmt: skip
    assert {line["connectionId"] for line in lines} == {event["requestContext"]["connectionId"]}
    assert lines[1]["messageId"] == event["requestContext"]["messageId"]
    assert lines[2]["error.message"] == "Forbidden"
    for dimensions in ({"ApiId": api.id}, {"ApiId": api.id, "Stage": "prod"}):
        expected = {
            "ConnectCount": 1, "MessageCount": 3 + 3, "ClientError": 1, "IntegrationError": 1,
            "ExecutionError": 0,
        }  # fmt: skip
        assert wait_for(lambda d=dimensions, e=expected: counted(api, e, d) == e)
        latency = statistics(api, "IntegrationLatency", **dimensions)
        assert latency["SampleCount"] == 4
    place = {"ApiId": api.id, "Stage": "prod", "Method": "join", "Resource": "join"}
    assert statistics(api, "MessageCount", **place)["Sum"] == 2


def counted(api, names, dimensions):
    return {name: statistics(api, name, **dimensions)["Sum"] for name in names}
