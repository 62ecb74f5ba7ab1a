"""Multipart uploads that aren't there: moto looks for them in some operations only."""

from __future__ import annotations

import functools
from typing import Any

from moto.s3 import models
from moto.s3.exceptions import NoSuchUpload


@functools.cache
def install() -> None:
    """Make moto refuse them with S3's NoSuchUpload in all others too. A second call does nothing."""
    backend = models.S3Backend
    for name in ("complete_multipart_upload", "upload_part", "upload_part_copy"):
        setattr(backend, name, _looking_first(getattr(backend, name)))


def _looking_first(operation):
    @functools.wraps(operation)
    def look_first(self, bucket_name: str, multipart_id: str, *rest: Any, **named: Any):
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return operation(self, bucket_name, multipart_id, *rest, **named)

    return look_first
