"""The properties of HTTP APIs' resources in a template, as moto takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores

_INTEGRATION = (
    "ConnectionId", "ConnectionType", "ContentHandlingStrategy", "CredentialsArn", "Description",
    "IntegrationMethod", "IntegrationSubtype", "IntegrationType", "IntegrationUri",
    "PassthroughBehavior", "PayloadFormatVersion", "RequestParameters", "RequestTemplates",
    "TemplateSelectionExpression", "TimeoutInMillis",
)  # fmt: skip
_AUTHORIZER = {
    "AuthorizerCredentialsArn": "auth_creds_arn",
    "AuthorizerPayloadFormatVersion": "auth_payload_format_version",
    "AuthorizerResultTtlInSeconds": "auth_result_ttl",
    "AuthorizerType": "authorizer_type",
    "AuthorizerUri": "authorizer_uri",
    "EnableSimpleResponses": "enable_simple_response",
    "IdentitySource": "identity_source",
    "IdentityValidationExpression": "identity_validation_expr",
    "Name": "name",
}


def typed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties whose booleans may have been written as text."""
    words = {"true": True, "false": False}
    return {
        name: words.get(value, value) if isinstance(value, str) else value
        for name, value in properties.items()
    }


def camel(members: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A structure with the names of the API's JSON: allowOrigins for AllowOrigins."""
    if members is None:
        return None
    return {name[:1].lower() + name[1:]: value for name, value in typed(members).items()}


def of_stage(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's settings in the form of CreateStage and UpdateStage."""
    settings = {
        "accessLogSettings": camel(properties.get("AccessLogSettings")),
        "autoDeploy": properties.get("AutoDeploy", False),
        "defaultRouteSettings": camel(properties.get("DefaultRouteSettings")) or {},
        "description": properties.get("Description"),
        "routeSettings": {
            key: camel(value) for key, value in (properties.get("RouteSettings") or {}).items()
        },
        "stageVariables": {
            name: str(value) for name, value in (properties.get("StageVariables") or {}).items()
        },
        "tags": properties.get("Tags") or {},
    }
    if properties.get("DeploymentId"):
        settings["deploymentId"] = properties["DeploymentId"]
    return settings


def of_integration(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An integration's settings by moto's names.

    Response parameters are lists of Source and Destination here, and maps in the API.
    """
    given = {camelcase_to_underscores(name): properties.get(name) for name in _INTEGRATION}
    version = given["payload_format_version"]
    given["payload_format_version"] = None if version is None else str(version)
    given["tls_config"] = camel(properties.get("TlsConfig"))
    given["response_parameters"] = {
        str(status): {
            each["Destination"]: each["Source"] for each in parameters["ResponseParameters"]
        }
        for status, parameters in (properties.get("ResponseParameters") or {}).items()
    }
    return given


def of_authorizer(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An authorizer's settings by moto's names."""
    given = {theirs: properties.get(name) for name, theirs in _AUTHORIZER.items()}
    given["jwt_config"] = camel(properties.get("JwtConfiguration"))
    return given
