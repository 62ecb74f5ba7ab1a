"""S3 Vectors' buckets and indexes. What an index holds is vector_index's, requests for it vectors'.

Error texts are AWS's as moto's authors recorded them, unless a comment says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..control_plane.foundation_model_records import records
from .calls import Call
from .errors import BedrockError, invalid
from .pages import page
from .vector_index import VectorIndex

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PAGE = 500
# Of indexes in buckets created since 30 September 2026 ("Metadata filtering" in the S3 User Guide).
_MODE = "ENHANCED"


def create_bucket(call: Call) -> Mapping[str, Any]:
    """CreateVectorBucket."""
    name = call.get("vectorBucketName")
    if not _NAME.fullmatch(name):
        raise invalid("Invalid vector bucket name")
    if name in _buckets(call):
        raise _conflict("A vector bucket with the specified name already exists")
    arn = f"arn:aws:s3vectors:{call.region}:{call.account_id}:bucket/{name}"
    _buckets(call)[name] = {
        "vectorBucketName": name,
        "vectorBucketArn": arn,
        "creationTime": datetime.now(UTC),
        "encryptionConfiguration": call.get("encryptionConfiguration", {"sseType": "AES256"}),
        "policy": None,
        "tags": {arn: dict(call.get("tags", {}))},
        "indexes": {},
    }
    return {"vectorBucketArn": arn}


def get_bucket(call: Call) -> Mapping[str, Any]:
    """GetVectorBucket."""
    bucket = _bucket(call)
    names = ("vectorBucketName", "vectorBucketArn", "creationTime", "encryptionConfiguration")
    return {"vectorBucket": {**{name: bucket[name] for name in names}, "defaultIndexMode": _MODE}}


def list_buckets(call: Call) -> Mapping[str, Any]:
    """ListVectorBuckets."""
    names = ("vectorBucketName", "vectorBucketArn", "creationTime")
    found, token = _named_page(call, _buckets(call))
    listed = [{name: bucket[name] for name in names} for bucket in found]
    return {"vectorBuckets": listed, "nextToken": token}


def delete_bucket(call: Call) -> Mapping[str, Any]:
    """DeleteVectorBucket: of an empty one."""
    bucket = _bucket(call)
    if bucket["indexes"]:
        raise _conflict("The specified vector bucket is not empty")
    del _buckets(call)[bucket["vectorBucketName"]]
    return {}


def create_index(call: Call) -> Mapping[str, Any]:
    """CreateIndex. An index's dimension, metric and non-filterable keys never change."""
    bucket, name = _bucket(call), call.get("indexName")
    if not _NAME.fullmatch(name):
        raise invalid("Invalid index name")
    if name in bucket["indexes"]:
        raise _conflict("An index with the specified name already exists")  # UNCONFIRMED
    if call.get("metadataConfiguration", {}).get("textSearchConfigurations"):
        raise invalid("localcloud has no text search in vector indexes")
    arn = f"{bucket['vectorBucketArn']}/index/{name}"
    bucket["indexes"][name] = {
        "vectorBucketName": bucket["vectorBucketName"],
        "indexName": name,
        "indexArn": arn,
        "creationTime": datetime.now(UTC),
        "dataType": call.get("dataType"),
        "dimension": call.get("dimension"),
        "distanceMetric": call.get("distanceMetric"),
        "metadataConfiguration": call.get("metadataConfiguration"),
        "encryptionConfiguration": call.get("encryptionConfiguration"),
        "vectors": VectorIndex(call.get("dimension"), call.get("distanceMetric")),
    }
    bucket["tags"][arn] = dict(call.get("tags", {}))
    return {"indexArn": arn}


def get_index(call: Call) -> Mapping[str, Any]:
    """GetIndex."""
    index = {name: value for name, value in asked_index(call).items() if name != "vectors"}
    return {"index": {**index, "indexMode": _MODE}}


def list_indexes(call: Call) -> Mapping[str, Any]:
    """ListIndexes."""
    names = ("vectorBucketName", "indexName", "indexArn", "creationTime")
    found, token = _named_page(call, _bucket(call)["indexes"])
    listed = [{name: index[name] for name in names} for index in found]
    return {"indexes": listed, "nextToken": token}


def delete_index(call: Call) -> Mapping[str, Any]:
    """DeleteIndex, with all its vectors."""
    index = asked_index(call)
    bucket = _buckets(call)[index["vectorBucketName"]]
    del bucket["indexes"][index["indexName"]], bucket["tags"][index["indexArn"]]
    return {}


def put_policy(call: Call) -> Mapping[str, Any]:
    """PutVectorBucketPolicy. The policy is kept; it isn't evaluated."""
    _bucket(call)["policy"] = call.get("policy")
    return {}


def get_policy(call: Call) -> Mapping[str, Any]:
    """GetVectorBucketPolicy."""
    policy = _bucket(call)["policy"]
    if policy is None:
        raise BedrockError(
            "NotFoundException", "The specified vector bucket policy could not be found"
        )
    return {"policy": policy}


def delete_policy(call: Call) -> Mapping[str, Any]:
    """DeleteVectorBucketPolicy."""
    _bucket(call)["policy"] = None
    return {}


def asked_index(call: Call) -> dict[str, Any]:
    """The index that a request names, by ARN or by bucket and name."""
    by_name = call.get("vectorBucketName") and call.get("indexName")
    arn = call.get("indexArn")
    if bool(arn) == bool(by_name) or (arn and call.get("vectorBucketName")):
        raise invalid("Must specify either indexArn or both vectorBucketName and indexName")
    if not arn:
        arn = (
            f"arn:aws:s3vectors:{call.region}:{call.account_id}:bucket/"
            f"{call.get('vectorBucketName')}/index/{call.get('indexName')}"
        )
    return find_index(arn, call.account_id)


def find_index(arn: str, account_id: str) -> dict[str, Any]:
    """An index by its ARN; its `vectors` are a VectorIndex."""
    _, _, _, region, _, resource = arn.split(":", 5)
    _, bucket_name, _, name = resource.split("/")
    bucket = records("vector_buckets", account_id, region).get(bucket_name)
    if bucket is None or name not in bucket["indexes"] or arn.split(":")[4] != account_id:
        raise BedrockError("NotFoundException", "The specified index could not be found")
    return bucket["indexes"][name]


def tags_of(call: Call, arn: str) -> dict[str, str]:
    """The tags of the bucket or index with this ARN, which may be changed."""
    for bucket in _buckets(call).values():
        if arn in bucket["tags"]:
            return bucket["tags"][arn]
    raise BedrockError("NotFoundException", "The specified resource could not be found")


def _buckets(call: Call) -> dict[str, Any]:
    return records("vector_buckets", call.account_id, call.region)


def _bucket(call: Call) -> dict[str, Any]:
    name, arn = call.get("vectorBucketName"), call.get("vectorBucketArn")
    if bool(name) == bool(arn):
        raise invalid("Must specify either vectorBucketName or vectorBucketArn but not both")
    bucket = _buckets(call).get(name or arn.rpartition("/")[2])
    if bucket is None or arn not in (None, bucket["vectorBucketArn"]):
        raise BedrockError("NotFoundException", "The specified vector bucket could not be found")
    return bucket


def _named_page(call: Call, named: Mapping[str, dict]) -> tuple[list[dict], str | None]:
    names = [name for name in sorted(named) if name.startswith(call.get("prefix", ""))]
    found, token = page(names, call.get("maxResults", _PAGE), call.get("nextToken"))
    return [named[name] for name in found], token


def _conflict(message: str) -> BedrockError:
    return BedrockError("ConflictException", message)


OPERATIONS = {
    ("s3vectors", name): handler
    for name, handler in {
        "CreateVectorBucket": create_bucket,
        "GetVectorBucket": get_bucket,
        "ListVectorBuckets": list_buckets,
        "DeleteVectorBucket": delete_bucket,
        "CreateIndex": create_index,
        "GetIndex": get_index,
        "ListIndexes": list_indexes,
        "DeleteIndex": delete_index,
        "PutVectorBucketPolicy": put_policy,
        "GetVectorBucketPolicy": get_policy,
        "DeleteVectorBucketPolicy": delete_policy,
    }.items()
}
