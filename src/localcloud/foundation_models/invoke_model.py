"""InvokeModel, InvokeModelWithResponseStream and CountTokens: bodies of the model's own (facts H1)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import json
import time
from collections.abc import AsyncIterator, Mapping
from types import ModuleType
from typing import Any

from . import converse, guarded, guardrails
from .calls import Call, EventStream
from .catalogue import Model, identified, invoked
from .conversations import Conversation, Reply, counted, mark
from .embeddings import EmbeddingModelMissing
from .errors import BedrockError, invalid
from .families import FAMILIES
from .families.bodies import parse
from .guarded import Guard

_NO_STREAM = "The model is unsupported for streaming"
_JSON = "application/json"


async def invoke_model(call: Call) -> Mapping[str, Any]:
    """InvokeModel."""
    model = invoked(call)
    body = parse(call.get("body", b""))
    family = _family(model)
    if not model.is_text:
        if call.get("guardrailIdentifier"):
            raise invalid(f"localcloud has no guardrail for {model.id}, which writes no text")
        found, tokens, latency_ms = await _at_once(call, model, body)
        _count(call, tokens, 0, latency_ms)
        return _answer(found)
    guard = _guard(call)
    reply = await guarded.ask(call, model, family.read(model, body), guard)
    text = await reply.text()
    _count(call, reply.input_tokens, reply.output_tokens, reply.latency_ms)
    return _answer({**family.answer(model, reply, text), **_told(call, guard, reply)})


async def invoke_model_with_response_stream(call: Call) -> EventStream:
    """InvokeModelWithResponseStream: chunks, in the last of which are the invocation's metrics."""
    model = invoked(call)
    if not model.streams:
        # AWS's code; its text is UNCONFIRMED.
        raise invalid(_NO_STREAM)
    family = _family(model)
    guard = _guard(call)
    asked = family.read(model, parse(call.get("body", b"")))
    reply = await guarded.ask(call, model, asked, guard)

    async def events() -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        last = None
        async for chunk in family.chunks(model, reply):
            if last is not None:
                yield _chunk(last)
            last = chunk
        metrics = {"amazon-bedrock-invocationMetrics": _metrics(reply)}
        yield _chunk({**(last or {}), **_told(call, guard, reply), **metrics})

    return EventStream(events(), {"contentType": _JSON})


async def count_tokens(call: Call) -> Mapping[str, Any]:
    """CountTokens: what the same request would be charged as input, by the local model's own count."""
    model, _ = identified(call.get("modelId"), call.region)
    asked = _counted(call, model)
    mark(call, model.id, call.resources.text.name)
    return {"inputTokens": await counted(call, asked.messages)}


def _guard(call: Call) -> Guard | None:
    """The guardrail that the headers name."""
    identifier = call.get("guardrailIdentifier")
    if not identifier:
        return None
    version = call.get("guardrailVersion")
    if version is None:  # an error says the API reference of InvokeModel; its text is UNCONFIRMED
        raise invalid("A guardrailIdentifier needs a guardrailVersion.")
    return Guard(guardrails.find(call, identifier, version))


def _told(call: Call, guard: Guard | None, reply: Reply) -> dict[str, Any]:
    """What a body tells of a guardrail ("Use a guardrail with inference operations", User Guide)."""
    if guard is None:
        return {}
    intervened = reply.stop_reason == guarded.INTERVENED
    found: dict[str, Any] = {
        "amazon-bedrock-guardrailAction": "INTERVENED" if intervened else "NONE"
    }
    if call.get("trace", "DISABLED") != "DISABLED":
        trace = guard.trace()
        found["amazon-bedrock-trace"] = {
            "guardrail": {
                "input": trace["inputAssessment"],
                "outputs": [trace["outputAssessments"]] if "outputAssessments" in trace else [],
            }
        }
    return found


def _family(model: Model) -> ModuleType:
    if model.family not in FAMILIES:
        raise invalid(f"localcloud does not know the body that {model.id} took")
    return FAMILIES[model.family]


def _counted(call: Call, model: Model) -> Conversation:
    if not model.is_text:
        # AWS's code and sense; its text is UNCONFIRMED.
        raise invalid("The provided model doesn't support counting tokens.")
    given = call.get("input")
    if "converse" in given:
        asked = given["converse"]
        return Conversation(converse.messages(asked.get("system", []), asked.get("messages", [])))
    try:
        body = base64.b64decode(given.get("invokeModel", {}).get("body", ""))
    except binascii.Error:
        raise invalid("input.invokeModel.body is not base64") from None
    return _family(model).read(model, parse(body))


async def _at_once(call: Call, model: Model, body: dict) -> tuple[dict, int, int]:
    """What a model that writes no text answers, the tokens of its input and milliseconds."""
    family = _family(model)
    use = call.resources.quotas.take(model.id, call.region, 0)
    started = time.monotonic()
    work = functools.partial(family.answer_at_once, model, body)
    try:
        found, use.tokens = await asyncio.get_running_loop().run_in_executor(None, work)
    except EmbeddingModelMissing as error:
        raise BedrockError("ServiceUnavailableException", str(error)) from error
    mark(call, model.id, family.STAND_IN)
    return found, use.tokens, round(1000 * (time.monotonic() - started))


def _answer(found: dict[str, Any]) -> Mapping[str, Any]:
    return {"body": json.dumps(found, ensure_ascii=False).encode(), "contentType": _JSON}


def _chunk(document: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return "chunk", {"bytes": json.dumps(document, ensure_ascii=False).encode()}


def _count(call: Call, input_tokens: int, output_tokens: int, latency_ms: int) -> None:
    """The headers in which InvokeModel tells what a body may not ("InvokeModel", logged answers)."""
    call.answer_headers["x-amzn-bedrock-input-token-count"] = str(input_tokens)
    call.answer_headers["x-amzn-bedrock-output-token-count"] = str(output_tokens)
    call.answer_headers["x-amzn-bedrock-invocation-latency"] = str(latency_ms)


def _metrics(reply: Reply) -> dict[str, int]:
    return {
        "inputTokenCount": reply.input_tokens,
        "outputTokenCount": reply.output_tokens,
        "invocationLatency": reply.latency_ms,
        "firstByteLatency": reply.first_ms or reply.latency_ms,
    }


OPERATIONS = {
    ("bedrock-runtime", "InvokeModel"): invoke_model,
    ("bedrock-runtime", "InvokeModelWithResponseStream"): invoke_model_with_response_stream,
    ("bedrock-runtime", "CountTokens"): count_tokens,
}
