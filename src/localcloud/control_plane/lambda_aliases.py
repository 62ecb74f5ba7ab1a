"""Aliases, and the choice of a version by an alias's weights."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaStorage
from moto.awslambda.policy import Policy

from . import lambda_provisioned, lambda_states
from .lambda_errors import (
    conflict,
    function_not_found,
    invalid_parameter,
    not_found,
    stale_revision,
)
from .lambda_lookup import LATEST, Call, page


def choose_version(alias: LambdaAlias) -> str:
    """The version that takes an invocation, at random by the alias's weights."""
    for version, weight in _weights(alias.routing_config).items():
        if random.random() < weight:
            return version
    return alias.function_version


def _weights(routing: Mapping[str, Any] | None) -> dict[str, float]:
    return (routing or {}).get("AdditionalVersionWeights") or {}


def create_alias(call: Call) -> dict[str, Any]:
    """CreateAlias."""
    function_name, _ = call.named()
    function = call.function(function_name)
    name, version = call.parameters["Name"], call.parameters["FunctionVersion"]
    if call.version(function_name, version) is None:
        raise function_not_found(call.arn(function_name, version))
    arn = call.arn(function_name, name)
    if name in call.aliases(function_name):
        raise conflict(f"Alias already exists: {arn}")
    routing = call.get("RoutingConfig")
    _check_routing(call, function_name, version, routing)
    alias = LambdaAlias(
        call.account_id, call.region, name, function.function_name, version,
        call.get("Description", ""), _routing(routing),
    )  # fmt: skip
    alias.function_arn = arn
    alias.region = call.region
    alias.policy = Policy(alias)
    alias.event_invoke_config = []
    alias.url_config = None
    alias.provisioned = None
    call.aliases(function_name)[name] = alias
    return alias.to_json()


def update_alias(call: Call) -> dict[str, Any]:
    """UpdateAlias: what isn't given stays."""
    function_name, alias = _alias(call)
    revision = call.get("RevisionId")
    if revision and revision != alias.revision_id:
        raise stale_revision()
    version = call.get("FunctionVersion", alias.function_version)
    if call.version(function_name, version) is None:
        raise function_not_found(call.arn(function_name, version))
    routing = call.get("RoutingConfig", alias.routing_config)
    _check_routing(call, function_name, version, routing)
    is_moved = version != alias.function_version
    alias.update(call.get("Description"), version, None)
    alias.routing_config = _routing(routing)
    lambda_states.new_revision(alias)
    if is_moved:
        lambda_provisioned.allocate_again(alias)
    return alias.to_json()


def get_alias(call: Call) -> dict[str, Any]:
    """GetAlias."""
    return _alias(call)[1].to_json()


def list_aliases(call: Call) -> dict[str, Any]:
    """ListAliases, by name; of one version where FunctionVersion is given."""
    function_name, _ = call.named()
    call.function(function_name)
    version = call.get("FunctionVersion")
    found = [
        alias.to_json()
        for _, alias in sorted(call.aliases(function_name).items())
        if version in (None, alias.function_version)
    ]
    return page(call, found, "Aliases")


def delete_alias(call: Call) -> None:
    """DeleteAlias; one that isn't there is deleted too (recorded for other resources)."""
    function_name, _ = call.named()
    call.function(function_name)
    alias = call.aliases(function_name).pop(call.parameters["Name"], None)
    if alias:
        lambda_provisioned.release(alias)


def _alias(call: Call) -> tuple[str, LambdaAlias]:
    function_name, _ = call.named()
    call.function(function_name)
    name = call.parameters["Name"]
    alias = call.aliases(function_name).get(name)
    if alias is None:
        raise not_found(f"Cannot find alias arn: {call.arn(function_name, name)}")
    return function_name, alias


def _routing(routing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A RoutingConfig without weights is none."""
    weights = _weights(routing)
    return {"AdditionalVersionWeights": weights} if weights else None


def _check_routing(
    call: Call, function_name: str, version: str, routing: Mapping[str, Any] | None
) -> None:
    weights = _weights(routing)
    if len(weights) > 1:
        raise invalid_parameter(
            "Number of items in AdditionalVersionWeights cannot be greater than 1"
        )
    for other in weights:
        if other == version:
            raise invalid_parameter(
                f"Invalid function version {version}. Function version {version} is already included "
                "in routing configuration."
            )
        if version == LATEST:
            raise invalid_parameter(
                "$LATEST is not supported for an alias pointing to more than 1 version"
            )
        if call.version(function_name, other) is None:
            raise function_not_found(call.arn(function_name, other))


_moto_find = LambdaStorage.get_function_by_name_with_qualifier


def install() -> None:
    """Let moto's services see an alias as a function with the alias's ARN and policy.

    moto itself hands out the version behind it: permissions of the alias would count for nothing, and
    what a topic or a log group invokes would pass its weights by. May be called more than once.
    """

    @functools.wraps(_moto_find)
    def get_function_by_name_with_qualifier(self, name, qualifier=None):
        function = _moto_find(self, name, qualifier)
        name, _, named = name.partition(":")
        arn = function.function_arn.split(":")
        alias = self._aliases[":".join(arn[:7])].get(named or qualifier)
        if alias is None:
            return function
        seen = copy.copy(function)
        seen.function_arn, seen.policy = alias.function_arn, alias.policy
        return seen

    LambdaStorage.get_function_by_name_with_qualifier = get_function_by_name_with_qualifier


OPERATIONS = {
    "CreateAlias": create_alias,
    "DeleteAlias": delete_alias,
    "GetAlias": get_alias,
    "ListAliases": list_aliases,
    "UpdateAlias": update_alias,
}
