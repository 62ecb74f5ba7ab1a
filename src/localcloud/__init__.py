"""An AWS on this computer: S3, IAM, CloudFormation, Logs and Lambda functions that really run.

>>> from localcloud import LocalCloud
>>> with LocalCloud(port=0) as cloud:
...     cloud.client("s3").list_buckets()["Buckets"]
[]
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from .state_folder import StateInUse, empty_state, find_server, wait_until_free

if TYPE_CHECKING:
    from .cloud import LocalCloud, PortInUse

DEFAULT_PORT = 4566
__all__ = [
    "DEFAULT_PORT",
    "Kernel",
    "LocalCloud",
    "PortInUse",
    "StateInUse",
    "empty_state",
    "find_server",
    "load_package",
    "load_services",
    "prepare",
    "require_confinement",
    "wait_until_free",
]


def require_confinement() -> None:
    """Make sure that LocalCloud(confined=True) works here. Raises RuntimeError where it doesn't."""
    from .functions.isolation import confinement

    confinement()


def prepare() -> None:
    """Make what is made once for a Python environment, so that clouds can start where it is read-only."""
    from .functions.runtime import native_client_available, prepare_runtime

    prepare_runtime(native_client_available())


def load_services(services: Collection[str]) -> None:
    """Load what the first requests to these services, as IAM names them, would load: for a process from
    which others are forked that have a cloud each.
    """
    from .control_plane import moto_app

    moto_app.load_descriptions()
    if "cloudformation" in services:
        moto_app.load_cloudformation()
    if {"cloudformation", "apigateway"} & set(services):
        moto_app.load_gateways()
    if any(service.startswith(("bedrock", "s3vectors")) for service in services):
        from .foundation_models import loaded

        loaded.load()


def load_package(archive: bytes) -> None:
    """Check a package or layer and compile its modules, for a process from which others are forked that take
    the same, and unpack its modules in whatever package.
    """
    from .functions.package import check_archive, remember

    check_archive(archive)
    remember(archive)


def __getattr__(name: str) -> Any:
    """Load the cloud when it is first asked for: it takes most of a second."""
    if name in ("LocalCloud", "PortInUse"):
        from . import cloud

        return getattr(cloud, name)
    if name == "Kernel":
        from .functions.kernel import Kernel

        return Kernel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
