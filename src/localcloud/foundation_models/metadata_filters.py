"""Filters on vectors' metadata, in S3 Vectors' language and in that of knowledge bases.

Operators and their types: "Metadata filtering" in the S3 User Guide. Whether `$ne` and `$nin` match a
vector without the key is UNCONFIRMED; here they do, as in the query language that these come from.
"""

from collections.abc import Callable, Mapping
from typing import Any

Metadata = Mapping[str, Any]
Predicate = Callable[[Metadata], bool]


class InvalidFilter(ValueError):
    """A filter that means nothing; the text says why. AWS's own texts are UNCONFIRMED."""


def compile_filter(given: Any, non_filterable: frozenset[str] = frozenset()) -> Predicate:
    """A filter such as {"year": {"$gt": 2019}} as a function of a vector's metadata.

    Raises InvalidFilter, also where it names a key that can't be filtered by.
    """
    if not isinstance(given, Mapping) or not given:
        raise InvalidFilter("Invalid filter: a filter is an object with at least one key")
    parts = [_part(key, value, non_filterable) for key, value in given.items()]
    return _all(parts)


def from_knowledge_base(given: Mapping[str, Any]) -> dict[str, Any]:
    """The `filter` of Retrieve, such as {"equals": {"key": …, "value": …}}, in S3 Vectors' language.

    Raises InvalidFilter; startsWith and stringContains are among what S3 Vectors has no operator for.
    """
    if len(given) != 1:
        raise InvalidFilter("A filter has exactly one operator; join several with andAll or orAll")
    ((operator, value),) = given.items()
    if operator in ("andAll", "orAll"):
        joined = "$and" if operator == "andAll" else "$or"
        return {joined: [from_knowledge_base(part) for part in value]}
    if operator not in _OPERATORS_OF_S3_VECTORS:
        raise InvalidFilter(f"The filter {operator} is not supported by a store in S3 Vectors")
    return {value["key"]: {_OPERATORS_OF_S3_VECTORS[operator]: value["value"]}}


_OPERATORS_OF_S3_VECTORS = {
    "equals": "$eq",
    "notEquals": "$ne",
    "greaterThan": "$gt",
    "greaterThanOrEquals": "$gte",
    "lessThan": "$lt",
    "lessThanOrEquals": "$lte",
    "in": "$in",
    "notIn": "$nin",
    "listContains": "$eq",  # of a list `$eq` asks for any of its values
}


def _part(key: str, value: Any, non_filterable: frozenset[str]) -> Predicate:
    if key in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise InvalidFilter(f"Invalid filter: {key} takes a non-empty array of filters")
        parts = [compile_filter(each, non_filterable) for each in value]
        return _all(parts) if key == "$and" else _any(parts)
    if key.startswith("$"):
        raise InvalidFilter(f"Invalid filter: {key} is not an operator that joins filters")
    if key in non_filterable:
        raise InvalidFilter(f"Invalid filter: {key} is a non-filterable metadata key of this index")
    if not isinstance(value, Mapping):
        return _comparison(key, "$eq", value)
    if not value:
        raise InvalidFilter(f"Invalid filter: {key} has no operator")
    parts = [_comparison(key, operator, operand) for operator, operand in value.items()]
    return _all(parts)


def _all(parts: list[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]

    def matches(metadata: Metadata) -> bool:
        for part in parts:  # noqa: SIM110 - all() over a generator takes twice as long
            if not part(metadata):
                return False
        return True

    return matches


def _any(parts: list[Predicate]) -> Predicate:
    return lambda metadata: any(part(metadata) for part in parts)


def _comparison(key: str, operator: str, operand: Any) -> Predicate:
    if operator in ("$eq", "$ne"):
        _check(_is_primitive(operand), operator, "a string, a number or a boolean")
        wanted = (operand,)
    elif operator in ("$in", "$nin"):
        fits = isinstance(operand, list) and operand and all(map(_is_primitive, operand))
        _check(fits, operator, "a non-empty array of strings, numbers or booleans")
        wanted = tuple(operand)
    elif operator == "$exists":
        _check(isinstance(operand, bool), operator, "a boolean")
        return lambda metadata: (key in metadata) is operand
    elif operator in _ORDERS:
        _check(_is_number(operand), operator, "a number")
        order = _ORDERS[operator]
        return lambda metadata: any(
            _is_number(v) and order(v, operand) for v in _values(metadata, key)
        )
    else:
        raise InvalidFilter(f"Invalid filter: {operator} is not an operator")
    negated = operator in ("$ne", "$nin")
    # True is 1 to Python, not to S3 Vectors. A query asks this of every vector: it must be quick.
    typed = {(isinstance(each, bool), each) for each in wanted}

    def matches(metadata: Metadata) -> bool:
        value = metadata.get(key)
        if isinstance(value, list):
            return any((isinstance(v, bool), v) in typed for v in value) is not negated
        return ((isinstance(value, bool), value) in typed) is not negated

    return matches


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def _values(metadata: Metadata, key: str) -> list[Any]:
    value = metadata.get(key)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_primitive(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _check(fits: Any, operator: str, what: str) -> None:
    if not fits:
        raise InvalidFilter(f"Invalid filter: {operator} takes {what}")
