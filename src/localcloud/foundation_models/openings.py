"""What prompts began with, as it was read: instructions need not be read again with each question."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .evaluators import Cache

_MOST_TOKENS = 1024  # of all together; an evaluator keeps at most 46 KB for each


class Openings:
    """States of caches (evaluators.py) by the tokens read; those used last are kept."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def get(self, tokens: tuple[int, ...]) -> Any | None:
        """The state of a cache that has read these tokens, if it is kept."""
        if tokens in self._states:
            self._states.move_to_end(tokens)
        return self._states.get(tokens)

    def keep(self, tokens: tuple[int, ...], cache: Cache) -> None:
        """Keep the state of a cache that has read these tokens, unless there is no room for as many."""
        if len(tokens) > _MOST_TOKENS:
            return
        self._states[tokens] = cache.state()
        while sum(map(len, self._states)) > _MOST_TOKENS:
            self._states.popitem(last=False)
