"""Stages of REST APIs in a template, made by CreateStage and UpdateStage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.apigateway.models import APIGatewayBackend

from . import service_calls

# A method setting and its path in UpdateStage ("Patch operations", PATCH /restapis/…/stages/…).
_SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}


def of_deployment(properties: Mapping[str, Any], deployment_id: str) -> dict[str, Any]:
    """The stage that a deployment's StageName and StageDescription describe, as AWS::ApiGateway::Stage would.

    Settings beside MethodSettings there are those of all methods.
    """
    described = dict(properties.get("StageDescription") or {})
    shared = {name: described.pop(name) for name in _SETTINGS if name in described}
    settings = list(described.pop("MethodSettings", ()))
    if shared:
        settings.insert(0, {"ResourcePath": "/*", "HttpMethod": "*", **shared})
    return {
        **described,
        "MethodSettings": settings,
        "RestApiId": properties["RestApiId"],
        "StageName": properties["StageName"],
        "DeploymentId": deployment_id,
    }


def make(backend: APIGatewayBackend, properties: Mapping[str, Any]) -> None:
    """Make the stage that AWS::ApiGateway::Stage describes. Raises ClientError; there is none then."""
    client = service_calls.client("apigateway", backend.region_name)
    given = {**properties, "CanarySettings": properties.get("CanarySetting")}
    service_calls.call(client, "create_stage", given)
    place = {"restApiId": properties["RestApiId"], "stageName": properties["StageName"]}
    try:
        operations = list(_operations(properties))
        if operations:
            client.update_stage(**place, patchOperations=operations)
    except Exception:
        client.delete_stage(**place)
        raise


def _operations(properties: Mapping[str, Any]):
    log = properties.get("AccessLogSetting") or {}
    for name, path in (("DestinationArn", "destinationArn"), ("Format", "format")):
        if log.get(name):
            yield _replace(f"/accessLogSettings/{path}", log[name])
    for each in properties.get("MethodSettings") or ():
        key = _key(each.get("ResourcePath", "/*"), each.get("HttpMethod", "*"))
        for name, path in _SETTINGS.items():
            if each.get(name) is not None:
                yield _replace(f"/{key}/{path}", each[name])


def _key(path: str, method: str) -> str:
    """*/* for all methods; ~1pets/GET for /pets or, as a template may write it too, /~1pets."""
    if path.strip("/") == "*":
        return f"*/{method}"
    path = "/" + path.replace("~1", "/").strip("/")
    return f"{path.replace('/', '~1')}/{method}"


def _replace(path: str, value: Any) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": service_calls.text(value)}
