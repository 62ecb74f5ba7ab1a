"""Which route of a WebSocket API takes a message: "Create routes for WebSocket APIs in API Gateway".

A route selection expression is $request.body.action or ${request.body.action}; several in braces make
one key together. Without a match, and for what is no JSON, there is $default.
"""

import re
from collections.abc import Iterable

from .descriptions import Route
from .exchange import as_text, json_value

_IN_BRACES = re.compile(r"\$\{([^}]*)\}")
_BODY = "request.body"


def route_named(routes: Iterable[Route], key: str) -> Route | None:
    """The route with a key; None where there is none."""
    return next((route for route in routes if route.key == key), None)


def select_route(routes: Iterable[Route], expression: str, message: bytes) -> Route | None:
    """The route for a message; None where none matches and there is no $default."""
    key = selected_key(expression, message)
    found = None
    if key and key not in ("$connect", "$disconnect"):
        found = route_named(routes, key)
    return found or route_named(routes, "$default")


def selected_key(expression: str, message: bytes) -> str | None:
    """What an expression says of a message; None where a part of it has no value."""
    parts = _IN_BRACES.findall(expression)
    if not parts:
        return _value(expression.removeprefix("$"), message)
    values = [_value(part, message) for part in parts]
    if None in values:
        return None
    remaining = iter(values)
    return _IN_BRACES.sub(lambda found: next(remaining), expression)


def _value(name: str, message: bytes) -> str | None:
    if name != _BODY and not name.startswith((f"{_BODY}.", f"{_BODY}[")):
        return None
    return as_text(json_value(message, name.removeprefix(_BODY).removeprefix(".")))
