"""A tool's parameters read out of a request by their JSON schema: numbers, names, choices, switches.

Each value of the text goes to the parameter whose name or description shares words with what stands
around it; what fits none goes to the parameters that are left, in order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"(?<![\w.,/-])-?\d+(?:[.,]\d+)*(?![\w/]*\.[A-Za-z])")
_PAIR = re.compile(r"(\d+)\s*(?:x|×|by)\s*(\d+)", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)[\"“'‘`]([^\"“”'‘’`\n]+)[\"”'’`](?!\w)")
_ADDRESS = re.compile(r"(?:https?|s3)://[^\s,;]+[^\s,;.?!]")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_FILE = re.compile(r"[\w./-]*\w\.[A-Za-z][A-Za-z0-9]{1,4}\b")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\btoday\b|\btomorrow\b|\byesterday\b", re.IGNORECASE)
_IDENTIFIER = re.compile(r"\b(?=[\w-]*[-_\d])[A-Za-z0-9][\w-]{2,}\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")
_NO = re.compile(r"\b(?:no|not|without|never|don't|do not|off)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")
# What a parameter is called, and the kinds of value that are then meant, likeliest first.
_KINDS = (
    (("email", "mail"), (_EMAIL,)),
    (("url", "uri", "link", "address"), (_ADDRESS, _QUOTED)),
    (("date", "day", "when"), (_DATE,)),
    (("key", "file", "filename", "path", "image", "photo", "picture", "object", "document"),
     (_ADDRESS, _QUOTED, _FILE, _IDENTIFIER)),
    (("bucket", "id", "name", "function", "table", "queue", "number", "code"),
     (_QUOTED, _IDENTIFIER, _NAME)),
    (("city", "place", "location", "country", "town", "person", "user", "customer"),
     (_QUOTED, _NAME)),
)  # fmt: skip
_ANY_TEXT = (_QUOTED, _ADDRESS, _EMAIL, _FILE, _IDENTIFIER, _NAME)
# Parameters that take the request as it is.
_WHOLE = {"question", "query", "text", "prompt", "message", "input", "request", "search"}
# Words that say of a number what it is.
_SAID = {"wide": "width", "high": "height", "tall": "height", "pixels": "size", "px": "size",
         "percent": "quality", "%": "quality", "seconds": "timeout", "degrees": "angle",
         "times": "count", "results": "count"}  # fmt: skip
_NEAR = 24  # characters


@dataclass(frozen=True)
class _Value:
    text: str
    start: int
    end: int


def read_slots(request: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a request gives values for, of the types in the schema, and those that have
    a default. What it doesn't say is left out, also where it is required.
    """
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    # Required ones first: they have the first choice of a value that would fit several.
    names = sorted(properties, key=lambda name: name not in required)
    found: dict[str, Any] = {}
    taken: set[tuple[int, int]] = set()
    _numbers(request, {n: properties[n] for n in names if _is_number(properties[n])}, found, taken)
    for name in names:
        if name not in found:
            value = _other(request, name, properties[name], taken)
            if value is None:
                value = properties[name].get("default")
            if value is not None:
                found[name] = value
    return {name: found[name] for name in properties if name in found}


def _is_number(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("integer", "number") and "enum" not in schema


def _numbers(request: str, schemas: Mapping, found: dict, taken: set) -> None:
    values = [_Value(*_parts(match)) for match in _NUMBER.finditer(request)]
    for pair in _PAIR.finditer(request):
        sides = [name for part in ("width", "height") for name in schemas if part in name.lower()]
        for name, group in zip(sides, (1, 2), strict=False):
            _give(found, name, schemas[name], pair[group])
        values = [v for v in values if not pair.start() <= v.start < pair.end()]
        if not sides:
            values += [_Value(pair[group], pair.start(group), pair.end(group)) for group in (1, 2)]
    ranked = sorted(
        ((_closeness(request, value, name, schemas[name]), -value.start, name, value)
         for value in values for name in schemas if name not in found),
        key=lambda each: each[:2], reverse=True,
    )  # fmt: skip
    for closeness, _, name, value in ranked:
        if closeness > 0 and name not in found and (value.start, value.end) not in taken:
            taken.add((value.start, value.end))
            _give(found, name, schemas[name], value.text)
    left = [value for value in values if (value.start, value.end) not in taken]
    for name in [name for name in schemas if name not in found]:
        if left and "default" not in schemas[name]:
            value = left.pop(0)
            taken.add((value.start, value.end))
            _give(found, name, schemas[name], value.text)


def _give(found: dict, name: str, schema: Mapping[str, Any], text: str) -> None:
    number = float(text.replace(",", "")) if text.replace(",", "").count(".") <= 1 else None
    if number is None or (schema["type"] == "integer" and number != int(number)):
        return
    found[name] = int(number) if schema["type"] == "integer" else number


def _parts(match: re.Match) -> tuple[str, int, int]:
    return match[0].rstrip(".,"), match.start(), match.end()


def _closeness(request: str, value: _Value, name: str, schema: Mapping[str, Any]) -> float:
    """How many words around a value are the parameter's; words that stand beside it count most."""
    own = _words(name)
    described = _words(schema.get("description", "")) - own
    score = 0.0
    before = request[max(0, value.start - _NEAR) : value.start]
    after = request[value.end : value.end + _NEAR]
    for text, is_before in ((before, True), (after, False)):
        words = [word.lower() for word in _WORD.findall(text)]
        words = words[::-1] if is_before else words
        for distance, word in enumerate(words[:3], 1):
            word = _SAID.get(word, word)
            score += (2.0 if word in own else 0.5 if word in described else 0) / distance
    return score


def _words(text: str) -> set[str]:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)
    return {part.lower() for part in parts if len(part) > 1}


def _other(request: str, name: str, schema: Mapping[str, Any], taken: set) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(request, schema["enum"])
    kind = schema.get("type", "string")
    if kind == "boolean":
        return _switch(request, name, schema)
    if kind == "array":
        return _several(request, name, schema)
    if kind != "string":
        return None
    if "pattern" in schema:
        match = re.search(schema["pattern"].strip("^$"), request)
        return match[0] if match else None
    value = _string(request, name, schema, taken)
    if value is None and _words(name) & _WHOLE:
        return request
    if value is not None:
        taken.add((value.start, value.end))
        return value.text
    return None


def _choice(request: str, choices: list[Any]) -> Any:
    said = [
        (match.start(), choice)
        for choice in choices
        for match in [
            re.search(rf"(?<![\w.]){re.escape(str(choice))}(?!\w)", request, re.IGNORECASE)
        ]
        if match
    ]
    return min(said, key=lambda each: each[0])[1] if said else None


def _switch(request: str, name: str, schema: Mapping[str, Any]) -> bool | None:
    for word in _words(name) | {name.lower()}:
        match = re.search(rf"\b{re.escape(word)}", request, re.IGNORECASE)
        if match:
            return not _NO.search(request[max(0, match.start() - 12) : match.start()])
    return None


def _several(request: str, name: str, schema: Mapping[str, Any]) -> list[Any] | None:
    items = schema.get("items", {})
    if _is_number(items):
        numbers = [match[0].replace(",", "") for match in _NUMBER.finditer(request)]
        found = [int(n) if items["type"] == "integer" else float(n) for n in numbers]
        return found or None
    if "enum" in items:
        return [each for each in items["enum"] if _choice(request, [each]) is not None] or None
    for pattern in _patterns(name):
        texts = [match[match.lastindex or 0] for match in pattern.finditer(request)]
        if texts:
            return texts
    return None


def _patterns(name: str) -> tuple[re.Pattern, ...]:
    words = _words(name)
    for names, patterns in _KINDS:
        if any(word.rstrip("s") in names or word in names for word in words):
            return patterns
    return _ANY_TEXT


def _string(request: str, name: str, schema: Mapping[str, Any], taken: set) -> _Value | None:
    if _words(name) & _WHOLE:
        patterns: tuple[re.Pattern, ...] = (_QUOTED,)
    else:
        patterns = _patterns(name)
    for pattern in patterns:
        values = []
        for match in pattern.finditer(request):
            group = match.lastindex or 0
            span = match.start(group), match.end(group)
            if not any(start < span[1] and span[0] < end for start, end in taken):
                values.append(_Value(match[group], *span))
        if values:
            return max(values, key=lambda v: (_closeness(request, v, name, schema), -v.start))
    return None
