"""moto asks a session of boto3's for the regions of each service that is touched; here they are
looked up.
"""

from botocore.exceptions import UnknownServiceError
from moto.core import utils
from moto.core.base_backend import AccountSpecificBackend

from ..service_models import loader, regions


def install() -> None:
    """Have moto read regions and models where all others do. May be called more than once."""
    AccountSpecificBackend._generate_regions = _generate_regions
    utils.create_loader = lambda: loader


def _generate_regions(self: AccountSpecificBackend, service_name: str) -> list[str]:
    try:
        return regions(service_name)
    except UnknownServiceError:  # of a name that is moto's alone
        return []
