"""WebSocket APIs: handshakes, routes, events, what a client is told."""

import json
import re

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayWebSocketEvent
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from deployment import deploy
from http_apis import make_function
from web_servers import mirror, web_server
from websocket_apis import ECHO, WebSocketApi, ask, echo_api, setting


@pytest.fixture(scope="module")
def api(local_cloud):
    return echo_api(local_cloud, "echo")


def test_the_address_that_the_api_names(local_cloud, api):
    assert api.endpoint == f"ws://{api.id}.execute-api.localhost:{local_cloud.port}"


def test_a_message_and_its_event(api):
    with api.connect(user_agent_header="a client") as connection:
        event = ask(connection, {"action": "join", "room": "tea"})
    context = event["requestContext"]
    assert list(event) == ["requestContext", "body", "isBase64Encoded"]
    assert json.loads(event["body"]) == {"action": "join", "room": "tea"}
    assert event["isBase64Encoded"] is False
    assert set(context) == {
        "routeKey", "messageId", "eventType", "extendedRequestId", "requestTime",
        "messageDirection", "stage", "connectedAt", "requestTimeEpoch", "identity", "requestId",
        "domainName", "connectionId", "apiId",
    }  # fmt: skip
    assert (context["routeKey"], context["eventType"]) == ("join", "MESSAGE")
    assert (context["stage"], context["apiId"], context["messageDirection"]) == (
        "prod",
        api.id,
        "IN",
    )
    assert context["domainName"] == api.host
    assert context["identity"] == {"userAgent": "a client", "sourceIp": "127.0.0.1"}
    assert context["extendedRequestId"] == context["requestId"] != context["messageId"]
    assert context["connectedAt"] <= context["requestTimeEpoch"]
    assert re.fullmatch(r"[\w-]{15}=", context["connectionId"])


def test_the_event_of_a_handshake(local_cloud):
    api = WebSocketApi(local_cloud, stage_options={"StageVariables": {"table": "people"}})
    api.route("$connect", api.integrate(make_function(local_cloud, "tells", ECHO)))
    status, body = api.refused("?status=401&room=a&room=b", headers={"HeaderAuth1": "Yes"})
    event = json.loads(body)
    assert status == 401
    assert event["headers"]["HeaderAuth1"] == "Yes", "in the case in which it was sent"
    assert event["multiValueHeaders"]["HeaderAuth1"] == ["Yes"]
    assert event["headers"]["Sec-WebSocket-Version"] == "13"
    assert event["headers"]["Host"] == api.host
    assert "Upgrade" not in event["headers"] and "Connection" not in event["headers"]
    assert event["queryStringParameters"] == {"status": "401", "room": "b"}
    assert event["multiValueQueryStringParameters"]["room"] == ["a", "b"]
    assert event["stageVariables"] == {"table": "people"}
    assert event["requestContext"]["eventType"] == "CONNECT"
    assert event["requestContext"]["routeKey"] == "$connect"
    assert "messageId" not in event["requestContext"] and "body" not in event


@pytest.mark.parametrize(
    ("query", "status"), [("?status=301", 301), ("?status=403", 403), ("?fails=1", 502)]
)
def test_a_handshake_that_the_function_refuses(api, caplog, query, status):
    assert api.refused(query)[0] == status
    assert not caplog.records, "that is no fault of the server"


def test_a_handshake_to_what_is_not_there(local_cloud, api):
    status, body = api.refused(path="/other")
    assert status == 403
    assert re.fullmatch(
        r'\{"message": "Forbidden", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}', body
    )
    assert api.refused(host="nobody.execute-api.localhost")[0] == 403
    assert api.refused(path="/prod/deeper")[0] == 403
    assert api.refused(host="localhost")[0] == 403


def test_a_function_that_may_not_be_invoked(local_cloud):
    api = WebSocketApi(local_cloud)
    api.route("$connect", api.integrate(deploy(local_cloud, "closed", ECHO)["FunctionArn"]))
    assert api.refused()[0] == 500


def test_a_subprotocol_that_the_function_chooses(api):
    with api.connect(subprotocols=["soap", "wamp"]) as connection:
        assert connection.subprotocol == "soap"
    with api.connect() as connection:
        assert connection.subprotocol is None


def test_the_path_form_and_awss_host_name(local_cloud, api):
    with connect(f"ws://{api.path}", proxy=None) as connection:
        assert ask(connection, "hello")["requestContext"]["stage"] == "prod"
    host = f"{api.id}.execute-api.eu-west-1.amazonaws.com"
    with api.connect(host=host) as connection:
        assert ask(connection, "hello")["requestContext"]["domainName"] == host


def test_messages_without_a_route(local_cloud, api):
    with api.connect() as connection:
        for message in (
            "no JSON",
            {"action": "unknown"},
            {"other": 1},
            {"action": "$connect"},
            "[]",
        ):
            assert ask(connection, message)["requestContext"]["routeKey"] == "$default"
    bare = WebSocketApi(local_cloud)
    with bare.connect() as connection:
        connection.send("hello")
        answer = connection.recv(timeout=60)
        assert re.fullmatch(
            r'\{"message": "Forbidden", "connectionId":"[\w=-]+", "requestId":"[\w=-]+"\}', answer
        )
        assert ask(connection, "again")["message"] == "Forbidden", "the connection stays"


@pytest.mark.parametrize(
    ("expression", "message", "key"),
    [
        ("${request.body.action}", {"action": "join"}, "join"),
        ("$request.body.a.b", {"a": {"b": "join"}}, "join"),
        ("$request.body.list[1]", {"list": ["a", "join"]}, "join"),
        ("${request.body.service}/${request.body.action}", {"service": "x", "action": "y"}, "x/y"),
        ("$request.body.count", {"count": 3}, "3"),
        ("${request.body.service}/${request.body.action}", {"service": "x"}, "$default"),
    ],
)
def test_route_selection_expressions(expression, message, key):
    from localcloud.gateways.descriptions import Route
    from localcloud.gateways.websocket_routes import select_route

    routes = [Route(each, "ANY", ()) for each in ("join", "x/y", "3", "$default")]
    assert select_route(routes, expression, json.dumps(message).encode()).key == key


def test_what_goes_back(local_cloud, api):
    echo = api.integrate(make_function(local_cloud, "one-way", ECHO))
    api.route("silent", echo)
    with api.connect() as connection:
        connection.send('{"action": "silent"}')
        assert ask(connection, {"action": "join"})["requestContext"]["routeKey"] == "join"
        answer = ask(connection, "fail")
        assert answer["message"] == "Internal server error"
        assert set(answer) == {"message", "connectionId", "requestId"}
        assert ask(connection, "still there")["body"] == "still there"


def test_a_one_way_route_tells_of_failures_too(local_cloud):
    api = WebSocketApi(local_cloud)
    api.route("$default", api.integrate(make_function(local_cloud, "fails", ECHO)))
    with api.connect() as connection:
        assert ask(connection, "fail")["message"] == "Internal server error"


def test_a_function_that_takes_too_long(local_cloud):
    api = WebSocketApi(local_cloud)
    source = "import time\ndef handler(event, context): time.sleep(8)\n"
    slow = api.integrate(make_function(local_cloud, "slow", source), TimeoutInMillis=50)
    api.route("$default", slow)
    with api.connect() as connection:
        assert ask(connection, "hello")["message"] == "Internal server error"
    api.route("$connect", slow)
    assert api.refused()[0] == 504


def test_powertools_reads_the_events(api):
    with api.connect(user_agent_header="a client") as connection:
        event = APIGatewayWebSocketEvent(ask(connection, {"action": "join", "room": "tea"}))
    context = event.request_context
    assert event.json_body == {"action": "join", "room": "tea"}
    assert (context.route_key, context.event_type, context.api_id) == ("join", "MESSAGE", api.id)
    assert context.identity.user_agent == "a client" and context.connection_id
    handshake = APIGatewayWebSocketEvent(json.loads(api.refused("?status=400&room=tea")[1]))
    assert handshake.headers["sec-websocket-version"] == "13"
    assert handshake.query_string_parameters["room"] == "tea"


def test_mock_and_http_integrations(local_cloud, api):
    mocked = api.integrate(kind="MOCK", RequestTemplates={"200": '{"statusCode": 200}'})
    api.client.create_integration_response(
        ApiId=api.id, IntegrationId=mocked, IntegrationResponseKey="$default",
        ResponseTemplates={"200": '{"pong": true}'},
    )  # fmt: skip
    api.route("ping", mocked, two_way=True)
    with web_server(mirror) as url:
        parameters = {"integration.request.header.connection-of": "context.connectionId"}
        asked = api.integrate(
            url, "HTTP_PROXY", IntegrationMethod="POST", RequestParameters=parameters
        )
        api.route("web", asked, two_way=True)
        with api.connect() as connection:
            assert ask(connection, {"action": "ping"}) == {"pong": True}
            answer = ask(connection, {"action": "web", "n": 1})
            assert answer["method"] == "POST"
            assert json.loads(answer["body"]) == {"action": "web", "n": 1}
            assert "connection-of" in dict(answer["headers"])


def test_a_change_is_live_when_it_is_deployed(local_cloud):
    api = WebSocketApi(local_cloud, stage="live", stage_options={"AutoDeploy": False})
    assert api.refused()[0] == 403, "nothing is deployed"
    api.client.create_deployment(ApiId=api.id, StageName="live")
    with api.connect() as connection:
        echo = api.integrate(make_function(local_cloud, "later", ECHO))
        api.route("$default", echo, two_way=True)
        assert ask(connection, "a")["message"] == "Forbidden"
        api.client.create_deployment(ApiId=api.id, StageName="live")
        assert ask(connection, "b")["body"] == "b"


def closed(connection):
    with pytest.raises(ConnectionClosed):
        while True:
            connection.recv(timeout=60)
    return connection.protocol.close_code


def test_frames_and_messages_that_are_too_large(api):
    with api.connect() as connection:
        assert ask(connection, "x" * 32 * 1024)["body"] == "x" * 32 * 1024
        connection.send("x" * (32 * 1024 + 1))
        assert closed(connection) == 1009
    with api.connect(max_size=None) as connection:
        connection.send(["x" * 32 * 1024] * 4)
        assert len(json.loads(connection.recv(timeout=60))["body"]) == 128 * 1024
        connection.send(["x" * 32 * 1024] * 4 + ["x"])
        assert closed(connection) == 1009


def test_binary_frames_are_not_taken(api):
    with api.connect() as connection:
        connection.send(b"bytes")
        assert closed(connection) == 1003


def test_an_idle_connection_is_closed(local_cloud, api):
    with setting(local_cloud, websocket_idle_s=0.3), api.connect() as connection:
        assert closed(connection) == 1001


def test_a_connection_ends_however_busy_it_is(local_cloud, api):
    with setting(local_cloud, websocket_duration_s=1), api.connect() as connection:
        with pytest.raises(ConnectionClosed):
            while True:
                ask(connection, "busy")
        assert connection.protocol.close_code == 1001


def test_an_api_without_a_route_selection_expression(local_cloud):
    client = local_cloud.client("apigatewayv2")
    with pytest.raises(client.exceptions.BadRequestException, match="RouteSelectionExpression"):
        client.create_api(Name="none", ProtocolType="WEBSOCKET")


def test_a_disabled_address(local_cloud, api):
    api = WebSocketApi(local_cloud, DisableExecuteApiEndpoint=True)
    assert api.refused()[0] == 403
