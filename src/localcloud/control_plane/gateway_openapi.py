"""OpenAPI 3 definitions of HTTP APIs: what ImportApi, ReimportApi and a template's Body make of them.

"Working with OpenAPI definitions for HTTP APIs", "x-amazon-apigateway-authorizer object". What describes
requests and answers (schemas, parameters) is ignored, as API Gateway does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import Api, Authorizer, Integration, Route

from .. import yaml_documents
from . import gateway_checks

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_DISCOVERY = "/.well-known/openid-configuration"


def read(text: str) -> dict[str, Any]:
    """A definition in JSON or YAML. Raises BadRequestException for what is none."""
    try:
        document = yaml_documents.load(text)
    except yaml.YAMLError as error:
        raise BadRequestException(f"The definition is neither JSON nor YAML: {error}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise BadRequestException("HTTP APIs take OpenAPI 3 definitions alone")
    return document


@contextlib.contextmanager
def _well_formed() -> Iterator[None]:
    """Refuse a definition in which something else stands where OpenAPI has an object or a text."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequestException(f"The definition is not OpenAPI: {error}") from error


@_well_formed()
def apply(api: Api, document: Mapping[str, Any]) -> None:
    """Give an API the routes, integrations, authorizers and CORS of a definition, and no others.

    Raises BadRequestException; the API is then as it was.
    """
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    authorizers = {
        name: _authorizer(name, scheme) for name, scheme in schemes.items() if _AUTHORIZER in scheme
    }
    parts = [
        _route(api, key, operation, document, schemes, authorizers)
        for key, operation in _operations(document)
    ]
    info = document.get("info") or {}
    api.name = info.get("title", api.name)
    api.description = info.get("description", api.description)
    api.version = str(info["version"]) if "version" in info else api.version
    api.cors_configuration = document.get("x-amazon-apigateway-cors", None)
    api.authorizers = {each.id: each for each in authorizers.values()}
    api.integrations = {each.id: each for _, each in parts if each}
    api.routes = {route.route_id: route for route, _ in parts}


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, operations in (document.get("paths") or {}).items():
        for name, operation in (operations or {}).items():
            if name not in (*_METHODS, _ANY):
                continue
            if path in ("$default", "/$default"):
                yield "$default", operation or {}
            else:
                yield f"{'ANY' if name == _ANY else name.upper()} {path}", operation or {}


def _route(
    api: Api,
    key: str,
    operation: Mapping[str, Any],
    document: Mapping[str, Any],
    schemes: Mapping[str, Any],
    authorizers: Mapping[str, Authorizer],
) -> tuple[Route, Integration | None]:
    gateway_checks.check_route_format(key)
    integration = _integration(api, operation.get(_INTEGRATION), document)
    kind, authorizer_id, scopes = "NONE", None, []
    for requirement in operation.get("security", document.get("security")) or []:
        for name, wanted in requirement.items():
            if name in authorizers:
                found = authorizers[name]
                kind = "JWT" if found.authorizer_type == "JWT" else "CUSTOM"
                authorizer_id, scopes = found.id, list(wanted or [])
            elif schemes.get(name, {}).get("x-amazon-apigateway-authtype") == "awsSigv4":
                kind = "AWS_IAM"
    route = Route(
        api_key_required=False,
        authorization_scopes=scopes,
        authorization_type=kind,
        authorizer_id=authorizer_id,
        model_selection_expression=None,
        operation_name=operation.get("operationId"),
        request_models=None,
        request_parameters=None,
        route_key=key,
        route_response_selection_expression=None,
        target=f"integrations/{integration.id}" if integration else None,
    )
    return route, integration


def _integration(
    api: Api, given: Mapping[str, Any] | None, document: Mapping[str, Any]
) -> Integration | None:
    reference = (given or {}).get("$ref")
    if reference:  # #/components/x-amazon-apigateway-integrations/NAME
        _, group, name = reference.rsplit("/", 2)
        given = ((document.get("components") or {}).get(group) or {}).get(name)
    if not given:
        return None
    version = given.get("payloadFormatVersion")
    settings = {
        "connection_id": given.get("connectionId"),
        "connection_type": given.get("connectionType", "INTERNET"),
        "content_handling_strategy": None,
        "credentials_arn": given.get("credentials"),
        "description": given.get("description", ""),
        "integration_method": given.get("httpMethod"),
        "integration_subtype": given.get("integrationSubtype"),
        "integration_type": str(given.get("type", "")).upper(),
        "integration_uri": given.get("uri"),
        "passthrough_behavior": None,
        "payload_format_version": None if version is None else str(version),
        "request_parameters": given.get("requestParameters"),
        "request_templates": None,
        "response_parameters": given.get("responseParameters"),
        "template_selection_expression": None,
        "timeout_in_millis": given.get("timeoutInMillis"),
        "tls_config": given.get("tlsConfig"),
    }
    gateway_checks.check_integration(api, settings)
    return Integration(**settings)


def _authorizer(name: str, scheme: Mapping[str, Any]) -> Authorizer:
    given = scheme[_AUTHORIZER]
    jwt = dict(given.get("jwtConfiguration") or {})
    discovered = scheme.get("openIdConnectUrl", "")
    if "issuer" not in jwt and discovered.endswith(_DISCOVERY):
        jwt["issuer"] = discovered.removesuffix(_DISCOVERY)
    sources = given.get("identitySource") or ""
    return Authorizer(
        auth_creds_arn=given.get("authorizerCredentials"),
        auth_payload_format_version=given.get("authorizerPayloadFormatVersion"),
        auth_result_ttl=given.get("authorizerResultTtlInSeconds"),
        authorizer_type=str(given.get("type", "")).upper(),
        authorizer_uri=given.get("authorizerUri"),
        enable_simple_response=given.get("enableSimpleResponses"),
        identity_source=[each.strip() for each in sources.split(",") if each.strip()],
        identity_validation_expr=None,
        jwt_config=jwt or None,
        name=name,
    )
