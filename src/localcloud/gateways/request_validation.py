"""Request validators of REST APIs: "Request validation for REST APIs in API Gateway"; facts G6."""

import functools
import json

from jsonschema import Draft4Validator

from .exchange import Exchange
from .gateway_responses import GatewayError

_DEFAULT = "$default"


def validate(exchange: Exchange) -> None:
    """Check what the method's validator asks for: parameters first, then the body.

    A body is checked by the model for its media type, else by that for $default; without either it is
    not checked. One without a Content-Type is JSON; an empty one is {}. Raises GatewayError.
    """
    asked = exchange.route.validation
    missing = [name for name in asked.parameters if not exchange.parameter(name)]
    if missing:
        names = ", ".join(name.split(".", 3)[3] for name in missing)
        message = f"Missing required request parameters: [{names}]"
        raise GatewayError("BAD_REQUEST_PARAMETERS", message=message)
    if not asked.models:
        return
    content_type = exchange.headers.get("content-type", "application/json")
    media_type = content_type.partition(";")[0].strip().lower()
    schema = asked.models.get(media_type) or asked.models.get(_DEFAULT)
    problems = _problems(schema, exchange.call.request.body) if schema else []
    if problems:
        exchange.outcome["error.validationErrorString"] = f"[{', '.join(problems)}]"
        raise GatewayError("BAD_REQUEST_BODY")


def _problems(schema: str, body: bytes) -> list[str]:
    """What is wrong with a body, in the validator's words (AWS's are another library's)."""
    try:
        content = json.loads(body or b"{}")
    except ValueError as error:
        return [f"the body is not JSON: {error}"]
    return [error.message for error in _validator(schema).iter_errors(content)]


@functools.lru_cache(maxsize=256)
def _validator(schema: str) -> Draft4Validator:
    return Draft4Validator(json.loads(schema))
