"""Addresses of APIs in the outputs of stacks.

Templates write https://API.execute-api.REGION.amazonaws.com themselves, where they could ask for
ApiEndpoint. An output that names an API of this cloud so has the address at which it answers here.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from moto.apigateway.models import apigateway_backends
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.cloudformation import parsing

from . import gateway_endpoints

_AWS = re.compile(
    r"\b(http|ws)s://([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?![\w.:-])"
)


def install() -> None:
    """Let outputs say so. Called once."""
    moto_parse = parsing.parse_output

    @functools.wraps(moto_parse)
    def parse_output(output_logical_id, output_json, resources_map):
        output = moto_parse(output_logical_id, output_json, resources_map)
        if output is not None:
            output.value = here(output.value, resources_map._account_id)
        return output

    parsing.parse_output = parse_output


def here(value: Any, account_id: str) -> Any:
    """A text with the addresses in it as they are here; other values as they are."""

    def address(found: re.Match) -> str:
        scheme, api_id, region = found.groups()
        backends = (apigateway_backends, apigatewayv2_backends)
        regional = (backend[account_id].get(region) for backend in backends)
        if any(backend and api_id in backend.apis for backend in regional):
            return gateway_endpoints.endpoint(api_id, scheme)
        return found[0]

    return _AWS.sub(address, value) if isinstance(value, str) else value
