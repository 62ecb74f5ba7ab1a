"""Which tool a request is for: a router, not a language model.

A model of this size hardly writes reliable calls, so the tool whose description is nearest to the
request by its embedding is taken, and its parameters are read out of the text by their JSON schema
(tool_slots). The language model only words the reply. A learner is told so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .embeddings import embed
from .sentences import sentence_spans
from .tool_slots import read_slots

# Below it no tool is meant; calibrated in docs/localcloud.md.
THRESHOLD = 0.27
_ASKS = "To call "


class ToolChoice(NamedTuple):
    """The tool to call, its input, and what is said beside. `name` is None where the tool that fits
    lacks something: then `words` ask for it.
    """

    name: str | None
    input: dict[str, Any]
    words: str


def choose_tool(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    tool_choice: Mapping[str, Any] | None = None,
) -> ToolChoice | None:
    """The tool that the last message asks for; None where it asks for none, or brings a result.

    `messages`, `tools` and `tool_choice` are Converse's: messages with content blocks, tools with a
    `toolSpec` (name, description, inputSchema.json), and {"auto": {}}, {"any": {}} or {"tool": {"name"}}.
    Blocks for some ten milliseconds a tool.
    """
    content = messages[-1]["content"] if messages else []
    if any("toolResult" in block for block in content):
        return None
    specifications = [tool["toolSpec"] for tool in tools if "toolSpec" in tool]
    forced = (tool_choice or {}).get("tool", {}).get("name")
    if forced:
        specifications = [each for each in specifications if each["name"] == forced]
    request = _request(messages)
    if not specifications or not request:
        return None
    scores = [_score(request, each) for each in specifications]
    best = int(np.argmax(scores))
    is_free = "any" not in (tool_choice or {}) and not forced
    if is_free and scores[best] < THRESHOLD:
        return None
    chosen = specifications[best]
    schema = chosen["inputSchema"].get("json", {})
    found = read_slots(request, schema)
    missing = [name for name in schema.get("required", ()) if name not in found]
    if missing and is_free:
        return ToolChoice(None, {}, f"{_ASKS}{chosen['name']} I need: {', '.join(missing)}.")
    return ToolChoice(chosen["name"], found, f"I call {chosen['name']} for that.")


def _request(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the user asks for; with the request before where the last one answers our question."""
    request = _text(messages[-1])
    if len(messages) >= 3 and _text(messages[-2]).startswith(_ASKS):
        return f"{_request(messages[:-2])} {request}"
    return request


def _text(message: Mapping[str, Any]) -> str:
    return " ".join(block["text"] for block in message["content"] if "text" in block).strip()


def _score(request: str, specification: Mapping[str, Any]) -> float:
    """The greatest cosine between the request, or one of its sentences, and what a tool says of itself."""
    name = " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", specification["name"])).lower()
    description = specification.get("description", "")
    about = [f"{name}. {description}", name]
    about += [description[start:end] for start, end in sentence_spans(description)]
    asked = [request] + [request[start:end] for start, end in sentence_spans(request)]
    return float((_vectors(tuple(asked)) @ _vectors(tuple(about)).T).max())


def _vectors(texts: tuple[str, ...]) -> np.ndarray:
    return embed(list(dict.fromkeys(texts)))
