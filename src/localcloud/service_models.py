"""AWS's own descriptions of its services, as botocore ships them, read once for all of the process.

A session of botocore's would read them too, but makes itself first, looks into four hundred folders
to learn which services there are, and keeps the endpoints of all of them.
"""

import functools
import os

from botocore.loaders import Loader, instance_cache
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver


class QuickLoader(Loader):
    """Reads models as botocore's loader does, without a look into every service's folder."""

    @instance_cache
    def list_available_services(self, type_name: str) -> list[str]:
        """The services that have a folder; whether one has such a file is seen when it is read."""
        found = set()
        for path in self.search_paths:
            if os.path.isdir(path):
                found.update(entry.name for entry in os.scandir(path) if entry.is_dir())
        return sorted(found)


loader = QuickLoader()


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The API of a service by botocore's name for it. Raises botocore's UnknownServiceError."""
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def regions(service: str) -> list[str]:
    """The regions of all partitions that have a service. Raises UnknownServiceError."""
    return _regions().get(service_model(service).endpoint_prefix, [])


@functools.cache
def _regions() -> dict[str, list[str]]:
    path = next(path for path in loader.search_paths if os.path.exists(f"{path}/endpoints.json"))
    data = loader.file_loader.load_file(f"{path}/endpoints")
    resolver = EndpointResolver(data)
    return {
        prefix: [
            region
            for partition in resolver.get_available_partitions()
            for region in resolver.get_available_endpoints(prefix, partition)
        ]
        for prefix in {prefix for part in data["partitions"] for prefix in part["services"]}
    }
