"""A template that lies in a bucket, by its URL."""

from __future__ import annotations

from urllib.parse import unquote, urlparse

from moto.cloudformation.exceptions import ValidationError
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition


def read_template(url: str, account_id: str, region: str) -> str:
    """The text at an S3 URL of AWS's or of this cloud's, bucket in the path or in the host.

    Raises ValidationError.
    """
    parts = urlparse(url)
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    if host.startswith(("s3.", "s3-")) or host in ("localhost", "127.0.0.1"):
        bucket, _, key = path.partition("/")
    else:
        bucket, key = host.partition(".s3")[0].removesuffix(".localhost"), path
    try:
        found = s3_backends[account_id][get_partition(region)].get_object(bucket, key)
    except S3ClientError as error:
        raise ValidationError(message=f"S3 error: {error.message}") from None
    if found is None:
        raise ValidationError(message="S3 error: The specified key does not exist.")
    return found.value.decode("utf-8", "replace")
