"""Nova's body ("Complete request schema" in the Amazon Nova User Guide)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from .. import converse, sampling_rules
from ..catalogue import Model
from ..conversations import Conversation, Reply
from ..errors import invalid
from .bodies import NUMBER, TOOLS_BY_CONVERSE, Field, check, malformed

_BODY = {
    "schemaVersion": Field(str),
    "system": Field(list),
    "messages": Field(list, required=True),
    "inferenceConfig": Field(dict),
    "toolConfig": Field(dict),
}
_CONFIG = {
    "maxTokens": Field(int, least=1),
    "temperature": Field(NUMBER, least=0.0, most=1.0),
    "topP": Field(NUMBER, least=0.0, most=1.0),
    "topK": Field(int, least=0, most=128),
    "stopSequences": Field(list, is_texts=True),
}
_MESSAGE = {"role": Field(str, required=True), "content": Field(list, required=True)}


def read(model: Model, body: dict[str, Any]) -> Conversation:
    """The conversation in a body. Raises ValidationException."""
    check(body, _BODY)
    if body.get("toolConfig"):
        raise invalid(TOOLS_BY_CONVERSE)
    config = body.get("inferenceConfig", {})
    check(config, _CONFIG, "#/inferenceConfig")
    for number, message in enumerate(body["messages"]):
        path = f"#/messages/{number}"
        if not isinstance(message, dict):
            raise malformed(f"{path}: expected type: JSONObject")
        check(message, _MESSAGE, path)
        if not message["content"]:
            raise malformed(f"{path}/content: expected minimum item count: 1, found: 0")
        _check_blocks(message["content"], f"{path}/content")
    _check_blocks(body.get("system", []), "#/system")
    asked = Conversation(
        converse.messages(body.get("system", []), body["messages"]),
        config.get("maxTokens"),
        config.get("temperature"),
        config.get("topP"),
        config.get("topK"),
        tuple(config.get("stopSequences", ())),
    )
    sampling_rules.check_max_tokens(model, asked)
    return asked


def _check_blocks(blocks: list, path: str) -> None:
    for place, block in enumerate(blocks):
        if not isinstance(block, dict) or not block:
            raise malformed(f"{path}/{place}: expected type: JSONObject")
        if "text" in block:
            check(block, {"text": Field(str)}, f"{path}/{place}")
        elif "type" in block:
            raise malformed(f"{path}/{place}: extraneous key [type] is not permitted")


def answer(model: Model, reply: Reply, text: str) -> dict[str, Any]:
    """The body of an answer."""
    return {
        "output": {"message": {"content": [{"text": text}], "role": "assistant"}},
        "stopReason": reply.stop_reason,
        "usage": _usage(reply),
    }


def _usage(reply: Reply) -> dict[str, int]:
    return {
        "inputTokens": reply.input_tokens,
        "outputTokens": reply.output_tokens,
        "totalTokens": reply.input_tokens + reply.output_tokens,
    }


async def chunks(model: Model, reply: Reply) -> AsyncIterator[dict[str, Any]]:
    """The events of a streamed answer."""
    yield {"messageStart": {"role": "assistant"}}
    async for piece in reply.pieces:
        if piece.text:
            yield {"contentBlockDelta": {"delta": {"text": piece.text}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield {"messageStop": {"stopReason": reply.stop_reason}}
    yield {"metadata": {"usage": _usage(reply), "metrics": {}, "trace": {}}}
