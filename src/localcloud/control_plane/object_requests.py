"""GET, HEAD and PUT of one whole object, answered from moto's model without its web framework.

These three stand in the path of every image that is resized, and the framework takes most of their
time. Only the plain case is answered here; whatever else a request asks for (a version, a range, tags,
an ACL, a condition, …) is left to moto, by a list of the headers that are understood.
"""

import hashlib
from urllib.parse import unquote
from xml.sax.saxutils import escape

from moto.s3.exceptions import S3ClientError
from moto.s3.models import ARCHIVE_STORAGE_CLASSES, FakeBucket, FakeKey, S3Backend, s3_backends
from moto.s3.utils import metadata_from_headers

from ..actions import ApiRequest
from ..request_origin import RequestOrigin, current

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

# Larger ones would hold up the event loop that answers them.
MAX_BYTES = 4 * 1024 * 1024
_UNDERSTOOD = {
    "host", "user-agent", "accept", "accept-encoding", "connection", "authorization",
    "content-length", "content-type", "expect", "cache-control", "content-disposition",
    "content-language", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date",
    "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amzn-trace-id",
    "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-checksum-mode",
}  # fmt: skip
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


def answer(request: ApiRequest, account_id: str) -> Answer | None:
    """Answer a signed request for an object of the account; None where moto has to.

    What the caller may do has been checked. Called on the event loop.
    """
    if request.method not in ("GET", "HEAD", "PUT") or request.query:
        return None
    if len(request.body) > MAX_BYTES or not _is_plain(request):
        return None
    bucket_name, _, raw_key = request.path[1:].partition("/")
    if not raw_key or "//" in request.path or "+" in raw_key or "/." in request.path:
        return None
    backend = s3_backends[account_id]["aws"]
    try:
        bucket = backend.get_bucket(bucket_name)
    except S3ClientError:
        return None
    key = unquote(raw_key)
    if request.method == "PUT":
        return None if bucket.object_lock_enabled else _put(backend, bucket, key, request)
    return _get(backend, bucket, key, request)


def _is_plain(request: ApiRequest) -> bool:
    headers = request.headers
    if headers.get("host", "").partition(":")[0] not in _LOCAL_HOSTS:
        return False
    return "authorization" in headers and all(
        name in _UNDERSTOOD or name.startswith("x-amz-meta-") for name in headers
    )


def _put(backend: S3Backend, bucket: FakeBucket, name: str, request: ApiRequest) -> Answer:
    headers = request.headers
    algorithm = headers.get("x-amz-sdk-checksum-algorithm", "")
    checksum = headers.get("x-amz-checksum-crc32")
    if algorithm and (algorithm.upper() != "CRC32" or checksum is None):
        return None
    key = backend.put_object(
        bucket.name,
        name,
        request.body,
        etag=hashlib.md5(request.body, usedforsecurity=False).hexdigest(),
        checksum_value=checksum,
    )
    key.set_metadata(metadata_from_headers(headers))
    key.set_acl(bucket.acl)
    backend.tagger.delete_all_tags_for_resource(key.arn)  # those of the object that stood there
    answered = {**key.response_dict}
    if checksum:
        key.checksum_algorithm = algorithm or "CRC32"
        answered["x-amz-checksum-crc32"] = checksum
    answered["content-length"] = "0"
    return 200, _encode(answered), b""


def _get(backend: S3Backend, bucket: FakeBucket, name: str, request: ApiRequest) -> Answer | None:
    versions = bucket.keys.getlist(name, [])
    if not versions:
        return _no_such_key(name)
    key = versions[-1]
    if not isinstance(key, FakeKey) or key.storage_class in ARCHIVE_STORAGE_CLASSES:
        return None  # a delete marker, or an object that has to be restored first
    if key.size > MAX_BYTES or key.multipart:
        return None
    headers = {**key.metadata, **key.response_dict, "accept-ranges": "bytes"}
    if request.headers.get("x-amz-checksum-mode") == "ENABLED" and key.checksum_algorithm:
        headers[f"x-amz-checksum-{key.checksum_algorithm.lower()}"] = key.checksum_value
    return 200, _encode(headers), b"" if request.method == "HEAD" else key.value


def _no_such_key(name: str) -> Answer:
    origin = current.get() or RequestOrigin(lambda: None)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        f"<Message>The specified key does not exist.</Message><Key>{escape(name)}</Key>"
        f"<RequestId>{origin.request_id}</RequestId><HostId>{origin.host_id}</HostId></Error>"
    )
    return 404, _encode({"content-type": "application/xml"}), body.encode()


def _encode(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI takes them; the front door adds the two ids of S3's answers."""
    return [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
