"""Lists that are answered a page at a time."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from .calls import Call
from .errors import invalid

AGENTS_PAGE = 10  # of the lists of Bedrock's agents and knowledge bases


def page(names: Sequence[str], count: int, token: str | None) -> tuple[list[str], str | None]:
    """The next `count` of some sorted names, and the token for what follows (None at the end).

    A token holds the last name that was told: what is added or deleted meanwhile disturbs nothing.
    """
    if token:
        last = _decode(token)
        names = [name for name in names if name > last]
    found = list(names[:count])
    more = len(names) > count
    return found, base64.urlsafe_b64encode(found[-1].encode()).decode() if more else None


def summaries(
    call: Call, kept: Mapping[str, Mapping[str, Any]], member: str, names: Sequence[str]
) -> dict[str, Any]:
    """A page of what is kept by its id, for a request with maxResults and nextToken: of each thing the
    members `names`, all in the answer's `member`.
    """
    count = call.get("maxResults", AGENTS_PAGE)
    found, token = page(sorted(kept), count, call.get("nextToken"))
    shown = [{name: kept[each].get(name) for name in names} for each in found]
    return {member: shown, "nextToken": token}


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("Invalid nextToken") from None  # the text is UNCONFIRMED
