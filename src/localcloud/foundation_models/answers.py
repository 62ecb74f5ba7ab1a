"""Answers out of retrieved chunks: the sentences that come nearest to the question, word for word.

A small language model given whole paragraphs invents; a sentence quoted verbatim is right far more
often (docs/localcloud.md has the figures). So an answer here is a quotation, and each sentence's
citation points to the chunk that it stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .embeddings import embed
from .retrieval import Found
from .sentences import sentence_spans

# Bedrock's own words where the sources hold no answer (its default prompt for knowledge bases).
REFUSAL = "Sorry, I am unable to assist you with this request."
# Below it a question counts as not answered by the sources; calibrated in docs/localcloud.md.
THRESHOLD = 0.46
_SENTENCES = 2
# A second sentence is quoted where it is nearly as near as the first.
_NEARLY = 0.9


@dataclass(frozen=True)
class Quotation:
    """A sentence, its cosine to the question, and the chunks it stands in."""

    text: str
    score: float
    chunks: tuple[Found, ...]


def best_sentences(question: str, chunks: Sequence[Found]) -> list[Quotation]:
    """The sentences to answer with, best first; none where nothing is near enough."""
    where: dict[str, list[Found]] = {}
    for chunk in chunks:
        for start, end in sentence_spans(chunk.text):
            text = " ".join(chunk.text[start:end].split())
            if any(letter.isalpha() for letter in text):
                where.setdefault(text, []).append(chunk)
    texts = list(where)
    if not texts:
        return []
    vectors = embed([question, *texts])
    scores = vectors[1:] @ vectors[0]
    ranked = sorted(range(len(texts)), key=lambda n: (-scores[n], n))[:_SENTENCES]
    best = float(scores[ranked[0]])
    near = [n for n in ranked if scores[n] >= max(THRESHOLD, best * _NEARLY)]
    return [Quotation(texts[n], float(scores[n]), tuple(where[texts[n]])) for n in near]


def compose(quotations: Sequence[Quotation]) -> tuple[str, list[dict[str, Any]]]:
    """The answer's text and its citations; the refusal, with a citation of nothing, where there is no
    quotation. `end` is the position of a span's last character, as recorded from AWS.
    """
    text, citations = "", []
    for quotation in quotations or (Quotation(REFUSAL, 0.0, ()),):
        text += " " if text else ""
        span = {"start": len(text), "end": len(text) + len(quotation.text) - 1}
        text += quotation.text
        part = {"textResponsePart": {"span": span, "text": quotation.text}}
        references = [chunk.reference() for chunk in quotation.chunks]
        citations.append({"generatedResponsePart": part, "retrievedReferences": references})
    return text, citations
