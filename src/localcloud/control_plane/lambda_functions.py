"""Operations on functions: create, update, delete, get and list."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaFunction

from . import lambda_states, lambda_versions
from .lambda_checks import check_zip_file
from .lambda_errors import conflict, invalid_parameter, stale_revision, validation
from .lambda_lookup import LATEST, Call, page
from .lambda_resources import with_code
from .lambda_versions import begun, configuration, settings_only

_MAX_NAME = 64


def create_function(call: Call) -> dict[str, Any]:
    """CreateFunction: answers Pending; the function is Active when its package is unpacked."""
    name, qualifier = call.named()
    if qualifier:
        raise invalid_parameter(
            "The derived qualifier from the function name is not allowed for CreateFunction."
        )  # text UNCONFIRMED
    if len(name) > _MAX_NAME:
        problem = (
            f"Value '{name}' at 'functionName' failed to satisfy constraint: Member must have length "
            f"less than or equal to {_MAX_NAME}"
        )
        raise invalid_parameter(validation(problem).message)
    code = call.parameters["Code"]
    check_zip_file(code.get("ZipFile"))
    if call.get("PackageType", "Zip") == "Zip" and not {"ZipFile", "S3Key"} & code.keys():
        # Text UNCONFIRMED.
        raise invalid_parameter("Please provide a source for function code.")
    spec = {**call.parameters, "FunctionName": name, "Publish": False}
    call.backend.create_function(spec)
    function = call.function(name)
    if not call.get("Publish"):
        return begun(function)
    version = lambda_versions.publish(call.backend, function, None)
    return {**begun(version), "FunctionArn": function.function_arn}  # as recorded


def get_function(call: Call) -> dict[str, Any]:
    """GetFunction: configuration, where the code is, tags and reserved concurrency."""
    function, shown = _qualified(call)
    answer = function.get_code()
    answer["Configuration"] = shown
    # moto shows them for published versions as they were; AWS has them for the function alone.
    name, _ = call.named()
    latest = call.function(name)
    answer.pop("Concurrency", None)
    if latest.reserved_concurrency is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": latest.reserved_concurrency}
    answer["Tags"] = dict(latest.tags) or None
    return answer


def get_function_configuration(call: Call) -> dict[str, Any]:
    """GetFunctionConfiguration."""
    return _qualified(call)[1]


def _qualified(call: Call) -> tuple[LambdaFunction, dict[str, Any]]:
    """The version that is meant, and its configuration with the ARN as it was asked for."""
    name, qualifier = call.named()
    found = call.resource()
    function = (
        call.version(name, found.function_version) if isinstance(found, LambdaAlias) else found
    )
    return function, {**configuration(function), "FunctionArn": call.arn(name, qualifier)}


def list_functions(call: Call) -> dict[str, Any]:
    """ListFunctions, without the states; with FunctionVersion=ALL every version, qualified."""
    found = []
    for name in sorted(call.backend._lambdas._functions):
        latest = call.function(name)
        if call.get("FunctionVersion") == "ALL":
            found.append(settings_only(latest, call.arn(name, LATEST)))
            found += [settings_only(version) for version in call.versions(name)]
        else:
            found.append(settings_only(latest))
    return page(call, found, "Functions")


def update_function_configuration(call: Call) -> dict[str, Any]:
    """UpdateFunctionConfiguration."""
    function = _to_update(call)
    function.update_configuration(call.parameters)
    return begun(function)


def update_function_code(call: Call) -> dict[str, Any]:
    """UpdateFunctionCode; DryRun checks and changes nothing, Publish makes a version of it."""
    function = _to_update(call)
    parameters = call.parameters
    is_image = function.package_type == "Image"
    if is_image and "ImageUri" not in parameters:
        raise invalid_parameter(
            "Please provide ImageUri when updating a function with packageType Image."
        )
    if not is_image and "ImageUri" in parameters:
        raise invalid_parameter(
            "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    if not is_image and not {"ZipFile", "S3Key"} & parameters.keys():
        raise invalid_parameter("Please provide a source for function code.")  # UNCONFIRMED
    check_zip_file(parameters.get("ZipFile"))
    if call.get("DryRun"):
        return configuration(with_code(function, parameters))
    function.update_function_code(parameters)
    if call.get("Publish"):
        return begun(lambda_versions.publish(call.backend, function, None))
    return begun(function)


def _to_update(call: Call) -> LambdaFunction:
    name, qualifier = call.named()
    function = call.function(name)
    if qualifier not in (None, LATEST):
        # As PutFunctionConcurrency says it; UNCONFIRMED for updates.
        raise invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support "
            "this operation. Please specify either a function name or an unqualified function ARN."
        )
    revision = call.get("RevisionId")
    if revision and revision != function.revision_id:
        raise stale_revision()
    lambda_states.require_settled(function)
    return function


def delete_function(call: Call) -> None:
    """DeleteFunction: the function with all that it has, or one version."""
    name, qualifier = call.named()
    if qualifier == LATEST:
        raise invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
    if qualifier and not qualifier.isdigit():
        raise invalid_parameter("Deletion of aliases is not currently supported.")
    call.function(name)
    if qualifier:
        using = [
            alias.name
            for alias in call.aliases(name).values()
            if qualifier in lambda_versions.versions_of(alias)
        ]
        if using:
            raise conflict(
                "Unable to delete version because the following aliases reference it: "
                f"[{', '.join(sorted(using))}]"
            )
        if call.version(name, qualifier) is None:
            return  # deleting what isn't there succeeds, as for layers
    call.backend.delete_function(name, qualifier)


OPERATIONS = {
    "CreateFunction": create_function,
    "DeleteFunction": delete_function,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_function_configuration,
    "ListFunctions": list_functions,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
}
