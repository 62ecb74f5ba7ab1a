"""The answers of WebSocket APIs, and custom domain names, in a stack: AWS::ApiGatewayV2::RouteResponse,
IntegrationResponse, DomainName, ApiMapping.

Made by API Gateway's own operations. Properties, return values and what makes a replacement are those of
CloudFormation's resource schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.core.common_models import CloudFormationModel

from .service_calls import call
from .stack_called_resources import Called


class _Part(Called):
    """What has an id, and is found by names that are properties too."""

    NAME, PLACE = "", ()
    DEFAULTS: Mapping[str, Any] = {}

    @classmethod
    def _make(cls, client, properties):
        made = call(client, f"create_{cls.NAME}", properties)
        id = made[cls.ATTRIBUTES[0]]
        place = {name: properties[name] for name in cls.PLACE}
        return cls(id, {**place, cls.ATTRIBUTES[0]: id}, {cls.ATTRIBUTES[0]: id})

    def _change(self, client, properties):
        call(client, f"update_{self.NAME}", {**self.DEFAULTS, **properties, **self.found})

    def _remove(self, client):
        getattr(client, f"delete_{self.NAME}")(**self.found)


class StackRouteResponse(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::RouteResponse."""

    TYPE, ATTRIBUTES = "AWS::ApiGatewayV2::RouteResponse", ("RouteResponseId",)
    NAME, PLACE = "route_response", ("ApiId", "RouteId")
    DEFAULTS: Mapping[str, Any] = {
        "ModelSelectionExpression": "", "ResponseModels": {}, "ResponseParameters": {},
    }  # fmt: skip


class StackIntegrationResponse(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::IntegrationResponse."""

    TYPE, ATTRIBUTES = "AWS::ApiGatewayV2::IntegrationResponse", ("IntegrationResponseId",)
    NAME, PLACE = "integration_response", ("ApiId", "IntegrationId")
    DEFAULTS: Mapping[str, Any] = {
        "ResponseParameters": {}, "ResponseTemplates": {}, "TemplateSelectionExpression": "",
    }  # fmt: skip


class StackApiMapping(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::ApiMapping."""

    TYPE, ATTRIBUTES = "AWS::ApiGatewayV2::ApiMapping", ("ApiMappingId",)
    NAME, PLACE = "api_mapping", ("DomainName",)
    DEFAULTS: Mapping[str, Any] = {"ApiMappingKey": ""}


class StackDomainName(Called, CloudFormationModel):
    """AWS::ApiGatewayV2::DomainName; Ref gives the name."""

    TYPE = "AWS::ApiGatewayV2::DomainName"
    ATTRIBUTES = ("RegionalDomainName", "RegionalHostedZoneId", "DomainNameArn")

    @classmethod
    def _make(cls, client, properties):
        made = call(client, "create_domain_name", properties)
        name, configurations = made["DomainName"], made["DomainNameConfigurations"]
        configuration = configurations[0] if configurations else {}
        region = client.meta.region_name
        attributes = {
            "RegionalDomainName": configuration.get("ApiGatewayDomainName", ""),
            "RegionalHostedZoneId": configuration.get("HostedZoneId", ""),
            "DomainNameArn": f"arn:aws:apigateway:{region}::/domainnames/{name}",
        }
        return cls(name, {"DomainName": name}, attributes)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        """Its tags alone: there is no UpdateDomainName here."""
        backend = apigatewayv2_backends[account_id][region_name]
        tags = cloudformation_json["Properties"].get("Tags") or {}
        backend.get_domain_name(original_resource.id).tags = tags
        return original_resource

    def _remove(self, client):
        client.delete_domain_name(**self.found)
