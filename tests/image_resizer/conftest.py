"""A cloud with the zip files of the image resizer, and its stack."""

import pytest

from localcloud.control_plane import buckets
from localcloud.identity import may_service
from resizer_stack import create, zip_files


@pytest.fixture
def events(cloud):
    """The events that left for Lambda: (function ARN, event)."""
    seen = []
    buckets.install(may_service, lambda arn, event: seen.append((arn, event)))
    return seen


@pytest.fixture
def artifacts(cloud):
    """The zip files, for one test."""
    with zip_files(cloud):
        yield


@pytest.fixture
def stack(cloud, artifacts):
    return create(cloud("cloudformation"))
