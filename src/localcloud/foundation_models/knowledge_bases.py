"""Knowledge bases: where documents become chunks with vectors in an index of S3 Vectors."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..control_plane.foundation_model_records import records
from .calls import Call
from .errors import BedrockError, invalid, not_found
from .pages import summaries
from .roles import check_assumable
from .vector_buckets import find_index

# By model: the dimensions that it can give, its default first (Bedrock User Guide, "Amazon Titan Text
# Embeddings models").
_EMBEDDING_MODELS = {"amazon.titan-embed-text-v2:0": (1024, 512, 256)}
_SETTABLE = ("name", "description", "roleArn", "knowledgeBaseConfiguration", "storageConfiguration")
_KIND = "knowledge_bases"


def create(call: Call) -> Mapping[str, Any]:
    """CreateKnowledgeBase: of type VECTOR, in an index of S3 Vectors."""
    base_id = new_id()
    arn = f"arn:aws:bedrock:{call.region}:{call.account_id}:knowledge-base/{base_id}"
    now = datetime.now(UTC)
    base = {
        **{name: call.get(name) for name in _SETTABLE},
        "knowledgeBaseId": base_id,
        "knowledgeBaseArn": arn,
        "status": "ACTIVE",
        "createdAt": now,
        "updatedAt": now,
        "tags": dict(call.get("tags", {})),
        "sources": {},
    }
    _check(call, base)
    records(_KIND, call.account_id, call.region)[base_id] = base
    return {"knowledgeBase": {**_shown(base), "status": "CREATING"}}


def get(call: Call) -> Mapping[str, Any]:
    """GetKnowledgeBase."""
    return {"knowledgeBase": _shown(asked_base(call))}


def list_bases(call: Call) -> Mapping[str, Any]:
    """ListKnowledgeBases."""
    bases = records(_KIND, call.account_id, call.region)
    names = ("knowledgeBaseId", "name", "description", "status", "updatedAt")
    return summaries(call, bases, "knowledgeBaseSummaries", names)


def update(call: Call) -> Mapping[str, Any]:
    """UpdateKnowledgeBase: name, description and role; how it embeds and stores can't change."""
    base = asked_base(call)
    for name in ("knowledgeBaseConfiguration", "storageConfiguration"):
        if call.get(name, base[name]) != base[name]:
            raise invalid(f"The {name} of a knowledge base can't be updated")  # UNCONFIRMED
    changes = {name: call.get(name) for name in ("name", "description", "roleArn")}
    _check(call, {**base, **changes})
    base.update(changes, updatedAt=datetime.now(UTC))
    return {"knowledgeBase": {**_shown(base), "status": "UPDATING"}}


def delete(call: Call) -> Mapping[str, Any]:
    """DeleteKnowledgeBase: not its vectors; deleting its data sources before takes those away."""
    base = asked_base(call)
    del records(_KIND, call.account_id, call.region)[base["knowledgeBaseId"]]
    base["sources"].clear()  # which ends their ingestion
    return {"knowledgeBaseId": base["knowledgeBaseId"], "status": "DELETING"}


def asked_base(call: Call) -> dict[str, Any]:
    """The knowledge base that a request names."""
    return find_base(call, call.get("knowledgeBaseId"))


def find_base(call: Call, base_id: str) -> dict[str, Any]:
    """A knowledge base by id or ARN. Raises ResourceNotFoundException."""
    base_id = base_id.rpartition("/")[2]
    base = records(_KIND, call.account_id, call.region).get(base_id)
    if base is None:  # AWS's text, quoted by users
        raise not_found(f"Knowledge Base with id {base_id} does not exist")
    return base


def index_of(base: Mapping[str, Any], account_id: str) -> dict[str, Any]:
    """The vector index in which a knowledge base keeps its chunks. Raises NotFoundException."""
    return find_index(index_arn(base), account_id)


def index_arn(base: Mapping[str, Any]) -> str:
    """The ARN of a knowledge base's vector index."""
    settings = base["storageConfiguration"]["s3VectorsConfiguration"]
    return settings.get("indexArn") or (
        f"{settings['vectorBucketArn']}/index/{settings['indexName']}"
    )


def embedding_model_arn(base: Mapping[str, Any]) -> str:
    """The ARN of the model that a knowledge base embeds with."""
    return base["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"][
        "embeddingModelArn"
    ]


def dimensions(base: Mapping[str, Any]) -> int:
    """How many dimensions a knowledge base's vectors have."""
    possible = _EMBEDDING_MODELS[embedding_model_arn(base).rpartition("/")[2]]
    return _embedding_settings(base).get("dimensions", possible[0])


def _embedding_settings(base: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = base["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"]
    own = settings.get("embeddingModelConfiguration", {})
    return own.get("bedrockEmbeddingModelConfiguration", {})


def new_id() -> str:
    """Ten letters and digits, as Bedrock's ids have."""
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=10))


def _check(call: Call, base: Mapping[str, Any]) -> None:
    """Refuse what the service would, and what is not done here."""
    same_name = [
        other
        for other in records(_KIND, call.account_id, call.region).values()
        if other["name"] == base["name"] and other["knowledgeBaseId"] != base["knowledgeBaseId"]
    ]
    if same_name:  # AWS's text, quoted by users
        raise BedrockError(
            "ConflictException", f"KnowledgeBase with name {base['name']} already exists."
        )
    configuration = base["knowledgeBaseConfiguration"]
    if "vectorKnowledgeBaseConfiguration" not in configuration or configuration["type"] != "VECTOR":
        raise invalid("localcloud has knowledge bases of type VECTOR alone")
    if "supplementalDataStorageConfiguration" in configuration["vectorKnowledgeBaseConfiguration"]:
        raise invalid("localcloud's knowledge bases read text alone: no supplementalDataStorage")
    if _embedding_settings(base).get("embeddingDataType", "FLOAT32") != "FLOAT32":
        # S3 Vectors has no other data type (its API's model).
        raise invalid("S3_VECTORS keeps embeddings of the type FLOAT32 alone")
    storage = base["storageConfiguration"] or {}
    settings = storage.get("s3VectorsConfiguration")
    if storage.get("type") != "S3_VECTORS" or not settings:
        raise invalid("localcloud keeps knowledge bases in S3_VECTORS alone")
    if not settings.get("indexArn") and not (
        settings.get("vectorBucketArn") and settings.get("indexName")
    ):
        raise invalid("s3VectorsConfiguration needs indexArn, or vectorBucketArn and indexName")
    model = embedding_model_arn(base).rpartition("/")[2]
    if model not in _EMBEDDING_MODELS:
        known = ", ".join(_EMBEDDING_MODELS)
        raise invalid(f"localcloud embeds with {known} alone, not with {model}")
    if dimensions(base) not in _EMBEDDING_MODELS[model]:
        possible = ", ".join(map(str, _EMBEDDING_MODELS[model]))
        raise invalid(f"{model} gives vectors of {possible} dimensions, not {dimensions(base)}")
    check_assumable(call, base["roleArn"], base["knowledgeBaseArn"], "Bedrock Knowledge Base")
    _check_index(call, base)


def _check_index(call: Call, base: Mapping[str, Any]) -> None:
    # The first words are quoted by users, what follows is UNCONFIRMED.
    refused = "The knowledge base storage configuration provided is invalid... "
    try:
        index = index_of(base, call.account_id)
    except (BedrockError, ValueError):
        raise invalid(f"{refused}There is no vector index {index_arn(base)}") from None
    if index["dimension"] != dimensions(base):
        raise invalid(
            f"{refused}The vector index has {index['dimension']} dimensions, "
            f"the embedding model gives {dimensions(base)}"
        )


def _shown(base: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in base.items() if name not in ("tags", "sources")}


OPERATIONS = {
    ("bedrock-agent", "CreateKnowledgeBase"): create,
    ("bedrock-agent", "GetKnowledgeBase"): get,
    ("bedrock-agent", "ListKnowledgeBases"): list_bases,
    ("bedrock-agent", "UpdateKnowledgeBase"): update,
    ("bedrock-agent", "DeleteKnowledgeBase"): delete,
}
