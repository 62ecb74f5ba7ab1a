"""An AWS on this computer: S3, IAM, CloudFormation, Logs and Lambda functions that really run.

>>> from localcloud import LocalCloud
>>> with LocalCloud(port=0) as cloud:
...     cloud.client("s3").list_buckets()["Buckets"]
[]
"""

from .cloud import DEFAULT_PORT, LocalCloud, PortInUse
from .state_folder import StateInUse, empty_state, find_server, wait_until_free

__all__ = [
    "DEFAULT_PORT",
    "LocalCloud",
    "PortInUse",
    "StateInUse",
    "empty_state",
    "find_server",
    "wait_until_free",
]
