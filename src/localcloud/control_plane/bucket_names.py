"""The names that S3 lets a bucket have. moto looks at their length alone.

Source: "General purpose buckets naming rules", Amazon S3 User Guide.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from moto.s3 import models
from moto.s3.exceptions import InvalidBucketName

_NAME = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)"
    r"(?!\d+\.\d+\.\d+\.\d+$)"  # looks like an address of the internet protocol
    r"(?!.*\.\.)"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)"
)


def is_bucket_name(name: str) -> bool:
    """Whether S3 accepts the name for a general purpose bucket."""
    return _NAME.fullmatch(name) is not None


def install() -> None:
    """Make moto refuse the other names with S3's InvalidBucketName. A second call does nothing."""
    moto_create = models.S3Backend.create_bucket
    if hasattr(moto_create, "__wrapped__"):
        return

    @functools.wraps(moto_create)
    def create_bucket(self: models.S3Backend, bucket_name: str, *rest: Any, **named: Any):
        if not is_bucket_name(bucket_name):
            raise InvalidBucketName()
        return moto_create(self, bucket_name, *rest, **named)

    models.S3Backend.create_bucket = create_bucket  # type: ignore[method-assign]
