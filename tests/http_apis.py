"""HTTP APIs in tests: made by boto3, called by plain HTTP with a Host header."""

import http.client
import json
from dataclasses import dataclass

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from deployment import deploy

ECHO = "def handler(event, context): return event\n"


@dataclass
class Reply:
    """What a caller gets; header names in lower case."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


def request(cloud, host, path, method="GET", body=None, headers=()):
    """Send a request to the cloud's port under a host name. `headers` may repeat a name."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=100)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", host), *dict_or_pairs(headers)]:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def dict_or_pairs(headers):
    return headers.items() if isinstance(headers, dict) else headers


def make_function(cloud, name, source=ECHO, **options):
    """A function that API Gateway may invoke, by its ARN."""
    arn = deploy(cloud, name, source, **options)["FunctionArn"]
    cloud.client("lambda").add_permission(
        FunctionName=name, StatementId="gateway", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    return arn


def call_signed(api, path, keys, method="GET", body=None, secret=None):
    """Call an API with a signature by an access key and its secret."""
    url = f"http://{api.host}{path}"
    asked = botocore.awsrequest.AWSRequest(method=method, url=url, data=body)
    credentials = botocore.credentials.Credentials(keys[0], secret or keys[1])
    botocore.auth.SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(asked)
    return api.call(path, method, body, dict(asked.headers.items()))


def invocations(cloud, name):
    """How often a function has been invoked."""
    entries = cloud.record.entries(function=name)
    return sum(entry["type"] == "invoke.start" for entry in entries)


class HttpApi:
    """An HTTP API with a $default stage that deploys by itself, unless told otherwise."""

    def __init__(self, cloud, stage="$default", auto_deploy=True, stage_options=None, **options):
        self.cloud = cloud
        self.client = cloud.client("apigatewayv2")
        made = self.client.create_api(Name="api", ProtocolType="HTTP", **options)
        self.id, self.endpoint = made["ApiId"], made["ApiEndpoint"]
        self.host = f"{self.id}.execute-api.localhost"
        self.client.create_stage(
            ApiId=self.id, StageName=stage, AutoDeploy=auto_deploy, **(stage_options or {})
        )

    def integrate(self, uri, version="2.0", **options):
        """An integration with a function or a URL, by its id."""
        kind = "AWS_PROXY" if uri.startswith("arn:") else "HTTP_PROXY"
        settings = {"PayloadFormatVersion": version if kind == "AWS_PROXY" else "1.0", **options}
        if kind == "HTTP_PROXY":
            settings.setdefault("IntegrationMethod", "ANY")
        made = self.client.create_integration(
            ApiId=self.id, IntegrationType=kind, IntegrationUri=uri, **settings
        )
        return made["IntegrationId"]

    def route(self, key, integration_id, **options):
        """Add a route; return its id."""
        target = f"integrations/{integration_id}"
        made = self.client.create_route(ApiId=self.id, RouteKey=key, Target=target, **options)
        return made["RouteId"]

    def call(self, path="/", method="GET", body=None, headers=()):
        return request(self.cloud, self.host, path, method, body, headers)
