"""Claude's body: Anthropic Messages ("Anthropic Claude Messages API" in the Bedrock User Guide).

Claude's own errors come through as they are: `max_tokens: Field required`. Those of fields other than the
sampling parameters are UNCONFIRMED to the letter.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

from .. import converse, sampling_rules
from ..catalogue import Model
from ..conversations import Conversation, Reply
from ..errors import invalid
from .bodies import TOOLS_BY_CONVERSE

# Claude's from 4.6 on; older Claude goes on with an assistant's message, which the local model can't.
_NO_PREFILL = (
    "This model does not support assistant message prefill. The conversation must end with a user "
    "message."
)
_EMPTY = "messages: text content blocks must be non-empty"
_BLANK = "messages: text content blocks must contain non-whitespace text"
_VERSION = "bedrock-2023-05-31"
_KNOWN = {
    "anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "temperature", "top_p",
    "top_k", "stop_sequences", "tools", "tool_choice", "thinking", "metadata", "output_config",
}  # fmt: skip
# What a guardrail says instead ends as any answer does (logged by users).
_REASONS = {"guardrail_intervened": "end_turn"}


def read(model: Model, body: dict[str, Any]) -> Conversation:
    """The conversation in a body. Raises ValidationException."""
    for name in ("anthropic_version", "max_tokens", "messages"):
        if name not in body:
            raise invalid(f"{name}: Field required")
    for name in body:
        if name not in _KNOWN:
            raise invalid(f"{name}: Extra inputs are not permitted")
    if body["anthropic_version"] != _VERSION:
        raise invalid(f"anthropic_version: Input should be '{_VERSION}'")
    if body.get("tools"):
        raise invalid(TOOLS_BY_CONVERSE)
    if body.get("thinking", {"type": "disabled"}) != {"type": "disabled"}:
        raise invalid(
            "localcloud's language model doesn't think before it answers: leave out thinking"
        )
    maximum = body["max_tokens"]
    if isinstance(maximum, bool) or not isinstance(maximum, int):
        raise invalid("max_tokens: Input should be a valid integer")
    if maximum < 1:
        raise invalid("max_tokens: Input should be greater than or equal to 1")
    if model.max_output and maximum > model.max_output:
        raise invalid(
            f"max_tokens: {maximum} > {model.max_output}, which is the maximum allowed number of output "
            f"tokens for {model.id.partition('.')[2].partition('-v1')[0]}"
        )
    system = body.get("system") or []
    if isinstance(system, str):
        system = [{"type": "text", "text": system}]
    asked = Conversation(
        converse.messages(_blocks(system, "system"), _messages(body["messages"])),
        maximum,
        _number(body, "temperature", 1),
        _number(body, "top_p", 1),
        _whole_number(body, "top_k", 500),
        _stop_sequences(body.get("stop_sequences") or []),
    )
    problem = sampling_rules.problem(model, asked)
    if problem:
        raise invalid(problem)
    return asked


def _messages(given: Any) -> list[dict]:
    """Messages as Converse has them. Turns of one role, one after the other, are one turn to Claude."""
    if not isinstance(given, list) or not given:
        raise invalid("messages: at least one message is required")
    found: list[dict] = []
    for number, message in enumerate(given):
        path = f"messages.{number}"
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise invalid(f"{path}.role: Input should be 'user' or 'assistant'")
        content = message.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        blocks = _blocks(content, f"{path}.content")
        if not blocks:
            raise invalid(f"{path}: user messages must have non-empty content")
        if found and found[-1]["role"] == message["role"]:
            found[-1]["content"] += blocks
        else:
            found.append({"role": message["role"], "content": blocks})
    if found[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if found[-1]["role"] != "user":
        raise invalid(_NO_PREFILL)
    return found


def _blocks(content: Any, path: str) -> list[dict]:
    if not isinstance(content, list):
        raise invalid(f"{path}: Input should be a valid list")
    found = []
    for place, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text":
            if not isinstance(block.get("text"), str):
                raise invalid(f"{path}.{place}.text.text: Field required")
            if not block["text"].strip():
                raise invalid(_BLANK if block["text"] else _EMPTY)
            found.append({"text": block["text"]})
        elif kind is None:
            raise invalid(f"{path}.{place}.type: Field required")
        else:
            raise invalid(f"localcloud's language model reads text alone, not {kind} blocks")
    return found


def _number(body: dict[str, Any], name: str, most: float) -> Any:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{name}: Input should be a valid number")
    if not 0 <= value <= most:
        raise invalid(f"{name}: range: 0..{most}")
    return value


def _whole_number(body: dict[str, Any], name: str, most: int) -> int | None:
    if isinstance(body.get(name), float):
        raise invalid(f"{name}: Input should be a valid integer")
    return _number(body, name, most)


def _stop_sequences(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise invalid("stop_sequences: Input should be a valid list")
    for place, text in enumerate(given):
        if not isinstance(text, str):
            raise invalid(f"stop_sequences.{place}: Input should be a valid string")
        if not text.strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    return tuple(given)


def answer(model: Model, reply: Reply, text: str) -> dict[str, Any]:
    """The body of an answer."""
    return {
        **_head(model),
        "content": [{"type": "text", "text": text}],
        "stop_reason": _REASONS.get(reply.stop_reason, reply.stop_reason),
        "stop_sequence": reply.stop_sequence,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens},
    }


def _head(model: Model) -> dict[str, Any]:
    name = model.id.partition(".")[2].partition("-v1:")[0]
    identifier = f"msg_bdrk_{secrets.token_hex(12)}"
    return {"id": identifier, "type": "message", "role": "assistant", "model": name}


async def chunks(model: Model, reply: Reply) -> AsyncIterator[dict[str, Any]]:
    """The events of a streamed answer."""
    message = {
        **_head(model),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    yield {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    }
    async for piece in reply.pieces:
        if piece.text:
            delta = {"type": "text_delta", "text": piece.text}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {
            "stop_reason": _REASONS.get(reply.stop_reason, reply.stop_reason),
            "stop_sequence": reply.stop_sequence,
        },
        "usage": {"output_tokens": reply.output_tokens},
    }
    yield {"type": "message_stop"}
