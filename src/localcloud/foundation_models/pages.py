"""Lists that are answered a page at a time."""

import base64
import binascii
from collections.abc import Sequence

from .errors import invalid


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


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("Invalid nextToken") from None  # the text is UNCONFIRMED
