"""CloudWatch Logs' filter patterns for unstructured log events, in place of moto's.

"Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail" and
"Supported regular expressions (regex) syntax" in the CloudWatch Logs User Guide. moto takes `?a ?b`, `-a` and
`"a" "b"` as patterns that every event matches. Patterns for JSON and for space-delimited events are not
done, and refused.
"""

import re

from moto.logs import models
from moto.logs.exceptions import InvalidParameterException

_TERM = re.compile(
    r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))'
)


class FilterPattern:
    """One pattern. Raises InvalidParameterException where AWS refuses it."""

    def __init__(self, pattern: str | None):
        self._all: list[re.Pattern[str]] = []
        self._any: list[re.Pattern[str]] = []
        self._none: list[re.Pattern[str]] = []
        text = (pattern or "").strip()
        if text[:1] in ("{", "["):
            raise InvalidParameterException(
                "localcloud has no filter patterns for JSON or space-delimited log events"
            )
        place = 0
        while place < len(text):
            term = _TERM.match(text, place)
            if term is None:
                raise InvalidParameterException("Invalid filter pattern")
            kind = {"?": self._any, "-": self._none}.get(term["sign"], self._all)
            kind.append(_compiled(term))
            place = term.end()

    def matches(self, message: str) -> bool:
        """Whether an event with this message matches; upper and lower case differ."""
        if any(term.search(message) for term in self._none):
            return False
        if self._any and not (self._all or self._none):
            return any(term.search(message) for term in self._any)
        # Beside other terms those with ? are left out of account (User Guide; UNCONFIRMED in its details).
        return all(term.search(message) for term in self._all)


def install() -> None:
    """Have FilterLogEvents, and what else filters, go by these patterns."""
    models.EventMessageFilter = FilterPattern


def _compiled(term: re.Match[str]) -> re.Pattern[str]:
    if term["regex"] is not None:
        try:
            return re.compile(term["regex"])
        except re.error:
            raise InvalidParameterException("Invalid filter pattern") from None
    if term["phrase"] is not None:
        return re.compile(re.escape(re.sub(r"\\(.)", r"\1", term["phrase"])))
    # Errors of AWS in public reports: what is more than letters, digits and _ wants quotes.
    if not re.fullmatch(r"\w+", term["word"]):
        raise InvalidParameterException(
            f"Invalid filter pattern: Invalid character(s) in term '{term['word']}'"
        )
    return re.compile(re.escape(term["word"]))
