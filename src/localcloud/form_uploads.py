"""Uploads by a browser's form: POST to a bucket, the key and the signature being fields.

"Browser-based uploads using POST" in the S3 API reference.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache

from .signatures import signing_key

_FIELD = re.compile(rb'\r\ncontent-disposition:[^\r]*?name="?([^";\r]+)"?', re.IGNORECASE)
_FILE = re.compile(rb'filename="([^"]*)"')


def form_fields(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The fields of an upload, names in lower case, up to the file; none of another request.

    `${filename}` in the key is the file's name.
    """
    content_type = headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        return {}
    return dict(_fields(content_type, body))


@lru_cache(maxsize=4)  # asked twice for each request: whose it is, and what it needs
def _fields(content_type: str, body: bytes) -> tuple[tuple[str, str], ...]:
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    found: dict[str, str] = {}
    for part in body.split(boundary)[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _FIELD.search(head)
        if not name:
            continue
        file = _FILE.search(head)
        if name[1].lower() == b"file":
            filename = file[1].decode("utf-8", "replace") if file else ""
            found["key"] = found.get("key", "").replace("${filename}", filename)
            break
        found[name[1].decode("utf-8", "replace").lower()] = content[:-2].decode("utf-8", "replace")
    return tuple(found.items())


def form_signature_matches(fields: Mapping[str, str], secret: str) -> bool:
    """Whether the form's policy was signed with this secret, in the present or the older way."""
    if "awsaccesskeyid" in fields:
        text = fields.get("policy", "").encode()
        made = base64.b64encode(hmac.digest(secret.encode(), text, "sha1")).decode()
        return hmac.compare_digest(made, fields.get("signature", ""))
    parts = fields.get("x-amz-credential", "").split("/")
    if len(parts) != 5:
        return False
    _, date, region, service, _ = parts
    key = signing_key(secret, date, region, service)
    made = hmac.digest(key, fields.get("policy", "").encode(), "sha256").hex()
    return hmac.compare_digest(made, fields.get("x-amz-signature", ""))
