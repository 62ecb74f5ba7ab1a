"""Operations about the access to REST APIs that moto has not, and what it leaves out of others."""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import unquote

from moto.apigateway import responses
from moto.apigateway.exceptions import BadRequestException, ConflictException
from moto.apigateway.models import Authorizer, Method, RestAPI, Stage
from moto.apigateway.responses import APIGatewayResponse

from . import rest_access_checks, usage_plan_operations

_API = "{0}/restapis/(?P<function_id>[^/]+)"
_PATHS = (
    _API + "/stages/(?P<stage_name>[^/]+)/cache/authorizers$",
    "{0}/usageplans/(?P<usage_plan_id>[^/]+)/usage$",
    "{0}/usageplans/(?P<usage_plan_id>[^/]+)/keys/(?P<api_key_id>[^/]+)/usage$",
)


class Operations:
    """Put into moto's response class, which finds an operation by its name in snake case."""

    def update_method(self):
        _, _, api_id, _, resource_id, _, method_type = self.path.split("/")[:7]
        api = self.backend.get_rest_api(api_id)
        method = self.backend.get_method(api_id, resource_id, method_type)
        changed = Method(method.http_method, method.authorization_type)
        vars(changed).update(vars(method))
        for operation in self._get_param("patchOperations"):
            _patch_method(changed, operation)
        rest_access_checks.check_method(api, changed)
        vars(method).update(vars(changed))
        return 200, {}, json.dumps(method.to_json())

    def flush_stage_authorizers_cache(self):
        _, _, api_id, _, stage_name, *_ = self.path.split("/")
        stage = self.backend.get_stage(api_id, unquote(stage_name))
        stage.authorizers_epoch += 1
        return 202, {}, ""

    def get_usage(self):
        return 200, {}, json.dumps(usage_plan_operations.get_usage(self.backend, self))

    def update_usage(self):
        return 200, {}, json.dumps(usage_plan_operations.update_usage(self.backend, self))


def install() -> None:
    """Put all of this into moto's classes. May be called more than once."""
    if hasattr(APIGatewayResponse, "update_method"):
        return
    # Not before the paths of API Gateway's second API are complete: it takes them over.
    from moto.apigateway.urls import url_paths

    for name, member in vars(Operations).items():
        if not name.startswith("__"):
            setattr(APIGatewayResponse, name, member)
    for path in _PATHS:
        url_paths[path] = APIGatewayResponse.dispatch
    Stage.authorizers_epoch = 0
    _refuse_second_methods()
    _complete_authorizers()
    rest_access_checks.install()
    usage_plan_operations.install()


def _refuse_second_methods() -> None:
    """By PutMethod itself: definitions in OpenAPI may name a method again."""
    moto_put = APIGatewayResponse.put_method

    @functools.wraps(moto_put)
    def put_method(self):
        _, _, api_id, _, resource_id, _, method_type = self.path.split("/")[:7]
        if method_type in self.backend.get_resource(api_id, resource_id).resource_methods:
            raise ConflictException("Method already exists for this resource")
        return moto_put(self)

    APIGatewayResponse.put_method = put_method


def _patch_method(method: Method, operation: dict[str, Any]) -> None:
    """One of UpdateMethod's ("Patch operations", PATCH /restapis/…/methods/…)."""
    _, name, *rest = [unescape(part) for part in operation["path"].split("/")]
    value, is_removed = operation.get("value"), operation["op"] == "remove"
    if name == "authorizationScopes":
        scopes = [each for each in method.authorization_scopes or () if each != value]
        method.authorization_scopes = scopes if is_removed else [*scopes, value]
    elif name in ("requestParameters", "requestModels") and rest:
        attribute = "request_parameters" if name == "requestParameters" else "request_models"
        given = dict(getattr(method, attribute) or {})
        given.pop(rest[0], None)
        if not is_removed:
            given[rest[0]] = value == "true" if name == "requestParameters" else value
        setattr(method, attribute, given)
    else:
        attributes = {
            "authorizationType": "authorization_type",
            "authorizerId": "authorizer_id",
            "apiKeyRequired": "api_key_required",
            "operationName": "operation_name",
            "requestValidatorId": "request_validator_id",
        }
        if name not in attributes:
            raise BadRequestException(f"Invalid patch path {operation['path']}")
        if name == "apiKeyRequired":
            value = str(value).lower() == "true"
        setattr(method, attributes[name], None if is_removed else value)


def unescape(part: str) -> str:
    """A part of a JSON Pointer as it is meant."""
    return part.replace("~1", "/").replace("~0", "~")


def _complete_authorizers() -> None:
    """moto loses the validation expression, knows no JWT and takes no changes of user pools."""
    responses.AUTHORIZER_TYPES.append("JWT")
    Authorizer.jwt_configuration = None
    moto_json, moto_patch = Authorizer.to_json, Authorizer.apply_operations
    moto_make, moto_create = RestAPI.create_authorizer, APIGatewayResponse.create_authorizer

    @functools.wraps(moto_json)
    def to_json(self):
        found = moto_json(self)
        if self.type == "JWT":
            del found["authorizerResultTtlInSeconds"]
            found["jwtConfiguration"] = self.jwt_configuration
        return found

    @functools.wraps(moto_patch)
    def apply_operations(self, patch_operations):
        changed = Authorizer(self.id, self.name, self.type)
        vars(changed).update(vars(self))
        others = []
        for each in patch_operations:
            if not each["path"].startswith("/providerARNs"):
                others.append(each)
                continue
            if each["op"] not in ("add", "remove"):
                raise BadRequestException("/providerARNs can be added and removed, not replaced")
            kept = [arn for arn in changed.provider_arns or () if arn != each["value"]]
            changed.provider_arns = kept if each["op"] == "remove" else [*kept, each["value"]]
        moto_patch(changed, others)
        rest_access_checks.check_authorizer(changed)
        vars(self).update(vars(changed))
        return self

    @functools.wraps(moto_make)
    def make_authorizer(self, *args, **given):
        made = moto_make(self, *args, **given)
        made.identity_validation_expression = given["identiy_validation_expression"]
        return made

    @functools.wraps(moto_create)
    def create_authorizer(self):
        answer = moto_create(self)
        if answer[0] != 201:
            return answer
        api = self.backend.get_rest_api(self.path.split("/")[2])
        made = api.authorizers[json.loads(answer[2])["id"]]
        made.jwt_configuration = self._get_param("jwtConfiguration")
        try:
            rest_access_checks.check_authorizer(made)
        except Exception:
            del api.authorizers[made.id]
            raise
        return answer[0], answer[1], json.dumps(made.to_json())

    Authorizer.to_json = to_json
    Authorizer.apply_operations = apply_operations
    RestAPI.create_authorizer = make_authorizer
    APIGatewayResponse.create_authorizer = create_authorizer
