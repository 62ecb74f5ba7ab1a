"""Retrieve: the chunks of a knowledge base that are nearest to a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .catalogue import identified
from .conversations import mark
from .embeddings import embed, resized
from .errors import BedrockError, invalid
from .families.titan_embeddings import STAND_IN
from .ingestion import METADATA, TEXT
from .knowledge_bases import (
    asked_base,
    dimensions,
    embedding_model_arn,
    index_arn,
    index_of,
)
from .metadata_filters import InvalidFilter, compile_filter, from_knowledge_base
from .roles import lacking
from .vector_index import Neighbour
from .vectors import non_filterable

_RESULTS = 5  # API reference, KnowledgeBaseVectorSearchConfiguration


@dataclass(frozen=True)
class Found:
    """A chunk that a search found: `score` is its cosine to the question, 1 for the same text."""

    text: str
    uri: str
    metadata: dict[str, Any]
    score: float

    def reference(self) -> dict[str, Any]:
        """It as a citation's retrieved reference."""
        return {
            "content": {"type": "TEXT", "text": self.text},
            "location": {"type": "S3", "s3Location": {"uri": self.uri}},
            "metadata": self.metadata,
        }


def retrieve(call: Call) -> Mapping[str, Any]:
    """Retrieve."""
    query = call.get("retrievalQuery")
    if "text" not in query:
        raise invalid("localcloud searches for text alone")
    for name in ("guardrailConfiguration", "userContext"):
        if name in call.parameters:
            raise invalid(f"localcloud has no {name} in Retrieve")
    base = asked_base(call)
    found = search(call, base, query["text"], call.get("retrievalConfiguration", {}))
    mark(call, identified(embedding_model_arn(base), call.region)[0].id, STAND_IN)
    return {"retrievalResults": [{**each.reference(), "score": each.score} for each in found]}


def search(
    call: Call, base: dict[str, Any], question: str, configuration: Mapping[str, Any]
) -> list[Found]:
    """The nearest chunks first, in the name of the knowledge base's role. Of hierarchical chunks the
    parents come back, each once, so that they may be fewer than asked for (facts H4).
    """
    if "managedSearchConfiguration" in configuration:
        raise invalid("localcloud has no managedSearchConfiguration: its bases are of type VECTOR")
    settings = configuration.get("vectorSearchConfiguration", {})
    if settings.get("overrideSearchType") == "HYBRID":  # quoted by users, to the letter UNCONFIRMED
        raise invalid(
            "HYBRID search type is not supported for search operation on index "
            f"{index_arn(base).rpartition('/')[2]}. Retry your request with a different search type."
        )
    for name in ("rerankingConfiguration", "implicitFilterConfiguration"):
        if name in settings:
            raise invalid(f"localcloud has no {name}")
    if not question.strip():
        raise invalid("The question is empty")  # UNCONFIRMED
    _check_role(call, base)
    index = index_of(base, call.account_id)
    try:
        given = settings.get("filter")
        predicate = None
        if given is not None:
            predicate = compile_filter(from_knowledge_base(given), non_filterable(index))
    except InvalidFilter as error:
        raise invalid(str(error)) from None
    query = resized(embed([question]), dimensions(base))[0]
    nearest = index["vectors"].nearest(query, settings.get("numberOfResults", _RESULTS), predicate)
    found: dict[tuple[str, str], Found] = {}
    for neighbour in nearest:
        chunk = _found(neighbour, index["distanceMetric"])
        found.setdefault((chunk.uri, chunk.text), chunk)
    return list(found.values())


def _found(neighbour: Neighbour, metric: str) -> Found:
    metadata = dict(neighbour.metadata)
    text, hidden = metadata.pop(TEXT), json.loads(metadata.pop(METADATA))
    # Of unit vectors, which these are, both distances give the cosine. AWS's formula is UNCONFIRMED.
    distance = neighbour.distance
    score = 1 - distance if metric == "cosine" else 1 - distance**2 / 2
    return Found(
        hidden.get("parentText", text), hidden["source"]["sourceLocation"], metadata, score
    )


def _check_role(call: Call, base: Mapping[str, Any]) -> None:
    needed = [
        ("bedrock:InvokeModel", embedding_model_arn(base)),
        ("s3vectors:QueryVectors", index_arn(base)),
        ("s3vectors:GetVectors", index_arn(base)),
    ]
    denied = lacking(call, base["roleArn"], base["knowledgeBaseId"], needed)
    if denied:  # the text is UNCONFIRMED
        raise BedrockError("AccessDeniedException", denied)


OPERATIONS = {("bedrock-agent-runtime", "Retrieve"): retrieve}
