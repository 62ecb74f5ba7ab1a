"""A conversation under a guardrail: what goes to the model, and what comes back (facts H6)."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import conversations, guardrail_policies, guardrails
from .apply_guardrail import processing
from .calls import Call
from .catalogue import Model
from .conversations import Conversation, Reply, only
from .guardrail_policies import Verdict
from .text_engine import Piece

INTERVENED = "guardrail_intervened"


@dataclass
class Guard:
    """A guardrail that watches over one request. Its assessments are for the trace."""

    guardrail: Mapping[str, Any]
    # What the caller marked as to be guarded; empty: all that the user and the system prompt say.
    marked: str = ""
    grounding: str = ""
    query: str = ""
    input_assessment: dict[str, Any] = field(default_factory=dict)
    output_assessment: dict[str, Any] | None = None

    async def judge_input(self, asked: Conversation) -> tuple[Conversation, str | None]:
        """The conversation to go on with, and the message instead of an answer where it is blocked."""
        text = self.marked or "\n".join(text for role, text in asked.messages if role == "user")
        verdict, assessment = await self._judge("INPUT", text)
        self.input_assessment = assessment
        if verdict.blocked:
            return asked, verdict.text
        if verdict.masked:
            apply = functools.partial(guardrail_policies.masked, self.guardrail, "INPUT")
            messages = [(role, apply(text)) for role, text in asked.messages]
            asked = replace(asked, messages=messages)
        return asked, None

    def masked(self, messages: Sequence[Mapping]) -> list[dict[str, Any]]:
        """Messages of Converse as the model may read them."""
        return [
            {**message, "content": [self._masked(block) for block in message["content"]]}
            for message in messages
        ]

    def _masked(self, block: Mapping[str, Any]) -> Mapping[str, Any]:
        if "text" not in block:
            return block
        return {"text": guardrail_policies.masked(self.guardrail, "INPUT", block["text"])}

    async def judge_output(self, text: str) -> Verdict:
        """What is to be said instead of an answer, or the answer as it is."""
        verdict, self.output_assessment = await self._judge(
            "OUTPUT", text, self.grounding, self.query
        )
        return verdict

    def trace(self) -> dict[str, Any]:
        """As Converse's answer shows it."""
        identifier = self.guardrail["id"]
        found: dict[str, Any] = {"inputAssessment": {identifier: self.input_assessment}}
        if self.output_assessment is not None:
            found["outputAssessments"] = {identifier: [self.output_assessment]}
        return found

    async def _judge(self, source: str, *texts: str) -> tuple[Verdict, dict[str, Any]]:
        started = time.monotonic()
        apply: Callable = functools.partial(
            guardrail_policies.apply, self.guardrail, source, *texts
        )
        verdict = await asyncio.get_running_loop().run_in_executor(None, apply)
        metrics = processing(self.guardrail, started, *texts[:2])
        return verdict, {**verdict.assessment, "invocationMetrics": metrics}


async def ask(
    call: Call, model: Model, asked: Conversation, guard: Guard | None, begin=conversations.ask
) -> Reply:
    """What `begin`, which is or does as conversations.ask, answers; under a guardrail where there is one:
    then the answer comes as one piece, since it is judged as a whole. What is blocked on its way in never
    reaches the model.
    """
    if guard is None:
        return await begin(call, model, asked)
    started = time.monotonic()
    asked, refusal = await guard.judge_input(asked)
    if refusal is not None:
        conversations.mark(call, model.id, "a guardrail")
        return Reply(
            only(Piece(refusal, 0, 0, INTERVENED)), 0, started, stop_reason=INTERVENED,
            latency_ms=round(1000 * (time.monotonic() - started)),
        )  # fmt: skip
    reply = await begin(call, model, asked)
    verdict = await guard.judge_output(await reply.text())
    if verdict.intervened:
        reply.stop_reason = INTERVENED
    reply.pieces = only(Piece(verdict.text, reply.input_tokens, reply.output_tokens))
    return reply


def of_converse(call: Call) -> Guard | None:
    """The guardrail that a Converse request names, with the texts that it marks.

    Raises ValidationException.
    """
    config = call.get("guardrailConfig", {})
    if not config.get("guardrailIdentifier"):
        return None
    guardrail = guardrails.find(
        call, config["guardrailIdentifier"], config.get("guardrailVersion", guardrails.DRAFT)
    )
    texts = [
        block["guardContent"]["text"]
        for content in [
            call.get("system", []),
            *(message["content"] for message in call.get("messages", ())),
        ]
        for block in content
        if "text" in block.get("guardContent", {})
    ]

    def marked(role: str) -> str:
        return "\n".join(
            text["text"] for text in texts if role in text.get("qualifiers", ["guard_content"])
        )

    return Guard(guardrail, marked("guard_content"), marked("grounding_source"), marked("query"))
