"""Signature Version 4 (and S3's older presigned URLs), verified for keys whose secret is known.

"Create a signed AWS API request" in the IAM User Guide; "Signing and authenticating REST requests"
in the S3 User Guide for the older one. botocore's signers make the same texts, with much more work.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote

from botocore.auth import HmacV1Auth
from botocore.credentials import Credentials
from botocore.utils import normalize_url_path

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/\s]+/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)"
)
_EMPTY = hashlib.sha256(b"").hexdigest()
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")
_SKEW = timedelta(minutes=15)


def signature_problem(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
) -> str | None:
    """What is wrong with the signature of a request: None, `mismatch`, `skewed`, `expired` (of a
    presigned URL) or `content` (S3's hash of the body). `path` and `query` are as they were sent;
    a presigned URL of the older kind is read as one of path style.
    """
    found = _HEADER.match(headers.get("authorization", ""))
    if found:
        date, region, service, signed_headers, signature = found.groups()
        moment = headers.get("x-amz-date", "")
        if not _is_near(moment, _SKEW):
            return "skewed"
        content = headers.get("x-amz-content-sha256")
        if content is None:
            content = hashlib.sha256(body).hexdigest() if body else _EMPTY
        elif _HEXADECIMAL.fullmatch(content) and hashlib.sha256(body).hexdigest() != content:
            return "content"
    else:
        values = dict(parse_qsl(query, keep_blank_values=True))
        if "X-Amz-Signature" not in values:
            return _old_problem(method, path, query, values, headers, secret)
        _, date, region, service, _ = values.get("X-Amz-Credential", "////").split("/", 4)
        signed_headers, signature = values.get("X-Amz-SignedHeaders", ""), values["X-Amz-Signature"]
        moment = values.get("X-Amz-Date", "")
        try:
            until = _moment(moment) + timedelta(seconds=int(values.get("X-Amz-Expires", "")))
        except ValueError:
            return "mismatch"
        if until < datetime.now(UTC):
            return "expired"
        query = re.sub(r"&?X-Amz-Signature=[^&]*", "", query)
        content = "UNSIGNED-PAYLOAD" if service == "s3" else hashlib.sha256(body).hexdigest()
    canonical = "\n".join(
        (
            method,
            path if service == "s3" else quote(normalize_url_path(path), safe="/~"),
            _canonical_query(query),
            *[f"{name}:{_trimmed(headers.get(name, ''))}" for name in signed_headers.split(";")],
            "",
            signed_headers,
            content,
        )
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode("latin-1")).hexdigest()  # as it came
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
    made = hmac.digest(signing_key(secret, date, region, service), text.encode(), "sha256").hex()
    return None if hmac.compare_digest(made, signature) else "mismatch"


@lru_cache(maxsize=512)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key with which a day's requests to a service are signed."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _trimmed(value: str) -> str:
    return " ".join(value.split()) if "  " in value else value.strip()


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = (part.partition("=")[::2] for part in query.split("&") if part)
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


@lru_cache(maxsize=64)  # many requests are of one second
def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _is_near(text: str, limit: timedelta) -> bool:
    try:
        return abs(_moment(text) - datetime.now(UTC)) <= limit
    except ValueError:
        return False


def _old_problem(
    method: str, path: str, query: str, values: dict, headers: Mapping, secret: str
) -> str | None:
    try:
        if float(values["Expires"]) < datetime.now(UTC).timestamp():
            return "expired"
    except (KeyError, ValueError):
        return "mismatch"
    # Headers that were signed may have been put into the query.
    signed = {name.lower(): value for name, value in {**headers, **values}.items()}
    auth = HmacV1Auth(Credentials("", secret))
    amazon = sorted(item for item in signed.items() if item[0].startswith("x-amz-"))
    text = "\n".join(
        (
            method,
            signed.get("content-md5", ""),
            signed.get("content-type", ""),
            values["Expires"],
            *(f"{name}:{value.strip()}" for name, value in amazon),
            auth.canonical_resource(SplitResult("http", "", path, query, "")),
        )
    )
    made = auth.sign_string(text)
    return None if hmac.compare_digest(made, values.get("Signature", "")) else "mismatch"
