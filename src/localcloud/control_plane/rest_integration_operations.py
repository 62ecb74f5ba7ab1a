"""What moto leaves out of REST APIs' integrations: UpdateIntegration, UpdateIntegrationResponse, of
PutIntegration the cache keys and the limits of the timeout, and that PutIntegrationResponse maps to
declared headers alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import Integration, IntegrationResponse
from moto.apigateway.responses import APIGatewayResponse

_SHORTEST_MS, _LONGEST_MS = 50, 29_000  # facts G2
_UNDECLARED = (
    "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping "
    "expression parameter specified: {}]"
)
# "Patch operations" in the API reference: what may be changed, and moto's attribute.
_INTEGRATION = {
    "cacheKeyParameters": "cache_key_parameters",
    "cacheNamespace": "cache_namespace",
    "connectionType": "connection_type",
    "contentHandling": "content_handling",
    "credentials": "credentials",
    "httpMethod": "http_method",
    "passthroughBehavior": "passthrough_behaviour",
    "requestParameters": "request_parameters",
    "requestTemplates": "request_templates",
    "timeoutInMillis": "timeout_in_millis",
    "uri": "uri",
}
_RESPONSE = {
    "contentHandling": "content_handling",
    "responseParameters": "response_parameters",
    "responseTemplates": "response_templates",
    "selectionPattern": "selection_pattern",
}


def install() -> None:
    """Put all of this into moto's response class. Called once, by what installs REST APIs."""
    moto_put = APIGatewayResponse.put_integration

    @functools.wraps(moto_put)
    def put_integration(self):
        _check_timeout(self._get_param("timeoutInMillis"))
        answer = moto_put(self)
        keys = self._get_param("cacheKeyParameters")
        if not keys or answer[0] != HTTPStatus.CREATED:
            return answer
        made = _integration(self)
        made.cache_key_parameters = list(keys)
        return answer[0], answer[1], json.dumps(made.to_json())

    moto_put_response = APIGatewayResponse.put_integration_response

    @functools.wraps(moto_put_response)
    def put_integration_response(self):
        _, _, api_id, _, resource_id, _, method, *_, status = self.path.rstrip("/").split("/")
        response = self.backend.get_method(api_id, resource_id, method).get_response(status)
        declared = (response.response_parameters or {}) if response else {}
        for target in self._get_param("responseParameters") or {}:
            if target not in declared:
                raise BadRequestException(_UNDECLARED.format(target))
        return moto_put_response(self)

    APIGatewayResponse.put_integration = put_integration
    APIGatewayResponse.put_integration_response = put_integration_response
    APIGatewayResponse.update_integration = _update_integration
    APIGatewayResponse.update_integration_response = _update_integration_response


def _update_integration(self) -> str:
    found = _integration(self)
    _patch(found, _INTEGRATION, self._get_param("patchOperations") or ())
    return json.dumps(found.to_json())


def _update_integration_response(self) -> str:
    status = self.path.split("/")[9]
    found = _integration(self).get_integration_response(status)
    _patch(found, _RESPONSE, self._get_param("patchOperations") or ())
    return json.dumps(found.to_json())


def _integration(self) -> Integration:
    _, _, api_id, _, resource_id, _, method, *_ = self.path.split("/")
    return self.backend.get_integration(api_id, resource_id, method)


def _patch(
    changed: Integration | IntegrationResponse,
    members: Mapping[str, str],
    operations: Iterable[Mapping[str, Any]],
) -> None:
    for operation in operations:
        _, member, *names = operation["path"].split("/")
        if member not in members:
            raise BadRequestException(f"Invalid patch path {operation['path']}")
        attribute = members[member]
        is_removed = operation["op"] == "remove"
        value = None if is_removed else operation.get("value")
        if member == "timeoutInMillis":
            _check_timeout(value)
        if not names:
            setattr(changed, attribute, value)
            continue
        name = names[0].replace("~1", "/").replace("~0", "~")  # a JSON Pointer
        known = getattr(changed, attribute)
        if member == "cacheKeyParameters":
            kept = [key for key in known if key != name]
            setattr(changed, attribute, kept if is_removed else [*kept, name])
        else:
            kept = {key: text for key, text in (known or {}).items() if key != name}
            setattr(changed, attribute, kept if is_removed else {**kept, name: value})


def _check_timeout(value: Any) -> None:
    if value is not None and not _SHORTEST_MS <= int(value) <= _LONGEST_MS:
        raise BadRequestException("Timeout should be between 50 ms and 29000 ms")
