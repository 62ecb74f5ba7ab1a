"""RetrieveAndGenerate: an answer with citations, whole or as a stream."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from .answers import best_sentences, compose
from .calls import Call, EventStream
from .errors import invalid
from .knowledge_bases import find_base
from .retrieval import search

# Sessions of this process: they end with it, on AWS after a day without use.
_sessions: set[str] = set()


def retrieve_and_generate(call: Call) -> Mapping[str, Any]:
    """RetrieveAndGenerate, from a knowledge base."""
    text, citations = _answer(call)
    session = _session(call)
    return {"sessionId": session, "output": {"text": text}, "citations": citations}


async def retrieve_and_generate_stream(call: Call) -> EventStream:
    """RetrieveAndGenerateStream: each citation after the text that it belongs to."""
    text, citations = await asyncio.to_thread(_answer, call)
    return EventStream(_events(text, citations), {"sessionId": _session(call)})


async def _events(text: str, citations: list[dict]) -> AsyncIterator[tuple[str, dict]]:
    told = 0
    for citation in citations:
        end = citation["generatedResponsePart"]["textResponsePart"]["span"]["end"] + 1
        yield "output", {"text": text[told:end]}
        told = end
        # The first is older and deprecated; AWS sends both.
        yield "citation", {"citation": citation, **citation}


def _answer(call: Call) -> tuple[str, list[dict[str, Any]]]:
    configuration = call.get("retrieveAndGenerateConfiguration", {})
    settings = configuration.get("knowledgeBaseConfiguration")
    if configuration.get("type") != "KNOWLEDGE_BASE" or settings is None:
        raise invalid("localcloud answers from knowledge bases alone: type KNOWLEDGE_BASE")
    base = find_base(call, settings["knowledgeBaseId"])
    question = call.get("input")["text"]
    found = search(call, base, question, settings.get("retrievalConfiguration", {}))
    call.answer_headers["x-localcloud-answered-by"] = "quotation; no language model"
    return compose(best_sentences(question, found))


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
