"""REST APIs in a stack: AWS::ApiGateway::RestApi, Resource, Method, Deployment, Stage and the like.

Properties, return values and what makes a replacement are those of CloudFormation's resource schemas.
Resources are made by API Gateway's own operations. An object here is what a stack knows of one; the
resource itself is moto's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, RestAPI, apigateway_backends
from moto.core.common_models import CloudFormationModel

from . import rest_openapi, service_calls, stack_rest_stages
from .stack_made import Made

SCRATCH = "scratch0"
# A REST API's properties that an update changes, and moto's attributes.
_SETTINGS = {
    "ApiKeySourceType": "api_key_source",
    "BinaryMediaTypes": "binaryMediaTypes",
    "Description": "description",
    "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "EndpointConfiguration": "endpoint_configuration",
    "MinimumCompressionSize": "minimum_compression_size",
    "Name": "name",
    "Policy": "policy",
    "Tags": "tags",
}


def _backend(account_id: str, region: str) -> APIGatewayBackend:
    return apigateway_backends[account_id][region]


class StackPart(Made):
    """A resource of AWS::ApiGateway; `place` are the names by which it is found."""

    KIND = ""

    def __init__(
        self, id: str, place: Mapping[str, str], attributes: Mapping[str, Any] | None = None
    ):
        super().__init__(id, attributes)
        self.place = dict(place)

    @classmethod
    def cloudformation_type(cls) -> str:
        return f"AWS::ApiGateway::{cls.KIND}"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        return cls._make(_backend(account_id, region_name), properties, resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        backend, properties = _backend(account_id, region_name), cloudformation_json["Properties"]
        original_resource._change(backend, properties)
        return original_resource

    def delete(self, account_id: str, region: str) -> None:
        backend = _backend(account_id, region)
        rest_api = self.place.get("RestApiId")
        if rest_api is None or rest_api in backend.apis:  # what belongs to an API goes with it
            self._remove(backend)


def call(backend: APIGatewayBackend, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """An operation such as create_stage, with properties as its parameters."""
    return service_calls.call(
        service_calls.client("apigateway", backend.region_name), operation, given
    )


def _of_template(properties: Mapping[str, Any]) -> list[str]:
    return [attribute for name, attribute in _SETTINGS.items() if name in properties]


class StackRestApi(StackPart, CloudFormationModel):
    """AWS::ApiGateway::RestApi, also by a definition (Body)."""

    KIND, ATTRIBUTES = "RestApi", ("RestApiId", "RootResourceId")

    @classmethod
    def _make(cls, backend, properties, name):
        for unread in ("BodyS3Location", "CloneFrom"):
            if unread in properties:
                raise BadRequestException(f"localcloud doesn't read {unread}: use Body")
        body = properties.get("Body")
        given = {
            **properties,
            "Name": properties.get("Name") or ((body or {}).get("info") or {}).get("title"),
            "ApiKeySource": properties.get("ApiKeySourceType", "HEADER"),
        }
        if not given["Name"]:
            raise BadRequestException("A REST API needs a Name, or a Body with a title")
        made = call(backend, "create_rest_api", given)
        try:
            cls._define(backend, backend.apis[made["id"]], properties)
        except Exception:
            backend.delete_rest_api(made["id"])
            raise
        return cls(made["id"], {}, {"RootResourceId": made["rootResourceId"]})

    @staticmethod
    def _define(backend: APIGatewayBackend, api: RestAPI, properties: Mapping[str, Any]) -> None:
        """What the template says itself comes before what the definition says."""
        if properties.get("Body"):
            # What YAML reads as a date or a number stands as text in JSON.
            document = json.loads(json.dumps(properties["Body"], default=str))
            mode = str(properties.get("Mode", "overwrite"))
            said = {name: getattr(api, name) for name in _of_template(properties)}
            rest_openapi.apply(backend, api, document, overwrite=mode == "overwrite")
            vars(api).update(said)

    def _change(self, backend, properties):
        api = backend.get_rest_api(self.id)
        given = {**properties, "Name": properties.get("Name", api.name), "Body": None}
        fresh = backend.apis.pop(self._make(backend, given, "").id)
        before = {name: getattr(api, name) for name in _SETTINGS.values()}
        vars(api).update({name: getattr(fresh, name) for name in before})
        try:
            self._define(backend, api, properties)
        except Exception:
            vars(api).update(before)
            raise

    def _remove(self, backend):
        backend.delete_rest_api(self.id)


class StackResource(StackPart, CloudFormationModel):
    """AWS::ApiGateway::Resource."""

    KIND, ATTRIBUTES = "Resource", ("ResourceId",)

    @classmethod
    def _make(cls, backend, properties, name):
        made = call(backend, "create_resource", properties)
        return cls(made["id"], {"RestApiId": properties["RestApiId"]})

    def _remove(self, backend):
        backend.get_rest_api(self.place["RestApiId"]).resources.pop(self.id, None)


class StackMethod(StackPart, CloudFormationModel):
    """AWS::ApiGateway::Method with its integration and its responses. Ref gives API, resource and method."""

    KIND = "Method"

    @classmethod
    def _make(cls, backend, properties, name):
        place = {key: properties[key] for key in ("RestApiId", "ResourceId", "HttpMethod")}
        call(backend, "put_method", {"AuthorizationType": "NONE", **properties})
        made = cls("|".join(place.values()), place)
        try:
            made._complete(backend, properties)
        except Exception:
            made._remove(backend)
            raise
        return made

    def _complete(self, backend: APIGatewayBackend, properties: Mapping[str, Any]) -> None:
        for each in properties.get("MethodResponses") or ():
            call(backend, "put_method_response", {**each, **self.place})
        integration = properties.get("Integration")
        if integration:
            call(backend, "put_integration", {**integration, **self.place})
            for each in integration.get("IntegrationResponses") or ():
                call(backend, "put_integration_response", {**each, **self.place})

    def _change(self, backend, properties):
        resource = backend.get_resource(self.place["RestApiId"], self.place["ResourceId"])
        before = resource.resource_methods.pop(self.place["HttpMethod"])
        try:
            self._make(backend, properties, "")
        except Exception:
            resource.resource_methods[self.place["HttpMethod"]] = before
            raise

    def _remove(self, backend):
        resource = backend.apis[self.place["RestApiId"]].resources.get(self.place["ResourceId"])
        if resource:
            resource.resource_methods.pop(self.place["HttpMethod"], None)


class StackDeployment(StackPart, CloudFormationModel):
    """AWS::ApiGateway::Deployment: the API as it is when the stack comes to it, with a stage or without."""

    KIND, ATTRIBUTES = "Deployment", ("DeploymentId",)

    @classmethod
    def _make(cls, backend, properties, name):
        place = {"RestApiId": properties["RestApiId"]}
        api = backend.get_rest_api(properties["RestApiId"])
        described = {**place, "Description": properties.get("Description", "")}
        canary = properties.get("DeploymentCanarySettings")
        stage = properties.get("StageName")
        if canary:
            described |= {"CanarySettings": canary, "StageName": stage}
        made = cls(call(backend, "create_deployment", described)["id"], place)
        if stage and not canary:
            try:
                if stage in api.stages:
                    api.stages[stage].deployment_id = made.id
                else:
                    settings = stack_rest_stages.of_deployment(properties, made.id)
                    stack_rest_stages.make(backend, settings)
                made.place["Stage"] = stage
            except Exception:
                del api.deployments[made.id]
                raise
        return made

    def _change(self, backend, properties):
        api = backend.get_rest_api(self.place["RestApiId"])
        api.deployments[self.id].description = properties.get("Description", "")
        if properties.get("StageName") in api.stages:
            api.stages[properties["StageName"]].deployment_id = self.id

    def _remove(self, backend):
        api = backend.apis[self.place["RestApiId"]]
        own = api.stages.get(self.place.get("Stage"))
        if own and own.deployment_id == self.id:
            del api.stages[own.name]
        if any(each.deployment_id == self.id for each in api.stages.values()):
            raise BadRequestException(
                "Active stages pointing to this deployment must be moved or deleted"
            )
        api.deployments.pop(self.id, None)


class StackStage(StackPart, CloudFormationModel):
    """AWS::ApiGateway::Stage; Ref gives its name."""

    KIND = "Stage"

    @classmethod
    def _make(cls, backend, properties, name):
        place = {"RestApiId": properties["RestApiId"]}
        name = properties.get("StageName") or name
        stack_rest_stages.make(backend, {**properties, "StageName": name})
        return cls(name, place)

    def _change(self, backend, properties):
        """Made beside the old one, which serves until then."""
        stack_rest_stages.make(backend, {**properties, "StageName": SCRATCH})
        stages = backend.get_rest_api(self.place["RestApiId"]).stages
        made = stages.pop(SCRATCH)
        before = stages[self.id]
        made.name, made.authorizers_epoch = self.id, before.authorizers_epoch
        made.cache_flushes = before.cache_flushes
        stages[self.id] = made

    def _remove(self, backend):
        backend.apis[self.place["RestApiId"]].stages.pop(self.id, None)


class Kept(StackPart):
    """What moto keeps under an id or a name: for an update made anew, then put under the same one."""

    def _change(self, backend, properties):
        kept = self._kept(backend)
        before = kept[self.id]
        fresh = self._make(backend, self._fresh(properties), before.name)
        made = kept.pop(fresh.id)
        # What came after the creation, such as how often a key was used.
        vars(made).update({k: v for k, v in vars(before).items() if k not in vars(made)})
        for name in ("id", *self.KEPT_ATTRIBUTES):
            setattr(made, name, getattr(before, name))
        kept[self.id] = made

    KEPT_ATTRIBUTES: tuple[str, ...] = ()

    def _fresh(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        return properties

    def _remove(self, backend):
        self._kept(backend).pop(self.id, None)


class _OfApi(Kept):
    """What an API keeps."""

    def _kept(self, backend: APIGatewayBackend) -> dict[str, Any]:
        return getattr(backend.get_rest_api(self.place["RestApiId"]), self.KEPT)

    @classmethod
    def _make(cls, backend, properties, name):
        made = call(backend, cls.CREATE, {"Name": name, **properties})
        return cls(made[cls.ID], {"RestApiId": properties["RestApiId"]})


class StackAuthorizer(_OfApi, CloudFormationModel):
    """AWS::ApiGateway::Authorizer."""

    KIND, ATTRIBUTES = "Authorizer", ("AuthorizerId",)
    KEPT, CREATE, ID = "authorizers", "create_authorizer", "id"


class StackValidator(_OfApi, CloudFormationModel):
    """AWS::ApiGateway::RequestValidator."""

    KIND, ATTRIBUTES = "RequestValidator", ("RequestValidatorId",)
    KEPT, CREATE, ID = "request_validators", "create_request_validator", "id"


class StackModel(_OfApi, CloudFormationModel):
    """AWS::ApiGateway::Model; Ref gives its name."""

    KIND, KEPT, CREATE, ID = "Model", "models", "create_model", "name"
    KEPT_ATTRIBUTES = ("name",)

    @classmethod
    def _make(cls, backend, properties, name):
        name = "".join(filter(str.isalnum, name))
        given = {"Name": name, "ContentType": "application/json", "Schema": {}, **properties}
        return super()._make(backend, given, name)

    def _fresh(self, properties):
        return {**properties, "Name": SCRATCH}


class StackGatewayResponse(StackPart, CloudFormationModel):
    """AWS::ApiGateway::GatewayResponse."""

    KIND, ATTRIBUTES = "GatewayResponse", ("Id",)

    @classmethod
    def _make(cls, backend, properties, name):
        call(backend, "put_gateway_response", properties)
        place = {key: properties[key] for key in ("RestApiId", "ResponseType")}
        return cls("|".join(place.values()), place)

    def _change(self, backend, properties):
        self._make(backend, properties, "")

    def _remove(self, backend):
        api = backend.apis[self.place["RestApiId"]]
        api.gateway_responses.pop(self.place["ResponseType"], None)
