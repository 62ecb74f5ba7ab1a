"""Settings of asynchronous invocation, of functions, versions and aliases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import EventInvokeConfig, LambdaAlias

from ..functions.configuration import EventInvokeSettings
from .lambda_errors import invalid_parameter, not_found
from .lambda_lookup import LATEST, Call, Resource, page

_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


def event_invoke_settings(function_arn: str) -> EventInvokeSettings:
    """The settings for invocations by this ARN, of a function, version or alias.

    The dead-letter queue is the version's own: it is locked when a version is published.
    """
    parts = function_arn.split(":")
    region, account, name = parts[3], parts[4], parts[6]
    call = Call(account, region, {})
    found = call.find(name, parts[7] if len(parts) > 7 else None)
    if found is None:
        return EventInvokeSettings()
    version = call.version(name, found.function_version) if _is_alias(found) else found
    config = found.event_invoke_config[0].config if found.event_invoke_config else {}
    destinations = config.get("DestinationConfig") or {}
    return EventInvokeSettings(
        config.get("MaximumRetryAttempts", 2),
        config.get("MaximumEventAgeInSeconds", 21_600),
        destinations.get("OnSuccess", {}).get("Destination") or None,
        destinations.get("OnFailure", {}).get("Destination") or None,
        version.dead_letter_arn,
    )


def _is_alias(resource: Resource) -> bool:
    return isinstance(resource, LambdaAlias)


def put_function_event_invoke_config(call: Call) -> dict[str, Any]:
    """PutFunctionEventInvokeConfig: what isn't given is at its default again."""
    resource = _to_configure(call)
    return _set(call, resource, {})


def update_function_event_invoke_config(call: Call) -> dict[str, Any]:
    """UpdateFunctionEventInvokeConfig: what isn't given stays."""
    resource = _to_configure(call)
    return _set(call, resource, _config(call, resource).config)


def _to_configure(call: Call) -> Resource:
    if not any(name in call.parameters for name in _SETTINGS):
        raise invalid_parameter(
            "You must specify at least one of error handling or destination setting."
        )
    name, qualifier = call.named()
    resource = call.find(name, qualifier)
    if resource is None:
        raise not_found("The function doesn't exist.")
    return resource


def _set(call: Call, resource: Resource, current: dict[str, Any]) -> dict[str, Any]:
    name, _ = call.named()
    _check_destinations(call, name, call.get("DestinationConfig") or {})
    given = {key: call.parameters[key] for key in _SETTINGS if key in call.parameters}
    made = EventInvokeConfig(
        resource.function_arn, datetime.now(UTC).timestamp(), {**current, **given}
    )
    resource.event_invoke_config = [made]
    return _shown(made)


def _check_destinations(call: Call, name: str, config: dict[str, Any]) -> None:
    given = {key: (config.get(key) or {}).get("Destination") for key in ("OnSuccess", "OnFailure")}
    for key, arn in given.items():
        if not arn:
            continue
        _, _, service, region, account, rest = arn.split(":", 5)
        if service == "lambda":
            target = rest.split(":")[1] if rest.startswith("function:") else ""
            if target == name:
                raise invalid_parameter(
                    "You can't specify the function as a destination for itself."
                )
            if Call(account, region, {}).find_function(target) is None:
                raise invalid_parameter(f"The destination ARN {arn} is invalid.")
        # S3 is for failures alone (facts A13).
        elif service not in ("sqs", "sns", "events") and (service, key) != ("s3", "OnFailure"):
            parts = [
                f"on{key[2:]}={key}(destination={given[key]})"
                if given[key]
                else f"on{key[2:]}=null"
                for key in given
            ]
            raise invalid_parameter(
                f"The provided destination config DestinationConfig({', '.join(parts)}) is invalid."
            )


def get_function_event_invoke_config(call: Call) -> dict[str, Any]:
    """GetFunctionEventInvokeConfig."""
    name, qualifier = call.named()
    return _shown(_config(call, call.find(name, qualifier)))


def list_function_event_invoke_configs(call: Call) -> dict[str, Any]:
    """ListFunctionEventInvokeConfigs."""
    name, _ = call.named()
    if call.find_function(name) is None:
        raise not_found("The function doesn't exist.")
    found = [
        _shown(resource.event_invoke_config[0])
        for _, resource in call.resources(name)
        if resource.event_invoke_config
    ]
    return page(call, found, "FunctionEventInvokeConfigs")


def delete_function_event_invoke_config(call: Call) -> None:
    """DeleteFunctionEventInvokeConfig."""
    name, qualifier = call.named()
    resource = call.find(name, qualifier)
    _config(call, resource)
    resource.event_invoke_config = []


def _config(call: Call, resource: Resource | None) -> EventInvokeConfig:
    if resource is None or not resource.event_invoke_config:
        name, qualifier = call.named()
        arn = call.arn(name, qualifier or LATEST)
        raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
    return resource.event_invoke_config[0]


def _shown(config: EventInvokeConfig) -> dict[str, Any]:
    is_unqualified = config.arn.count(":") == 6
    destinations = config.config.get("DestinationConfig") or {}
    return {
        "LastModified": config.last_modified,
        "FunctionArn": f"{config.arn}:{LATEST}" if is_unqualified else config.arn,
        **config.config,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}, **destinations},
    }


OPERATIONS = {
    "DeleteFunctionEventInvokeConfig": delete_function_event_invoke_config,
    "GetFunctionEventInvokeConfig": get_function_event_invoke_config,
    "ListFunctionEventInvokeConfigs": list_function_event_invoke_configs,
    "PutFunctionEventInvokeConfig": put_function_event_invoke_config,
    "UpdateFunctionEventInvokeConfig": update_function_event_invoke_config,
}
