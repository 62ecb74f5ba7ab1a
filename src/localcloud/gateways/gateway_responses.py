"""What a REST API answers by itself: its types, and how an API may word them ("Gateway responses in API
Gateway"; facts G6).
"""

import json
import re

from ..payload_v2 import header_text
from .exchange import Exchange, as_text
from .refusals import Answer

_INTERNAL = "InternalServerErrorException"
# Status, message and x-amzn-ErrorType; those of an integration's failures are UNCONFIRMED but for
# the status.
_TYPES = {
    "MISSING_AUTHENTICATION_TOKEN": (
        403, "Missing Authentication Token", "MissingAuthenticationTokenException",
    ),
    "ACCESS_DENIED": (403, "Access Denied", "AccessDeniedException"),
    "INVALID_SIGNATURE": (403, "Forbidden", "InvalidSignatureException"),
    "EXPIRED_TOKEN": (403, "Forbidden", "ExpiredTokenException"),
    "INVALID_API_KEY": (403, "Forbidden", "ForbiddenException"),
    "UNAUTHORIZED": (401, "Unauthorized", "UnauthorizedException"),
    "THROTTLED": (429, "Too Many Requests", "TooManyRequestsException"),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded", "LimitExceededException"),
    "BAD_REQUEST_PARAMETERS": (400, "Missing required request parameters", "BadRequestException"),
    "BAD_REQUEST_BODY": (400, "Invalid request body", "BadRequestException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, None, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": (500, None, "AuthorizerFailureException"),
    "API_CONFIGURATION_ERROR": (500, "Internal server error", _INTERNAL),
    "DEFAULT_5XX": (502, "Internal server error", _INTERNAL),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out", _INTERNAL),
    "INTEGRATION_FAILURE": (504, "Network error communicating with endpoint", _INTERNAL),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type", "BadRequestException"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long", "BadRequestException"),
}  # fmt: skip
_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
# API Gateway writes a blank in its own server errors and its 413, and none in what a template says
# (recorded).
_INTERNAL_TEMPLATE = '{"message": $context.error.messageString}'
_DENIED_TEMPLATE = '{"Message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$(?:context|stageVariables)\.[\w.]*\w")


class GatewayError(Exception):
    """A request ends here, with a gateway response of this type. `reason` is for the access log;
    `message` and `code` are for the caller, where they aren't the type's own.
    """

    def __init__(
        self,
        response_type: str,
        reason: str = "",
        message: str | None = None,
        code: str | None = None,
    ):
        super().__init__(reason or message or response_type)
        self.response_type = response_type
        self.message = message
        self.code = code


def answer(exchange: Exchange, error: GatewayError) -> Answer:
    """The answer for an error, in the words of the API or in API Gateway's own."""
    status, message, code = _TYPES[error.response_type]
    message, code = error.message or message, error.code or code
    exchange.outcome |= {
        "error.message": message,
        "error.messageString": json.dumps(message),
        "error.responseType": error.response_type,
    }
    worded = exchange.stage.deployment.responses
    chosen = worded.get(error.response_type) or worded.get(f"DEFAULT_{status // 100}XX")
    if error.response_type == "REQUEST_TOO_LARGE":
        chosen = None  # it can't be worded ("Amazon API Gateway important notes")
    headers = [(b"x-amzn-errortype", code.encode())]
    # An authorizer's failure has no message: {"message":null} (recorded).
    is_internal = (status >= 500 and message) or error.response_type == "REQUEST_TOO_LARGE"
    template = _INTERNAL_TEMPLATE if is_internal else _DEFAULT_TEMPLATE
    if error.response_type == "ACCESS_DENIED":
        template = _DENIED_TEMPLATE
    content_type = "application/json"
    if chosen:
        status = chosen.status or status
        for key, expression in chosen.parameters.items():
            value = _parameter(exchange, expression)
            if key.startswith("gatewayresponse.header.") and value is not None:
                name = key.removeprefix("gatewayresponse.header.").lower()
                headers.append((name.encode(), header_text(value).encode()))
        if chosen.templates:
            content_type = _choose(exchange.headers.get("accept", ""), chosen.templates)
            template = chosen.templates[content_type]
    body = _VARIABLE.sub(lambda found: _text(exchange, found[0]), template)
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", content_type.encode()))
    return status, headers, body.encode()


def _choose(accept: str, templates) -> str:
    asked = [each.partition(";")[0].strip() for each in accept.split(",")]
    found = [each for each in asked if each in templates]
    if found:
        return found[0]
    return "application/json" if "application/json" in templates else next(iter(templates))


def _text(exchange: Exchange, expression: str) -> str:
    """A variable's value; gateway responses have no other templates than these."""
    source, _, name = expression.partition(".")
    if source == "$stageVariables":
        return exchange.stage.variables.get(name, "")
    return as_text(exchange.context(name)) or ""


def _parameter(exchange: Exchange, expression: str) -> str | None:
    """A static value in single quotes, or a part of the request, a variable of the context or stage."""
    if expression.startswith("'"):
        return expression[1:-1]
    return exchange.parameter(expression)
