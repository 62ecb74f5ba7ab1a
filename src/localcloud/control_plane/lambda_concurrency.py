"""Reserved concurrency, and what the account has left (facts C1 and C3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaFunction

from .lambda_checks import MAX_ZIPPED_BYTES
from .lambda_errors import function_not_found, invalid_parameter
from .lambda_lookup import LATEST, Call

_UNRESERVED_MINIMUM = 100
_TOTAL_CODE_BYTES = 300 * 1024**3  # facts B1, "Code storage"

account_concurrency: Callable[[], int]


def install(limit: Callable[[], int]) -> None:
    """Take what tells the account's concurrency limit."""
    global account_concurrency
    account_concurrency = limit


def unreserved_minimum() -> int:
    """What must stay unreserved: 100, or all that an account with a lower limit has (users' logs)."""
    return min(_UNRESERVED_MINIMUM, account_concurrency())


def provisioned_total(call: Call, name: str, without: str | None = None) -> int:
    """The provisioned concurrency of a function's versions and aliases, but for one qualifier's."""
    return sum(
        resource.provisioned.requested
        for qualifier, resource in call.resources(name)
        if resource.provisioned and qualifier != without
    )


def unreserved(account_id: str, region: str) -> int:
    """What of the account's limit all functions share that have nothing reserved."""
    return unreserved_concurrency(Call(account_id, region, {}))


def allocated(account_id: str, region: str) -> int:
    """What of the account's limit functions have for themselves, reserved or provisioned."""
    return account_concurrency() - unreserved(account_id, region)


def unreserved_concurrency(call: Call) -> int:
    """What of the account's limit no function has for itself.

    Provisioned concurrency counts within a function's reserved concurrency where it has that.
    """
    taken = 0
    for name, group in list(call.backend._lambdas._functions.items()):
        reserved = group["latest"].reserved_concurrency
        if reserved is not None:
            taken += reserved
        elif group["versions"]:  # nothing else is provisioned
            taken += provisioned_total(call, name)
    return account_concurrency() - taken


def put_function_concurrency(call: Call) -> dict[str, Any]:
    """PutFunctionConcurrency; 0 switches the function off."""
    function = _unqualified(call)
    name = function.function_name
    wanted = call.parameters["ReservedConcurrentExecutions"]
    provisioned = provisioned_total(call, name)
    current = function.reserved_concurrency
    own = provisioned if current is None else current
    if unreserved_concurrency(call) + own - wanted < unreserved_minimum():
        raise invalid_parameter(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{unreserved_minimum()}]."
        )
    if provisioned > wanted:
        raise invalid_parameter(
            f" ReservedConcurrentExecutions  {wanted} should not be lower than function's total "
            f"provisioned concurrency [{provisioned}]."
        )
    function.reserved_concurrency = wanted
    return {"ReservedConcurrentExecutions": wanted}


def get_function_concurrency(call: Call) -> dict[str, Any]:
    """GetFunctionConcurrency: empty for a function without one."""
    name, _ = call.named()
    return {"ReservedConcurrentExecutions": call.function(name).reserved_concurrency}


def delete_function_concurrency(call: Call) -> None:
    """DeleteFunctionConcurrency."""
    _unqualified(call).reserved_concurrency = None


def _unqualified(call: Call) -> LambdaFunction:
    name, qualifier = call.named()
    if qualifier:
        raise invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support "
            "this operation. Please specify either a function name or an unqualified function ARN."
        )
    function = call.find_function(name)
    if function is None:
        raise function_not_found(call.arn(name, LATEST))
    return function


def get_account_settings(call: Call) -> dict[str, Any]:
    """GetAccountSettings: limits and usage of one region."""
    functions = [
        version
        for group in call.backend._lambdas._functions.values()
        for version in (group["latest"], *group["versions"])
    ]
    layers = [
        version
        for layer in call.backend._layers._layers.values()
        for version in layer.layer_versions.values()
    ]
    return {
        "AccountLimit": {
            "TotalCodeSize": _TOTAL_CODE_BYTES,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": MAX_ZIPPED_BYTES,
            "ConcurrentExecutions": account_concurrency(),
            "UnreservedConcurrentExecutions": unreserved_concurrency(call),
        },
        "AccountUsage": {
            "TotalCodeSize": sum(each.code_size for each in (*functions, *layers)),
            "FunctionCount": len(call.backend._lambdas._functions),
        },
    }


OPERATIONS = {
    "DeleteFunctionConcurrency": delete_function_concurrency,
    "GetAccountSettings": get_account_settings,
    "GetFunctionConcurrency": get_function_concurrency,
    "PutFunctionConcurrency": put_function_concurrency,
}
