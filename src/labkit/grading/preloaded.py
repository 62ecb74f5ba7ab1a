"""What a run of checks needs, loaded. Imported by the process that warm.py forks, and by nobody else."""

import boto3
import PIL.Image  # noqa: F401
import pytest_timeout  # noqa: F401

from . import plugin, run  # noqa: F401

# A client's description of its service is read when the first one is made, and kept by the default session.
for _service in ("iam", "lambda", "logs", "s3", "sts"):
    boto3.client(
        _service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
