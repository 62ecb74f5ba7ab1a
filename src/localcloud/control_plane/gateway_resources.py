"""moto's HTTP and WebSocket APIs, described for the gateways."""

from __future__ import annotations

import dataclasses
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
    WebSocketApi,
)
from ..gateways.routes import split_key

_DEFAULT_TIMEOUT_MS = 30_000
_WEBSOCKET_TIMEOUT_MS = 29_000  # "Quotas for configuring and running a WebSocket API"
_KINDS = {"HTTP": HttpApi, "WEBSOCKET": WebSocketApi}


def find_api(api_id: str, account_id: str) -> HttpApi | WebSocketApi | None:
    """The HTTP or WebSocket API with an id, in whatever region it is; None where there is none."""
    for region, backend in list(apigatewayv2_backends[account_id].items()):
        api = backend.apis.get(api_id)
        if api is not None:
            stages = {name: _stage(stage) for name, stage in list(api.stages.items())}
            disabled = api.disable_execute_api_endpoint is True
            return _KINDS[api.protocol_type](api_id, region, account_id, disabled, stages)
    return None


def describe(
    api: Api, deployment_id: str, is_automatic: bool, description: str | None
) -> Deployment:
    """A snapshot of what a deployment holds: routes with their integrations and authorizers, CORS."""
    authorizers = {each.id: _authorizer(each) for each in api.authorizers.values()}
    integrations = {each.id: _integration(each) for each in api.integrations.values()}
    make_route = _websocket_route if api.protocol_type == "WEBSOCKET" else _route
    routes = tuple(make_route(each, integrations, authorizers) for each in api.routes.values())
    cors = pascal(api.cors_configuration or {})
    return Deployment(
        deployment_id, time.time(), is_automatic, tuple(filter(None, routes)), cors, description,
        api.route_selection_expression,
    )  # fmt: skip


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


def _websocket_route(
    route: models.Route,
    integrations: Mapping[str, Integration],
    authorizers: Mapping[str, Authorizer],
) -> Route:
    integration = integrations.get((route.target or "").removeprefix("integrations/"))
    if integration:
        timeout_s = min(integration.timeout_s, _WEBSOCKET_TIMEOUT_MS / 1000)
        integration = dataclasses.replace(integration, timeout_s=timeout_s)
    authorizer = authorizers.get(route.authorizer_id)
    if authorizer:
        sources = tuple(_websocket_source(each) for each in authorizer.identity_sources)
        # AuthorizerResultTtlInSeconds is not for WebSocket APIs (its API reference).
        authorizer = dataclasses.replace(authorizer, identity_sources=sources, ttl_s=0)
    # "Set up route responses for a WebSocket API": only $default does anything.
    answers = {each.route_response_key for each in route.route_responses.values()}
    is_two_way = route.route_response_selection_expression == "$default" and "$default" in answers
    return Route(
        route.route_key, "ANY", (), route.authorization_type or "NONE", (), authorizer, integration,
        is_two_way,
    )  # fmt: skip


def _websocket_source(expression: str) -> str:
    """route.request.header.x as the exchange evaluates it, $request.header.x."""
    return "$" + expression.removeprefix("route.")


def _integration(integration: models.Integration) -> Integration:
    default = [
        r for r in integration.responses.values() if r.integration_response_key == "$default"
    ]
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
        dict(integration.request_templates or {}),
        dict(default[0].response_templates or {}) if default else {},
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
