"""Deployments of HTTP and WebSocket APIs, which moto has not: snapshots that a stage serves.

Every change to an API makes a new one for its stages with AutoDeploy; for others CreateDeployment
does. They lie on moto's own APIs and stages, so that they are saved with them.
"""

from __future__ import annotations

import functools
import secrets
import string
from datetime import UTC, datetime
from typing import Any

from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import Api, Stage

from ..gateways.descriptions import Deployment
from . import gateway_resources

# Whatever of an API a deployment holds, or changes which deployment a stage serves.
_CHANGES = (
    "create_authorizer", "delete_authorizer", "update_authorizer", "create_integration",
    "delete_integration", "update_integration", "create_route", "delete_route", "update_route",
    "delete_cors_configuration", "update", "create_stage", "create_route_response",
    "delete_route_response", "create_integration_response", "update_integration_response",
    "delete_integration_response",
)  # fmt: skip


class DeploymentNotFound(APIGatewayV2Error):
    """No such deployment of an API."""

    code = 404

    def __init__(self, deployment_id: str):
        super().__init__(
            "NotFoundException", f"Invalid Deployment identifier specified {deployment_id}"
        )


def install() -> None:
    """Give moto's APIs and stages deployments. May be called more than once."""
    if hasattr(Api, "deployments"):
        return
    Api.deployments = functools.cached_property(lambda api: {})
    Api.deployments.__set_name__(Api, "deployments")
    Stage.deployment = None
    for name in _CHANGES:
        _deploy_after(name)
    moto_json = Stage.to_json

    @functools.wraps(moto_json)
    def to_json(stage: Stage) -> dict[str, Any]:
        found = moto_json(stage)
        if stage.deployment:
            found["deploymentId"] = stage.deployment.id
        return found

    Stage.to_json = to_json


def _deploy_after(name: str) -> None:
    moto_method = getattr(Api, name)

    @functools.wraps(moto_method)
    def method(self: Api, *args: Any, **kwargs: Any) -> Any:
        result = moto_method(self, *args, **kwargs)
        deploy_automatically(self)
        return result

    setattr(Api, name, method)


def deploy_automatically(api: Api) -> None:
    """Let the stages with AutoDeploy serve the API as it is now."""
    stages = [stage for stage in api.stages.values() if stage.auto_deploy]
    if stages:
        # Only the last one: a deployment for each change of a long day would be kept for nothing.
        served = {stage.deployment.id for stage in stages if stage.deployment}
        deployment = deploy(api, None, is_automatic=True)
        for stage in stages:
            stage.deployment = deployment
        still = {stage.deployment.id for stage in api.stages.values() if stage.deployment}
        for old in served - still:
            api.deployments.pop(old, None)


def deploy(api: Api, description: str | None, is_automatic: bool = False) -> Deployment:
    """Make a deployment of an API as it is now."""
    made = gateway_resources.describe(api, _new_id(), is_automatic, description)
    api.deployments[made.id] = made
    return made


def find(api: Api, deployment_id: str) -> Deployment:
    """A deployment by its id. Raises DeploymentNotFound."""
    if deployment_id not in api.deployments:
        raise DeploymentNotFound(deployment_id)
    return api.deployments[deployment_id]


def to_json(deployment: Deployment) -> dict[str, Any]:
    """A deployment as the API gives it."""
    created = datetime.fromtimestamp(deployment.created, UTC)
    return {
        "deploymentId": deployment.id,
        "autoDeployed": deployment.is_automatic,
        "createdDate": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "deploymentStatus": "DEPLOYED",
        **({"description": deployment.description} if deployment.description else {}),
    }


def _new_id() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(6))
