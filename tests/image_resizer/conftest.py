"""A cloud with the zip files of the image resizer, and its stack."""

import functools

import pytest

from localcloud.control_plane import buckets
from localcloud.identity import may_service
from resizer_stack import STACK, create, empty, zip_of


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A function that gives boto3 clients of a running cloud, each made once."""
    return functools.cache(local_cloud.client)


@pytest.fixture
def events(cloud):
    """The events that left for Lambda: (function ARN, event)."""
    seen = []
    buckets.install(may_service, lambda arn, event: seen.append((arn, event)))
    return seen


@pytest.fixture
def artifacts(cloud):
    """The zip files to deploy; the stack that a test left is deleted after it."""
    s3 = cloud("s3")
    s3.create_bucket(Bucket="artifacts")
    objects = {
        "app.zip": zip_of("app.py", "def handler(event, context): return 1"),
        "app-2.zip": zip_of("app.py", "def handler(event, context): return 2"),
        "pillow.zip": zip_of("python/PIL/__init__.py", ""),
        "pillow-2.zip": zip_of("python/PIL/__init__.py", "#"),
    }
    for key, body in objects.items():
        s3.put_object(Bucket="artifacts", Key=key, Body=body)
    yield
    for bucket in s3.list_buckets()["Buckets"]:
        empty(s3, bucket["Name"])
    cloud("cloudformation").delete_stack(StackName=STACK)
    s3.delete_bucket(Bucket="artifacts")


@pytest.fixture
def stack(cloud, artifacts):
    return create(cloud("cloudformation"))
