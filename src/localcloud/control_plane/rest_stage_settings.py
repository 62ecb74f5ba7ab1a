"""What stages of REST APIs say of their methods, and canaries, of which moto knows nothing.

"Create a canary release deployment in API Gateway"; canarySettings lie on moto's stage as the API
gives them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from moto.apigateway.exceptions import BadRequestException, NotFoundException
from moto.apigateway.models import APIGatewayBackend, RestAPI, Stage
from moto.apigateway.responses import APIGatewayResponse

from ..gateways.rest_descriptions import Canary, MethodSettings

# What API Gateway has where nothing is said ("MethodSetting" in the API reference; throttling is the
# account's, facts G2).
_DEFAULTS = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5_000,
    "throttlingRateLimit": 10_000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
_CANARY = "/canarySettings"
_CACHE = "{0}/restapis/(?P<function_id>[^/]+)/stages/(?P<stage_name>[^/]+)/cache/data$"
_LONGEST_TTL_S = 3_600
_NO_LOG_ROLE = "CloudWatch Logs role ARN must be set in account settings to enable logging"


def install() -> None:
    """Teach moto's stages. Called once, by what installs REST APIs."""
    Stage.canary_settings = None
    Stage.cache_flushes = 0
    Stage._get_default_method_settings = _own_defaults
    _keep_canaries()
    _check_updates()
    APIGatewayResponse.flush_stage_cache = _flush_stage_cache
    # It copies the other API's paths when it is loaded, which must all be there by then.
    from moto.apigateway.urls import url_paths

    url_paths[_CACHE] = APIGatewayResponse.dispatch


def settings(stage: Stage) -> dict[str, MethodSettings]:
    """What a stage says, by method such as `GET /pets`, and by * for all others."""
    return {_key(name): _settings(said) for name, said in (stage.method_settings or {}).items()}


def canary(api: RestAPI, stage: Stage) -> Canary | None:
    """A stage's canary, if it has one."""
    said = stage.canary_settings
    deployment = api.deployments.get(said["deploymentId"]) if said else None
    if deployment is None or deployment.snapshot is None:
        return None
    return Canary(
        said["percentTraffic"],
        deployment.snapshot,
        dict(said["stageVariableOverrides"]),
        said["useStageCache"],
    )


def _own_defaults(stage: Stage) -> dict[str, Any]:
    """A method's settings begin as those of all methods."""
    return {**_DEFAULTS, **stage.method_settings.get("*/*", {})}


def _key(name: str) -> str:
    path, _, method = name.rpartition("/")
    if (path, method) == ("*", "*"):
        return "*"
    path = path.replace("~1", "/").replace("~0", "~")  # a JSON Pointer
    return f"{method} /{path.strip('/')}"


def _settings(said: Mapping[str, Any]) -> MethodSettings:
    known = {**_DEFAULTS, **said}
    return MethodSettings(
        known["cachingEnabled"],
        known["cacheTtlInSeconds"],
        known["requireAuthorizationForCacheControl"],
        known["unauthorizedCacheControlHeaderStrategy"],
        known["metricsEnabled"],
        known.get("loggingLevel") or "OFF",
        known["dataTraceEnabled"],
    )


def _check_updates() -> None:
    moto_update = APIGatewayBackend.update_stage

    @functools.wraps(moto_update)
    def update_stage(self, function_id, stage_name, patch_operations):
        for each in patch_operations:
            path, value = each["path"], each.get("value", "")
            is_logged = path.endswith("/logging/loglevel") and value != "OFF"
            if is_logged and not self.account.cloudwatch_role_arn:
                raise BadRequestException(_NO_LOG_ROLE)
            if path.endswith("/caching/ttlInSeconds") and not _is_ttl(value):
                raise BadRequestException(f"Invalid cache TTL: {value}. It is 0 to 3600 seconds")
        return moto_update(self, function_id, stage_name, patch_operations)

    APIGatewayBackend.update_stage = update_stage


def _flush_stage_cache(self):
    _, _, api_id, _, name, *_ = self.path.split("/")
    self.backend.get_stage(api_id, name).cache_flushes += 1
    return 202, {"status": 202}, "{}"


def _is_ttl(value: str) -> bool:
    return value.isdecimal() and int(value) <= _LONGEST_TTL_S


def _keep_canaries() -> None:
    moto_json, moto_patch = Stage.to_json, Stage.apply_operations
    moto_stage, moto_deployment = (
        APIGatewayResponse.create_stage,
        APIGatewayResponse.create_deployment,
    )

    @functools.wraps(moto_json)
    def to_json(self):
        said = self.canary_settings
        return {**moto_json(self), **({"canarySettings": said} if said else {})}

    @functools.wraps(moto_patch)
    def apply_operations(self, patch_operations):
        others = [each for each in patch_operations if not _is_of_canary(each)]
        for each in patch_operations:
            if _is_of_canary(each):
                _patch(self, each)
        return moto_patch(self, others)

    @functools.wraps(moto_stage)
    def create_stage(self):
        answer = moto_stage(self)
        said = self._get_param("canarySettings")
        if not said or answer[0] != HTTPStatus.CREATED:
            return answer
        stage = self.backend.get_stage(self.path.split("/")[2], json.loads(answer[2])["stageName"])
        stage.canary_settings = _canary_settings({"deploymentId": stage.deployment_id, **said})
        return answer[0], answer[1], json.dumps(stage.to_json())

    @functools.wraps(moto_deployment)
    def create_deployment(self):
        said = self._get_param("canarySettings")
        if not said:
            return moto_deployment(self)
        api_id, name = self.path.split("/")[2], self._get_param("stageName")
        if name not in self.backend.get_rest_api(api_id).stages:
            raise NotFoundException("Invalid stage identifier specified")
        made = self.backend.create_deployment(api_id, None, self._get_param("description"))
        stage = self.backend.get_stage(api_id, name)
        stage.canary_settings = _canary_settings({**said, "deploymentId": made.id})
        return 201, {"status": 201}, json.dumps(made.to_json())

    Stage.to_json, Stage.apply_operations = to_json, apply_operations
    APIGatewayResponse.create_stage = create_stage
    APIGatewayResponse.create_deployment = create_deployment


def _canary_settings(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "percentTraffic": float(said.get("percentTraffic") or 0.0),
        "deploymentId": said["deploymentId"],
        "stageVariableOverrides": dict(said.get("stageVariableOverrides") or {}),
        "useStageCache": bool(said.get("useStageCache")),
    }


def _is_of_canary(operation: Mapping[str, Any]) -> bool:
    return any(operation.get(member, "").startswith(_CANARY) for member in ("path", "from"))


def _patch(stage: Stage, operation: Mapping[str, Any]) -> None:
    path, value = operation["path"], operation.get("value", "")
    if operation["op"] == "copy":  # the promotion
        said = stage.canary_settings or {}
        if path == "/deploymentId":
            stage.deployment_id = said["deploymentId"]
        elif path == "/variables":
            stage.variables = {**stage.variables, **said["stageVariableOverrides"]}
        return
    if path == _CANARY:
        if operation["op"] == "remove":
            stage.canary_settings = None
        return
    said = stage.canary_settings or _canary_settings({"deploymentId": stage.deployment_id})
    stage.canary_settings = said
    _, _, member, *name = path.split("/")
    match member:
        case "percentTraffic":
            said["percentTraffic"] = float(value)
        case "useStageCache":
            said["useStageCache"] = value.lower() == "true"
        case "deploymentId":
            said["deploymentId"] = value
        case "stageVariableOverrides" if operation["op"] == "remove":
            said["stageVariableOverrides"].pop(name[0], None)
        case "stageVariableOverrides":
            said["stageVariableOverrides"][name[0]] = value
