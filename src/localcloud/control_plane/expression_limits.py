"""How long DynamoDB's expressions may be, and how many operators they may hold, asked before moto reads them:
it takes seconds for a hundred thousand parentheses.

"Quotas in Amazon DynamoDB", "Expression parameters"; the texts are DynamoDB's, as users have published them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_MOST_BYTES, _MOST_OPERATORS = 4096, 300
_CONDITIONS = ("ConditionExpression", "FilterExpression", "KeyConditionExpression")
_EXPRESSIONS = (*_CONDITIONS, "UpdateExpression", "ProjectionExpression")
# Operators and functions; BETWEEN is counted by its AND.
_OPERATOR = re.compile(
    r"<>|<=|>=|[=<>]|(?<![\w#:.])(?:(?i:and|or|not|in)(?!\w)"
    r"|(?:attribute_(?:not_)?exists|attribute_type|begins_with|contains|size)\s*\()"
)


def problem(body: bytes) -> str | None:
    """What is wrong with the expressions of a request to DynamoDB, if anything, as the message of a
    ValidationException.
    """
    if len(body) <= _MOST_OPERATORS or b'Expression"' not in body:  # far from both limits
        return None
    try:
        parameters = json.loads(body)
    except (ValueError, RecursionError):  # moto's to refuse
        return None
    for name, expression in _expressions(parameters):
        size = len(expression.encode("utf-8", "surrogatepass"))
        if size > _MOST_BYTES:
            return (
                f"Invalid {name}: Expression size has exceeded the maximum allowed size; "
                f"expression size: {size}"
            )
        if name in _CONDITIONS and len(_OPERATOR.findall(expression)) > _MOST_OPERATORS:
            # It stops counting there.
            count = _MOST_OPERATORS + 1
            return f"Invalid {name}: The expression contains too many operators; operator count: {count}"
    return None


def _expressions(parameters: Any) -> Iterator[tuple[str, str]]:
    """Of the request itself, or of each part of a transaction."""
    if not isinstance(parameters, dict):
        return
    parts = [parameters]
    for item in parameters.get("TransactItems") or ():
        parts += item.values() if isinstance(item, dict) else ()
    for part in parts:
        for name in _EXPRESSIONS:
            if isinstance(part, dict) and isinstance(part.get(name), str):
                yield name, part[name]
