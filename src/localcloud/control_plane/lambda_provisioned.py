"""Provisioned concurrency as a resource: what was asked for, and how far the data plane is with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import LambdaAlias, lambda_backends

from . import lambda_concurrency
from .backends import regions_in_use
from .lambda_errors import LambdaError, conflict, function_not_found, invalid_parameter, not_found
from .lambda_lookup import LATEST, Call, Resource, page
from .lambda_times import timestamp

# changed(ARN with its qualifier, environments wanted): 0 where there are to be none any more.
Changed = Callable[[str, int], None]


@dataclass
class ProvisionedConcurrency:
    """The configuration of one version or alias."""

    requested: int
    last_modified: str
    allocated: int = 0
    available: int = 0
    status: str = "IN_PROGRESS"
    reason: str | None = None

    def shown(self) -> dict[str, Any]:
        """As the operations answer it."""
        return {
            "RequestedProvisionedConcurrentExecutions": self.requested,
            "AvailableProvisionedConcurrentExecutions": self.available,
            "AllocatedProvisionedConcurrentExecutions": self.allocated,
            "Status": self.status,
            "StatusReason": self.reason,
            "LastModified": self.last_modified,
        }


_changed: Changed | None = None


def install(changed: Changed | None) -> None:
    """Take what provides environments. Without one a configuration is READY at once."""
    global _changed
    _changed = changed


def set_status(
    arn: str, allocated: int, available: int, status: str, reason: str | None = None
) -> None:
    """What the data plane has done for a version or alias: IN_PROGRESS, READY or FAILED.

    An ARN that has no provisioned concurrency any more is left alone.
    """
    config = _config_of(arn)
    if config:
        config.allocated, config.available = allocated, available
        config.status, config.reason = status, reason


def provide_all(account_id: str) -> None:
    """After a restart: have every configuration's environments made anew."""
    for region, backend in regions_in_use(lambda_backends, account_id):
        call = Call(account_id, region, {})
        for name in list(backend._lambdas._functions):
            for _, resource in call.resources(name):
                allocate_again(resource)


def allocate_again(resource: Resource) -> None:
    """The environments are provided anew, as where an alias leads to another version (facts C2)."""
    config = resource.provisioned
    if config:
        config.allocated = config.available = 0
        config.status, config.reason = "IN_PROGRESS", None
        _tell(resource.function_arn, config.requested)


def release(resource: Resource) -> None:
    """A version or alias has gone, or its configuration has."""
    if resource.provisioned:
        resource.provisioned = None
        if _changed:
            _changed(resource.function_arn, 0)


def _config_of(arn: str) -> ProvisionedConcurrency | None:
    _, _, _, region, account, _, name, qualifier = arn.split(":")
    found = Call(account, region, {}).find(name, qualifier)
    return found.provisioned if found else None


def _tell(arn: str, wanted: int) -> None:
    if _changed:
        _changed(arn, wanted)
    else:
        set_status(arn, wanted, wanted, "READY")


def put_provisioned_concurrency_config(call: Call) -> dict[str, Any]:
    """PutProvisionedConcurrencyConfig: answers IN_PROGRESS."""
    wanted = call.parameters["ProvisionedConcurrentExecutions"]
    name, qualifier, resource = _provisionable(
        call, "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )
    _check_free(call, name, qualifier, resource)
    others = lambda_concurrency.provisioned_total(call, name, without=qualifier)
    reserved = call.function(name).reserved_concurrency
    if reserved is not None:
        if others + wanted > reserved:
            raise invalid_parameter(
                "Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
    else:
        own = resource.provisioned.requested if resource.provisioned else 0
        left = lambda_concurrency.unreserved_concurrency(call) + own
        if wanted > lambda_concurrency.account_concurrency():
            raise invalid_parameter(
                "Specified ConcurrentExecutions for function is greater than account's unreserved "
                f"concurrency [{left}]."
            )
        minimum = lambda_concurrency.unreserved_minimum()
        if left - wanted < minimum:
            raise invalid_parameter(
                "Specified ConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{minimum}]."
            )
    config = ProvisionedConcurrency(wanted, timestamp())
    resource.provisioned = config
    answer = config.shown()
    _tell(resource.function_arn, wanted)
    return answer


def _provisionable(call: Call, refusal: str) -> tuple[str, str, Resource]:
    """The version or alias that is meant. Raises LambdaError for $LATEST, with the refusal."""
    name, qualifier = call.named()
    found = call.find(name, qualifier)
    if found is None and qualifier and not qualifier.isdigit() and qualifier != LATEST:
        raise not_found(f"Cannot find alias arn: {call.arn(name, qualifier)}")
    if found is None:
        raise function_not_found(call.arn(name, qualifier))
    leads_to = found.function_version if isinstance(found, LambdaAlias) else qualifier
    if leads_to in (None, LATEST):
        raise invalid_parameter(refusal)
    return name, qualifier, found


def _check_free(call: Call, name: str, qualifier: str, resource: Resource) -> None:
    """A version has provisioned concurrency of its own or by an alias, not both."""
    if isinstance(resource, LambdaAlias):
        if call.version(name, resource.function_version).provisioned:
            raise conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already "
                "Provisioned version"
            )
    elif any(
        alias.provisioned and alias.function_version == qualifier
        for alias in call.aliases(name).values()
    ):
        raise conflict("Version is pointed by a Provisioned Concurrency alias")


_UNPUBLISHED = "The function resource provided must be an alias or a published version."


def get_provisioned_concurrency_config(call: Call) -> dict[str, Any]:
    """GetProvisionedConcurrencyConfig."""
    _, _, resource = _provisionable(call, _UNPUBLISHED)
    if resource.provisioned is None:
        raise LambdaError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )
    return resource.provisioned.shown()


def list_provisioned_concurrency_configs(call: Call) -> dict[str, Any]:
    """ListProvisionedConcurrencyConfigs."""
    name, _ = call.named()
    call.function(name)
    found = [
        {"FunctionArn": resource.function_arn, **resource.provisioned.shown()}
        for _, resource in call.resources(name)
        if resource.provisioned
    ]
    return page(call, found, "ProvisionedConcurrencyConfigs")


def delete_provisioned_concurrency_config(call: Call) -> None:
    """DeleteProvisionedConcurrencyConfig; one that isn't there is deleted too."""
    _, _, resource = _provisionable(call, _UNPUBLISHED)
    release(resource)


OPERATIONS = {
    "DeleteProvisionedConcurrencyConfig": delete_provisioned_concurrency_config,
    "GetProvisionedConcurrencyConfig": get_provisioned_concurrency_config,
    "ListProvisionedConcurrencyConfigs": list_provisioned_concurrency_configs,
    "PutProvisionedConcurrencyConfig": put_provisioned_concurrency_config,
}
