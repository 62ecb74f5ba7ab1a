"""Answers of Lambda authorizers, each kept as long as its authorizer says (its result TTL)."""

from collections.abc import Callable
from typing import Any

from .descriptions import Authorizer
from .rest_access_descriptions import RestAuthorizer

_MOST = 10_000


class KeptAnswers:
    """What authorizers have answered, by where (`place`), which authorizer and to which identity.

    Without identity sources there is nothing to keep an answer under.
    """

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._kept: dict[tuple, tuple[float, dict[str, Any]]] = {}  # until when, and the answer

    def find(
        self, place: tuple, authorizer: Authorizer | RestAuthorizer, identity: list[str]
    ) -> dict[str, Any] | None:
        """The answer that still holds; else None."""
        until, answer = self._kept.get((*place, authorizer, *identity), (0.0, None))
        return answer if self._clock() < until else None

    def keep(
        self,
        place: tuple,
        authorizer: Authorizer | RestAuthorizer,
        identity: list[str],
        answer: dict[str, Any],
    ) -> None:
        """Keep an answer, if its authorizer's are kept at all."""
        if authorizer.ttl_s <= 0 or not identity:
            return
        if len(self._kept) >= _MOST:
            self._kept.clear()
        until = self._clock() + authorizer.ttl_s
        self._kept[(*place, authorizer, *identity)] = until, answer
