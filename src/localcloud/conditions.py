"""The Condition element of IAM policies, and the patterns and variables that policies are made of.

Follows "Condition operators" and "Variables and tags" of the IAM User Guide.
"""

import base64
import binascii
import ipaddress
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache


class InvalidPolicy(ValueError):
    """A document that is not an IAM policy; AWS answers MalformedPolicyDocument."""


def as_list(value: object) -> list:
    """An element of a policy as a list: where it may hold several it may also hold one."""
    return list(value) if isinstance(value, list | tuple) else [value]


class Context:
    """The condition keys of one request; names are compared without regard to case.

    `sources` are mappings of keys to a value or a list of values, or functions that make one: what
    takes looking up is looked up when a condition or a variable first asks.
    """

    __slots__ = ("_keys", "_sources")

    def __init__(self, *sources: Mapping | Callable[[], Mapping]):
        self._sources = sources
        self._keys: dict[str, list[str]] | None = None

    @property
    def was_asked(self) -> bool:
        """Whether any key has been asked for."""
        return self._keys is not None

    def values(self, key: str) -> list[str]:
        """The values of a key given in lower case; none where the request has no such key."""
        if self._keys is None:
            self._keys = {}
            for source in self._sources:
                mapping = source() if callable(source) else source
                for name, value in mapping.items():
                    self._keys[name.lower()] = as_list(value)
        return self._keys.get(key, [])


_VARIABLE = re.compile(r"\$\{([^}',]+)(?:,\s*'([^']*)')?\s*\}")
_ESCAPES = {"*": "*", "?": "?", "$": "$"}


def variable_keys(text: str) -> set[str]:
    """The condition keys that the variables of a text ask for."""
    names = {variable[1].strip() for variable in _VARIABLE.finditer(text)}
    return names - _ESCAPES.keys()


def filled(
    pattern: str, context: Context | None, make_regex: Callable[[str], re.Pattern]
) -> re.Pattern | None:
    """The pattern with its variables filled in, or None where a variable has no value.

    `context` is None where the policy's version knows no variables.
    """
    if context is None or "${" not in pattern:
        return make_regex(pattern)
    text = ""
    position = 0
    for variable in _VARIABLE.finditer(pattern):
        value = _ESCAPES.get(variable[1])
        if value is None:
            values = context.values(variable[1].strip().lower())
            value = str(values[0]) if len(values) == 1 else variable[2]
        if value is None:
            return None
        # A value is taken literally: a `*` in a user's name is no wildcard.
        text += pattern[position : variable.start()] + value.translate(_LITERAL)
        position = variable.end()
    return make_regex(text + pattern[position:])


# Private-use code points stand for wildcard characters that came out of a variable.
_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})
_LITERAL_BACK = str.maketrans({"\ue000": "*", "\ue001": "?"})


def _regex_text(pattern: str, anything: str = ".") -> str:
    wildcards = {"*": f"{anything}*", "?": anything}
    return "".join(
        wildcards.get(character) or re.escape(character.translate(_LITERAL_BACK))
        for character in pattern
    )


@lru_cache(maxsize=4096)
def wildcard_regex(pattern: str) -> re.Pattern:
    """The regular expression of a pattern in which * and ? are wildcards."""
    return re.compile(_regex_text(pattern), re.DOTALL)


@lru_cache(maxsize=4096)
def arn_regex(pattern: str) -> re.Pattern:
    """The regular expression of an ARN pattern, or of a plain one such as `*`.

    A wildcard in an ARN stays within its part, but for the last part, which may hold colons.
    """
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return wildcard_regex(pattern)
    text = ":".join(_regex_text(part, "[^:]") for part in parts[:5])
    return re.compile(f"{text}:{_regex_text(parts[5])}", re.DOTALL)


def _date(value: str) -> datetime:
    if re.fullmatch(r"\d{5,}(\.\d+)?", value):
        return datetime.fromtimestamp(float(value), UTC)
    if len(value) <= len("2026-11"):  # a year or a month, as the W3C's dates may be
        value += "-01" * (3 - len(value.split("-")))
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(convert: Callable, compare: Callable) -> Callable[[str, str], bool]:
    def test(actual: str, expected: str) -> bool:
        try:
            return compare(convert(actual), convert(expected))
        except (ValueError, TypeError, binascii.Error):
            return False

    return test


def _in_network(actual: str, expected: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False


def _matches(actual: str, expected: re.Pattern) -> bool:
    return expected.fullmatch(actual) is not None


def _ordered(name: str, convert: Callable) -> dict:
    comparisons = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    return {f"{name}{word}": _compared(convert, test) for word, test in comparisons.items()}


_TESTS: dict[str, Callable] = {
    "StringEquals": _matches,
    "StringEqualsIgnoreCase": _matches,
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": _compared(str.lower, operator.eq),
    "BinaryEquals": _compared(base64.b64decode, operator.eq),
    "IpAddress": _in_network,
    **_ordered("Numeric", float),
    **_ordered("Date", _date),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


@lru_cache(maxsize=4096)
def _literal_regex(text: str) -> re.Pattern:
    return re.compile(re.escape(text.translate(_LITERAL_BACK)), re.DOTALL)


@lru_cache(maxsize=4096)
def _caseless_regex(text: str) -> re.Pattern:
    return re.compile(re.escape(text.translate(_LITERAL_BACK)), re.DOTALL | re.IGNORECASE)


# What a policy's value becomes before it is compared; other operators take it as it stands.
_PATTERNS = {
    "StringEquals": _literal_regex,
    "StringEqualsIgnoreCase": _caseless_regex,
    "StringLike": wildcard_regex,
    "ArnEquals": arn_regex,
    "ArnLike": arn_regex,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, such as StringLike on s3:prefix."""

    test: str
    negated: bool
    if_exists: bool
    quantifier: str
    key: str
    values: tuple[str, ...]
    has_variables: bool

    @classmethod
    def parse(cls, name: str, key: str, values: object, has_variables: bool) -> "Condition":
        """Read `{name: {key: values}}`. Raises InvalidPolicy for an unknown operator."""
        quantifier, _, word = name.rpartition(":")
        if_exists = word.endswith("IfExists")
        word = word.removesuffix("IfExists")
        test = _NEGATIONS.get(word, word)
        if (test != "Null" and test not in _TESTS) or quantifier not in (
            "",
            "ForAnyValue",
            "ForAllValues",
        ):
            raise InvalidPolicy(f"Invalid Condition type : {name}")
        # JSON allows true and 5 where the policy language means "true" and "5".
        texts = tuple(
            json.dumps(value) if isinstance(value, bool | int | float) else str(value)
            for value in as_list(values)
        )
        return cls(
            test, word in _NEGATIONS, if_exists, quantifier, key.lower(), texts, has_variables
        )

    def holds(self, context: Context) -> bool:
        """Whether the request meets the condition."""
        actual = context.values(self.key)
        if self.test == "Null":
            return ("false" if actual else "true") in (value.lower() for value in self.values)
        if not actual:
            if self.quantifier:
                return self.quantifier == "ForAllValues" or self.if_exists
            return self.negated or self.if_exists
        outcomes = [self._is_any(str(value), context) is not self.negated for value in actual]
        if self.quantifier == "ForAnyValue":
            return any(outcomes)
        # Without a quantifier: one of the values for a positive test, none for a negated one.
        return all(outcomes) if self.negated or self.quantifier else any(outcomes)

    def _is_any(self, actual: str, context: Context) -> bool:
        test = _TESTS[self.test]
        if self.test not in _PATTERNS:
            return any(test(actual, value) for value in self.values)
        variables = context if self.has_variables else None
        patterns = (filled(value, variables, _PATTERNS[self.test]) for value in self.values)
        return any(pattern is not None and test(actual, pattern) for pattern in patterns)
