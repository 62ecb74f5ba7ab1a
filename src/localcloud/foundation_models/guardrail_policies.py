"""What a guardrail finds in a text: denied topics and grounding by embeddings, words and sensitive
information by patterns. All of it may block; sensitive information may be masked instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import pii_patterns
from .embeddings import embed
from .sentences import sentence_spans

# The cosines from which a sentence counts as on a topic: to its definition, to one of its examples
# (docs/localcloud.md has the questions they were chosen by).
_LIKE_DEFINITION, _LIKE_EXAMPLE = 0.40, 0.60


@dataclass
class Verdict:
    """What came of a text. `text` is the one to go on with: masked, or the guardrail's message if blocked."""

    text: str
    blocked: bool = False
    masked: bool = False
    assessment: dict[str, Any] = field(default_factory=dict)

    @property
    def intervened(self) -> bool:
        """Whether the text is another one now."""
        return self.blocked or self.masked


@dataclass(frozen=True)
class _Match:
    start: int
    end: int
    label: str


def apply(
    guardrail: Mapping[str, Any],
    source: str,
    text: str,
    grounding: str = "",
    query: str = "",
) -> Verdict:
    """Judge a text of the source INPUT or OUTPUT by a guardrail of guardrails.find, in a worker thread:
    embeddings take time.

    `grounding` and `query` are what an output is held against, where the guardrail has contextual
    grounding.
    """
    verdict = Verdict(text)
    side = source.lower()
    _topics(guardrail.get("topicPolicy", {}).get("topics", ()), side, text, verdict)
    _words(guardrail.get("wordPolicy", {}).get("words", ()), side, text, verdict)
    _sensitive(guardrail.get("sensitiveInformationPolicy", {}), side, text, verdict)
    if source == "OUTPUT" and grounding:
        filters = guardrail.get("contextualGroundingPolicy", {}).get("filters", ())
        _grounding(filters, text, grounding, query, verdict)
    if verdict.blocked:
        messages = {"INPUT": "blockedInputMessaging", "OUTPUT": "blockedOutputsMessaging"}
        verdict.text = guardrail[messages[source]]
    return verdict


def masked(guardrail: Mapping[str, Any], source: str, text: str) -> str:
    """A part of a text that was judged, masked as the whole."""
    verdict = Verdict(text)
    _sensitive(guardrail.get("sensitiveInformationPolicy", {}), source.lower(), text, verdict)
    return verdict.text


def units(guardrail: Mapping[str, Any], text: str, grounding: str = "") -> dict[str, int]:
    """Text units by policy: begun thousands of characters (Bedrock pricing, "Guardrails"). Contextual
    grounding counts its source too.
    """
    count = -(-len(text) // 1000)
    sensitive = guardrail.get("sensitiveInformationPolicy", {})
    is_grounded = grounding and guardrail.get("contextualGroundingPolicy")
    return {
        "topicPolicyUnits": count if guardrail.get("topicPolicy") else 0,
        "contentPolicyUnits": 0,
        "wordPolicyUnits": count if guardrail.get("wordPolicy") else 0,
        "sensitiveInformationPolicyUnits": count if sensitive.get("piiEntities") else 0,
        "sensitiveInformationPolicyFreeUnits": count if sensitive.get("regexes") else 0,
        "contextualGroundingPolicyUnits": -(-len(grounding + text) // 1000) if is_grounded else 0,
    }


def _action(rule: Mapping[str, Any], side: str) -> str | None:
    """BLOCK, ANONYMIZE, NONE (which only tells), or None where the rule is off on this side."""
    if not rule.get(f"{side}Enabled", True):
        return None
    return rule.get(f"{side}Action") or rule.get("action") or "BLOCK"


_DONE = {"BLOCK": "BLOCKED", "ANONYMIZE": "ANONYMIZED", "NONE": "NONE"}


def _topics(topics: Sequence[Mapping], side: str, text: str, verdict: Verdict) -> None:
    judged = [(topic, action) for topic in topics if (action := _action(topic, side))]
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    if not judged or not sentences:
        return
    vectors = embed(sentences)
    found = []
    for topic, action in judged:
        about = embed([topic["definition"], *topic.get("examples", ())])
        definition, *examples = (vectors @ about.T).max(axis=0)
        if definition < _LIKE_DEFINITION and max(examples, default=0) < _LIKE_EXAMPLE:
            continue
        found.append(
            {"name": topic["name"], "type": "DENY", "action": _DONE[action], "detected": True}
        )
        verdict.blocked |= action == "BLOCK"
    if found:
        verdict.assessment["topicPolicy"] = {"topics": found}


def _words(words: Sequence[Mapping], side: str, text: str, verdict: Verdict) -> None:
    found = []
    for word in words:
        action = _action(word, side)
        match = action and re.search(
            rf"(?<!\w){re.escape(word['text'])}(?!\w)", text, re.IGNORECASE
        )
        if match:
            found.append({"match": match[0], "action": _DONE[action], "detected": True})
            verdict.blocked |= action == "BLOCK"
    if found:
        verdict.assessment["wordPolicy"] = {"customWords": found, "managedWordLists": []}


def _sensitive(policy: Mapping[str, Any], side: str, text: str, verdict: Verdict) -> None:
    entities, regexes, matches = [], [], []
    for entity in policy.get("piiEntities", ()):
        action = _action(entity, side)
        for start, end in pii_patterns.find(entity["type"], text) if action else ():
            entities.append(
                {"match": text[start:end], "type": entity["type"], "action": _DONE[action], "detected": True}
            )  # fmt: skip
            _note(verdict, matches, action, _Match(start, end, entity["type"]))
    for regex in policy.get("regexes", ()):
        action = _action(regex, side)
        for match in re.finditer(regex["pattern"], text) if action else ():
            regexes.append(
                {
                    "name": regex["name"], "match": match[0], "regex": regex["pattern"],
                    "action": _DONE[action], "detected": True,
                }
            )  # fmt: skip
            _note(verdict, matches, action, _Match(*match.span(), regex["name"]))
    if entities or regexes:
        verdict.assessment["sensitiveInformationPolicy"] = {
            "piiEntities": entities,
            "regexes": regexes,
        }
    verdict.text = _masked(text, matches)
    verdict.masked = bool(matches)


def _note(verdict: Verdict, matches: list[_Match], action: str, match: _Match) -> None:
    verdict.blocked |= action == "BLOCK"
    if action == "ANONYMIZE":
        matches.append(match)


def _masked(text: str, matches: Iterable[_Match]) -> str:
    """The text with `{EMAIL}` in the place of an address. Of matches that overlap the first counts."""
    parts, position = [], 0
    for match in sorted(matches, key=lambda each: (each.start, -each.end)):
        if match.start >= position:
            parts += [text[position : match.start], f"{{{match.label}}}"]
            position = match.end
    return "".join([*parts, text[position:]])


def _grounding(
    filters: Sequence[Mapping], text: str, source: str, query: str, verdict: Verdict
) -> None:
    """How far each sentence of an answer stands in the source, at its worst; and how near the answer's
    nearest sentence comes to the question. Cosines, which Bedrock's scores are not.
    """
    sentences = embed([text[start:end] for start, end in sentence_spans(text)])
    sources = embed([source[start:end] for start, end in sentence_spans(source)])
    if not len(sentences) or not len(sources):
        return
    scores = {"GROUNDING": float((sentences @ sources.T).max(axis=1).min())}
    if query:
        scores["RELEVANCE"] = float((sentences @ embed([query])[0]).max())
    found = []
    for rule in filters:
        action = _action(rule, "output")
        if rule["type"] not in scores or not rule.get("enabled", True):
            continue
        score = min(1.0, max(0.0, scores[rule["type"]]))
        low = score < rule["threshold"]
        found.append(
            {
                "type": rule["type"],
                "threshold": rule["threshold"],
                "score": round(score, 4),
                "action": _DONE[action] if low else "NONE",
                "detected": low,
            }
        )
        verdict.blocked |= low and action == "BLOCK"
    if found:
        verdict.assessment["contextualGroundingPolicy"] = {"filters": found}
