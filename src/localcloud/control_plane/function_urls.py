"""Function URLs as their data plane finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moto.awslambda.models import lambda_backends

from .backends import regions_in_use
from .lambda_lookup import Call

_HOST = re.compile(r"^([a-z0-9]+)\.lambda-url\.([a-z0-9-]+)\.")


@dataclass(frozen=True)
class FunctionUrl:
    """A function URL. `cors` is its Cors configuration, empty where it has none."""

    id: str
    domain: str
    function_arn: str
    auth_type: str
    cors: Mapping[str, Any]


def url_id(host: str) -> str | None:
    """The id in a host name such as abc.lambda-url.us-east-1.localhost:4566; None elsewhere."""
    found = _HOST.match(host.lower())
    return found.group(1) if found else None


def find_function_url(wanted: str, account_id: str) -> FunctionUrl | None:
    """The function URL with an id, in whatever region it is."""
    for region, backend in regions_in_use(lambda_backends, account_id):
        call = Call(account_id, region, {})
        for name in list(backend._lambdas._functions):
            for _, resource in call.resources(name):
                config = resource.url_config
                domain = urlsplit(config.url).hostname if config else None
                if domain and url_id(domain) == wanted:
                    given = config.config
                    return FunctionUrl(
                        wanted,
                        domain,
                        resource.function_arn,
                        given["AuthType"],
                        given.get("Cors") or {},
                    )
    return None
