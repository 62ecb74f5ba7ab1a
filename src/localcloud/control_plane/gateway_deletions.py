"""What has gone can't be deleted, in both of API Gateway's APIs; moto says that it was, or fails.

That operations answer NotFoundException is in botocore's models. The words for a missing API, with the
account, are those that AWS was seen to say (issue 2458 of aws-sdk-js, 362 of cloud-nuke); the others are
UNCONFIRMED. DeleteGatewayResponse is left alone: it puts back the default, which is always there.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.apigateway.exceptions import (
    NoIntegrationResponseDefined,
    NotFoundException,
    RestAPINotFound,
)
from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.apigateway.models import Integration as RestIntegration
from moto.apigatewayv2.exceptions import ApiNotFound
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, Integration, Route

# moto's class, and what it can get and delete under the same parameters.
_DELETES = {
    APIGatewayBackend: (
        "integration", "integration_response", "method", "method_response", "resource", "rest_api",
        "usage_plan_key",
    ),
    RestAPI: ("request_validator",),
    ApiGatewayV2Backend: ("api",),
    Api: ("authorizer", "integration", "model", "route", "stage"),
    Integration: ("response",),
    Route: ("route_response",),
}  # fmt: skip


class _RestApiNotFound(RestAPINotFound):
    def __init__(self, words: str):
        NotFoundException.__init__(self, words)


def install() -> None:
    """Put this into moto's classes. Called once."""
    NotFoundException.code = 404
    APIGatewayBackend.get_rest_api = _get_rest_api
    APIGatewayBackend.get_integration = _get_integration
    ApiGatewayV2Backend.get_api = _get_api
    RestAPI.get_request_validator = _get_request_validator
    for owner, kinds in _DELETES.items():
        for kind in kinds:
            _look_first(owner, kind)


def _look_first(owner: type, kind: str) -> None:
    delete = getattr(owner, f"delete_{kind}")

    @functools.wraps(delete)
    def checked(self, *args: Any, **kwargs: Any) -> Any:
        found = getattr(self, f"get_{kind}")(*args, **kwargs)
        if found is None:  # a method's response
            raise NoIntegrationResponseDefined
        return delete(self, *args, **kwargs)

    setattr(owner, f"delete_{kind}", checked)


def _get_rest_api(self: APIGatewayBackend, function_id: str) -> RestAPI:
    found = self.apis.get(function_id)
    if found is None:
        words = f"Invalid API identifier specified {self.account_id}:{function_id}"
        raise _RestApiNotFound(words)
    return found


def _get_integration(
    self: APIGatewayBackend, function_id: str, resource_id: str, method_type: str
) -> RestIntegration:
    found = self.get_method(function_id, resource_id, method_type).method_integration
    if found is None:
        raise NotFoundException("Invalid Integration identifier specified")
    return found


def _get_api(self: ApiGatewayV2Backend, api_id: str) -> Api:
    found = self.apis.get(api_id)
    if found is None:
        raise ApiNotFound(f"{self.account_id}:{api_id}")
    return found


def _get_request_validator(self: RestAPI, validator_id: str) -> Any:
    found = self.request_validators.get(validator_id)
    if found is None:
        raise NotFoundException("Invalid Request Validator identifier specified")
    return found
