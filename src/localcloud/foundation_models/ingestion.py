"""Ingestion: documents of a bucket become chunks with vectors, in the name of the knowledge base's role.

The metadata keys are those that Bedrock writes into S3 Vectors; an index whose AMAZON_BEDROCK_TEXT is
filterable refuses chunks of more than 2 KB here as there.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ..control_plane.bucket_objects import ObjectSummary, list_objects, read_object
from .calls import Call
from .chunking import Chunk, cut
from .documents import METADATA_SUFFIX, Unreadable, extract, read_metadata
from .embeddings import embed, resized
from .errors import BedrockError
from .knowledge_bases import dimensions, embedding_model_arn, index_arn, index_of
from .roles import lacking
from .vectors import check_vectors

TEXT, METADATA = "AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA"
SOURCE_URI, CHUNK_ID = "x-amz-bedrock-kb-source-uri", "x-amz-bedrock-kb-chunk-id"
SOURCE_ID = "x-amz-bedrock-kb-data-source-id"
STATISTICS = (
    "numberOfDocumentsScanned", "numberOfMetadataDocumentsScanned", "numberOfNewDocumentsIndexed",
    "numberOfModifiedDocumentsIndexed", "numberOfMetadataDocumentsModified",
    "numberOfDocumentsDeleted", "numberOfDocumentsFailed",
)  # fmt: skip


class Failed(Exception):
    """An ingestion that could not begin; the text says why."""


def synchronise(
    call: Call,
    base: dict[str, Any],
    source: dict[str, Any],
    statistics: dict[str, int],
    go_on: Callable[[], bool],
) -> list[str]:
    """Bring the index to what the bucket holds: what is new or changed is indexed, what is gone leaves.

    Counts in `statistics` as it goes and ends early where `go_on` says so. Returns why documents failed.
    Raises Failed.
    """
    bucket, prefix = _where(source)
    _check_role(call, base, bucket)
    try:
        listed = {each.key: each for each in list_objects(bucket, prefix, call.account_id)}
    except KeyError:
        raise Failed(f"The bucket {bucket} does not exist") from None
    documents = [key for key in listed if not key.endswith((METADATA_SUFFIX, "/"))]
    reasons = []
    for key in documents:
        if not go_on():
            return reasons
        statistics["numberOfDocumentsScanned"] += 1
        beside = listed.get(key + METADATA_SUFFIX)
        statistics["numberOfMetadataDocumentsScanned"] += beside is not None
        before = source["documents"].get(key)
        tags = listed[key].etag, beside.etag if beside else None
        if before and (before["etag"], before["metadata_etag"]) == tags:
            continue
        try:
            vectors = _vectors(call, base, source, bucket, listed[key], beside)
        except (Unreadable, BedrockError) as error:
            statistics["numberOfDocumentsFailed"] += 1
            reasons.append(f"s3://{bucket}/{key}: {getattr(error, 'message', error)}")
            continue
        if source["dataSourceId"] not in base["sources"]:  # deleted meanwhile, with its vectors
            return reasons
        forget_documents(base, source, [key], call.account_id)
        index = index_of(base, call.account_id)
        for vector in vectors:
            index["vectors"].put(vector["key"], vector["data"]["float32"], vector["metadata"])
        source["documents"][key] = {
            "etag": tags[0],
            "metadata_etag": tags[1],
            "vectors": [vector["key"] for vector in vectors],
        }
        if before is None:
            statistics["numberOfNewDocumentsIndexed"] += 1
        elif before["etag"] != tags[0]:
            statistics["numberOfModifiedDocumentsIndexed"] += 1
        else:
            statistics["numberOfMetadataDocumentsModified"] += 1
    gone = [key for key in source["documents"] if key not in listed]
    forget_documents(base, source, gone, call.account_id)
    statistics["numberOfDocumentsDeleted"] += len(gone)
    return reasons


def forget_documents(
    base: Mapping[str, Any], source: dict[str, Any], keys: list[str], account_id: str
) -> None:
    """Take documents' vectors out of the index, and what is known of them."""
    try:
        vectors = index_of(base, account_id)["vectors"]
    except BedrockError:  # the index has been deleted
        vectors = None
    for key in keys:
        known = source["documents"].pop(key, {"vectors": ()})
        for vector in known["vectors"] if vectors is not None else ():
            vectors.delete(vector)


def _where(source: Mapping[str, Any]) -> tuple[str, str]:
    settings = source["dataSourceConfiguration"]["s3Configuration"]
    (prefix,) = settings.get("inclusionPrefixes", [""])
    return settings["bucketArn"].rpartition(":::")[2], prefix


def _check_role(call: Call, base: Mapping[str, Any], bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    needed = [
        ("s3:ListBucket", arn),
        ("bedrock:InvokeModel", embedding_model_arn(base)),
        ("s3vectors:PutVectors", index_arn(base)),
    ]
    denied = lacking(call, base["roleArn"], base["knowledgeBaseId"], needed)
    if denied:
        raise Failed(denied)


def _vectors(
    call: Call,
    base: Mapping[str, Any],
    source: Mapping[str, Any],
    bucket: str,
    document: ObjectSummary,
    metadata_file: ObjectSummary | None,
) -> list[dict[str, Any]]:
    """A document's chunks as PutVectors takes them."""
    text = extract(document.key, _read(call, base, bucket, document.key))
    own = read_metadata(_read(call, base, bucket, metadata_file.key)) if metadata_file else {}
    how = source.get("vectorIngestionConfiguration", {}).get("chunkingConfiguration")
    chunks = cut(text, how)
    embedded = resized(embed([chunk.text for chunk in chunks]), dimensions(base))
    uri = f"s3://{bucket}/{document.key}"
    vectors = []
    for chunk, data in zip(chunks, embedded, strict=True):
        key = str(uuid.uuid4())
        metadata = {
            **own,
            TEXT: chunk.text,
            METADATA: _hidden(chunk, uri),
            SOURCE_URI: uri,
            CHUNK_ID: key,
            SOURCE_ID: source["dataSourceId"],
        }
        vectors.append({"key": key, "data": {"float32": data.tolist()}, "metadata": metadata})
    check_vectors(index_of(base, call.account_id), vectors)
    return vectors


def _hidden(chunk: Chunk, uri: str) -> str:
    """What Retrieve needs besides the text: where it came from, and the parent that it stands for."""
    known: dict[str, Any] = {"source": {"sourceLocation": uri}}
    if chunk.parent:
        known["parentText"] = chunk.parent.text
    return json.dumps(known, ensure_ascii=False)


def _read(call: Call, base: Mapping[str, Any], bucket: str, key: str) -> bytes:
    needed = [("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")]
    denied = lacking(call, base["roleArn"], base["knowledgeBaseId"], needed)
    if denied:
        raise Unreadable(denied)
    try:
        return read_object(bucket, key, call.account_id)
    except KeyError:
        raise Unreadable("it was deleted meanwhile") from None
