"""What the checks share. The options, and how a check's outcome is worded: src/labkit/grading/plugin.py."""

import pytest

from labkit import packages

from .deployment import Deployment, kept_layer
from .images import Images

pytest_plugins = ["labkit.grading.plugin"]


@pytest.fixture(scope="module")
def deployment(cloud):
    """Makes a stage's buckets, roles and functions, and removes them after its last check."""
    with Deployment() as made:
        yield made


@pytest.fixture(scope="session")
def pillow_layer(cloud):
    """The ARN of a layer with this computer's Pillow. It stays, so that the next run finds it."""
    return kept_layer("lab-kit-pillow", packages.pillow_version(), packages.pillow_layer_zip)


@pytest.fixture
def images(rng):
    """Makes fresh images for one check."""
    return Images(rng)
