"""What a REST API makes of requests and of integrations' answers: parameter mappings and, by content
type, templates.

"Set up an integration request in API Gateway", "Set up an integration response in API Gateway",
"Parameter mapping source reference".
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import payload_v1
from ..payload_v2 import MalformedResponse, status_code
from .exchange import Exchange, as_text
from .gateway_responses import GatewayError
from .mapping_templates import Input, NotJson, fill
from .parameter_mapping import Response
from .rest_descriptions import IntegrationResponse, RestIntegration
from .velocity import TemplateFailed

_JSON = "application/json"
# "Execution failed due to configuration error: …", as such logs say it.
_NO_MATCH = "No match for output mapping and no default output mapping configured"
_NO_METHOD_RESPONSE = "Output mapping refers to an invalid method response: {}"
_UNREADABLE = "Unable to transform {}"


@dataclass
class Outgoing:
    """What goes to an integration. `context` is what templates know of as $context."""

    path: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    context: dict[str, Any] | None = None


@dataclass(frozen=True)
class Received:
    """What an integration answered. `selects` is the text that selection patterns are held against: a
    status, or a function's error message, which is None where there was no error.
    """

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    selects: str | None


def content_type(headers: Mapping[str, str], name: str = "content-type") -> str:
    """The first media type of a header, without its parameters; application/json where there is none."""
    value = headers.get(name, "").partition(",")[0].partition(";")[0]
    return value.strip().lower() or _JSON


def is_binary(exchange: Exchange, media_type: str) -> bool:
    """Whether a media type is one of the API's binary ones."""
    types = exchange.stage.deployment.binary_media_types
    return "*/*" in types or media_type in types


def map_parameters(exchange: Exchange, mappings: Mapping[str, str], outgoing: Outgoing) -> None:
    """Add what an integration's request parameters name; a value that isn't there adds nothing."""
    for key, expression in mappings.items():
        _, _, kind, name = key.split(".", 3)
        values = request_values(exchange, expression)
        if not values:
            continue
        if kind == "querystring":
            others = [pair for pair in outgoing.query if pair[0] != name]
            outgoing.query = others + [(name, value) for value in values]
        elif kind == "header":
            outgoing.headers[name.lower()] = ",".join(values)
        elif kind == "path":
            outgoing.path[name] = values[-1]


def transform_request(exchange: Exchange, integration: RestIntegration, outgoing: Outgoing) -> None:
    """Give the integration its body: by the template for the content type, or as it came.

    Raises GatewayError: 415 where the passthrough behaviour forbids it.
    """
    body = _converted_request(exchange, integration)
    wanted = content_type(exchange.headers)
    templates = {name.lower(): text for name, text in integration.request_templates.items()}
    if wanted not in templates:
        never = integration.passthrough == "NEVER"
        if never or (integration.passthrough == "WHEN_NO_TEMPLATES" and templates):
            raise GatewayError("UNSUPPORTED_MEDIA_TYPE")
        outgoing.body = body
        return
    text, outgoing.context = _filled(exchange, templates[wanted] or "", body, "request")
    outgoing.body = text.encode()
    override = outgoing.context["requestOverride"]
    outgoing.path |= _texts(override["path"])
    outgoing.headers |= {name.lower(): value for name, value in _texts(override["header"]).items()}
    for name, value in _texts(override["querystring"]).items():
        outgoing.query = [pair for pair in outgoing.query if pair[0] != name] + [(name, value)]


def respond(exchange: Exchange, received: Received, outgoing: Outgoing) -> Response:
    """The integration response that takes an answer, with its parameters and template.

    Raises GatewayError where the method isn't set up for such an answer.
    """
    chosen = _choose(exchange.route.integration.responses, received)
    if chosen.status not in exchange.route.response_statuses:
        reason = _NO_METHOD_RESPONSE.format(chosen.status)
        raise GatewayError("API_CONFIGURATION_ERROR", reason)
    body = _converted_response(exchange, chosen, received)
    media_type, template = _template(exchange, chosen.templates)
    context = outgoing.context
    if template is not None:
        # An answer of bytes, which no template can take, is passed on (as with requests).
        text, context = _filled(exchange, template, body, "response", context)
        body = text.encode()
    headers = {"content-type": media_type}
    for key, expression in chosen.parameters.items():
        values = _response_values(exchange, received, expression)
        if key.startswith("method.response.header.") and values:
            headers[key.removeprefix("method.response.header.").lower()] = ",".join(values)
    status = chosen.status
    if context:
        override = context["responseOverride"]
        headers |= {name.lower(): text for name, text in _texts(override["header"]).items()}
        status = _status(override.get("status") or status)
    return Response(status, tuple(headers.items()), body)


def _status(value: Any) -> int:
    try:
        return status_code(value)
    except MalformedResponse as error:
        raise GatewayError("API_CONFIGURATION_ERROR", str(error)) from error


def _choose(responses: tuple[IntegrationResponse, ...], received: Received) -> IntegrationResponse:
    if received.selects is not None:
        for response in responses:
            if response.pattern and re.fullmatch(response.pattern, received.selects, re.DOTALL):
                return response
    for response in responses:
        if not response.pattern:
            return response
    reason = f"{_NO_MATCH}. Endpoint Response Status Code: {received.status}"
    raise GatewayError("API_CONFIGURATION_ERROR", reason)


def _template(exchange: Exchange, templates: Mapping[str, str]) -> tuple[str, str | None]:
    """The media type and template of an answer: what the caller accepts first, else JSON, else the first."""
    wanted = content_type(exchange.headers, "accept")
    for media_type in (wanted, _JSON, *templates):
        if media_type in templates:
            return media_type, templates[media_type] or None
    return _JSON, None


def _filled(
    exchange: Exchange, template: str, body: bytes, what: str, known: dict[str, Any] | None = None
) -> tuple[str, dict[str, Any]]:
    try:
        return fill(exchange, template, body.decode("utf-8", "replace"), known)
    except NotJson as error:
        if what == "request":
            raise GatewayError("BAD_REQUEST_BODY", str(error), message=str(error)) from error
        raise GatewayError("API_CONFIGURATION_ERROR", str(error)) from error
    except TemplateFailed as failed:
        reason = f"{_UNREADABLE.format(what)}: {failed}"
        raise GatewayError("API_CONFIGURATION_ERROR", reason) from failed


def _converted_request(exchange: Exchange, integration: RestIntegration) -> bytes:
    """By "Content type conversions in API Gateway", the first table."""
    body = exchange.call.request.body
    binary = is_binary(exchange, content_type(exchange.headers))
    if integration.content_handling == "CONVERT_TO_TEXT" and binary:
        return base64.b64encode(body)
    if integration.content_handling == "CONVERT_TO_BINARY" and not binary:
        return _decoded(body, "BAD_REQUEST_BODY")
    return body


def _converted_response(
    exchange: Exchange, chosen: IntegrationResponse, received: Received
) -> bytes:
    """By "Content type conversions in API Gateway", the second table: from what the answer is to what the
    caller accepts, or to what the response says.
    """
    body, handling = received.body, chosen.content_handling
    came_binary = is_binary(exchange, content_type(dict(received.fields)))
    wants_binary = is_binary(exchange, content_type(exchange.headers, "accept"))
    to_binary = handling == "CONVERT_TO_BINARY" or (handling is None and wants_binary)
    if came_binary and not to_binary:
        return base64.b64encode(body)
    if not came_binary and to_binary:
        return _decoded(body, "API_CONFIGURATION_ERROR")
    return body


def _decoded(body: bytes, problem: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise GatewayError(problem, f"Unable to base64 decode the body: {error}") from error


def request_values(exchange: Exchange, expression: str) -> list[str]:
    """The values of method.request.…, of a static value, of the context or a stage variable."""
    if expression.startswith("'"):
        return [expression[1:-1]]
    source, _, name = expression.partition(".")
    if source in ("context", "stageVariables"):
        return _some(exchange.value("$" + expression))
    kind, _, name = name.removeprefix("request.").partition(".")
    match kind:
        case "path":
            return _some(exchange.path_parameters.get(name))
        case "querystring":
            return _values(payload_v1.query_pairs(exchange.call.request.query), name)[-1:]
        case "multivaluequerystring":
            return _values(payload_v1.query_pairs(exchange.call.request.query), name)
        case "header":
            return _values(exchange.call.fields, name.lower())[-1:]
        case "multivalueheader":
            return _values(exchange.call.fields, name.lower())
    return _some(_of_body(exchange.call.request.body, expression.removeprefix("method.request.")))


def _response_values(exchange: Exchange, received: Received, expression: str) -> list[str]:
    if not expression.startswith("integration.response."):
        return request_values(exchange, expression)
    found = expression.removeprefix("integration.response.")
    kind, _, name = found.partition(".")
    if kind == "header":
        return _values(received.fields, name.lower())[-1:]
    if kind == "multivalueheader":
        return _values(received.fields, name.lower())
    return _some(_of_body(received.body, found))


def _of_body(body: bytes, expression: str) -> str | None:
    """The value of body, or of body and a JSONPath, such as body.a[0]."""
    path = "$" + expression.removeprefix("body")
    text = body.decode("utf-8", "replace")
    if path == "$":
        return text
    try:
        return as_text(Input(text, {}).path(path)) or None
    except (NotJson, ValueError):
        return None


def _values(pairs: Any, name: str) -> list[str]:
    return [value for each, value in pairs if each == name]


def _some(value: str | None) -> list[str]:
    return [] if value is None else [value]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: as_text(value) for name, value in values.items() if value is not None}
