"""POST and PATCH where S3 has no such operation; S3 says so before it asks who the caller is.

Code, message and further elements as S3 answers them to signed and unsigned requests, whether the bucket
exists or not; "Error responses" in the S3 API reference lists the codes.
"""

from urllib.parse import parse_qsl

from .actions import ApiRequest
from .denials import Denial
from .form_uploads import form_fields
from .s3_actions import bucket_and_key, is_delete_objects

_NOT_ALLOWED = "The specified method is not allowed against this resource."
# The header Allow, as S3 was seen to send it; of buckets nobody has shown it.
_ALLOWED = {"OBJECT": "HEAD, DELETE, GET, PUT", "SERVICE": "GET"}
# Parts of an object that a POST is an operation on.
_POSTED_PARTS = {"restore", "select", "uploadId", "uploads"}


def refusal(request: ApiRequest) -> Denial | None:
    """The refusal of a request that is signed for S3 or for nobody; None where S3 has an operation."""
    if request.method not in ("PATCH", "POST"):
        return None
    bucket, key = bucket_and_key(request)
    if key:
        if request.method == "POST" and _POSTED_PARTS & _parts(request):
            return None
        return _not_allowed(request.method, "OBJECT")
    if not bucket or request.method == "PATCH":
        return _not_allowed(request.method, "BUCKET" if bucket else "SERVICE")
    return None if is_delete_objects(request) else _form_refusal(request)


def _parts(request: ApiRequest) -> set[str]:
    return {name for name, _ in parse_qsl(request.query, keep_blank_values=True)}


def _not_allowed(method: str, resource_type: str) -> Denial:
    details = {"Method": method, "ResourceType": resource_type}
    return _refused("MethodNotAllowed", _NOT_ALLOWED, details, _ALLOWED.get(resource_type, ""))


def _form_refusal(request: ApiRequest) -> Denial | None:
    """What is wrong with an upload by a form (S3 API reference, "POST Object")."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _refused(
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            {"Condition": "Bucket POST must be of the enclosure-type multipart/form-data"},
        )
    if form_fields(request.headers, request.body).get("key"):
        return None
    return _refused(
        "InvalidArgument",
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order "
        "of the fields.",
        {"ArgumentName": "key", "ArgumentValue": ""},
    )


def _refused(code: str, message: str, details: dict[str, str], allow: str = "") -> Denial:
    return Denial("s3", "s3", code, message, details=details, allow=allow)
