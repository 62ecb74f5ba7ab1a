"""The event record that S3 sends, as AWS writes it, in place of moto's shorter one."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import uuid
from typing import Any
from urllib.parse import quote_plus

from moto.core.utils import iso_8601_datetime_with_milliseconds

from ..request_origin import RequestOrigin, current

# 2.3 for lifecycle, Intelligent-Tiering, ACL, tagging and restore-delete events, else 2.1
# (S3 User Guide, "Event message structure"; facts E1).
_VERSION_2_3 = (
    "LifecycleTransition",
    "LifecycleExpiration:",
    "IntelligentTiering",
    "ObjectAcl:",
    "ObjectTagging:",
    "ObjectRestore:Delete",
)
_WITHOUT_SIZE = ("ObjectRemoved:", "ObjectAcl:")
_WITHOUT_ETAG = ("ObjectRemoved:",)
_WITHOUT_SEQUENCER = ("ObjectAcl:",)

_sequencer_lock = threading.Lock()
_last_sequencer = 0


def next_sequencer() -> str:
    """A hex string of 18 digits, greater than every one before it.

    AWS promises order for one key only; one clock for all keys keeps that promise, also after a
    restart.
    """
    global _last_sequencer
    with _sequencer_lock:
        _last_sequencer = max(_last_sequencer + 1, time.time_ns())
        return f"{_last_sequencer:018X}"


def principal_id(account_id: str) -> str:
    """A made-up id of the account's owner: the same every time, in the form of AWS's (A and 13
    characters).
    """
    digest = hashlib.sha256(f"owner of {account_id}".encode()).digest()
    return "A" + base64.b32encode(digest).decode()[:13]


def encode_key(key_name: str) -> str:
    """The key as it stands in a record: URL-encoded, blanks as +, slashes kept (`unquote_plus`
    undoes it).
    """
    return quote_plus(key_name, safe="/")


def object_event(
    event_name: str, bucket: Any, key: Any, notification_id: str
) -> dict[str, list[dict[str, Any]]]:
    """The event for one object: a dict with one record (S3 User Guide, "Event message structure";
    facts E1).

    `event_name` is the configuration's name, `s3:ObjectCreated:Put`; the record's has no `s3:`.
    `bucket` and `key` are moto's.
    """
    name = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
    origin = current.get() or RequestOrigin(lambda: None)
    s3_object: dict[str, Any] = {"key": encode_key(key.name)}
    if not name.startswith(_WITHOUT_SIZE):
        s3_object["size"] = key.size
    if not name.startswith(_WITHOUT_ETAG):
        s3_object["eTag"] = key.etag.replace('"', "")
    if bucket.is_versioned:
        s3_object["versionId"] = key.version_id
    if not name.startswith(_WITHOUT_SEQUENCER):
        s3_object["sequencer"] = next_sequencer()
    owner = principal_id(bucket.account_id)
    return {
        "Records": [
            {
                "eventVersion": "2.3" if name.startswith(_VERSION_2_3) else "2.1",
                "eventSource": "aws:s3",
                "awsRegion": bucket.region_name,
                "eventTime": iso_8601_datetime_with_milliseconds(),
                "eventName": name,
                "userIdentity": {"principalId": origin.principal() or f"AWS:{owner}"},
                "requestParameters": {"sourceIPAddress": origin.source_ip},
                "responseElements": {
                    "x-amz-request-id": origin.request_id,
                    "x-amz-id-2": origin.host_id,
                },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": notification_id,
                    "bucket": {
                        "name": bucket.name,
                        "ownerIdentity": {"principalId": owner},
                        "arn": bucket.arn,
                    },
                    "object": s3_object,
                },
            }
        ]
    }


def test_event(bucket_name: str) -> dict[str, str]:
    """What a queue or topic gets when it is set as a destination (facts E2)."""
    origin = current.get() or RequestOrigin(lambda: None)
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso_8601_datetime_with_milliseconds(),
        "Bucket": bucket_name,
        "RequestId": origin.request_id,
        "HostId": origin.host_id,
    }


# Detail types and reasons: "EventBridge event message structure" in the S3 User Guide.
_REASONS = {
    "ObjectCreated:Put": ("Object Created", "PutObject"),
    "ObjectCreated:Post": ("Object Created", "POST Object"),
    "ObjectCreated:Copy": ("Object Created", "CopyObject"),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", "CompleteMultipartUpload"),
    "ObjectRemoved:Delete": ("Object Deleted", "DeleteObject"),
    "ObjectRemoved:DeleteMarkerCreated": ("Object Deleted", "DeleteObject"),
    "ObjectRestore:Post": ("Object Restore Initiated", None),
    "ObjectRestore:Completed": ("Object Restore Completed", None),
    "ObjectTagging:Put": ("Object Tags Added", None),
    "ObjectTagging:Delete": ("Object Tags Deleted", None),
    "ObjectAcl:Put": ("Object ACL Updated", None),
}
_DELETION_TYPES = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}


def bridge_event(event_name: str, bucket: Any, key: Any) -> dict[str, Any]:
    """The event that EventBridge gets; its keys are not URL-encoded."""
    name = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
    detail_type, reason = _REASONS.get(name, (name, None))
    origin = current.get() or RequestOrigin(lambda: None)
    s3_object = {"key": key.name}
    if not name.startswith("ObjectRemoved:"):
        s3_object |= {"size": key.size, "etag": key.etag.replace('"', "")}
    if bucket.is_versioned:
        s3_object["version-id"] = key.version_id
    if name.startswith(("ObjectCreated:", "ObjectRemoved:")):
        s3_object["sequencer"] = next_sequencer()
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": s3_object,
        "request-id": origin.request_id,
        "requester": bucket.account_id,
        "source-ip-address": origin.source_ip,
    }
    if reason:
        detail["reason"] = reason
    if name in _DELETION_TYPES:
        detail["deletion-type"] = _DELETION_TYPES[name]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": bucket.account_id,
        "time": time.time(),  # moto's rules write it out
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": detail,
    }
