"""What API Gateway refuses of an HTTP or WebSocket API and moto takes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from moto.apigatewayv2.exceptions import APIGatewayV2Error, BadRequestException
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend

from ..gateways.parameter_mapping import is_reserved
from ..gateways.routes import split_key
from . import gateway_deployments, gateway_refusals


class Conflict(APIGatewayV2Error):
    """Something of that name is there already."""

    code = 409

    def __init__(self, message: str):
        super().__init__("ConflictException", message)


def install() -> None:
    """Check the parameters of what is made in an API."""
    create_route, update_route = Api.create_route, Api.update_route
    create_integration, update_integration = Api.create_integration, Api.update_integration
    create_stage, create_api = Api.create_stage, ApiGatewayV2Backend.create_api

    @functools.wraps(create_api)
    def checked_create_api(self, **given):
        if given["protocol_type"] == "WEBSOCKET" and not given["route_selection_expression"]:
            # Required (API reference, CreateApi); the words are ours.
            raise BadRequestException("RouteSelectionExpression is required for WEBSOCKET APIs")
        return create_api(self, **given)

    @functools.wraps(create_route)
    def checked_create_route(
        self, api_key_required, authorization_scopes, route_key, *rest, **more
    ):
        check_route_key(self, route_key)
        _check_api_key(self, api_key_required)
        return create_route(self, api_key_required, authorization_scopes, route_key, *rest, **more)

    @functools.wraps(update_route)
    def checked_update_route(self, route_id, **changes):
        key = changes.get("route_key")
        if key and key != self.get_route(route_id).route_key:
            check_route_key(self, key)
        _check_api_key(self, changes.get("api_key_required"))
        return update_route(self, route_id, **changes)

    @functools.wraps(create_integration)
    def checked_create_integration(self, *args, **given):
        check_integration(self, given)
        return create_integration(self, *args, **given)

    @functools.wraps(update_integration)
    def checked_update_integration(self, integration_id, **changes):
        gateway_refusals.check(changes, BadRequestException)
        if self.protocol_type == "HTTP":
            _check_mappings(changes)
        return update_integration(self, integration_id, **changes)

    @functools.wraps(create_stage)
    def checked_create_stage(self, config):
        gateway_refusals.check(config, BadRequestException)
        if config["stageName"] in self.stages:
            raise Conflict("Stage already exists")
        deployment_id = config.get("deploymentId")
        deployment = gateway_deployments.find(self, deployment_id) if deployment_id else None
        stage = create_stage(self, config)
        if deployment:
            stage.deployment = deployment
        return stage

    create_authorizer = Api.create_authorizer

    @functools.wraps(create_authorizer)
    def checked_create_authorizer(self, **given):
        if self.protocol_type == "WEBSOCKET" and given["authorizer_type"] != "REQUEST":
            # By the API reference, CreateAuthorizer; the words are ours.
            raise BadRequestException(
                "WebSocket APIs have no authorizers but those of type REQUEST"
            )
        return create_authorizer(self, **given)

    Api.create_authorizer = checked_create_authorizer
    Api.create_route = checked_create_route
    Api.update_route = checked_update_route
    Api.create_integration = checked_create_integration
    Api.update_integration = checked_update_integration
    Api.create_stage = checked_create_stage
    ApiGatewayV2Backend.create_api = checked_create_api


def _check_api_key(api: Api, is_required: bool | None) -> None:
    # Only WebSocket APIs know it (API reference, CreateRoute).
    if is_required and api.protocol_type == "WEBSOCKET":
        gateway_refusals.refuse("API keys of WebSocket APIs", BadRequestException)


def check_route_key(api: Api, key: str) -> None:
    """Raises BadRequestException for a malformed key, Conflict for one that another route has."""
    if api.protocol_type == "HTTP":
        check_route_format(key)
    if any(route.route_key == key for route in api.routes.values()):
        raise Conflict(f"Route with key {key} already exists for this API")


def check_route_format(key: str) -> None:
    """Raises BadRequestException for a key that is none of an HTTP API's."""
    if split_key(key) is None:
        raise BadRequestException(
            "The provided route key is not formatted properly for HTTP protocol. Format should be "
            '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )


def check_integration(api: Api, given: Mapping[str, Any]) -> None:
    """Raises BadRequestException for what an HTTP API takes no integration with, and for what is not
    to be had here.
    """
    gateway_refusals.check(given, BadRequestException)
    if api.protocol_type != "HTTP":
        if given.get("integration_type") == "AWS":
            gateway_refusals.refuse("AWS integrations of WebSocket APIs", BadRequestException)
        return
    if given.get("integration_type") not in ("AWS_PROXY", "HTTP_PROXY"):
        # The words as in hashicorp/terraform-provider-aws #17289 and aws/aws-cli #6363.
        raise BadRequestException(
            "Currently, an API with a protocol type of HTTP may only be associated with proxy "
            "integrations (AWS_PROXY, HTTP_PROXY)"
        )
    if not given.get("payload_format_version"):
        # Required ("Create AWS Lambda proxy integrations for HTTP APIs"); worded like what an
        # authorizer without one gets.
        raise BadRequestException("PayloadFormatVersion is a required parameter for integration")
    _check_mappings(given)


def _check_mappings(given: Mapping[str, Any]) -> None:
    """By "Transform API requests and responses for HTTP APIs", Reserved headers."""
    mappings = [given.get("request_parameters") or {}]
    mappings += (given.get("response_parameters") or {}).values()
    for header in _headers(mappings):
        if is_reserved(header):
            raise BadRequestException(f"Operations on header {header} are restricted")


def _headers(mappings: Iterable[Mapping[str, str]]) -> Iterable[str]:
    for mapping in mappings:
        for key in mapping:
            _, _, target = key.partition(":")
            if target.startswith("header."):
                yield target.removeprefix("header.")
