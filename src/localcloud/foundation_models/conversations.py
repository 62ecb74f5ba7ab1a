"""A conversation with a model, whatever the body it came in, and the answer as it grows."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from .calls import Call
from .catalogue import Model
from .errors import BedrockError, invalid
from .text_engine import (
    EngineFailed,
    EngineUnavailable,
    InputTooLong,
    Message,
    Piece,
    Sampling,
)

_log = logging.getLogger(__name__)
_TOO_LONG = "Input is too long for requested model."
# AWS's text as users have logged it for streams that end early; UNCONFIRMED to the letter.
_BROKEN = "The system encountered an unexpected error during processing. Try your request again."


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
    input_tokens = await counted(call, asked.messages)
    use = resources.quotas.take(model.id, call.region, input_tokens + wanted.max_tokens)
    mark(call, model.id, resources.text.name)
    reply = Reply(pieces=only(), input_tokens=input_tokens)

    async def pieces() -> AsyncIterator[Piece]:
        try:
            async for piece in resources.text.generate(asked.messages, wanted):
                if piece.text and reply.first_ms is None:
                    reply.first_ms = _since(reply.started)
                reply.input_tokens = piece.input_tokens
                reply.output_tokens = piece.output_tokens
                reply.stop_reason = piece.stop_reason or reply.stop_reason
                reply.stop_sequence = piece.stop_sequence
                yield piece
                if 0 < resources.quotas.limits.bedrock_break_answer_after <= piece.output_tokens:
                    raise EngineFailed("the setting bedrock_break_answer_after says so")
        except InputTooLong as error:
            raise invalid(_TOO_LONG) from error
        except EngineUnavailable as error:
            raise BedrockError("ServiceUnavailableException", str(error)) from error
        except EngineFailed as error:
            _log.warning("an answer broke off: %s", error)
            raise BedrockError("ModelErrorException", _BROKEN) from error
        finally:
            reply.latency_ms = _since(reply.started)
            use.tokens = reply.input_tokens + model.burndown * reply.output_tokens

    reply.pieces = await _begun(pieces())
    return reply


async def counted(call: Call, messages: list[Message]) -> int:
    """The tokens of a conversation. Raises ServiceUnavailableException where there is no model."""
    try:
        return await call.resources.text.count_tokens(messages)
    except EngineUnavailable as error:
        raise BedrockError("ServiceUnavailableException", str(error)) from error


def mark(call: Call, name: str, stand_in: str) -> None:
    """Say in the answer's headers what answered in the place of a model, or of what else AWS has."""
    told = f"{stand_in} on this computer"
    if not name.startswith("localcloud."):
        told += f", not {name}"
    call.answer_headers["x-localcloud-answered-by"] = told


async def only(*pieces: Piece) -> AsyncIterator[Piece]:
    """Pieces that are there already."""
    for piece in pieces:
        yield piece


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
