"""RetrieveAndGenerate: an answer with citations, whole or as a stream."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import guardrails
from .answers import best_sentences, compose
from .calls import Call, EventStream
from .catalogue import invoked
from .conversations import Conversation, mark
from .errors import invalid
from .guarded import Guard
from .knowledge_bases import find_base
from .retrieval import Found, search

# Sessions of this process: they end with it, on AWS after a day without use.
_sessions: set[str] = set()


@dataclass(frozen=True)
class Answer:
    """An answer's text with its citations; `action` is None where no guardrail watched."""

    text: str
    citations: list[dict[str, Any]]
    action: str | None = None


async def retrieve_and_generate(call: Call) -> Mapping[str, Any]:
    """RetrieveAndGenerate, from a knowledge base."""
    answer = await _answer(call)
    return {
        "sessionId": _session(call),
        "output": {"text": answer.text},
        "citations": answer.citations,
        "guardrailAction": answer.action,
    }


async def retrieve_and_generate_stream(call: Call) -> EventStream:
    """RetrieveAndGenerateStream: each citation after the text that it belongs to."""
    return EventStream(_events(await _answer(call)), {"sessionId": _session(call)})


async def _events(answer: Answer) -> AsyncIterator[tuple[str, dict]]:
    told = 0
    for citation in answer.citations:
        end = citation["generatedResponsePart"]["textResponsePart"]["span"]["end"] + 1
        yield "output", {"text": answer.text[told:end]}
        told = end
        # `citation` in itself is the older, deprecated place (API reference, CitationEvent).
        yield "citation", {"citation": citation, **citation}
    if told < len(answer.text):
        yield "output", {"text": answer.text[told:]}
    if answer.action:
        yield "guardrail", {"action": answer.action}


async def _answer(call: Call) -> Answer:
    configuration = call.get("retrieveAndGenerateConfiguration", {})
    settings = configuration.get("knowledgeBaseConfiguration")
    if configuration.get("type") != "KNOWLEDGE_BASE" or settings is None:
        raise invalid("localcloud answers from knowledge bases alone: type KNOWLEDGE_BASE")
    base = find_base(call, settings["knowledgeBaseId"])
    model = invoked(replace(call, parameters={"modelId": settings["modelArn"]}))
    if not model.is_text:  # AWS's code; its text is UNCONFIRMED
        raise invalid(f"The model {model.id} writes no text: choose one that answers")
    question = call.get("input")["text"]
    guard = _guard(call, settings, question)
    if guard:
        asked = Conversation([("user", question)])
        asked, refusal = await guard.judge_input(asked)
        if refusal is not None:
            mark(call, model.id, "a guardrail")
            return Answer(refusal, [], "INTERVENED")
        question = asked.messages[0][1]
    found = await asyncio.to_thread(
        search, call, base, question, settings.get("retrievalConfiguration", {})
    )
    mark(call, model.id, "a quotation of the nearest sentences, by no language model,")
    text, citations = compose(await asyncio.to_thread(best_sentences, question, found))
    if guard is None:
        return Answer(text, citations)
    return await _judged(guard, Answer(text, citations, "NONE"), found)


def _guard(call: Call, settings: Mapping[str, Any], question: str) -> Guard | None:
    given = settings.get("generationConfiguration", {}).get("guardrailConfiguration")
    if not given:
        return None
    guardrail = guardrails.find(call, given["guardrailId"], given["guardrailVersion"])
    return Guard(guardrail, query=question)


async def _judged(guard: Guard, answer: Answer, found: list[Found]) -> Answer:
    guard.grounding = "\n".join(chunk.text for chunk in found)
    verdict = await guard.judge_output(answer.text)
    if not verdict.intervened:
        return answer
    # What was blocked or masked is no quotation any more.
    return Answer(verdict.text, [], "INTERVENED")


def _session(call: Call) -> str:
    session = call.get("sessionId")
    if session is None:
        session = str(uuid.uuid4())
        _sessions.add(session)
    elif session not in _sessions:  # AWS's text, quoted by users
        raise invalid(f"Session with Id {session} is not valid. Please check and try again.")
    return session


OPERATIONS = {
    ("bedrock-agent-runtime", "RetrieveAndGenerate"): retrieve_and_generate,
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream"): retrieve_and_generate_stream,
}
