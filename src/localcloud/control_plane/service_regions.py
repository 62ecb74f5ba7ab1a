"""moto asks a session of boto3's for the regions of each service that is touched; here they are
looked up.
"""

from botocore.exceptions import UnknownServiceError
from moto.core import loaders, utils
from moto.core.base_backend import AccountSpecificBackend

from ..service_models import QuickLoader, regions


class _MotoLoader(QuickLoader, loaders.Loader):
    """moto's models are AWS's with extras of its own, such as the fields of S3's errors."""


_moto_loader = _MotoLoader(extra_search_paths=[loaders.moto_root])


def install() -> None:
    """Have moto look up regions, and read its models with one loader. May be called more than once."""
    AccountSpecificBackend._generate_regions = _generate_regions
    utils.create_loader = lambda: _moto_loader


def _generate_regions(self: AccountSpecificBackend, service_name: str) -> list[str]:
    try:
        return regions(service_name)
    except UnknownServiceError:  # of a name that is moto's alone
        return []
