"""HTTP and WebSocket APIs in a stack: AWS::ApiGatewayV2::Api, Stage, Route, Integration, Authorizer,
Deployment.

moto has no CloudFormation side of them. Properties, return values and what makes a replacement are
those of CloudFormation's resource schemas. Each object here is what the stack knows of a resource; the
resource itself is moto's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.apigatewayv2 import models
from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.core.common_models import CloudFormationModel
from moto.core.utils import camelcase_to_underscores

from . import (
    gateway_checks,
    gateway_deployments,
    gateway_endpoints,
    gateway_openapi,
    gateway_operations,
)
from .stack_gateway_properties import camel, of_authorizer, of_integration, of_stage, typed
from .stack_made import Made


class _Resource(Made):
    """A resource of an API."""

    def __init__(self, api_id: str, id: str):
        super().__init__(id)
        self.api_id = api_id


def _find(api_id: str, account_id: str, region: str) -> models.Api:
    return apigatewayv2_backends[account_id][region].get_api(api_id)


class StackApi(_Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Api, also by quick create (Target)."""

    ATTRIBUTES = ("ApiId", "ApiEndpoint", "ExecuteApiArn")

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Api"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = typed(cloudformation_json["Properties"])
        if "BodyS3Location" in properties:
            raise BadRequestException("localcloud doesn't read BodyS3Location: use Body")
        body = _body(properties)
        api = gateway_operations.new_http_api(
            apigatewayv2_backends[account_id][region_name],
            **_api_settings(properties),
            protocol_type=properties.get("ProtocolType", "HTTP"),
            tags=properties.get("Tags") or {},
        )
        made = cls(api.api_id, api.api_id)
        made.scheme = gateway_operations.SCHEMES[api.protocol_type]
        made.arn = f"arn:aws:execute-api:{region_name}:{account_id}:{api.api_id}"
        try:
            _import(api, body, properties)
        except Exception:
            made.delete(account_id, region_name)
            raise
        if properties.get("Target"):
            gateway_operations.quick_create(
                api,
                properties["Target"],
                properties.get("RouteKey"),
                properties.get("CredentialsArn"),
            )
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties = typed(cloudformation_json["Properties"])
        api = _find(original_resource.api_id, account_id, region_name)
        # What the template no longer says goes.
        api.cors_configuration = api.description = api.version = None
        api.update(
            **_API_DEFAULTS | {k: v for k, v in _api_settings(properties).items() if v is not None}
        )
        api.backend.tagger.delete_all_tags_for_resource(api.arn)
        api.backend.tag_resource(api.arn, properties.get("Tags") or {})
        _import(api, _body(properties), properties)
        gateway_deployments.deploy_automatically(api)
        return original_resource

    def get_cfn_attribute(self, attribute_name: str) -> str:
        if attribute_name == "ApiEndpoint":
            return gateway_endpoints.endpoint(self.api_id, self.scheme)
        if attribute_name == "ExecuteApiArn":
            return self.arn
        return super().get_cfn_attribute(attribute_name)

    def delete(self, account_id: str, region: str) -> None:
        apigatewayv2_backends[account_id][region].delete_api(self.api_id)


def _body(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    body = properties.get("Body")
    return gateway_openapi.read(json.dumps(body, default=str)) if body else None


def _import(api: models.Api, body: Mapping[str, Any] | None, properties: Mapping[str, Any]) -> None:
    """What the template says itself comes before what the definition says."""
    if body:
        gateway_openapi.apply(api, body)
        api.name = properties.get("Name", api.name)
        if "CorsConfiguration" in properties:
            api.cors_configuration = camel(properties["CorsConfiguration"])


# "CreateApi" (API Gateway V2 API reference).
_API_DEFAULTS = {
    "api_key_selection_expression": "$request.header.x-api-key",
    "cors_configuration": None,
    "description": None,
    "disable_schema_validation": False,
    "name": None,
    "route_selection_expression": "$request.method $request.path",
    "version": None,
}


def _api_settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "api_key_selection_expression": properties.get("ApiKeySelectionExpression"),
        "cors_configuration": camel(properties.get("CorsConfiguration")),
        "description": properties.get("Description"),
        "disable_schema_validation": properties.get("DisableSchemaValidation"),
        "disable_execute_api_endpoint": properties.get("DisableExecuteApiEndpoint", False),
        "name": properties.get("Name"),
        "route_selection_expression": properties.get("RouteSelectionExpression"),
        "version": properties.get("Version"),
    }


class StackStage(_Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Stage; Ref gives its name."""

    ATTRIBUTES = ()

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Stage"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = typed(cloudformation_json["Properties"])
        api = _find(properties["ApiId"], account_id, region_name)
        api.create_stage({"stageName": properties["StageName"], **of_stage(properties)})
        return cls(api.api_id, properties["StageName"])

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        api = _find(original_resource.api_id, account_id, region_name)
        stage = api.get_stage(original_resource.id)
        stage.route_settings = {}  # a template says all there is
        settings = of_stage(typed(cloudformation_json["Properties"]))
        gateway_operations.update_stage(api, stage, settings)
        stage.tags = settings["tags"]
        return original_resource

    def delete(self, account_id: str, region: str) -> None:
        _find(self.api_id, account_id, region).delete_stage(self.id)


class _Part(_Resource):
    """What an API keeps under an id: made anew at each update, under the same id.

    What other resources have put there is carried over.
    """

    CARRIED: tuple[str, ...] = ()

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = typed(cloudformation_json["Properties"])
        api = _find(properties["ApiId"], account_id, region_name)
        made = cls._make(api, properties, None)
        cls._keep(api, made, getattr(made, cls.ID))
        return cls(api.api_id, getattr(made, cls.ID))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        api = _find(original_resource.api_id, account_id, region_name)
        before = getattr(api, cls.KEPT)[original_resource.id]
        made = cls._make(api, typed(cloudformation_json["Properties"]), before)
        for name in cls.CARRIED:
            setattr(made, name, getattr(before, name))
        cls._keep(api, made, original_resource.id)
        return original_resource

    @classmethod
    def _keep(cls, api: models.Api, made: Any, id: str) -> None:
        setattr(made, cls.ID, id)
        getattr(api, cls.KEPT)[id] = made
        gateway_deployments.deploy_automatically(api)

    def delete(self, account_id: str, region: str) -> None:
        api = _find(self.api_id, account_id, region)
        getattr(api, self.KEPT).pop(self.id, None)
        gateway_deployments.deploy_automatically(api)


class StackRoute(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::Route."""

    ATTRIBUTES, KEPT, ID = ("RouteId",), "routes", "route_id"
    CARRIED = ("route_responses",)

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Route"

    @staticmethod
    def _make(api: models.Api, properties: Mapping[str, Any], before: models.Route | None):
        if before is None or before.route_key != properties["RouteKey"]:
            gateway_checks.check_route_key(api, properties["RouteKey"])
        names = (
            "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "ModelSelectionExpression",
            "OperationName", "RequestModels", "RequestParameters", "RouteKey",
            "RouteResponseSelectionExpression", "Target",
        )  # fmt: skip
        given = {camelcase_to_underscores(name): properties.get(name) for name in names}
        return models.Route(api_key_required=properties.get("ApiKeyRequired", False), **given)


class StackIntegration(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::Integration."""

    ATTRIBUTES, KEPT, ID = ("IntegrationId",), "integrations", "id"
    CARRIED = ("responses",)

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Integration"

    @staticmethod
    def _make(api: models.Api, properties: Mapping[str, Any], before: models.Integration | None):
        given = of_integration(properties)
        gateway_checks.check_integration(api, given)
        return models.Integration(**given)


class StackAuthorizer(_Part, CloudFormationModel):
    """AWS::ApiGatewayV2::Authorizer."""

    ATTRIBUTES, KEPT, ID = ("AuthorizerId",), "authorizers", "id"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Authorizer"

    @staticmethod
    def _make(api: models.Api, properties: Mapping[str, Any], before: models.Authorizer | None):
        return models.Authorizer(**of_authorizer(properties))


class StackDeployment(_Resource, CloudFormationModel):
    """AWS::ApiGatewayV2::Deployment: the API as it is when the stack comes to it (DependsOn)."""

    ATTRIBUTES = ("DeploymentId",)

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ApiGatewayV2::Deployment"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        api = _find(properties["ApiId"], account_id, region_name)
        made = gateway_deployments.deploy(api, properties.get("Description"))
        if properties.get("StageName"):
            api.get_stage(properties["StageName"]).deployment = made
        return cls(api.api_id, made.id)

    def delete(self, account_id: str, region: str) -> None:
        _find(self.api_id, account_id, region).deployments.pop(self.id, None)
