"""What happens to functions found in a loop, and when their runtime is updated."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaFunction

from .lambda_errors import invalid_parameter
from .lambda_lookup import LATEST, Call
from .lambda_versions import is_published, runtime_version_arn


def recursive_loop(function_arn: str) -> str:
    """Allow or Terminate: what happens to a function, given by any ARN, that is found in a loop."""
    _, _, _, region, account, _, name = function_arn.split(":")[:7]
    function = Call(account, region, {}).find_function(name)
    return function.recursive_loop if function else "Terminate"


def put_function_recursion_config(call: Call) -> dict[str, Any]:
    """PutFunctionRecursionConfig: Allow or Terminate (facts E3)."""
    name, _ = call.named()
    function = call.function(name)
    function.recursive_loop = call.parameters["RecursiveLoop"]
    return {"RecursiveLoop": function.recursive_loop}


def get_function_recursion_config(call: Call) -> dict[str, Any]:
    """GetFunctionRecursionConfig."""
    name, _ = call.named()
    return {"RecursiveLoop": call.function(name).recursive_loop}


def put_runtime_management_config(call: Call) -> dict[str, Any]:
    """PutRuntimeManagementConfig. It is kept and shown; the runtime here is the installed one."""
    function = _version(call)
    mode, arn = call.parameters["UpdateRuntimeOn"], call.get("RuntimeVersionArn")
    if (mode == "Manual") != bool(arn):
        raise invalid_parameter(
            "RuntimeVersionArn is required for Manual and not allowed for Auto and FunctionUpdate."
        )  # text UNCONFIRMED
    function.runtime_updates = {"UpdateRuntimeOn": mode, "RuntimeVersionArn": arn}
    function.runtime_version = arn or runtime_version_arn(call.region)
    return get_runtime_management_config(call)


def get_runtime_management_config(call: Call) -> dict[str, Any]:
    """GetRuntimeManagementConfig."""
    function = _version(call)
    arn = function.function_arn
    return {
        **function.runtime_updates,
        "FunctionArn": arn if is_published(function) else f"{arn}:{LATEST}",
    }


def _version(call: Call) -> LambdaFunction:
    found = call.resource()
    name, _ = call.named()
    return call.version(name, found.function_version) if isinstance(found, LambdaAlias) else found


OPERATIONS = {
    "GetFunctionRecursionConfig": get_function_recursion_config,
    "GetRuntimeManagementConfig": get_runtime_management_config,
    "PutFunctionRecursionConfig": put_function_recursion_config,
    "PutRuntimeManagementConfig": put_runtime_management_config,
}
