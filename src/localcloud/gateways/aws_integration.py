"""Integrations with AWS services: a request to this cloud's own front door, signed by the role that the
integration names.

The URI is arn:aws:apigateway:REGION:SERVICE:path/… or …:action/NAME ("Integration" in the API reference,
uri). Services that answer in XML by their query protocol are asked for JSON, as API Gateway asks them.
"""

import json
import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import UnknownServiceError

from ..control_plane import principals
from ..identity import may_service
from ..service_models import service_model
from . import execution_log
from .exchange import Exchange
from .gateway_responses import GatewayError
from .http_proxy import HttpProxy, with_path_variables
from .parameter_mapping import Response
from .rest_mapping import Outgoing, Received

_URI = re.compile(
    r"arn:aws[\w-]*:apigateway:(?P<region>[\w-]*):((?P<subdomain>[^:]+)\.)?(?P<service>[\w-]+)"
    r":(?P<kind>path|action)/(?P<rest>.*)",
    re.DOTALL,
)
# Where a URI's name for a service isn't botocore's.
_MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch", "email": "ses"}
_FORM = "application/x-www-form-urlencoded"
_SERVICE = "apigateway.amazonaws.com"
_KEPT_S = 3_000  # role sessions last an hour or more
NOT_ASSUMED = "API Gateway does not have permission to assume the provided role"


class AwsIntegrations:
    """Calls services."""

    def __init__(self, proxy: HttpProxy):
        self._proxy = proxy
        self._sessions: dict[tuple[str, str], tuple[float, Credentials]] = {}

    async def call(self, exchange: Exchange, uri: str, outgoing: Outgoing) -> Received:
        """Ask a service. Raises GatewayError for a URI or role that won't do, IntegrationFailed where
        nothing answers in time.
        """
        found = _URI.fullmatch(uri)
        if not found:
            raise GatewayError(
                "API_CONFIGURATION_ERROR", f"Invalid ARN specified in the request: {uri}"
            )
        integration = exchange.route.integration
        asked = _request(found, integration.method, outgoing, exchange.call.port)
        asked.headers.add_header("Accept", "application/json")
        if integration.credentials:
            credentials = self._credentials(exchange, integration.credentials)
            name, region = found["service"], found["region"] or exchange.api.region
            signer = S3SigV4Auth if name == "s3" else SigV4Auth
            signer(credentials, _signing_name(name), region).add_auth(asked)
        fields = [(name, value) for name, value in asked.headers.items()]
        execution_log.sent(exchange, uri, fields, outgoing.body)
        response = await self._proxy.send(
            asked.method, asked.url, fields, asked.body or b"", integration.timeout_s
        )
        if _is_query(found["service"]):
            response = _as_json(response)
        return Received(response.status, response.fields, response.body, str(response.status))

    def _credentials(self, exchange: Exchange, role: str) -> Credentials:
        api = exchange.api
        policy = principals.trust_policy(role, api.account_id)
        source = api.arn(exchange.stage.name, exchange.call.request.method, exchange.route.path[1:])
        if not may_service(policy, "sts:AssumeRole", role, source, api.account_id, _SERVICE):
            raise GatewayError("API_CONFIGURATION_ERROR", NOT_ASSUMED)
        made, credentials = self._sessions.get((role, api.region), (0.0, None))
        is_over = credentials is None or time.monotonic() - made > _KEPT_S
        # Keys that STS knows no more, because the cloud was emptied, would be the administrator's.
        if is_over or principals.find_principal(credentials.access_key, api.account_id) is None:
            minted = principals.mint_role_credentials(
                role, "BackplaneAssumeRoleSession", api.account_id, api.region
            )
            credentials = Credentials(
                minted.access_key_id, minted.secret_access_key, minted.session_token
            )
            self._sessions[role, api.region] = time.monotonic(), credentials
        return credentials


def _request(found: re.Match, method: str, outgoing: Outgoing, port: int) -> AWSRequest:
    """The request to the front door, not yet signed."""
    service, rest = found["service"], found["rest"]
    headers, query, body = dict(outgoing.headers), list(outgoing.query), outgoing.body
    path = "/"
    if found["kind"] == "path":
        rest, _, own = with_path_variables(rest, outgoing.path).partition("?")
        query = [tuple(pair.split("=", 1)) for pair in own.split("&") if "=" in pair] + query
        path = f"/{found['subdomain']}/{rest}" if found["subdomain"] else f"/{rest.lstrip('/')}"
    elif _is_query(service):
        action, *own = rest.split("&")
        model = service_model(_MODELS.get(service, service))
        query += [("Action", action), ("Version", model.api_version)]
        query += [tuple(pair.split("=", 1)) for pair in own if "=" in pair]
    else:
        model = _model(service)
        headers.setdefault("x-amz-target", f"{model.metadata['targetPrefix']}.{rest}")
        version = model.metadata.get("jsonVersion", "1.0")
        headers["content-type"] = f"application/x-amz-json-{version}"
    if _is_query(service):
        # moto reads parameters from a form or from the query, not from both.
        body = "&".join(filter(None, (body.decode(), urlencode(query)))).encode()
        headers["content-type"], query, method = _FORM, [], "POST"
    url = f"http://127.0.0.1:{port}{quote(path, safe='/%~:@!$&()*+,;=')}"
    if query:
        url += "?" + urlencode(query, quote_via=quote)
    return AWSRequest(method=method, url=url, headers=headers, data=body)


def _model(service: str):
    try:
        model = service_model(_MODELS.get(service, service))
        model.metadata["targetPrefix"]
    except (UnknownServiceError, KeyError):
        reason = f"localcloud knows no actions of {service}; use {service}:path/…"
        raise GatewayError("API_CONFIGURATION_ERROR", reason) from None
    return model


def _signing_name(service: str) -> str:
    try:
        return service_model(_MODELS.get(service, service)).signing_name
    except UnknownServiceError:
        return service


def _is_query(service: str) -> bool:
    """Whether API Gateway speaks to a service by forms; to SQS it still does, by its old version."""
    try:
        protocol = service_model(_MODELS.get(service, service)).metadata["protocol"]
    except UnknownServiceError:
        return False
    return service == "sqs" or protocol == "query"


def _as_json(response: Response) -> Response:
    try:
        root = ElementTree.fromstring(response.body)
    except ElementTree.ParseError:
        return response
    name, content = _plain(root.tag), _content(root)
    body = json.dumps(content if name == "ErrorResponse" else {name: content}).encode()
    fields = [field for field in response.fields if field[0] != "content-type"]
    return Response(response.status, (*fields, ("content-type", "application/json")), body)


def _content(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text
    children = [(_plain(child.tag), _content(child)) for child in element]
    names = {name for name, _ in children}
    if names == {"member"}:
        return [content for _, content in children]
    if len(names) < len(children):  # a flattened list
        return {name: [c for n, c in children if n == name] for name in names}
    return dict(children)


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]
