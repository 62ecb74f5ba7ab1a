"""ApplyGuardrail: a guardrail without a model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from . import guardrail_policies, guardrails
from .calls import Call
from .conversations import mark
from .errors import invalid

# AWS's as users have logged them; UNCONFIRMED to the letter.
_REASONS = {True: "Guardrail blocked.", False: "Guardrail masked."}


def apply_guardrail(call: Call) -> Mapping[str, Any]:
    """ApplyGuardrail, for texts."""
    guardrail = guardrails.find(call, call.get("guardrailIdentifier"), call.get("guardrailVersion"))
    blocks = call.get("content")
    if any("image" in block for block in blocks):
        raise invalid("localcloud's guardrails read text alone, not image blocks")
    texts = [block["text"] for block in blocks if "text" in block]
    by_role = {
        role: "\n".join(text["text"] for text in texts if role in text.get("qualifiers", ()))
        for role in ("grounding_source", "query")
    }
    judged = [
        text["text"]
        for text in texts
        if "guard_content" in text.get("qualifiers", ["guard_content"])
    ]
    guarded = "\n".join(judged)
    started = time.monotonic()
    verdict = guardrail_policies.apply(
        guardrail, call.get("source"), guarded, by_role["grounding_source"], by_role["query"]
    )
    mark(call, "Amazon Bedrock Guardrails", "embeddings and patterns")
    metrics = processing(guardrail, started, guarded, by_role["grounding_source"])
    outputs = []
    if verdict.blocked:
        outputs = [verdict.text]
    elif verdict.masked:  # one for each text, in their order, as users have found
        outputs = [
            guardrail_policies.masked(guardrail, call.get("source"), text) for text in judged
        ]
    return {
        "usage": metrics["usage"],
        "action": "GUARDRAIL_INTERVENED" if verdict.intervened else "NONE",
        "actionReason": _REASONS[verdict.blocked] if verdict.intervened else None,
        "outputs": [{"text": text} for text in outputs],
        "assessments": [{**verdict.assessment, "invocationMetrics": metrics}],
        "guardrailCoverage": metrics["guardrailCoverage"],
    }


def processing(
    guardrail: Mapping[str, Any], started: float, text: str, grounding: str = ""
) -> dict[str, Any]:
    """An assessment's invocationMetrics; `started` is of time.monotonic()."""
    covered = {"guarded": len(text), "total": len(text)}
    return {
        "guardrailProcessingLatency": round(1000 * (time.monotonic() - started)),
        "usage": guardrail_policies.units(guardrail, text, grounding),
        "guardrailCoverage": {"textCharacters": covered},
    }


OPERATIONS = {("bedrock-runtime", "ApplyGuardrail"): apply_guardrail}
