"""The event record that S3 sends, as AWS writes it, in place of moto's shorter one."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from typing import Any
from urllib.parse import quote_plus

from moto.core.utils import iso_8601_datetime_with_milliseconds

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
    `bucket` and `key` are moto's. Ids of principals and requests are made up; the address is this
    computer's.
    """
    name = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
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
                "userIdentity": {"principalId": f"AWS:{owner}"},
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {
                    "x-amz-request-id": os.urandom(8).hex().upper(),
                    "x-amz-id-2": base64.b64encode(os.urandom(56)).decode(),
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
