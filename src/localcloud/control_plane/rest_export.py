"""GetExport: the OpenAPI definition of what a stage of a REST API serves ("Export a REST API from API
Gateway"; the form is that of "OpenAPI definitions of the sample API as an Amazon S3 proxy").

It is written when the API is deployed and kept on moto's deployment, so that later changes are not in it.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import Authorizer, Deployment, Method, RestAPI
from moto.apigateway.responses import APIGatewayResponse

from . import gateway_endpoints

_X = "x-amazon-apigateway-"
_INTEGRATION, _AUTHORIZER = _X + "integration", _X + "authorizer"
_PLACES = {"querystring": "query", "path": "path", "header": "header"}
_SCHEMAS = "#/components/schemas/"
_STRING = {"type": "string"}
_OF_AUTHORIZERS = (
    "authorizerCredentials", "authorizerResultTtlInSeconds", "authorizerUri", "identitySource",
    "identityValidationExpression", "jwtConfiguration", "providerARNs",
)  # fmt: skip
_OF_INTEGRATIONS = (
    "cacheKeyParameters", "cacheNamespace", "contentHandling", "credentials", "httpMethod",
    "passthroughBehavior", "requestParameters", "requestTemplates", "timeoutInMillis", "uri",
)  # fmt: skip
# What each value of `extensions` leaves in: beginnings of names.
_EXTENSIONS = {
    "apigateway": (_X,),
    "integrations": (_INTEGRATION,),
    "authorizers": (_AUTHORIZER, _X + "authtype"),
}


def install() -> None:
    """Write definitions at deployments, and tell them. Called once."""
    Deployment.definition = None
    moto_create = RestAPI.create_deployment

    @functools.wraps(moto_create)
    def create_deployment(self: RestAPI, *args: Any, **given: Any) -> Deployment:
        made = moto_create(self, *args, **given)
        made.definition = definition(self)
        return made

    RestAPI.create_deployment = create_deployment
    APIGatewayResponse.get_export = _get_export


def _get_export(self) -> tuple[int, dict[str, str], bytes]:
    _, _, api_id, _, stage_name, _, kind = self.path.rstrip("/").split("/")
    stage = self.backend.get_stage(api_id, unquote(stage_name))
    if kind not in ("swagger", "oas30"):
        raise BadRequestException(f"No API exporter for type '{kind}'")
    api = self.backend.get_rest_api(api_id)
    deployment = api.deployments[stage.deployment_id]
    wanted = (self._get_param("extensions") or "").split(",")
    kept = tuple(beginning for each in wanted for beginning in _EXTENSIONS.get(each.strip(), ()))
    found = copy.deepcopy(deployment.definition or definition(api))
    found = {"openapi": "3.0.1", **_with_extensions(found, kept)}
    address = gateway_endpoints.endpoint(api_id)
    base = {"basePath": {"default": stage.name}}
    found["servers"] = [{"url": address + "/{basePath}", "variables": base}]
    if kind == "swagger":
        found = _second_version(found)
    is_yaml = "yaml" in self.headers.get("Accept", "")
    written = yaml.safe_dump(found, sort_keys=False) if is_yaml else json.dumps(found, indent=2)
    ending = "yaml" if is_yaml else "json"
    name = f"{kind}_{found['info']['version']}.{ending}"
    headers = {
        "Content-Type": f"application/{ending}",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return 200, headers, written.encode()


def definition(api: RestAPI) -> dict[str, Any]:
    """An API's OpenAPI 3 definition with all extensions, without version and servers."""
    schemes: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for resource in api.resources.values():
        for verb, method in resource.resource_methods.items():
            name = _X + "any-method" if verb == "ANY" else verb.lower()
            operation = _operation(api, method, schemes)
            paths.setdefault(resource.get_path(), {})[name] = operation
    schemas = {model.name: _schema(model.schema) for model in api.models.values()}
    components = {"schemas": schemas, "securitySchemes": schemes}
    info = {"title": api.name, "version": api.version or f"{api.create_date}"}
    found = {
        "info": {**info, **({"description": api.description} if api.description else {})},
        "paths": paths,
        "components": {name: each for name, each in components.items() if each},
        _X + "binary-media-types": list(api.binaryMediaTypes or ()),
        _X + "gateway-responses": {
            kind: {
                name: value
                for name, value in each.to_json().items()
                if value and name in ("statusCode", "responseParameters", "responseTemplates")
            }
            for kind, each in api.gateway_responses.items()
        },
        _X + "request-validators": {
            each.name: {
                "validateRequestBody": bool(each.validate_request_body),
                "validateRequestParameters": bool(each.validate_request_parameters),
            }
            for each in api.request_validators.values()
        },
        _X + "policy": json.loads(api.policy) if api.policy else None,
    }
    if api.api_key_source == "AUTHORIZER":
        found[_X + "api-key-source"] = "AUTHORIZER"
    return {name: each for name, each in found.items() if each}


def _operation(api: RestAPI, method: Method, schemes: dict[str, Any]) -> dict[str, Any]:
    said = method.to_json()
    parameters, models = said["requestParameters"] or {}, said["requestModels"] or {}
    validator = api.request_validators.get(said["requestValidatorId"])
    found = {
        "operationId": said["operationName"],
        "parameters": list(_parameters(parameters)),
        "requestBody": {"content": _content(models), "required": True} if models else None,
        "responses": {
            status: _response(status, each) for status, each in said["methodResponses"].items()
        },
        "security": _security(api, said, schemes),
        _X + "request-validator": validator and validator.name,
        _INTEGRATION: said["methodIntegration"] and _integration(said["methodIntegration"]),
    }
    return {name: each for name, each in found.items() if each or name == "responses"}


def _parameters(declared: Mapping[str, bool]) -> Iterator[dict[str, Any]]:
    for name, is_required in declared.items():
        _, _, place, own = name.split(".", 3)
        if place in _PLACES:
            required = {"required": True} if is_required or place == "path" else {}
            yield {"name": own, "in": _PLACES[place], **required, "schema": _STRING}


def _content(models: Mapping[str, str]) -> dict[str, Any]:
    return {kind: {"schema": {"$ref": _SCHEMAS + name}} for kind, name in models.items()}


def _response(status: str, said: Mapping[str, Any]) -> dict[str, Any]:
    names = [name.rpartition(".")[2] for name in said.get("responseParameters") or {}]
    parts = {
        "headers": {name: {"schema": _STRING} for name in names},
        "content": _content(said.get("responseModels") or {}),
    }
    described = {"description": f"{status} response"}
    return {**described, **{name: each for name, each in parts.items() if each}}


def _security(
    api: RestAPI, said: Mapping[str, Any], schemes: dict[str, Any]
) -> list[dict[str, list[str]]]:
    found: dict[str, list[str]] = {}
    authorizer = api.authorizers.get(said["authorizerId"])
    if said["authorizationType"] == "AWS_IAM":
        schemes["sigv4"] = _scheme("Authorization", "awsSigv4")
        found["sigv4"] = []
    elif authorizer is not None:
        schemes[authorizer.name] = _authorizer(authorizer)
        found[authorizer.name] = list(said["authorizationScopes"] or ())
    if said["apiKeyRequired"]:
        schemes["api_key"] = _scheme("x-api-key")
        found["api_key"] = []
    return [found] if found else []


def _scheme(header: str, kind: str | None = None) -> dict[str, Any]:
    named = {"type": "apiKey", "name": header, "in": "header"}
    return {**named, **({_X + "authtype": kind} if kind else {})}


def _authorizer(authorizer: Authorizer) -> dict[str, Any]:
    said = authorizer.to_json()
    source = said.get("identitySource") or ""
    header = source.rpartition(".")[2] if "," not in source and ".header." in source else "Unused"
    kind = "cognito_user_pools" if said["type"] == "COGNITO_USER_POOLS" else "custom"
    given = {name: said[name] for name in _OF_AUTHORIZERS if said.get(name) is not None}
    return {**_scheme(header, kind), _AUTHORIZER: {"type": said["type"].lower(), **given}}


def _integration(said: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: said[name] for name in _OF_INTEGRATIONS if said.get(name)}
    responses = {
        each.get("selectionPattern") or "default": {
            name: each[name]
            for name in ("statusCode", "responseParameters", "responseTemplates", "contentHandling")
            if each.get(name)
        }
        for each in (said["integrationResponses"] or {}).values()
    }
    return {
        "type": said["type"].lower(),
        **given,
        **({"responses": responses} if responses else {}),
    }


def _schema(text: str | None) -> Any:
    """A model's schema, its references being to the definition's own schemas."""
    return _replaced(
        json.loads(text or "{}"),
        lambda address: _SCHEMAS + address.rpartition("/")[2],
    )


def _replaced(schema: Any, reference) -> Any:
    if isinstance(schema, list):
        return [_replaced(each, reference) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: reference(each)
        if name == "$ref" and isinstance(each, str)
        else _replaced(each, reference)
        for name, each in schema.items()
    }


def _with_extensions(part: Any, kept: tuple[str, ...]) -> Any:
    """A definition with those extensions alone whose names begin so."""
    if isinstance(part, list):
        return [_with_extensions(each, kept) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        # A method for ANY is one whatever is wanted of it.
        name: _with_extensions(each, kept)
        for name, each in part.items()
        if not name.startswith(_X) or name == _X + "any-method" or name.startswith(kept)
    }


def _second_version(found: dict[str, Any]) -> dict[str, Any]:
    """The definition as one in OpenAPI 2."""
    [server] = found.pop("servers")
    del found["openapi"]
    address = urlsplit(server["url"])
    components = found.pop("components", {})
    for operations in found["paths"].values():
        for operation in operations.values():
            _second_operation(operation)
    given = {
        "swagger": "2.0",
        "info": found.pop("info"),
        "host": address.netloc,
        "basePath": f"/{server['variables']['basePath']['default']}",
        "schemes": [address.scheme],
        **found,
        "definitions": components.get("schemas"),
        "securityDefinitions": components.get("securitySchemes"),
    }
    given = {name: each for name, each in given.items() if each}
    return _replaced(given, lambda address: address.replace(_SCHEMAS, "#/definitions/"))


def _second_operation(operation: dict[str, Any]) -> None:
    parameters = [
        {name: each for name, each in parameter.items() if name != "schema"} | _STRING
        for parameter in operation.pop("parameters", ())
    ]
    body = operation.pop("requestBody", None)
    if body:
        operation["consumes"] = list(body["content"])
        [schema, *_] = [each["schema"] for each in body["content"].values()]
        name = schema["$ref"].rpartition("/")[2]
        parameters.append({"in": "body", "name": name, "required": True, "schema": schema})
    if parameters:
        operation["parameters"] = parameters
    produced: list[str] = []
    for response in operation["responses"].values():
        content = response.pop("content", {})
        produced += [kind for kind in content if kind not in produced]
        for each in content.values():
            response["schema"] = each["schema"]
        if "headers" in response:
            response["headers"] = dict.fromkeys(response["headers"], _STRING)
    operation["produces"] = produced or ["application/json"]
