"""MOCK integrations: an answer without a backend ("Mock integrations for REST APIs").

The request template says which integration response is meant, {"statusCode": 200}. Templates are taken
as they are: Velocity is not done.
"""

import json
import re

from .exchange import Exchange
from .gateway_responses import GatewayError
from .parameter_mapping import Response
from .rest_descriptions import IntegrationResponse, RestIntegration

_VELOCITY = re.compile(r"[$#]\w|\$\{|#\{")


def respond(exchange: Exchange) -> Response:
    """The answer. Raises GatewayError where the method isn't set up to give one."""
    integration = exchange.route.integration
    status = _wanted_status(exchange, integration)
    chosen = _choose(integration.responses, status)
    template = _plain(chosen.templates.get("application/json") or "")
    fields = [("content-type", "application/json")]
    for key, value in chosen.parameters.items():
        # Of a mock there is nothing to map but static values, in single quotes.
        if key.startswith("method.response.header.") and value.startswith("'"):
            name = key.removeprefix("method.response.header.").lower()
            fields = [field for field in fields if field[0] != name] + [(name, value[1:-1])]
    return Response(chosen.status, tuple(fields), template.encode())


def _wanted_status(exchange: Exchange, integration: RestIntegration) -> str:
    content_type = (
        exchange.headers.get("content-type", "application/json").partition(";")[0].strip()
    )
    template = integration.request_templates.get(content_type)
    if template is None:
        template = integration.request_templates.get("application/json", "{}")
    try:
        return str(json.loads(_plain(template))["statusCode"])
    except (ValueError, KeyError, TypeError):
        raise GatewayError(
            "API_CONFIGURATION_ERROR", 'the request template gives no {"statusCode": …}'
        ) from None


def _choose(responses: tuple[IntegrationResponse, ...], status: str) -> IntegrationResponse:
    for response in responses:
        if response.pattern and re.fullmatch(response.pattern, status):
            return response
    defaults = [response for response in responses if not response.pattern]
    for response in defaults:
        if str(response.status) == status:
            return response
    if not defaults:
        raise GatewayError("API_CONFIGURATION_ERROR", f"no integration response for {status}")
    return defaults[0]


def _plain(template: str) -> str:
    if _VELOCITY.search(template):
        raise GatewayError("API_CONFIGURATION_ERROR", "localcloud has no Velocity templates")
    return template
