"""What answers as text: the interface that every engine has, and the choice of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Message = tuple[str, str]  # role (system, user or assistant) and text


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. temperature 0 is greedy; top_p 1 and top_k 0 leave out nothing.

    Without a seed two answers to the same messages differ.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class Piece:
    """What an answer grows by: text, which may be empty, and at the end why it stopped.

    `stop_reason` is None but for the last piece: end_turn, max_tokens, model_context_window_exceeded or
    stop_sequence (then `stop_sequence` says which). Counts are of the whole answer so far.
    """

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: str | None = None
    stop_sequence: str | None = None


class InputTooLong(ValueError):
    """A conversation that fills the model's context, so that no answer has room."""

    def __init__(self, tokens: int, context: int):
        super().__init__(f"{tokens} tokens, and the local model reads {context}")


class EngineUnavailable(RuntimeError):
    """The engine can't begin; the text says what to do."""


class EngineFailed(RuntimeError):
    """The engine broke off in the middle of an answer."""


class TextEngine(Protocol):
    """A language model."""

    name: str

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> AsyncIterator[Piece]:
        """The answer to a conversation, piece by piece. Ends early when the iterator is closed."""

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """The tokens of a conversation as the model reads it."""

    async def count_text(self, text: str) -> int:
        """The tokens of a text by itself."""

    async def close(self) -> None:
        """Give back what the engine holds."""
