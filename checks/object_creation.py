"""Objects below raw/, created in the ways that an SDK has, and the record that S3 sends of one."""

from typing import Any
from urllib.parse import quote_plus

from .deployment import Deployment

# Key -> the event name that S3 gives its creation.
CREATED = {
    "raw/a.jpg": "ObjectCreated:Put",
    "raw/deep/er/b": "ObjectCreated:Put",
    "raw/copy.jpg": "ObjectCreated:Copy",
    "raw/parts.tiff": "ObjectCreated:CompleteMultipartUpload",
}


def create_objects(s3: Any, bucket: str) -> None:
    """Create them all."""
    s3.put_object(Bucket=bucket, Key="raw/a.jpg", Body=b"1")
    s3.put_object(Bucket=bucket, Key="raw/deep/er/b", Body=b"1")
    source = {"Bucket": bucket, "Key": "raw/a.jpg"}
    s3.copy_object(Bucket=bucket, Key="raw/copy.jpg", CopySource=source)
    large = {"Bucket": bucket, "Key": "raw/parts.tiff"}
    number = s3.create_multipart_upload(**large)["UploadId"]
    part = s3.upload_part(**large, UploadId=number, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**large, UploadId=number, MultipartUpload=parts)


def creation_record(
    deployment: Deployment, bucket: str, key: str, size: int, etag: str, number: int = 0
) -> dict[str, Any]:
    """A record as in S3's "Event message structure": the key is URL-encoded, blanks are plus signs.

    `number` orders the records of one key.
    """
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": deployment.region,
        "eventTime": "2026-11-24T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "lab",
            "bucket": {"name": bucket, "arn": f"arn:{deployment.partition}:s3:::{bucket}"},
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": size,
                "eTag": etag,
                "sequencer": f"{number:018X}",
            },
        },
    }
