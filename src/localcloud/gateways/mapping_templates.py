"""Mapping templates: what they find in $input, $util, $context and $stageVariables.

"Variables for data transformations for API Gateway". A path that leads nowhere is an empty text.
"""

import base64
import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from .exchange import Exchange
from .velocity import TemplateFailed, from_json, java_text, render

# Such a path may have several values, and gives a list of them.
_INDEFINITE = re.compile(r"\.\.|\*|\[\s*\?|\[[^\]'\"]*[,:]")
_SHORT = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


class NotJson(Exception):
    """A template asks for a part of a body that is no JSON."""


class Input:
    """$input: the payload, and the request's parameters by kind (path, querystring, header)."""

    velocity_methods = ("getBody", "json", "params", "path")

    def __init__(self, body: str, parameters: Mapping[str, Mapping[str, str]]):
        self._body = body
        self._parameters = parameters

    def getBody(self) -> str:  # noqa: N802, the getter of $input.body
        """The payload as it came."""
        return self._body

    def json(self, path: str) -> str:
        """The JSON text of what is at a path."""
        return json.dumps(self._at(path), separators=(",", ":"), ensure_ascii=False)

    def path(self, path: str) -> Any:
        """What is at a path."""
        return from_json(self._at(path))

    def params(self, name: str | None = None) -> Any:
        """A parameter's value, looked for in path, query and headers; without a name all of them."""
        if name is None:
            return {kind: dict(values) for kind, values in self._parameters.items()}
        for kind, values in self._parameters.items():
            found = values.get(name.lower() if kind == "header" else name)
            if found is not None:
                return found
        return ""

    def _at(self, path: str) -> Any:
        found = [match.value for match in _parsed(path).find(self._content)]
        if _INDEFINITE.search(path):
            return found
        return found[0] if found else ""

    @functools.cached_property
    def _content(self) -> Any:
        if not self._body.strip():
            return {}
        try:
            return json.loads(self._body)
        except ValueError as error:
            raise NotJson(f"Could not parse request body into json: {error}") from error


class Util:
    """$util."""

    velocity_methods = (
        "base64Decode", "base64Encode", "escapeJavaScript", "parseJson", "urlDecode", "urlEncode",
    )  # fmt: skip

    def escapeJavaScript(self, value: Any) -> str:  # noqa: N802
        """A text as it stands in a JavaScript string, as Apache Commons escapes it."""
        return "".join(map(_escaped, java_text(value)))

    def parseJson(self, text: str) -> Any:  # noqa: N802
        """The value that a JSON text stands for."""
        return from_json(json.loads(text))

    def urlEncode(self, text: Any) -> str:  # noqa: N802
        """Encoded as in a form."""
        return quote_plus(java_text(text), safe="*-._")

    def urlDecode(self, text: str) -> str:  # noqa: N802
        """Decoded as a form's."""
        return unquote_plus(text)

    def base64Encode(self, text: Any) -> str:  # noqa: N802
        """In base64."""
        return base64.b64encode(java_text(text).encode()).decode()

    def base64Decode(self, text: str) -> str:  # noqa: N802
        """Out of base64."""
        return base64.b64decode(text).decode("utf-8", "replace")


class Known(dict):
    """Variables of which those that aren't there are empty texts."""

    def get(self, name: Any, default: Any = "") -> Any:
        """A variable's value."""
        return super().get(name, default)


def context(variables: Mapping[str, Any]) -> dict[str, Any]:
    """$context as a tree of its dotted names, with the places for overrides."""
    tree = Known(authorizer=Known(claims=Known()), error=Known(), identity=Known())
    for name, value in variables.items():
        *way, last = name.split(".")
        owner = tree
        for part in way:
            owner = owner.setdefault(part, Known())
            if not isinstance(owner, dict):
                break
        else:
            if value is not None:
                owner[last] = from_json(value)
    tree["requestOverride"] = {"header": {}, "path": {}, "querystring": {}}
    tree["responseOverride"] = {"header": {}}
    return tree


def fill(
    exchange: Exchange, template: str, body: str, known: dict[str, Any] | None = None
) -> tuple[str, dict[str, Any]]:
    """A template's text for an exchange, and the $context that it may have written overrides into.

    `known` is the $context of the template before it. Raises NotJson, TemplateFailed.
    """
    variables = known or context(exchange.variables())
    parameters = {
        "path": exchange.path_parameters,
        "querystring": exchange.query,
        "header": exchange.headers,
    }
    names = {
        "input": Input(body, parameters),
        "util": Util(),
        "context": variables,
        "stageVariables": Known(exchange.stage.variables),
    }
    try:
        return render(template, names), variables
    except TemplateFailed as failed:
        cause: BaseException | None = failed
        while cause is not None:
            if isinstance(cause, NotJson):
                raise cause from None
            cause = cause.__cause__
        raise


@functools.lru_cache(maxsize=512)
def _parsed(path: str) -> Any:
    import jsonpath_ng.ext  # half of what loading the gateways would take, for those who use it
    from jsonpath_ng.exceptions import JSONPathError

    try:
        return jsonpath_ng.ext.parse(path)
    except JSONPathError as error:
        raise ValueError(f"{path} is no JSONPath: {error}") from error


def _escaped(character: str) -> str:
    if character in "\"'\\/":
        return "\\" + character
    if character in _SHORT:
        return _SHORT[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))
