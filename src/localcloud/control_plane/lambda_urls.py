"""Function URL configurations, of functions and aliases."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import FunctionUrlConfig

from .lambda_errors import conflict, not_found
from .lambda_lookup import Call, Resource, page
from .lambda_times import timestamp

_LETTERS = string.ascii_lowercase + string.digits

# address(id, region): the address at which a function URL is answered.
_address: Callable[[str, str], str]


def install(address: Callable[[str, str], str]) -> None:
    """Take what makes the addresses of new function URLs."""
    global _address
    _address = address


def create_function_url_config(call: Call) -> dict[str, Any]:
    """CreateFunctionUrlConfig."""
    resource = _resource(call, "Function does not exist")
    if resource.url_config:
        raise conflict(
            f"Failed to create function url config for [functionArn = {resource.function_arn}]. "
            "Error message:  FunctionUrlConfig exists for this Lambda function"
        )
    given = {key: call.parameters[key] for key in ("AuthType", "Cors") if key in call.parameters}
    made = FunctionUrlConfig(resource, {**given, "InvokeMode": call.get("InvokeMode", "BUFFERED")})
    made.url = _address("".join(secrets.choice(_LETTERS) for _ in range(32)), call.region)
    made.created = made.last_modified = timestamp()
    resource.url_config = made
    answer = made.to_dict()
    del answer["LastModifiedTime"]
    return answer


def get_function_url_config(call: Call) -> dict[str, Any]:
    """GetFunctionUrlConfig."""
    return _config(call).to_dict()


def update_function_url_config(call: Call) -> dict[str, Any]:
    """UpdateFunctionUrlConfig: what isn't given stays."""
    _resource(call, "Function does not exist")
    config = _config(call)
    names = ("AuthType", "Cors", "InvokeMode")
    config.config.update({key: call.parameters[key] for key in names if key in call.parameters})
    config.last_modified = timestamp()
    return config.to_dict()


def list_function_url_configs(call: Call) -> dict[str, Any]:
    """ListFunctionUrlConfigs."""
    name, _ = call.named()
    if call.find_function(name) is None:
        raise not_found("Function does not exist")
    found = [
        resource.url_config.to_dict() for _, resource in call.resources(name) if resource.url_config
    ]
    return page(call, found, "FunctionUrlConfigs")


def delete_function_url_config(call: Call) -> None:
    """DeleteFunctionUrlConfig."""
    _config(call)
    _resource(call).url_config = None


def _resource(call: Call, missing: str | None = None) -> Resource:
    name, qualifier = call.named()
    found = call.find(name, qualifier)
    if found is None:
        raise not_found(missing) if missing else not_found()
    return found


def _config(call: Call) -> FunctionUrlConfig:
    config = _resource(call).url_config
    if config is None:
        raise not_found()
    return config


OPERATIONS = {
    "CreateFunctionUrlConfig": create_function_url_config,
    "DeleteFunctionUrlConfig": delete_function_url_config,
    "GetFunctionUrlConfig": get_function_url_config,
    "ListFunctionUrlConfigs": list_function_url_configs,
    "UpdateFunctionUrlConfig": update_function_url_config,
}
