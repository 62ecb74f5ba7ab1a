"""moto's REST APIs, described for the gateways; and their deployments, which moto keeps by name only.

A deployment's snapshot lies on moto's Deployment, so that it is saved with it.
"""

from __future__ import annotations

import functools
import json
from http import HTTPStatus

from moto.apigateway import models
from moto.apigateway.exceptions import ApiGatewayException, BadRequestException
from moto.apigateway.models import RestAPI, apigateway_backends
from moto.apigateway.responses import APIGatewayResponse

from ..gateways.rest_descriptions import (
    GatewayResponse,
    IntegrationResponse,
    Method,
    RestApi,
    RestDeployment,
    RestIntegration,
    RestStage,
)
from . import (
    gateway_refusals,
    rest_access_resources,
    rest_integration_operations,
    rest_stage_settings,
)

TEST_STAGE = "test-invoke-stage"
_DEFAULT_TIMEOUT_MS = 29_000


def install() -> None:
    """Let deployments be snapshots. May be called more than once."""
    if hasattr(models.Deployment, "snapshot"):
        return
    models.Deployment.snapshot = None
    moto_create = RestAPI.create_deployment

    @functools.wraps(moto_create)
    def create_deployment(self: RestAPI, name, description, stage_variables=None):
        before = self.stages.get(name)
        made = moto_create(self, name, description, stage_variables)
        made.snapshot = _describe(self, made.id)
        if before is not None:  # moto makes a new stage, without the settings of the old one
            before.deployment_id = made.id
            before.variables = {**before.variables, **(stage_variables or {})}
            self.stages[name] = before
        return made

    RestAPI.create_deployment = create_deployment
    # They are for moto inside a test's own process: here each would be kept for ever.
    RestAPI.update_integration_mocks = lambda self, stage_name: None
    _keep_binary_media_types()
    rest_stage_settings.install()
    rest_integration_operations.install()
    gateway_refusals.install_first(APIGatewayResponse, BadRequestException)


def _keep_binary_media_types() -> None:
    """moto forgets those of CreateRestApi, and those that UpdateRestApi names in a path."""
    moto_create = APIGatewayResponse.create_rest_api
    moto_patch = RestAPI.apply_patch_operations

    @functools.wraps(moto_create)
    def create_rest_api(self):
        answer = moto_create(self)
        types = self._get_param("binaryMediaTypes")
        if not types or answer[0] != HTTPStatus.OK:
            return answer
        api = self.backend.get_rest_api(json.loads(answer[2])["id"])
        api.binaryMediaTypes = list(types)
        return answer[0], answer[1], json.dumps(api.to_dict())

    @functools.wraps(moto_patch)
    def apply_patch_operations(self, patch_operations):
        others = []
        for each in patch_operations:
            _, found, name = each["path"].partition("/binaryMediaTypes/")
            if not found:
                others.append(each)
                continue
            media_type = name.replace("~1", "/").replace("~0", "~")  # a JSON Pointer
            kept = [known for known in self.binaryMediaTypes if known != media_type]
            is_added = each["op"] == "add"
            self.binaryMediaTypes = [*kept, media_type] if is_added else kept
        return moto_patch(self, others)

    APIGatewayResponse.create_rest_api = create_rest_api
    RestAPI.apply_patch_operations = apply_patch_operations


def find_rest_api(api_id: str, account_id: str) -> RestApi | None:
    """The REST API with an id, in whatever region it is; None where there is none."""
    for region, backend in list(apigateway_backends[account_id].items()):
        api = backend.apis.get(api_id)
        if api is not None:
            stages = {name: _stage(api, stage) for name, stage in list(api.stages.items())}
            [endpoint_type, *_] = (api.endpoint_configuration or {}).get("types") or ["EDGE"]
            return RestApi(
                api_id, region, account_id, bool(api.disableExecuteApiEndpoint), stages,
                endpoint_type, api.name, backend.account.cloudwatch_role_arn,
            )  # fmt: skip
    return None


def method_as_it_is(
    api_id: str,
    resource_id: str,
    method: str,
    variables: dict[str, str],
    account_id: str,
    region: str,
) -> tuple[RestApi, Method]:
    """A method that may never have been deployed, and its API with the stage in which it is tested.

    Raises LookupError, in API Gateway's words.
    """
    backend = apigateway_backends[account_id][region]
    try:
        api = backend.get_rest_api(api_id)
        resource = backend.get_resource(api_id, resource_id)
        found = _method(api, resource, backend.get_method(api_id, resource_id, method))
    except ApiGatewayException as error:
        raise LookupError(error.message) from None
    stage = RestStage(TEST_STAGE, _describe(api, ""), variables)
    return RestApi(api_id, region, account_id, False, {TEST_STAGE: stage}, name=api.name), found


def authorizer_as_it_is(
    api_id: str, authorizer_id: str, variables: dict[str, str], account_id: str, region: str
) -> tuple[RestApi, Method]:
    """A method that has nothing but an authorizer, and its API with the stage in which it is tested.

    Raises LookupError, in API Gateway's words.
    """
    backend = apigateway_backends[account_id][region]
    try:
        api, found = backend.get_rest_api(api_id), backend.get_authorizer(api_id, authorizer_id)
    except ApiGatewayException as error:
        raise LookupError(error.message) from None
    authorizer = rest_access_resources.described(found)
    method = Method("ANY /", "ANY", (), "", authorization=found.type, authorizer=authorizer)
    stage = RestStage(TEST_STAGE, _describe(api, ""), variables)
    return RestApi(api_id, region, account_id, False, {TEST_STAGE: stage}, name=api.name), method


def _stage(api: RestAPI, stage: models.Stage) -> RestStage:
    deployment = api.deployments.get(stage.deployment_id)
    log = stage.access_log_settings or {}
    _, found, group = log.get("destinationArn", "").partition(":log-group:")
    return RestStage(
        stage.name,
        deployment.snapshot if deployment else None,
        stage.variables or {},
        group.removesuffix(":*") if found else None,
        log.get("format", ""),
        throttles=rest_access_resources.throttles(stage),
        authorizers_epoch=rest_access_resources.authorizers_epoch(stage),
        has_cache=bool(stage.cache_cluster_enabled),
        settings=rest_stage_settings.settings(stage),
        canary=rest_stage_settings.canary(api, stage),
        cache_name=stage.name,
        cache_flushes=stage.cache_flushes,
    )


def _describe(api: RestAPI, deployment_id: str) -> RestDeployment:
    methods = tuple(
        _method(api, resource, method)
        for resource in api.resources.values()
        for method in resource.resource_methods.values()
    )
    responses = {
        each.response_type: GatewayResponse(
            int(each.status_code) if each.status_code else None,
            dict(each.response_parameters or {}),
            dict(each.response_templates or {}),
        )
        for each in api.gateway_responses.values()
    }
    return RestDeployment(
        deployment_id,
        methods,
        responses,
        rest_access_resources.policy(api),
        api.api_key_source,
        tuple(api.binaryMediaTypes),
    )


def _method(api: RestAPI, resource: models.Resource, method: models.Method) -> Method:
    path = resource.get_path()
    integration = method.method_integration
    return Method(
        f"{method.http_method} {path}",
        method.http_method,
        tuple(path[1:].split("/")) if path != "/" else (),
        resource.id,
        method.authorization_type or "NONE",
        str(method.api_key_required).lower() == "true",
        rest_access_resources.authorizer(api, method),
        tuple(method.authorization_scopes or ()),
        rest_access_resources.validation(api, method),
        _integration(resource, integration) if integration else None,
        frozenset(int(status) for status in method.method_responses),
    )


def _integration(resource: models.Resource, integration: models.Integration) -> RestIntegration:
    responses = (integration.integration_responses or {}).values()
    return RestIntegration(
        integration.integration_type,
        integration.uri or "",
        integration.http_method or "",
        int(integration.timeout_in_millis or _DEFAULT_TIMEOUT_MS) / 1000,
        integration.credentials,
        dict(integration.request_parameters or {}),
        dict(integration.request_templates or {}),
        integration.passthrough_behaviour or "WHEN_NO_MATCH",
        integration.content_handling,
        tuple(integration.cache_key_parameters),
        integration.cache_namespace or resource.id,
        tuple(
            IntegrationResponse(
                int(each.status_code),
                each.selection_pattern,
                dict(each.response_parameters or {}),
                dict(each.response_templates or {}),
                each.content_handling,
            )
            for each in responses
        ),
    )
