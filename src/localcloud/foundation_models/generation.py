"""One answer in the making: what was read, what was written, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import sampling
from .language_model import CONTEXT, LanguageModel
from .text_engine import InputTooLong, Message, Piece, Sampling

_READ_AT_ONCE = 64  # tokens, after which others have their turn
_HALF = "\ufffd"


class Generation:
    """An answer that grows by a step at a time. Raises InputTooLong where the conversation leaves no room."""

    def __init__(self, model: LanguageModel, messages: Sequence[Message], wanted: Sampling):
        self._model = model
        self._wanted = wanted
        self._unread = model.prompt(messages)
        self._input_tokens = len(self._unread)
        if self._input_tokens >= CONTEXT:
            raise InputTooLong(self._input_tokens, CONTEXT)
        self._room = min(wanted.max_tokens, CONTEXT - self._input_tokens)
        self._cache = model.evaluator.cache()
        self._random = np.random.default_rng(wanted.seed)
        self._written: list[int] = []
        self._sent = 0  # characters

    def step(self) -> Piece | None:
        """Read a part of the conversation (None), or write one token."""
        now, self._unread = self._unread[:_READ_AT_ONCE], self._unread[_READ_AT_ONCE:]
        logits = self._cache.read(now)
        if self._unread:
            return None
        wanted = self._wanted
        token = sampling.choose(
            logits, wanted.temperature, wanted.top_p, wanted.top_k, self._random
        )
        if token in self._model.ends:
            return self._piece(self._text(), "end_turn")
        self._written.append(token)
        self._unread = [token]
        text = self._text()
        for stop in wanted.stop_sequences:
            found = text.find(stop, max(0, self._sent - len(stop)))
            if found >= 0:
                return self._piece(text[:found], "stop_sequence", stop)
        if len(self._written) >= self._room:
            full = self._room < wanted.max_tokens
            text = text.rstrip(_HALF)
            return self._piece(text, "model_context_window_exceeded" if full else "max_tokens")
        return self._piece(self._safe(text))

    def _text(self) -> str:
        return self._model.text(self._written)

    def _safe(self, text: str) -> str:
        """The text without what may yet become a stop sequence, or the rest of a character."""
        text = text.rstrip(_HALF)
        held = max(
            (
                length
                for stop in self._wanted.stop_sequences
                for length in range(1, len(stop))
                if text.endswith(stop[:length])
            ),
            default=0,
        )
        return text[: len(text) - held]

    def _piece(self, text: str, reason: str | None = None, stop: str | None = None) -> Piece:
        new, self._sent = text[self._sent :], max(self._sent, len(text))
        return Piece(new, self._input_tokens, len(self._written), reason, stop)
