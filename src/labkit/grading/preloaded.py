"""What a run of checks needs, loaded. Imported by the process that warm.py forks, and by nobody else."""

import boto3
import PIL.Image  # noqa: F401
import pytest_timeout  # noqa: F401

from .. import tagging
from . import plugin, run  # noqa: F401

SERVICES = ("iam", "lambda", "logs", "s3", "sts")


def make_clients(*services: str) -> None:
    """Make clients that nobody uses: a service's description is read with its first one, and kept."""
    for service in services:
        boto3.client(
            service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )


tagging.install()
make_clients(*SERVICES)
