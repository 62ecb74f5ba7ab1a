"""Custom domain names, which API Gateway's two APIs share and moto keeps apart, and their mappings."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from moto.apigateway import models as v1
from moto.apigateway.exceptions import ConflictException
from moto.apigateway.models import APIGatewayBackend, apigateway_backends
from moto.apigatewayv2 import models as v2
from moto.apigatewayv2.exceptions import (
    ApiNotFound,
    BadRequestException,
    DomainNameNotFound,
    StageNotFound,
)
from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends
from moto.apigatewayv2.responses import ApiGatewayV2Response

from ..gateways.custom_domains import Mapping
from . import gateway_refusals
from .gateway_checks import Conflict

_HOSTED_ZONE = "Z2FDTNDATAQYW2"  # moto's for the names of the first API

# Methods that take a domain name.
_BY_NAME = {
    APIGatewayBackend: (
        "get_domain_name", "delete_domain_name", "create_base_path_mapping",
        "get_base_path_mapping", "get_base_path_mappings", "delete_base_path_mapping",
        "update_base_path_mapping",
    ),
    ApiGatewayV2Backend: (
        "get_domain_name", "delete_domain_name", "create_api_mapping", "get_api_mapping",
        "get_api_mappings", "delete_api_mapping",
    ),
}  # fmt: skip


def find_mappings(host: str, account_id: str) -> list[Mapping] | None:
    """What a host name is mapped to; None where nobody has that custom domain name, be it as a wildcard."""
    _, dot, parent = host.partition(".")
    for name in (host, f"*{dot}{parent}"):
        for region, second in list(apigatewayv2_backends[account_id].items()):
            if name in second.domain_names:
                first = apigateway_backends[account_id][region]
                of_first = first.base_path_mappings.get(name, {}).values()
                of_second = (m for m in second.api_mappings.values() if m.domain_name == name)
                return [
                    *(Mapping(_key(m.base_path), m.rest_api_id, m.stage or "") for m in of_first),
                    *(Mapping(m.api_mapping_key or "", m.api_id, m.stage) for m in of_second),
                ]
    return None


def _key(base_path: str) -> str:
    return "" if base_path == "(none)" else base_path


def install() -> None:
    """Keep the names of both APIs as one. May be called once."""
    create_first = APIGatewayBackend.create_domain_name
    create_second = ApiGatewayV2Backend.create_domain_name
    delete_first = APIGatewayBackend.delete_domain_name

    @functools.wraps(create_first)
    def create_domain_name(self, domain_name, *args, **given):
        if domain_name in self.domain_names:
            raise ConflictException("The domain name you provided already exists.")
        made = create_first(self, domain_name, *args, **given)
        configuration = made.endpoint_configuration or {}
        second = apigatewayv2_backends[self.account_id][self.region_name]
        second.domain_names[domain_name] = v2.DomainName(
            domain_name,
            [_configuration(made, *configuration.get("types", ["EDGE"]))],
            {},
            {},
            second,
        )
        self.base_path_mappings.setdefault(domain_name, {})
        return made

    @functools.wraps(create_second)
    def create_domain_name_v2(self, domain_name, domain_name_configurations, *args, **given):
        gateway_refusals.check(given, BadRequestException)
        given |= {"domain_name": domain_name}
        given["domain_name_configurations"] = domain_name_configurations or []
        made = create_second(self, *args, **given)
        first = apigateway_backends[self.account_id][self.region_name]
        twin = v1.DomainName(
            domain_name, region_name=self.region_name,
            endpoint_configuration={"types": ["REGIONAL"]},
        )  # fmt: skip
        first.domain_names[domain_name] = twin
        first.base_path_mappings.setdefault(domain_name, {})
        made.domain_name_configurations = [
            {**_configuration(twin, "REGIONAL"), **each} for each in made.domain_name_configurations
        ]
        return made

    def forget(account_id: str, region: str, domain_name: str) -> None:
        first, second = (
            b[account_id][region] for b in (apigateway_backends, apigatewayv2_backends)
        )
        second.domain_names.pop(domain_name, None)
        second.api_mappings = {
            key: each
            for key, each in second.api_mappings.items()
            if each.domain_name != domain_name
        }
        first.domain_names.pop(domain_name, None)
        first.base_path_mappings.pop(domain_name, None)

    @functools.wraps(delete_first)
    def delete_domain_name(self, domain_name):
        delete_first(self, domain_name)
        forget(self.account_id, self.region_name, domain_name)

    def delete_domain_name_v2(self, domain_name):
        self.get_domain_name(domain_name)
        forget(self.account_id, self.region_name, domain_name)

    APIGatewayBackend.create_domain_name = create_domain_name
    APIGatewayBackend.delete_domain_name = delete_domain_name
    ApiGatewayV2Backend.create_domain_name = create_domain_name_v2
    ApiGatewayV2Backend.delete_domain_name = delete_domain_name_v2
    _check_mappings()
    ApiGatewayV2Response.update_api_mapping = _update_api_mapping
    for backend, names in _BY_NAME.items():
        for name in names:
            setattr(backend, name, _decoded(getattr(backend, name)))


def _decoded(method: Callable) -> Callable:
    """moto takes names from the path as they are there, a wildcard's star as %2A."""

    @functools.wraps(method)
    def decoded(self, *args, **given):
        args = [unquote(each) if isinstance(each, str) else each for each in args]
        if "domain_name" in given:
            given["domain_name"] = unquote(given["domain_name"])
        return method(self, *args, **given)

    return decoded


def _configuration(domain: v1.DomainName, endpoint_type: str) -> dict[str, Any]:
    """Members of the second API, as far as the first says them."""
    is_edge = endpoint_type == "EDGE"
    return {
        "apiGatewayDomainName": domain.distribution_domain_name
        if is_edge
        else domain.regional_domain_name,
        "certificateArn": domain.certificate_arn or domain.regional_certificate_arn,
        "domainNameStatus": "AVAILABLE",
        "endpointType": endpoint_type,
        "hostedZoneId": _HOSTED_ZONE,
        "securityPolicy": domain.security_policy or "TLS_1_2",
    }


def _check_mappings() -> None:
    """moto takes the second API's own APIs alone, any stage, and one key twice."""
    moto_create = ApiGatewayV2Backend.create_api_mapping

    @functools.wraps(moto_create)
    def create_api_mapping(self, api_id, api_mapping_key, domain_name, stage):
        if domain_name not in self.domain_names:
            raise DomainNameNotFound
        key = api_mapping_key or ""
        rest = apigateway_backends[self.account_id][self.region_name].apis.get(api_id)
        _check_target(self, api_id, stage)
        if any(m.api_mapping_key == key for m in self.get_api_mappings(domain_name)):
            raise Conflict("ApiMapping key already exists for this domain name")
        if rest is None:
            return moto_create(self, api_id, key, domain_name, stage)
        made = v2.ApiMapping(
            api_id, key, self._generate_api_maping_id(key, stage, domain_name), domain_name, stage
        )
        self.api_mappings[made.api_mapping_id] = made
        return made

    ApiGatewayV2Backend.create_api_mapping = create_api_mapping


def _check_target(backend: ApiGatewayV2Backend, api_id: str, stage: str) -> None:
    rest = apigateway_backends[backend.account_id][backend.region_name].apis.get(api_id)
    api = backend.apis.get(api_id) or rest
    if api is None:
        raise ApiNotFound("The resource specified in the request was not found.")
    if stage not in api.stages:
        raise StageNotFound


def _update_api_mapping(self: ApiGatewayV2Response) -> tuple[int, dict, str]:
    """UpdateApiMapping, which moto has not."""
    _, _, _, domain_name, _, mapping_id = self.path.split("/")
    given = json.loads(self.body or "{}")
    backend = self.apigatewayv2_backend
    mapping = backend.get_api_mapping(mapping_id, domain_name)
    api_id, stage = given.get("apiId", mapping.api_id), given.get("stage", mapping.stage)
    _check_target(backend, api_id, stage)
    mapping.api_id, mapping.stage = api_id, stage
    mapping.api_mapping_key = given.get("apiMappingKey", mapping.api_mapping_key)
    return 200, {}, json.dumps(mapping.to_json())
