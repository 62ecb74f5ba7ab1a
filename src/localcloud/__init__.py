"""An AWS on this computer: S3, IAM, CloudFormation, Logs and Lambda functions that really run.

>>> from localcloud import LocalCloud
>>> with LocalCloud(port=0) as cloud:
...     cloud.client("s3").list_buckets()["Buckets"]
[]
"""

from .cloud import DEFAULT_PORT, LocalCloud, PortInUse

__all__ = ["DEFAULT_PORT", "LocalCloud", "PortInUse"]
