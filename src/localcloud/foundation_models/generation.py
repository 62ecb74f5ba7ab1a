"""One answer in the making: what was read, what was written, and when it is over."""

from __future__ import annotations

import itertools
from collections import deque
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
        prompt, opening = model.prompt(messages), model.opening(messages)
        self._input_tokens = len(prompt)
        if self._input_tokens >= CONTEXT:
            raise InputTooLong(self._input_tokens, CONTEXT)
        self._room = min(wanted.max_tokens, CONTEXT - self._input_tokens)
        # Even, so that it leaves no part with a single token, whose last digits are computed otherwise.
        self._opening = tuple(opening[: len(opening) // 2 * 2])
        state = model.openings.get(self._opening)
        self._cache = model.evaluator.cache(state)
        self._read = len(self._opening) if state else 0
        self._unread = _parts(prompt, self._read, len(self._opening))
        self._random = np.random.default_rng(wanted.seed)
        self._written: list[int] = []
        self._sent = 0  # characters

    def step(self) -> Piece | None:
        """Read a part of the conversation (None), or write one token."""
        part = self._unread.popleft()
        logits = self._cache.read(part)
        self._read += len(part)
        if self._read == len(self._opening):
            self._model.openings.keep(self._opening, self._cache)
        if self._unread:
            return None
        wanted = self._wanted
        token = sampling.choose(
            logits, wanted.temperature, wanted.top_p, wanted.top_k, self._random
        )
        if token in self._model.ends:
            return self._piece(self._text(), "end_turn")
        self._written.append(token)
        self._unread.append([token])
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


def _parts(prompt: list[int], read: int, opening: int) -> deque[list[int]]:
    """What is yet to be read of a prompt, part by part. Parts end at the same places whether its opening
    has been read before or not, so that the logits are the same.
    """
    ends = sorted({opening, *range(_READ_AT_ONCE, len(prompt), _READ_AT_ONCE), len(prompt)})
    return deque(
        prompt[start:end] for start, end in itertools.pairwise([0, *ends]) if start >= read
    )
