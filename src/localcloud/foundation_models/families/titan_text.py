"""Titan Text's body ("Amazon Titan Text models" in the Bedrock User Guide, while there was one).

Its models have ended (facts H7): they answer where the setting bedrock_retired_models lets them, so that
old code can be read. The shape of the events is UNCONFIRMED.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from .. import converse
from ..catalogue import Model
from ..conversations import Conversation, Reply
from .bodies import NUMBER, Field, check

_BODY = {"inputText": Field(str, required=True), "textGenerationConfig": Field(dict)}
_CONFIG = {
    "maxTokenCount": Field(int, least=1, most=8192),
    "temperature": Field(NUMBER, least=0.0, most=1.0),
    "topP": Field(NUMBER, least=0.0, most=1.0),
    "stopSequences": Field(list, is_texts=True),
}
_DEFAULT_TOKENS = 512
_REASONS = {"end_turn": "FINISH", "stop_sequence": "STOP_CRITERIA_MET"}
_REASONS["guardrail_intervened"] = "CONTENT_FILTERED"


def read(model: Model, body: dict[str, Any]) -> Conversation:
    """The text in a body, as a conversation of one turn. Raises ValidationException."""
    check(body, _BODY)
    config = body.get("textGenerationConfig", {})
    check(config, _CONFIG, "#/textGenerationConfig")
    turn = {"role": "user", "content": [{"text": body["inputText"]}]}
    return Conversation(
        converse.messages([], [turn]),
        config.get("maxTokenCount", _DEFAULT_TOKENS),
        config.get("temperature"),
        config.get("topP"),
        stop_sequences=tuple(config.get("stopSequences", ())),
    )


def answer(model: Model, reply: Reply, text: str) -> dict[str, Any]:
    """The body of an answer."""
    result = {
        "tokenCount": reply.output_tokens,
        "outputText": text,
        "completionReason": _REASONS.get(reply.stop_reason, "LENGTH"),
    }
    return {"inputTextTokenCount": reply.input_tokens, "results": [result]}


async def chunks(model: Model, reply: Reply) -> AsyncIterator[dict[str, Any]]:
    """The events of a streamed answer: pieces of text, the last with the reason and the count."""
    async for piece in reply.pieces:
        ended = piece.stop_reason is not None
        yield {
            "outputText": piece.text,
            "index": 0,
            "totalOutputTextTokenCount": reply.output_tokens if ended else None,
            "completionReason": _REASONS.get(reply.stop_reason, "LENGTH") if ended else None,
            "inputTextTokenCount": reply.input_tokens,
        }
