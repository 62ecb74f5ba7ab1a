"""The permissions that an S3 request needs.

From "Required permissions for Amazon S3 API operations" in the S3 User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import unescape

from .form_uploads import form_fields
from .request_keys import s3_tag_keys

if TYPE_CHECKING:
    from .actions import ApiRequest

# Sub-resources in a query with the actions that read, write and delete them.
_BUCKET_PARTS: dict[str, tuple[str, ...]] = {
    "abac": ("GetBucketAbac", "PutBucketAbac"),
    "accelerate": ("GetAccelerateConfiguration", "PutAccelerateConfiguration"),
    "acl": ("GetBucketAcl", "PutBucketAcl"),
    "analytics": ("GetAnalyticsConfiguration", "PutAnalyticsConfiguration"),
    "cors": ("GetBucketCORS", "PutBucketCORS"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    "intelligent-tiering": (
        "GetIntelligentTieringConfiguration",
        "PutIntelligentTieringConfiguration",
    ),
    "inventory": ("GetInventoryConfiguration", "PutInventoryConfiguration"),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    "location": ("GetBucketLocation",),
    "logging": ("GetBucketLogging", "PutBucketLogging"),
    "metrics": ("GetMetricsConfiguration", "PutMetricsConfiguration"),
    "notification": ("GetBucketNotification", "PutBucketNotification"),
    "object-lock": ("GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    "ownershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    "policyStatus": ("GetBucketPolicyStatus",),
    "publicAccessBlock": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "replication": ("GetReplicationConfiguration", "PutReplicationConfiguration"),
    "requestPayment": ("GetBucketRequestPayment", "PutBucketRequestPayment"),
    "session": ("CreateSession",),
    "tagging": ("GetBucketTagging", "PutBucketTagging"),
    "uploads": ("ListBucketMultipartUploads",),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning"),
    "versions": ("ListBucketVersions",),
    "website": ("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
}
_OBJECT_PARTS: dict[str, tuple[str, ...]] = {
    "acl": ("GetObjectAcl", "PutObjectAcl"),
    "attributes": ("GetObjectAttributes",),
    "legal-hold": ("GetObjectLegalHold", "PutObjectLegalHold"),
    "restore": ("RestoreObject", "RestoreObject"),
    "retention": ("GetObjectRetention", "PutObjectRetention"),
    "select": ("GetObject", "GetObject"),
    "tagging": ("GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
    "torrent": ("GetObjectTorrent",),
    "uploadId": ("ListMultipartUploadParts", "PutObject", "AbortMultipartUpload"),
    "uploads": ("GetObject", "PutObject"),
}
_BUCKET_METHODS = {
    "GET": "ListBucket",
    "HEAD": "ListBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
}
_OBJECT_METHODS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
# Actions that have a name of their own where the request names a version.
_VERSIONED = {
    name: re.sub("^(Get|Put|Delete)Object", r"\1ObjectVersion", name)
    for name in ("GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectAttributes",
                 "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectTorrent")
}  # fmt: skip
# Headers with which a PUT does a second thing.
_PUT_HEADERS = {
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-acl": "PutObjectAcl",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
}
_QUERY_KEYS = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys",
               "versionId": "s3:VersionId"}  # fmt: skip
_HOST = re.compile(r"(?P<bucket>.+)\.(?:s3[.-].+|localhost)(?::\d+)?")

_LOCATION = re.compile(r"<LocationConstraint[^>]*>([^<]+)<")

S3Need = tuple[str, str, Mapping[str, str]]


def s3_needs(request: ApiRequest) -> list[S3Need]:
    """Action, resource ARN and condition keys of every permission that the request needs."""
    bucket, key = bucket_and_key(request)
    query = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
    if not bucket:
        found = [("ListAllMyBuckets", "*")]
    elif not key:
        found = _on_bucket(request, f"arn:aws:s3:::{bucket}", query)
    else:
        found = _on_object(request, f"arn:aws:s3:::{bucket}/{key}", query)
    return [(f"s3:{action}", resource, _Keys(action, request, query)) for action, resource in found]


class _Keys(Mapping):
    """The condition keys of an S3 action, made when a condition first asks for one."""

    __slots__ = ("_action", "_made", "_query", "_request")

    def __init__(self, action: str, request: ApiRequest, query: dict):
        self._action, self._request, self._query, self._made = action, request, query, None

    def _keys(self) -> dict:
        if self._made is None:
            headers, query = self._request.headers, self._query
            made = {name: query[part] for part, name in _QUERY_KEYS.items() if part in query}
            made |= {f"s3:{name}": value for name, value in headers.items()
                     if name.startswith("x-amz-")}  # fmt: skip
            made |= s3_tag_keys(self._action, headers, self._request.body)
            presigned = "X-Amz-Signature" in query or "Signature" in query
            # S3 User Guide, "Amazon S3 Signature Version 4 authentication specific policy keys".
            made["s3:authType"] = "REST-QUERY-STRING" if presigned else "REST-HEADER"
            made["s3:signatureversion"] = "AWS" if "AWSAccessKeyId" in query else "AWS4-HMAC-SHA256"
            if self._action == "CreateBucket":
                region = _LOCATION.search(self._request.body.decode("utf-8", "replace"))
                made["s3:LocationConstraint"] = region[1] if region else "us-east-1"
            self._made = made
        return self._made

    def __getitem__(self, key: str):
        return self._keys()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())


def bucket_and_key(request: ApiRequest) -> tuple[str, str]:
    """The bucket and the key of a request, "" for what it doesn't name.

    The bucket is the first part of the path, or of the host (bucket.localhost, bucket.s3.…).
    """
    path = unquote(request.path.removeprefix("/"))
    by_host = _HOST.fullmatch(request.headers.get("host", ""))
    if by_host:
        return by_host["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def is_delete_objects(request: ApiRequest) -> bool:
    """Whether the request is S3's DeleteObjects, whose keys are allowed or refused one by one."""
    return request.method == "POST" and "delete" in dict(
        parse_qsl(request.query, keep_blank_values=True)
    )


def _on_bucket(request: ApiRequest, arn: str, query: Mapping) -> Iterator[tuple[str, str]]:
    if request.method == "POST":
        if "delete" not in query:  # a form upload, whose key is in the body
            key = form_fields(request.headers, request.body).get("key", "*")
            yield "PutObject", f"{arn}/{key}"
        text = request.body.decode("utf-8", "replace")
        for each in re.findall(r"<Object>(.*?)</Object>", text, re.DOTALL):
            key = re.search(r"<Key>(.*?)</Key>", each, re.DOTALL)
            if key:
                action = _VERSIONED["DeleteObject"] if "<VersionId>" in each else "DeleteObject"
                yield action, f"{arn}/{unescape(key[1])}"
        return
    action = _part_action(_BUCKET_PARTS, request.method, query)
    yield action or _BUCKET_METHODS.get(request.method, "ListBucket"), arn


def _on_object(request: ApiRequest, arn: str, query: Mapping) -> Iterator[tuple[str, str]]:
    source, _, version = request.headers.get("x-amz-copy-source", "").partition("?versionId=")
    if source:
        action = "GetObjectVersion" if version else "GetObject"
        yield action, f"arn:aws:s3:::{unquote(source).removeprefix('/')}"
    action = _part_action(_OBJECT_PARTS, request.method, query)
    whole = action is None
    action = action or _OBJECT_METHODS.get(request.method, "GetObject")
    if "attributes" in query:  # the attributes are read from the object itself
        yield _VERSIONED["GetObject"] if "versionId" in query else "GetObject", arn
    yield _VERSIONED.get(action, action) if "versionId" in query else action, arn
    if whole and request.method == "PUT":
        for header, second in _PUT_HEADERS.items():
            if header in request.headers:
                yield second, arn


def _part_action(parts: Mapping, method: str, query: Mapping) -> str | None:
    """The action on the sub-resource that the query names, None where it names none."""
    for part, actions in parts.items():
        if part in query:
            # Where deleting has no action of its own, writing covers it.
            index = {"GET": 0, "HEAD": 0, "DELETE": 2}.get(method, 1)
            return actions[min(index, len(actions) - 1)]
    return None
