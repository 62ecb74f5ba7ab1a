"""Velocity templates as API Gateway has them: airspeed reads them, and what it takes from Python is
replaced by what Velocity takes from Java.

So `true` and `{a=b}` are written as Java writes them, values have the methods of Java's strings, lists
and maps, and a template reaches nothing of this process: only what is listed here and what an object
offers in `velocity_methods`.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import airspeed

_MOST_LOOPS = 1_000  # "Quotas for configuring and running a REST API"
# Ours: a loop in a loop in a loop would stop all of this cloud.
_MOST_LOOPS_IN_ALL = 50_000
_LOOPED = "#looped"  # no name that a template can say
# "Velocity User Guide", References: hyphens are part of a name, and names begin with a letter.
_NAME = re.compile(r"([a-z][a-z0-9_-]*)", re.IGNORECASE)

_PLACE = re.compile(r"\s*\$!?\{?([a-z][a-z0-9_-]*)", re.IGNORECASE)
_MEMBER = re.compile(r"\.([a-z][a-z0-9_-]*)", re.IGNORECASE)
_EQUALS = re.compile(r"\}?\s*=\s*")


class TemplateFailed(Exception):
    """A template can't be read, or what it does fails."""


class JsonArray(list):
    """An array out of JSON, which is written as JSON; lists of the template's own are not."""


def render(template: str, variables: Mapping[str, Any]) -> str:
    """A template's text with its variables. Raises TemplateFailed."""
    try:
        return _compiled(template).merge(dict(variables))
    except (airspeed.TemplateError, RecursionError) as error:
        raise TemplateFailed(str(error)) from error
    except airspeed.NoMatch as error:
        raise TemplateFailed("the template can't be read") from error


def from_json(value: Any) -> Any:
    """A value out of JSON as templates take it."""
    if isinstance(value, dict):
        return {name: from_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return JsonArray(from_json(member) for member in value)
    return value


def java_text(value: Any) -> str:
    """A value as Java writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, JsonArray):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}={java_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, range)):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return "" if hasattr(value, "velocity_methods") else str(value)


@functools.lru_cache(maxsize=512)
def _compiled(template: str) -> airspeed.Template:
    compiled = airspeed.Template(template)
    compiled.ensure_compiled()
    return compiled


def _java_pattern(replacement: str) -> str:
    return re.sub(r"\$(\d)", r"\\\1", replacement)


def _entries(found: dict) -> list[dict[str, Any]]:
    return [{"key": name, "value": value} for name, value in found.items()]


def _put(found: dict, name: str, value: Any) -> Any:
    before, found[name] = found.get(name), value
    return before


def _set(found: list, index: int, value: Any) -> Any:
    before, found[index] = found[index], value
    return before


def _add(found: list, *values: Any) -> bool:
    found.insert(*values) if len(values) == 2 else found.append(*values)
    return True


_STRING: dict[str, Callable] = {
    "charAt": lambda text, index: text[index],
    "concat": lambda text, other: text + other,
    "contains": lambda text, other: other in text,
    "endsWith": str.endswith,
    "equals": lambda text, other: text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == str(other).lower(),
    "hashCode": lambda text: _hash_code(text),
    "indexOf": str.find,
    "isBlank": lambda text: not text.strip(),
    "isEmpty": lambda text: not text,
    "lastIndexOf": str.rfind,
    "length": len,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "replace": str.replace,
    "replaceAll": lambda text, pattern, by: re.sub(pattern, _java_pattern(by), text),
    "replaceFirst": lambda text, pattern, by: re.sub(pattern, _java_pattern(by), text, count=1),
    "split": lambda text, pattern: re.split(pattern, text),
    "startsWith": str.startswith,
    "substring": lambda text, begin, end=None: text[begin:end],
    "toLowerCase": str.lower,
    "toString": str,
    "toUpperCase": str.upper,
    "trim": str.strip,
}
_LIST: dict[str, Callable] = {
    "add": _add,
    "addAll": lambda found, others: found.extend(others) or True,
    "contains": lambda found, value: value in found,
    "get": lambda found, index: found[index],
    "indexOf": lambda found, value: found.index(value) if value in found else -1,
    "isEmpty": lambda found: not found,
    "remove": lambda found, index: found.pop(index),
    "set": _set,
    "size": len,
    "subList": lambda found, begin, end: found[begin:end],
    "toString": java_text,
}
_MAP: dict[str, Callable] = {
    "containsKey": lambda found, name: name in found,
    "containsValue": lambda found, value: value in found.values(),
    "entrySet": _entries,
    "get": lambda found, name: found.get(name),
    "getOrDefault": lambda found, name, default: found.get(name, default),
    "isEmpty": lambda found: not found,
    "keySet": lambda found: list(found),
    "put": _put,
    "putAll": lambda found, others: found.update(others),
    "remove": lambda found, name: found.pop(name, None),
    "size": len,
    "toString": java_text,
    "values": lambda found: list(found.values()),
    # Those of an entry, which is a map here.
    "getKey": lambda found: found["key"],
    "getValue": lambda found: found["value"],
}
_NUMBER: dict[str, Callable] = {
    "equals": lambda number, other: number == other,
    "intValue": int,
    "toString": java_text,
}


def _hash_code(text: str) -> int:
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _method(owner: Any, name: str) -> Callable | None:
    for kind, methods in (
        (str, _STRING), (list, _LIST), (dict, _MAP), ((int, float), _NUMBER),
    ):  # fmt: skip
        if isinstance(owner, kind):
            method = methods.get(name)
            return functools.partial(method, owner) if method else None
    return getattr(owner, name) if name in getattr(owner, "velocity_methods", ()) else None


def _calculate(self, owner: Any, loader: Any, namespace: Any) -> Any:
    """What a name stands for. A name with parameters is a method, or a macro of #define."""
    found = None
    if isinstance(owner, airspeed.LocalNamespace):
        try:
            found = owner[self.name]
        except KeyError:
            return None
    elif self.parameters is None and isinstance(owner, dict):
        found = owner.get(self.name)
    elif self.parameters is None:
        # $entry.key, $list.empty: the property of a getter.
        getter = _method(owner, "get" + self.name[0].upper() + self.name[1:])
        getter = getter or _method(owner, "is" + self.name[0].upper() + self.name[1:])
        found = getter() if getter else None
    if isinstance(found, airspeed._FunctionDefinition):
        stream = airspeed.StoppableStream()
        found.execute_function(stream, namespace, [], loader)
        return stream.getvalue()
    if self.parameters is not None:
        method = _method(owner, self.name)
        return method(*self.parameters.calculate(namespace, loader)) if method else None
    if self.index is not None and found is not None:
        return _indexed(found, self.index.calculate(namespace, loader))
    return found


def _indexed(found: Any, index: Any) -> Any:
    if isinstance(found, dict):
        return found.get(index)
    try:
        return found[index]
    except (IndexError, TypeError):
        return None


def _write(self, stream: Any, namespace: Any, loader: Any) -> None:
    value = self.expression.calculate(namespace, loader) if self.expression else None
    if value is None and self.alternate is not None:
        value = self.alternate.calculate(namespace, loader)
    if value is not None:
        stream.write(java_text(value))
    elif not (self.silent and self.expression):
        stream.write(self.my_text())


_airspeed_loop = airspeed.ForeachDirective.evaluate_raw


def _loop(self, stream: Any, namespace: Any, loader: Any) -> None:
    over = self.value.calculate(namespace, loader)
    if isinstance(over, dict):
        over = list(over.values())  # Velocity goes over a map's values
    if over is not None:
        if len(over) > _MOST_LOOPS:
            raise ValueError(f"#foreach may go round {_MOST_LOOPS} times")
        variables = namespace.top()
        variables[_LOOPED] = variables.get(_LOOPED, 0) + len(over)
        if variables[_LOOPED] > _MOST_LOOPS_IN_ALL:
            raise ValueError(f"all #foreach together may go round {_MOST_LOOPS_IN_ALL} times")
    loop = _Given(over)
    own = airspeed.ForeachDirective.__new__(airspeed.ForeachDirective)
    own.__dict__.update(self.__dict__, value=loop)
    _airspeed_loop(own, stream, namespace, loader)


class _Given:
    """A value that has been calculated."""

    def __init__(self, value: Any):
        self._value = value

    def calculate(self, namespace: Any, loader: Any) -> Any:
        return self._value


def _parse_set(self) -> None:
    """airspeed assigns to names alone; $context.responseOverride.header["X-A"] has an index."""
    self.identity_match(self.START)
    [name] = self.require_match(_PLACE, "place")
    self.terms = [_Given(name)]
    while True:
        member = self.next_match(_MEMBER)
        if member:
            self.terms.append(_Given(member[0]))
            continue
        try:
            self.terms.append(self.next_element(airspeed.ArrayIndex))
        except airspeed.NoMatch:
            break
    self.require_match(_EQUALS, "=")
    self.value = self.require_next_element(airspeed.Expression, "expression")
    self.require_match(self.END, "closing paren")


def _assign(self, stream: Any, namespace: Any, loader: Any) -> None:
    value = self.value.calculate(namespace, loader)
    *way, last = (term.calculate(namespace, loader) for term in self.terms)
    if not way:
        namespace.set_inherited(last, value)
        return
    owner = namespace
    for name in way:
        owner = owner[name]
    owner[last] = value


def _equal(one: Any, other: Any) -> bool:
    """Velocity compares what is of different classes by its text."""
    if None in (one, other) or isinstance(one, type(other)) or isinstance(other, type(one)):
        return one == other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    return java_text(one) == java_text(other)


def _plus(one: Any, other: Any) -> Any:
    if isinstance(one, str) or isinstance(other, str):
        return java_text(one) + java_text(other)
    return one + other


airspeed.NameOrCall.NAME = _NAME
airspeed.NameOrCall.calculate = _calculate
airspeed.FormalReference.evaluate_raw = _write
airspeed.ForeachDirective.evaluate_raw = _loop
airspeed.SetDirective.parse = _parse_set
airspeed.SetDirective.evaluate_raw = _assign
airspeed.BinaryOperator.OPERATORS |= {
    "==": _equal,
    "eq": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "ne": lambda one, other: not _equal(one, other),
    "+": _plus,
}
