"""WebSocket APIs in tests: made by boto3, called by the client of the package websockets."""

import contextlib
import json
import urllib.request

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from http_apis import make_function

# Answers handshakes with the status in the query, and echoes the event of a message.
ECHO = """
import json
def handler(event, context):
    if event["requestContext"]["eventType"] == "CONNECT":
        wanted = event.get("queryStringParameters") or {}
        if "fails" in wanted: raise ValueError("told to fail")
        protocol = event["headers"].get("Sec-WebSocket-Protocol")
        headers = {"Sec-WebSocket-Protocol": protocol.split(",")[0]} if protocol else {}
        return {"statusCode": int(wanted.get("status", 200)), "headers": headers, "body": json.dumps(event)}
    if event.get("body") == "fail": raise ValueError("told to fail")
    return {"statusCode": 200, "body": json.dumps(event)}
"""


class WebSocketApi:
    """A WebSocket API whose stage deploys by itself, unless told otherwise."""

    def __init__(
        self, cloud, stage="prod", expression="$request.body.action", stage_options=None, **options
    ):
        self.cloud, self.stage = cloud, stage
        self.client = cloud.client("apigatewayv2")
        made = self.client.create_api(
            Name="sockets", ProtocolType="WEBSOCKET", RouteSelectionExpression=expression, **options
        )
        self.id, self.endpoint = made["ApiId"], made["ApiEndpoint"]
        self.host = f"{self.id}.execute-api.localhost"
        settings = {"AutoDeploy": True, **(stage_options or {})}
        self.client.create_stage(ApiId=self.id, StageName=stage, **settings)

    def integrate(self, uri="", kind="AWS_PROXY", **options):
        """An integration by its id."""
        if uri:
            options["IntegrationUri"] = uri
        made = self.client.create_integration(ApiId=self.id, IntegrationType=kind, **options)
        return made["IntegrationId"]

    def route(self, key, integration_id=None, two_way=False, **options):
        """Add a route; return its id."""
        if integration_id:
            options["Target"] = f"integrations/{integration_id}"
        if two_way:
            options["RouteResponseSelectionExpression"] = "$default"
        route = self.client.create_route(ApiId=self.id, RouteKey=key, **options)["RouteId"]
        if two_way:
            self.client.create_route_response(
                ApiId=self.id, RouteId=route, RouteResponseKey="$default"
            )
        return route

    @property
    def path(self):
        """The path form of the stage's address, without scheme and host."""
        return f"127.0.0.1:{self.cloud.port}/_aws/execute-api/{self.id}/{self.stage}"

    def connect(self, query="", host=None, headers=None, path=None, **options):
        """A connection by the host name, which is told but not looked up."""
        where = host or self.host
        uri = f"ws://{where}:{self.cloud.port}{path or '/' + self.stage}{query}"
        return connect(
            uri, address=("127.0.0.1", self.cloud.port), additional_headers=headers,
            compression=None, proxy=None, **options,
        )  # fmt: skip

    def refused(self, *args, **options):
        """Status and body of a handshake that must fail."""
        try:
            with self.connect(*args, **options):
                raise AssertionError("the handshake succeeded")
        except InvalidStatus as refused:
            return refused.response.status_code, refused.response.body.decode()

    def callbacks(self, session=None, endpoint=None):
        """A client of @connections."""
        session = session or self.cloud.session()
        url = endpoint or f"http://{self.path}"
        return session.client("apigatewaymanagementapi", endpoint_url=url)


def echo_api(cloud, name, **options):
    """An API whose three predefined routes and `join` go to the echo function; $default and join answer."""
    api = WebSocketApi(cloud, **options)
    echo = api.integrate(make_function(cloud, name, ECHO))
    api.route("$connect", echo)
    for key in ("$default", "join"):
        api.route(key, echo, two_way=True)
    return api


def ask(connection, message):
    """Send a message, and the answer, read as JSON."""
    connection.send(message if isinstance(message, str) else json.dumps(message))
    return json.loads(connection.recv(timeout=60))


@contextlib.contextmanager
def setting(cloud, **values):
    """Settings of the cloud for the time being."""

    def change(values):
        request = urllib.request.Request(
            f"{cloud.endpoint_url}/_localcloud/settings", json.dumps(values).encode(), method="PUT"
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    with urllib.request.urlopen(f"{cloud.endpoint_url}/_localcloud/settings") as answer:
        before = json.load(answer)
    change(values)
    try:
        yield
    finally:
        change({name: before[name] for name in values})
