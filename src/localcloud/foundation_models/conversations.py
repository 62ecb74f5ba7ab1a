"""A conversation with a model, whatever the body it came in, and the answer as it grows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from .calls import Call
from .catalogue import Model
from .errors import BedrockError, invalid
from .text_engine import InputTooLong, Message, Piece, Sampling

_TOO_LONG = "Input is too long for requested model."


@dataclass(frozen=True)
class Conversation:
    """What a model is asked: messages, and how to choose tokens (None: the model's default)."""

    messages: list[Message]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] = ()


@dataclass
class Reply:
    """An answer in the making. Its numbers are final when `pieces` has ended."""

    pieces: AsyncIterator[Piece] = field(repr=False)
    input_tokens: int
    started: float = field(default_factory=time.monotonic)
    output_tokens: int = 0
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    first_ms: int | None = None
    latency_ms: int = 0

    async def text(self) -> str:
        """All of it."""
        return "".join([piece.text async for piece in self.pieces])


# Facts H3; Nova's and Titan's are UNCONFIRMED.
_DEFAULTS = {"anthropic": (1.0, 1.0), "nova": (0.7, 0.9), "titan-text": (0.7, 0.9)}


async def ask(call: Call, model: Model, asked: Conversation) -> Reply:
    """Begin an answer. Raises ThrottlingException, and errors of the model's; errors in the middle come out
    of `pieces`.
    """
    resources = call.resources
    temperature, top_p = _DEFAULTS.get(model.family, (1.0, 1.0))
    wanted = Sampling(
        asked.max_tokens or model.max_output or 4096,
        temperature if asked.temperature is None else asked.temperature,
        top_p if asked.top_p is None else asked.top_p,
        asked.top_k or 0,
        asked.stop_sequences,
        resources.seeds.next(),
    )
    try:
        input_tokens = await resources.text.count_tokens(asked.messages)
    except RuntimeError as error:  # the weights are not installed
        raise BedrockError("ServiceUnavailableException", str(error)) from error
    use = resources.quotas.take(model.id, call.region, input_tokens + wanted.max_tokens)
    mark(call, model, resources.text.name)
    reply = Reply(pieces=_none(), input_tokens=input_tokens)

    async def pieces() -> AsyncIterator[Piece]:
        try:
            async for piece in resources.text.generate(asked.messages, wanted):
                if piece.text and reply.first_ms is None:
                    reply.first_ms = _since(reply.started)
                reply.output_tokens = piece.output_tokens
                reply.stop_reason = piece.stop_reason or reply.stop_reason
                reply.stop_sequence = piece.stop_sequence
                yield piece
        except InputTooLong as error:
            raise invalid(_TOO_LONG) from error
        finally:
            reply.latency_ms = _since(reply.started)
            use.tokens = input_tokens + model.burndown * reply.output_tokens

    reply.pieces = await _begun(pieces())
    return reply


def mark(call: Call, model: Model, stand_in: str) -> None:
    """Say in the answer's headers what answered in the model's place."""
    call.answer_headers["x-localcloud-answered-by"] = f"{stand_in} on this computer, not {model.id}"


async def _none() -> AsyncIterator[Piece]:
    return
    yield


async def _begun(pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
    """The same pieces, of which the first is there: an error before it is the answer's, not the stream's."""
    first = await anext(pieces, None)

    async def again() -> AsyncIterator[Piece]:
        try:
            if first is not None:
                yield first
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()

    return again()


def _since(started: float) -> int:
    return round(1000 * (time.monotonic() - started))
