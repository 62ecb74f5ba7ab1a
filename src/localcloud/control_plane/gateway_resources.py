"""moto's HTTP APIs, described for the gateways."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from moto.apigatewayv2 import models
from moto.apigatewayv2.models import Api, apigatewayv2_backends

from ..gateways.descriptions import (
    Authorizer,
    Deployment,
    HttpApi,
    Integration,
    Route,
    RouteSettings,
    Stage,
    Throttle,
)
from ..gateways.routes import split_key

_DEFAULT_TIMEOUT_MS = 30_000


def find_http_api(api_id: str, account_id: str) -> HttpApi | None:
    """The HTTP API with an id, in whatever region it is; None where there is none."""
    for region, backend in list(apigatewayv2_backends[account_id].items()):
        api = backend.apis.get(api_id)
        if api is not None and api.protocol_type == "HTTP":
            stages = {name: _stage(stage) for name, stage in list(api.stages.items())}
            disabled = api.disable_execute_api_endpoint is True
            return HttpApi(api_id, region, account_id, disabled, stages)
    return None


def describe(
    api: Api, deployment_id: str, is_automatic: bool, description: str | None
) -> Deployment:
    """A snapshot of what a deployment holds: routes with their integrations and authorizers, CORS."""
    authorizers = {each.id: _authorizer(each) for each in api.authorizers.values()}
    integrations = {each.id: _integration(each) for each in api.integrations.values()}
    routes = tuple(_route(each, integrations, authorizers) for each in api.routes.values())
    cors = pascal(api.cors_configuration or {})
    return Deployment(
        deployment_id, time.time(), is_automatic, tuple(filter(None, routes)), cors, description
    )


def pascal(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members under the names of the API's model: AllowOrigins for allowOrigins."""
    return {name[:1].upper() + name[1:]: value for name, value in members.items()}


def _route(
    route: models.Route,
    integrations: Mapping[str, Integration],
    authorizers: Mapping[str, Authorizer],
) -> Route | None:
    split = split_key(route.route_key)
    if split is None:
        return None
    integration = (route.target or "").removeprefix("integrations/")
    return Route(
        route.route_key,
        *split,
        route.authorization_type or "NONE",
        tuple(route.authorization_scopes or ()),
        authorizers.get(route.authorizer_id),
        integrations.get(integration),
    )


def _integration(integration: models.Integration) -> Integration:
    return Integration(
        integration.integration_type,
        integration.integration_uri or "",
        integration.integration_method or "ANY",
        integration.payload_format_version or "1.0",
        int(integration.timeout_in_millis or _DEFAULT_TIMEOUT_MS) / 1000,
        integration.credentials_arn,
        integration.integration_subtype,
        dict(integration.request_parameters or {}),
        {str(k): dict(v) for k, v in (integration.response_parameters or {}).items()},
    )


def _authorizer(authorizer: models.Authorizer) -> Authorizer:
    sources = authorizer.identity_source or ()
    jwt = pascal(authorizer.jwt_config or {})
    return Authorizer(
        authorizer.id,
        authorizer.authorizer_type,
        (sources,) if isinstance(sources, str) else tuple(sources),
        authorizer.authorizer_uri or "",
        authorizer.auth_payload_format_version or "1.0",
        bool(authorizer.enable_simple_response),
        int(authorizer.auth_result_ttl or 0),
        authorizer.auth_creds_arn,
        jwt.get("Issuer", ""),
        tuple(jwt.get("Audience") or ()),
    )


def _stage(stage: models.Stage) -> Stage:
    log = pascal(stage.access_log_settings or {})
    return Stage(
        stage.name,
        stage.deployment,
        stage.stage_variables or {},
        _route_settings(stage.default_route_settings),
        {key: _route_settings(each) for key, each in (stage.route_settings or {}).items()},
        _log_group(log.get("DestinationArn", "")),
        log.get("Format", ""),
    )


def _route_settings(settings: Mapping[str, Any] | None) -> RouteSettings:
    given = pascal(settings or {})
    rate, burst = given.get("ThrottlingRateLimit"), given.get("ThrottlingBurstLimit")
    throttle = Throttle(
        None if rate is None else float(rate), None if burst is None else int(burst)
    )
    return RouteSettings(throttle, given.get("DetailedMetricsEnabled") is True)


def _log_group(arn: str) -> str | None:
    """The group's name in arn:aws:logs:region:account:log-group:name, which may end in :*."""
    _, found, name = arn.partition(":log-group:")
    return name.removesuffix(":*") if found else None
