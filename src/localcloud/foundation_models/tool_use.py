"""Tool use in Converse: the router chooses a tool and reads its input, where a large model would (H1).

The learner is told so: the answer's header names the router.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .catalogue import Model
from .conversations import Conversation, Reply, counted, mark, only
from .errors import invalid
from .text_engine import Piece
from .tool_router import choose_tool

_ROUTER = "a router that picks tools by embeddings"


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool, for the caller to make."""

    identifier: str
    name: str
    input: Mapping[str, Any]

    @property
    def block(self) -> dict[str, Any]:
        """As a content block."""
        return {"toolUseId": self.identifier, "name": self.name, "input": dict(self.input)}


def check(messages: Sequence[Mapping], config: Mapping[str, Any] | None) -> None:
    """Raise ValidationException where results don't answer the calls before them, or where the tools can't
    be called. The texts are AWS's as users have logged them, but where a comment says otherwise.
    """
    _check_tools(config or {"tools": []})
    asked: list[str] = []
    for number, message in enumerate(messages):
        uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        results = [block["toolResult"] for block in message["content"] if "toolResult" in block]
        if (uses or results) and not config:
            raise invalid(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            )
        answered = [result["toolUseId"] for result in results]
        missing = [each for each in asked if each not in answered]
        if missing:
            raise invalid(
                f"Expected toolResult blocks at messages.{number}.content for the following Ids: "
                f"{', '.join(missing)}"
            )
        if len(answered) > len(asked):
            raise invalid(
                f"The number of toolResult blocks at messages.{number}.content exceeds the number of "
                "toolUse blocks of previous turn."
            )
        asked = [use["toolUseId"] for use in uses]


def _check_tools(config: Mapping[str, Any]) -> None:
    names = []
    for number, tool in enumerate(config["tools"]):
        if "toolSpec" not in tool:
            continue
        names.append(tool["toolSpec"]["name"])
        schema = tool["toolSpec"]["inputSchema"].get("json")
        path = f"toolConfig.tools.{number}.toolSpec.inputSchema.json"
        if not isinstance(schema, dict):
            raise invalid(
                f"The format of the value at {path} is invalid. Provide a json object for the field and "
                "try again."
            )
        if schema.get("type") != "object":
            raise invalid(f"The value at {path}.type must be one of the following: object.")
        properties = schema.get("properties", {})
        if not isinstance(properties, dict) or not all(
            isinstance(each, dict) for each in properties.values()
        ):
            raise invalid(
                f"The value at {path}.properties must be an object of schemas."
            )  # our words
    forced = config.get("toolChoice", {}).get("tool", {}).get("name")
    # Our words, from here on.
    if len(set(names)) < len(names):
        raise invalid("toolConfig.tools has two tools of one name")
    if forced is not None and forced not in names:
        raise invalid(f"toolConfig.toolChoice names {forced}, which is none of toolConfig.tools")


async def choose(
    call: Call, model: Model, asked: Conversation, messages: Sequence[Mapping]
) -> tuple[Reply, ToolUse | None] | None:
    """The answer to messages that calls a tool, or that asks for what the tool lacks (no ToolUse); None
    where no tool is meant, so that the language model answers.
    """
    started = time.monotonic()
    config = call.get("toolConfig")
    if not config:
        return None
    choice = await asyncio.to_thread(
        choose_tool, messages, config["tools"], config.get("toolChoice")
    )
    if choice is None:
        return None
    input_tokens = await counted(call, asked.messages)
    use = call.resources.quotas.take(model.id, call.region, input_tokens)
    mark(call, model.id, _ROUTER)
    tool = None
    written = choice.words
    if choice.name:
        tool = ToolUse(f"tooluse_{secrets.token_urlsafe(16)}", choice.name, choice.input)
        written += json.dumps({"name": tool.name, "input": tool.input})
    output_tokens = await call.resources.text.count_text(written)
    use.tokens += model.burndown * output_tokens
    reply = Reply(
        only(Piece(choice.words, input_tokens, output_tokens)), input_tokens, started, output_tokens,
        "tool_use" if tool else "end_turn",
        latency_ms=round(1000 * (time.monotonic() - started)),
    )  # fmt: skip
    return reply, tool
