"""Objects below raw/, created in the ways that an SDK has."""

from typing import Any

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
