"""A pytest fixture: a local cloud on a free port, fresh for each test module."""

import pytest


@pytest.fixture(scope="module")
def local_cloud():
    """A running LocalCloud; its `client(name)` gives boto3 clients."""
    from .cloud import LocalCloud

    with LocalCloud(port=0) as cloud:
        yield cloud
