"""What S3 is allowed to do is decided by localcloud's gatekeeper, before moto is asked.

moto applies a bucket policy's Deny to everybody, whatever its principals and conditions. And of
DeleteObjects the gatekeeper may refuse some keys: S3 deletes the others, and answers 200 with an Error for
each key that it refused (S3 API reference, DeleteObjects).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

import xmltodict
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3 import models, responses
from moto.s3.exceptions import MalformedXML

_NOTHING: Mapping[tuple[str, str], str] = MappingProxyType({})
# For the request in progress: (action, resource) to the words in which it is refused.
_refused: ContextVar[Mapping[tuple[str, str], str]] = ContextVar("refused", default=_NOTHING)

_moto_permission = models.FakeBucket.get_permission
_LOCKED = "Access Denied because object protected by object lock."


def refuse(actions: Mapping[tuple[str, str], str]) -> None:
    """Refuse these deletions of the DeleteObjects request that this context is about."""
    _refused.set(actions)


def install() -> None:
    """Put this into moto's classes. May be called more than once."""

    @functools.wraps(_moto_permission)
    def get_permission(self, action, resource):
        found = _moto_permission(self, action, resource)
        # What is allowed to everybody is still moto's to know, for requests without a signature.
        return PermissionResult.NEUTRAL if found is PermissionResult.DENIED else found

    models.FakeBucket.get_permission = get_permission
    responses.S3Response._bucket_response_delete_keys = _delete_keys


def _delete_keys(self, bucket_name, authenticated=True):
    """Replaces S3Response._bucket_response_delete_keys, for callers that signed and for others."""
    request = xmltodict.parse(self.body, strip_whitespace=False, force_list=("Object",))["Delete"]
    objects = request.get("Object")
    if not objects:
        raise MalformedXML()
    allowed, errors = [], []
    for each in objects:
        message = _refusal(bucket_name, each) if authenticated else "Access Denied"
        if message:
            errors.append(_error(each, message))
        else:
            allowed.append(each)
    bypass = self.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    deleted, locked = self.backend.delete_objects(bucket_name, allowed, bypass)
    errors += [_error({"Key": key}, _LOCKED) for key in locked]
    answer = {"Errors": errors}
    if (request.get("Quiet") or "").strip().lower() != "true":
        answer["Deleted"] = [_deleted(*each) for each in deleted]
    self.data["Action"] = "DeleteObjects"
    return self.serialized(ActionResult(answer))


def _refusal(bucket_name: str, each: Mapping[str, str]) -> str | None:
    action = "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject"
    return _refused.get().get((action, f"arn:aws:s3:::{bucket_name}/{each['Key']}"))


def _error(each: Mapping[str, str], message: str) -> dict[str, str | None]:
    version = each.get("VersionId")
    return {"Key": each["Key"], "VersionId": version, "Code": "AccessDenied", "Message": message}


def _deleted(key: str, version: str | None, marker: str | None) -> dict[str, str | bool | None]:
    return {
        "Key": key,
        "VersionId": version or None,
        "DeleteMarkerVersionId": marker or None,
        "DeleteMarker": True if marker else None,
    }
