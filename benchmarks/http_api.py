"""An HTTP API in front of a function: made through boto3, called over a kept connection."""

import contextlib
import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from .callers import HEADERS, invocation_path
from .functions import Function, InvocationFailed
from .servers import Endpoint


@dataclass(frozen=True)
class HttpApi:
    """An API whose only route, $default, has a function behind it."""

    endpoint: Endpoint
    function: Function
    host: str

    def callers(self):
        """Two calls to compare over one connection: the API's, and the invocation behind it."""
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.endpoint.url).port)

        def asked(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                raise InvocationFailed(f"HTTP {answer.status}: {content[:300]!r}")

        invocation = invocation_path(self.function.name)
        return (
            lambda: asked("GET", "/", None, {"Host": self.host}),
            lambda: asked("POST", invocation, b"{}", HEADERS),
        )


def put_in_front(function: Function) -> HttpApi:
    """Make an HTTP API for a function, step by step: MiniStack has no quick create."""
    endpoint = function.endpoint
    client = endpoint.client("apigatewayv2")
    made = client.create_api(Name="bench", ProtocolType="HTTP")
    api = made["ApiId"]
    integration = client.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function.arn,
        IntegrationMethod="POST", PayloadFormatVersion="2.0",
    )["IntegrationId"]  # fmt: skip
    client.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    with contextlib.suppress(ClientError):  # of an earlier measure
        endpoint.client("lambda").add_permission(
            FunctionName=function.name, StatementId="bench", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )  # fmt: skip
    return HttpApi(endpoint, function, urlsplit(made["ApiEndpoint"]).netloc)
