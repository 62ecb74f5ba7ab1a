"""S3 Vectors' operations on vectors.

Limits: "Limitations and restrictions" in the S3 User Guide (seen in its text of autumn 2026).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from .calls import Call
from .errors import invalid
from .metadata_filters import InvalidFilter, compile_filter
from .pages import page
from .vector_buckets import asked_index
from .vector_index import StoredVector

_FILTERABLE_BYTES = 2 * 1024
_METADATA_BYTES = 40 * 1024
_METADATA_KEYS = 50
_TOP_K = 100
_LARGEST = 3.4028234663852886e38  # of float32
_PAGE = 500


def put(call: Call) -> Mapping[str, Any]:
    """PutVectors: all of them or, where one is wrong, none."""
    index = asked_index(call)
    check_vectors(index, call.get("vectors"))
    for vector in call.get("vectors"):
        data = vector["data"]["float32"]
        index["vectors"].put(vector["key"], data, vector.get("metadata") or {})
    return {}


def get(call: Call) -> Mapping[str, Any]:
    """GetVectors: those of the keys that there are."""
    vectors = asked_index(call)["vectors"]
    found = [vectors.get(key) for key in dict.fromkeys(call.get("keys"))]
    return {"vectors": [_shown(call, vector) for vector in found if vector]}


def list_vectors(call: Call) -> Mapping[str, Any]:
    """ListVectors, also one segment of several, for readers in parallel."""
    vectors = asked_index(call)["vectors"]
    keys = [vector.key for vector in vectors.in_order()]
    count, number = call.get("segmentCount", 1), call.get("segmentIndex", 0)
    if number >= count:
        raise invalid("segmentIndex must be less than segmentCount")  # UNCONFIRMED
    keys = [key for key in keys if zlib.crc32(key.encode()) % count == number]
    found, token = page(keys, call.get("maxResults", _PAGE), call.get("nextToken"))
    stored = [vectors.get(key) for key in found]
    return {"vectors": [_shown(call, each) for each in stored if each], "nextToken": token}


def query(call: Call) -> Mapping[str, Any]:
    """QueryVectors: the nearest to a vector."""
    index = asked_index(call)
    if call.get("queryTexts"):
        raise invalid("localcloud has no text search in vector indexes: give a queryVector")
    data = call.get("queryVector", {}).get("float32")
    if data is None:
        raise invalid("queryVector must hold float32 values")  # UNCONFIRMED
    if call.get("topK") > _TOP_K:
        raise invalid(f"topK must be between 1 and {_TOP_K}")  # UNCONFIRMED
    problem = _data_problem(index, data)
    if problem:
        raise invalid(f"Invalid query vector: {problem}")  # UNCONFIRMED
    given = call.get("filter")
    try:
        predicate = None if given is None else compile_filter(given, non_filterable(index))
    except InvalidFilter as error:
        raise invalid(str(error)) from None
    found = index["vectors"].nearest(data, call.get("topK"), predicate)
    shown = [
        {
            "key": each.key,
            "distance": each.distance if call.get("returnDistance") else None,
            "metadata": each.metadata if call.get("returnMetadata") else None,
        }
        for each in found
    ]
    return {"vectors": shown, "distanceMetric": index["distanceMetric"]}


def delete(call: Call) -> Mapping[str, Any]:
    """DeleteVectors; keys that aren't there are passed over."""
    vectors = asked_index(call)["vectors"]
    for key in call.get("keys"):
        vectors.delete(key)
    return {}


def non_filterable(index: Mapping[str, Any]) -> frozenset[str]:
    """The metadata keys by which an index can't be filtered."""
    settings = index["metadataConfiguration"] or {}
    return frozenset(settings.get("nonFilterableMetadataKeys", ()))


def check_vectors(index: Mapping[str, Any], vectors: list[dict[str, Any]]) -> None:
    """Refuse vectors that an index can't take, in AWS's words where a comment says nothing else."""
    hidden = non_filterable(index)
    for vector in vectors:
        problem = _data_problem(index, vector["data"].get("float32", ()))
        problem = problem or _metadata_problem(vector.get("metadata"), hidden)
        if problem:
            raise invalid(f"Invalid record for key '{vector['key']}': {problem}")


def _data_problem(index: Mapping[str, Any], data: list[float]) -> str | None:
    wanted = index["dimension"]
    if len(data) != wanted:  # moto's authors recorded this
        return f"vector must have length {wanted}, but has length {len(data)}"
    if not all(-_LARGEST <= value <= _LARGEST for value in data):
        return "vector values must be finite float32 numbers"  # UNCONFIRMED
    if index["distanceMetric"] == "cosine" and not any(data):
        return "a vector of zeros has no cosine distance"  # UNCONFIRMED
    return None


def _metadata_problem(metadata: Any, hidden: frozenset[str]) -> str | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        return "Metadata must be an object"  # UNCONFIRMED
    if len(metadata) > _METADATA_KEYS:  # logged by users, with the preview's limit
        return f"Metadata object must have at most {_METADATA_KEYS} keys"
    for key, value in metadata.items():
        values = value if isinstance(value, list) else [value]
        if key not in hidden and not all(isinstance(v, str | int | float) for v in values):
            return f"Metadata key '{key}' must hold strings, numbers, booleans or a list of them"
    filterable = {key: value for key, value in metadata.items() if key not in hidden}
    if _size(filterable) > _FILTERABLE_BYTES:  # logged by users
        return f"Filterable metadata must have at most {_FILTERABLE_BYTES} bytes"
    if _size(metadata) > _METADATA_BYTES:
        return f"Metadata must have at most {_METADATA_BYTES} bytes"  # UNCONFIRMED
    return None


def _size(metadata: Mapping[str, Any]) -> int:
    # How AWS counts is not published: here as compact JSON in UTF-8.
    return len(json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode())


def _shown(call: Call, vector: StoredVector) -> dict[str, Any]:
    data = {"float32": vector.data.tolist()} if call.get("returnData") else None
    metadata = vector.metadata if call.get("returnMetadata") else None
    return {"key": vector.key, "data": data, "metadata": metadata}


OPERATIONS = {
    ("s3vectors", "PutVectors"): put,
    ("s3vectors", "GetVectors"): get,
    ("s3vectors", "ListVectors"): list_vectors,
    ("s3vectors", "QueryVectors"): query,
    ("s3vectors", "DeleteVectors"): delete,
}
