"""Operations of API Gateway's second API that moto has not, and what it leaves out of others."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any
from urllib.parse import unquote

from moto.apigatewayv2.exceptions import BadRequestException
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, Stage
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.apigatewayv2.urls import url_paths

from . import (
    gateway_checks,
    gateway_deletions,
    gateway_deployments,
    gateway_domains,
    gateway_endpoints,
    gateway_openapi,
    gateway_refusals,
    rest_access_operations,
    rest_export,
    rest_gateway_resources,
    rest_openapi,
)

_API = "{0}/v2/apis/(?P<api_id>[^/]+)"
_STAGE = _API + "/stages/(?P<stage_name>[^/]+)"
_PATHS = (
    _API + "/deployments$",
    _API + "/deployments/(?P<deployment_id>[^/]+)$",
    _STAGE + "/accesslogsettings$",
    _STAGE + "/routesettings/(?P<route_key>.+)$",
)
SCHEMES = {"HTTP": "http", "WEBSOCKET": "ws"}
# What UpdateStage may change: the member and moto's attribute.
_STAGE_MEMBERS = {
    "accessLogSettings": "access_log_settings",
    "defaultRouteSettings": "default_route_settings",
    "description": "description",
    "stageVariables": "stage_variables",
}


class Operations:
    """Put into moto's response class, which finds an operation by its name in snake case."""

    def create_deployment(self):
        api, body = self._api(), self._body()
        stage = api.get_stage(body["stageName"]) if body.get("stageName") else None
        made = gateway_deployments.deploy(api, body.get("description"))
        if stage:
            stage.deployment = made
        return _answer(201, gateway_deployments.to_json(made))

    def get_deployment(self):
        found = gateway_deployments.find(self._api(), self._part(5))
        return _answer(200, gateway_deployments.to_json(found))

    def get_deployments(self):
        found = [gateway_deployments.to_json(d) for d in self._api().deployments.values()]
        return _answer(200, {"items": found})

    def update_deployment(self):
        api = self._api()
        found = gateway_deployments.find(api, self._part(5))
        changed = dataclasses.replace(found, description=self._body().get("description"))
        api.deployments[found.id] = changed
        return _answer(200, gateway_deployments.to_json(changed))

    def delete_deployment(self):
        api = self._api()
        found = gateway_deployments.find(api, self._part(5))
        if any(stage.deployment == found for stage in api.stages.values()):
            # The rule is REST APIs', whose message says "Active stages pointing to this deployment
            # must be moved or deleted"; for HTTP APIs it is UNCONFIRMED.
            raise BadRequestException(
                "Active stages pointing to this deployment must be moved or deleted"
            )
        del api.deployments[found.id]
        return _answer(204, None)

    def update_stage(self):
        api = self._api()
        stage = api.get_stage(self._part(5))
        update_stage(api, stage, self._body())
        return _answer(200, stage.to_json())

    def delete_access_log_settings(self):
        self._api().get_stage(self._part(5)).access_log_settings = None
        return _answer(204, None)

    def delete_route_settings(self):
        stage = self._api().get_stage(self._part(5))
        stage.route_settings.pop(self._part(7), None)
        return _answer(204, None)

    def import_api(self):
        document = gateway_openapi.read(self._body().get("body", ""))
        backend = self.apigatewayv2_backend
        api = new_http_api(backend)
        try:
            gateway_openapi.apply(api, document)
        except Exception:
            backend.delete_api(api.api_id)
            raise
        return _answer(201, api.to_json())

    def reimport_api(self):
        api = self._api()
        gateway_openapi.apply(api, gateway_openapi.read(self._body().get("body", "")))
        gateway_deployments.deploy_automatically(api)
        return _answer(201, api.to_json())

    def get_authorizers(self):
        found = [each.to_json() for each in self._api().authorizers.values()]
        return _answer(200, {"items": found})

    def get_route_responses(self):
        route = self._api().get_route(self._part(5))
        found = [each.to_json() for each in route.route_responses.values()]
        return _answer(200, {"items": found})

    def _api(self) -> Api:
        return self.apigatewayv2_backend.get_api(self._part(3))

    def _body(self) -> dict[str, Any]:
        return json.loads(self.body or "{}")

    def _part(self, position: int) -> str:
        """A part of the path /v2/apis/{3}/{kind}/{5}/{kind}/{7}, decoded; the last takes the rest."""
        return unquote(self.path.split("/", 7)[position])


def install() -> None:
    """Put all of this into moto's classes. May be called more than once."""
    if hasattr(ApiGatewayV2Response, "create_deployment"):
        return
    gateway_deployments.install()
    Api.api_endpoint = property(
        lambda api: gateway_endpoints.endpoint(api.api_id, SCHEMES[api.protocol_type]),
        lambda api, value: None,
    )
    for name, member in vars(Operations).items():
        if not name.startswith("__"):
            setattr(ApiGatewayV2Response, name, member)
    for path in _PATHS:
        url_paths[path] = ApiGatewayV2Response.dispatch
    gateway_checks.install()
    gateway_deletions.install()
    gateway_refusals.install_second(ApiGatewayV2Response, BadRequestException)
    gateway_domains.install()
    rest_gateway_resources.install()
    rest_access_operations.install()
    rest_openapi.install()
    rest_export.install()
    _quick_create()


def _answer(status: int, content: dict[str, Any] | None) -> tuple[int, dict, str]:
    return status, {}, "" if content is None else json.dumps(content)


def new_http_api(backend: ApiGatewayV2Backend, **settings: Any) -> Api:
    """An HTTP API with the given settings, and moto's defaults for the others."""
    names = (
        "api_key_selection_expression", "cors_configuration", "description",
        "disable_execute_api_endpoint", "disable_schema_validation", "name",
        "route_selection_expression", "tags", "version",
    )  # fmt: skip
    given = {**dict.fromkeys(names), "tags": {}, **settings}
    return backend.create_api(protocol_type=given.pop("protocol_type", "HTTP"), **given)


def update_stage(api: Api, stage: Stage, changes: dict[str, Any]) -> None:
    """UpdateStage: what isn't given stays; of routeSettings every route that isn't given."""
    gateway_refusals.check(changes, BadRequestException)
    for member, attribute in _STAGE_MEMBERS.items():
        if member in changes:
            setattr(stage, attribute, changes[member])
    stage.route_settings = {**(stage.route_settings or {}), **changes.get("routeSettings", {})}
    if changes.get("deploymentId"):
        if stage.auto_deploy:
            # The rule is the API's ("Can't be updated if autoDeploy is enabled"), the words ours.
            raise BadRequestException("deploymentId can't be updated if autoDeploy is enabled")
        stage.deployment = gateway_deployments.find(api, changes["deploymentId"])
    if "autoDeploy" in changes:
        stage.auto_deploy = changes["autoDeploy"]
        gateway_deployments.deploy_automatically(api)


def quick_create(
    api: Api, target: str, route_key: str | None = None, credentials: str | None = None
) -> None:
    """Give a new API an integration, a route ($default) and a stage that deploys by itself. Where one of them
    is refused, there is no API.
    """
    try:
        _give_parts(api, target, route_key, credentials)
    except Exception:
        api.backend.delete_api(api.api_id)
        raise


def _give_parts(api: Api, target: str, route_key: str | None, credentials: str | None) -> None:
    is_function = target.startswith("arn:")
    integration = api.create_integration(
        connection_type="INTERNET",
        description="",
        credentials_arn=credentials,
        integration_method="POST" if is_function else "ANY",
        integration_type="AWS_PROXY" if is_function else "HTTP_PROXY",
        integration_uri=target,
        payload_format_version="2.0" if is_function else "1.0",
    )
    api.create_route(False, [], route_key or "$default", f"integrations/{integration.id}")
    api.create_stage({"stageName": "$default", "autoDeploy": True})


def _quick_create() -> None:
    moto_create = ApiGatewayV2Response.create_api

    @functools.wraps(moto_create)
    def create_api(self):
        answer = moto_create(self)
        given = json.loads(self.body)
        if given.get("target"):
            api = self.apigatewayv2_backend.get_api(json.loads(answer[2])["apiId"])
            quick_create(api, given["target"], given.get("routeKey"), given.get("credentialsArn"))
        return answer

    ApiGatewayV2Response.create_api = create_api
