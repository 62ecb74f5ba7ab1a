"""@connections: what a backend does with connections, and who may; $disconnect."""

import datetime
import json
import socket

import boto3
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed

from deployment import make_role, policy_of
from http_apis import call_signed, make_function, request
from people import Person
from websocket_apis import WebSocketApi, ask, echo_api, setting

GONE = "L0SM9cOFvHcCIhw="
# As AWS's examples, but that a local endpoint is taken where there is one.
POSTER = """
import json, os, boto3

def handler(event, context):
    place = event["requestContext"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or f"https://{place['domainName']}/{place['stage']}"
    client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    to = json.loads(event["body"])["to"] if "body" in event else os.environ["WATCHER"]
    try:
        client.post_to_connection(ConnectionId=to, Data=json.dumps(event))
    except Exception as error:
        return {"statusCode": 200, "body": json.dumps({"error": str(error)})}
    return {"statusCode": 200, "body": json.dumps("sent")}
"""


@pytest.fixture(scope="module")
def api(local_cloud):
    return echo_api(local_cloud, "echo")


def id_of(connection):
    return ask(connection, "who am I?")["requestContext"]["connectionId"]


def code_and_status(error):
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("form", ["path", "bare"])
def test_post_get_and_delete(local_cloud, api, form):
    client = api.callbacks(endpoint=local_cloud.endpoint_url if form == "bare" else None)
    before = datetime.datetime.now(datetime.UTC)
    with api.connect(user_agent_header="a client") as connection:
        connection_id = id_of(connection)
        client.post_to_connection(ConnectionId=connection_id, Data=b"hello \xc3\xa4")
        assert connection.recv(timeout=60) == "hello ä"
        found = client.get_connection(ConnectionId=connection_id)
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "a client"}
        slack = datetime.timedelta(seconds=1)
        assert before - slack < found["ConnectedAt"] <= found["LastActiveAt"]
        client.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=60)
        assert connection.protocol.close_code == 1000
    for call in (client.get_connection, client.delete_connection):
        with pytest.raises(client.exceptions.GoneException):
            call(ConnectionId=connection_id)


def test_by_host_name(local_cloud, api):
    """With the Host of the API, as where the name is looked up."""
    api.call = lambda *asked: request(local_cloud, api.host, *asked)
    with api.connect() as connection:
        connection_id = id_of(connection).replace("=", "%3D")
        keys = ("test", "test")
        reply = call_signed(api, f"/prod/@connections/{connection_id}", keys, "POST", b"hi")
        assert reply.status == 200
        assert connection.recv(timeout=60) == "hi"
        other = call_signed(api, f"/dev/@connections/{connection_id}", keys, "POST", b"hi")
        assert (other.status, other.headers["x-amzn-errortype"]) == (410, "GoneException")


def test_what_is_refused(api):
    client = api.callbacks()
    with pytest.raises(client.exceptions.GoneException) as gone:
        client.post_to_connection(ConnectionId=GONE, Data="x")
    assert code_and_status(gone) == ("GoneException", 410)
    with pytest.raises(ClientError) as malformed:
        client.post_to_connection(ConnectionId="nonsense", Data="x")
    assert code_and_status(malformed) == ("BadRequestException", 400)
    assert "Invalid connectionId: nonsense" in str(malformed.value)
    with api.connect(max_size=None) as connection:
        connection_id = id_of(connection)
        client.post_to_connection(ConnectionId=connection_id, Data="x" * 128 * 1024)
        assert len(connection.recv(timeout=60)) == 128 * 1024
        with pytest.raises(client.exceptions.PayloadTooLargeException) as large:
            client.post_to_connection(ConnectionId=connection_id, Data="x" * (128 * 1024 + 1))
        assert code_and_status(large) == ("PayloadTooLargeException", 413)


@pytest.mark.parametrize("form", ["path", "bare"])
def test_who_may(local_cloud, api, form):
    person = Person(local_cloud, f"poster-{form}")
    session = boto3.Session(
        person.key["AccessKeyId"], person.key["SecretAccessKey"], region_name="us-east-1"
    )
    endpoint = local_cloud.endpoint_url if form == "bare" else None
    client = api.callbacks(session, endpoint)
    with api.connect() as connection:
        connection_id = id_of(connection)
        with pytest.raises(ClientError) as denied:
            client.post_to_connection(ConnectionId=connection_id, Data="x")
        assert code_and_status(denied) == ("AccessDeniedException", 403)
        arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/prod/POST/@connections"
        assert "is not authorized to perform: execute-api:ManageConnections" in str(denied.value)
        assert f"{arn}/{connection_id}" in str(denied.value)
        person.may({"Action": "execute-api:ManageConnections", "Resource": f"{arn}/*"})
        client.post_to_connection(ConnectionId=connection_id, Data="welcome")
        assert connection.recv(timeout=60) == "welcome"
        with pytest.raises(ClientError) as denied:
            client.delete_connection(ConnectionId=connection_id)
        assert code_and_status(denied)[0] == "AccessDeniedException"
    stranger = boto3.Session(person.key["AccessKeyId"], "wrong", region_name="us-east-1")
    with pytest.raises(ClientError) as denied:
        api.callbacks(stranger, endpoint).post_to_connection(ConnectionId=GONE, Data="x")
    assert code_and_status(denied)[1] == 403


def allow_posting(cloud, role, resource):
    cloud.client("iam").put_role_policy(
        RoleName=role, PolicyName="posts",
        PolicyDocument=policy_of({"Action": "execute-api:ManageConnections", "Resource": resource}),
    )  # fmt: skip


def test_a_function_posts_to_other_connections(local_cloud, api):
    arn = make_function(local_cloud, "poster", POSTER)
    api.route("tell", api.integrate(arn), two_way=True)
    with api.connect() as sender, api.connect() as receiver:
        message = {"action": "tell", "to": id_of(receiver)}
        assert "execute-api:ManageConnections" in ask(sender, message)["error"]
        allow_posting(local_cloud, "poster-role", f"arn:aws:execute-api:*:*:{api.id}/*")
        assert ask(sender, message) == "sent"
        assert json.loads(receiver.recv(timeout=60))["requestContext"]["routeKey"] == "tell"
        gone = {"action": "tell", "to": GONE}
        assert "GoneException" in ask(sender, gone)["error"]


@pytest.fixture(scope="module")
def watched(local_cloud, api):
    """An API whose $disconnect tells the connection that watches."""
    with api.connect() as watcher:
        role = make_role(local_cloud, "watched-role")
        allow_posting(local_cloud, "watched-role", "*")
        environment = {"Variables": {"WATCHER": id_of(watcher)}}
        arn = make_function(local_cloud, "watched", POSTER, role=role, Environment=environment)
        api = WebSocketApi(local_cloud)
        api.route("$disconnect", api.integrate(arn))
        yield api, watcher


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        ("close", 1000, "bye"),
        ("no code", 1005, "Client-side close frame status not set"),
        ("abnormal", 1006, "Connection closed abnormally"),
        ("deleted", 1000, "Connection Closed Normally"),
        ("idle", 1001, "Going away"),
    ],
)
def test_the_event_of_disconnect(local_cloud, watched, how, code, reason):
    api, watcher = watched
    idle_s = 0.3 if how == "idle" else 600
    with setting(local_cloud, websocket_idle_s=idle_s), api.connect() as connection:
        told = how != "idle" and ask(connection, "x")["connectionId"]
        match how:
            case "close":
                connection.close(reason="bye")
            case "no code":
                connection.socket.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
            case "abnormal":
                connection.socket.shutdown(socket.SHUT_RDWR)
            case "deleted":
                api.callbacks().delete_connection(ConnectionId=told)
        event = json.loads(watcher.recv(timeout=60))
    context = event["requestContext"]
    assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")
    assert not told or context["connectionId"] == told
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (code, reason)
    assert event["headers"] == {
        "Host": api.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "",
    }  # fmt: skip
    assert event["multiValueHeaders"]["Host"] == [api.host]
    assert "body" not in event and event["isBase64Encoded"] is False
