"""Parameter mapping: "Transform API requests and responses for HTTP APIs".

A key says what is done and where, `append:header.x`, `remove:querystring.y`, `overwrite:path`; the
value is an expression. A mapping whose expression has no value changes nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, urlencode

from ..payload_v2 import header_text
from .addresses import Field
from .exchange import Exchange, as_text, json_value

Value = Callable[[str], str | None]
# "Reserved headers" on the same page.
_RESERVED = re.compile(
    r"access-control-.*|apigw-.*|authorization|connection|content-(encoding|length|location)"
    r"|forwarded|keep-alive|origin|proxy-auth(enticate|orization)|te|trailers|transfer-encoding"
    r"|upgrade|x-amzn?-.*|x-forwarded-(for|host|proto)|via"
)


@dataclass(frozen=True)
class BackendRequest:
    """What an integration gets. `path` is percent-encoded and without the stage; it `is_overwritten`
    where a mapping says so.
    """

    path: str
    query: str
    fields: tuple[Field, ...]
    is_overwritten: bool = False


@dataclass(frozen=True)
class Response:
    """What an integration answered; header names in lower case, bytes of values that aren't UTF-8 as
    surrogates.
    """

    status: int
    fields: tuple[Field, ...]
    body: bytes


def encoded(fields: tuple[Field, ...]) -> list[tuple[bytes, bytes]]:
    """A response's headers as they are sent."""
    return [
        (name.encode("latin-1", "replace"), header_text(value).encode("utf-8", "surrogateescape"))
        for name, value in fields
    ]


def is_reserved(header: str) -> bool:
    """Whether a mapping may not touch a header."""
    return _RESERVED.fullmatch(header.lower()) is not None


def map_request(mappings: Mapping[str, str], exchange: Exchange) -> BackendRequest:
    """The request after an integration's request parameters."""
    call = exchange.call
    request = BackendRequest(exchange.path, call.request.query, call.fields)
    for key, expression in mappings.items():
        action, _, target = key.partition(":")
        kind, _, name = target.partition(".")
        if kind == "header":
            fields = _changed(request.fields, action, name.lower(), expression, exchange.value)
            request = replace(request, fields=fields)
        elif kind == "querystring":
            pairs = tuple(parse_qsl(request.query, keep_blank_values=True))
            changed = _changed(pairs, action, name, expression, exchange.value)
            if changed != pairs:
                request = replace(request, query=urlencode(changed))
        elif kind == "path" and action == "overwrite":
            path = exchange.value(expression)
            if path is not None:
                path = quote(f"/{path.removeprefix('/')}", safe="/%:@!$&'()*+,;=~")
                request = replace(request, path=path, is_overwritten=True)
    return request


def map_response(
    mappings: Mapping[str, Mapping[str, str]], exchange: Exchange, response: Response
) -> Response:
    """The response after the response parameters of its status code."""
    original = response

    def value(expression: str) -> str | None:
        if expression.startswith("$response.body"):
            path = expression.removeprefix("$response.body").removeprefix(".")
            return as_text(json_value(original.body, path))
        if expression.startswith("$response.header."):
            wanted = expression.removeprefix("$response.header.").lower()
            values = [text for name, text in original.fields if name == wanted]
            return ",".join(values) if values else None
        return exchange.value(expression)

    for key, expression in mappings.get(str(original.status), {}).items():
        action, _, target = key.partition(":")
        kind, _, name = target.partition(".")
        if kind == "header":
            fields = _changed(response.fields, action, name.lower(), expression, value)
            response = replace(response, fields=fields)
        elif target == "statuscode":
            status = value(expression) or ""
            if status.isdecimal() and 200 <= int(status) <= 599:
                response = replace(response, status=int(status))
    return response


def _changed(
    fields: tuple[Field, ...], action: str, name: str, expression: str, value: Value
) -> tuple[Field, ...]:
    others = tuple(field for field in fields if field[0] != name)
    if action == "remove":
        return others
    found = value(expression)
    if found is None:
        return fields
    return (*(fields if action == "append" else others), (name, found))
