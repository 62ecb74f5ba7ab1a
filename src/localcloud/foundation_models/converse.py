"""Converse and ConverseStream: one body for every model that answers in text (facts H1)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from . import conversations, guarded, sampling_rules, tool_use
from .calls import Call, EventStream
from .catalogue import Model, invoked
from .conversations import Conversation, Reply
from .errors import invalid
from .guarded import Guard
from .text_engine import Message
from .tool_use import ToolUse

_MODEL_SAYS = "The model returned the following errors:"
_STAND_IN = "localcloud_answered_by"
_TEXT_FORMATS = ("txt", "md", "csv", "html")


async def converse(call: Call) -> Mapping[str, Any]:
    """Converse."""
    reply, guard, tool = await _reply(call)
    text = await reply.text()
    content: list[dict[str, Any]] = [{"text": text}] if text else []
    if tool:
        content.append({"toolUse": tool.block})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reply.stop_reason,
        **_metadata(call, reply, guard),
        "additionalModelResponseFields": _additional(call, reply),
    }


async def converse_stream(call: Call) -> EventStream:
    """ConverseStream: messageStart, contentBlockDelta…, contentBlockStop, messageStop, metadata."""
    reply, guard, tool = await _reply(call)

    async def events() -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        yield "messageStart", {"role": "assistant"}
        async for piece in reply.pieces:
            if piece.text:
                yield "contentBlockDelta", {"delta": {"text": piece.text}, "contentBlockIndex": 0}
        yield "contentBlockStop", {"contentBlockIndex": 0}
        if tool:
            start = {"toolUse": {"toolUseId": tool.identifier, "name": tool.name}}
            delta = {"toolUse": {"input": json.dumps(tool.input)}}
            yield "contentBlockStart", {"start": start, "contentBlockIndex": 1}
            yield "contentBlockDelta", {"delta": delta, "contentBlockIndex": 1}
            yield "contentBlockStop", {"contentBlockIndex": 1}
        yield (
            "messageStop",
            {
                "stopReason": reply.stop_reason,
                "additionalModelResponseFields": _additional(call, reply),
            },
        )
        yield "metadata", _metadata(call, reply, guard)

    return EventStream(events())


async def _reply(call: Call) -> tuple[Reply, Guard | None, ToolUse | None]:
    """The answer, by way of a guardrail where the request names one, or a call of a tool."""
    model = _model(call)
    if "outputConfig" in call.parameters:
        raise invalid("localcloud's language model writes free text alone: leave out outputConfig")
    tool_use.check(call.get("messages", []), call.get("toolConfig"))
    asked = read(call, model)
    guard, tool = guarded.of_converse(call), None

    async def begin(call: Call, model: Model, asked: Conversation) -> Reply:
        nonlocal tool
        given = call.get("messages", [])
        chosen = await tool_use.choose(call, model, asked, guard.masked(given) if guard else given)
        if chosen is None:
            return await conversations.ask(call, model, asked)
        reply, tool = chosen
        return reply

    reply = await guarded.ask(call, model, asked, guard, begin)
    return reply, guard, None if reply.stop_reason == guarded.INTERVENED else tool


def read(call: Call, model: Model) -> Conversation:
    """The conversation in a Converse request. Raises ValidationException."""
    config = call.get("inferenceConfig", {})
    more = call.get("additionalModelRequestFields") or {}
    nested = more.get("inferenceConfig") if isinstance(more, dict) else None
    top_k = more.get("top_k") if isinstance(more, dict) else None
    if top_k is None and isinstance(nested, dict):
        top_k = nested.get("topK")
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int)):
        # Claude's words; Nova's are UNCONFIRMED.
        raise invalid(f"{_MODEL_SAYS} top_k: Input should be a valid integer")
    asked = Conversation(
        messages(call.get("system", []), call.get("messages", [])),
        config.get("maxTokens"),
        config.get("temperature"),
        config.get("topP"),
        top_k,
        tuple(config.get("stopSequences", ())),
    )
    problem = sampling_rules.problem(model, asked)
    if problem:
        raise invalid(f"{_MODEL_SAYS} {problem}")
    sampling_rules.check_max_tokens(model, asked)
    return asked


def messages(system: list[dict], given: list[dict]) -> list[Message]:
    """System prompts and messages as the language model reads them. Raises ValidationException."""
    _check_turns(given)
    found: list[Message] = []
    text = "\n".join(_block(block, "system") for block in system)
    if text:
        found.append(("system", text))
    for number, message in enumerate(given):
        parts = [
            _block(block, f"messages.{number}.content.{place}")
            for place, block in enumerate(message["content"])
        ]
        found.append((message["role"], "\n".join(part for part in parts if part)))
    return found


# The texts as users have logged them.
_TURNS = "Make sure the conversation alternates between user and assistant roles and try again."


def _check_turns(given: list[dict]) -> None:
    roles = [message["role"] for message in given]
    if not roles or roles[0] != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that "
            "starts with a user message."
        )
    if any(a == b for a, b in zip(roles, roles[1:], strict=False)):
        raise invalid(f"A conversation must alternate between user and assistant roles. {_TURNS}")
    if roles[-1] != "user":  # as for Llama: Nova and older Claude go on with the message
        raise invalid(
            "The model that you are using requires the last turn in the conversation to be a user "
            "message. Add a user message to the conversation and try again."
        )
    for number, message in enumerate(given):
        if not message["content"]:
            raise invalid(
                f"The content field in the Message object at messages.{number} is empty. Add a "
                "ContentBlock object to the content field and try again."
            )
        kinds = {kind for block in message["content"] for kind in block}
        if "document" in kinds and not kinds & {"text", "guardContent"}:
            raise invalid("A text block must be included when using documents.")


def _block(block: dict, path: str) -> str:
    if len(block) != 1:
        raise invalid(f"The content block at {path} must have exactly one member, such as text")
    (kind,) = block
    match kind:
        case "text":
            if not block["text"].strip():
                raise invalid(
                    f"The text field in the ContentBlock object at {path} is blank. Add text to the "
                    "text field, and try again."
                )
            return block["text"]
        case "guardContent":
            return block[kind].get("text", {}).get("text", "")
        case "document":
            return _document(block[kind], path)
        case "toolUse":
            return f"I use the tool {block[kind]['name']}: {json.dumps(block[kind]['input'])}"
        case "toolResult":
            parts = [
                part.get("text") or json.dumps(part.get("json"))
                for part in block[kind]["content"]
                if "text" in part or "json" in part
            ]
            return "The tool answered: " + "\n".join(parts)
        case "cachePoint" | "reasoningContent":
            return ""
    raise invalid(
        f"localcloud's language model reads text alone; it can't read the {kind} block at {path}"
    )


def _document(document: dict, path: str) -> str:
    source = document.get("source", {})
    if "text" in source:
        return source["text"]
    if document.get("format") in _TEXT_FORMATS and "bytes" in source:
        try:
            return base64.b64decode(source["bytes"]).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise invalid(f"The document at {path} is not text in UTF-8") from None
    raise invalid(
        f"localcloud's language model reads documents of the formats {', '.join(_TEXT_FORMATS)}; it "
        f"can't read the one at {path}"
    )


def _model(call: Call) -> Model:
    model = invoked(call)
    if not model.is_text:
        # AWS's code and sense; its text is UNCONFIRMED.
        raise invalid("This action doesn't support the model that you provided. Try again with a "
                      "supported text or chat model")  # fmt: skip
    return model


def _metadata(call: Call, reply: Reply, guard: Guard | None) -> dict[str, Any]:
    is_traced = call.get("guardrailConfig", {}).get("trace", "disabled") != "disabled"
    usage = {
        "inputTokens": reply.input_tokens,
        "outputTokens": reply.output_tokens,
        "totalTokens": reply.input_tokens + reply.output_tokens,
    }
    return {
        "usage": usage,
        "metrics": {"latencyMs": reply.latency_ms},
        "trace": {"guardrail": guard.trace()} if guard and is_traced else None,
    }


def _additional(call: Call, reply: Reply) -> dict[str, Any]:
    """What the model tells beyond the API's members. Ours tells who answered, asked for or not."""
    found: dict[str, Any] = {_STAND_IN: call.answer_headers["x-localcloud-answered-by"]}
    for path in call.get("additionalModelResponseFieldPaths", ()):
        if path == "/stop_sequence":
            found["stop_sequence"] = reply.stop_sequence
    return found


OPERATIONS = {
    ("bedrock-runtime", "Converse"): converse,
    ("bedrock-runtime", "ConverseStream"): converse_stream,
}
