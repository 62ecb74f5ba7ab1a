"""What Lambda checks of a function's settings beyond the constraints of its API's model.

CreateFunction, UpdateFunctionConfiguration and CloudFormation all come by here.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction, LayerVersion, lambda_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from ..functions.package import MAX_UNZIPPED_BYTES
from .lambda_errors import LambdaError, invalid_parameter
from .lambda_runtimes import runtime_problem, snap_start_problem

# Facts B1, "Error texts".
MAX_ZIPPED_BYTES = 52_428_800
MAX_REQUEST_BYTES = 70_167_211
_MAX_VARIABLES_BYTES = 4096
_MAX_LAYERS = 5
_MAX_MEMORY_MB = 10_240
_MAX_TAGS = 50
_DEAD_LETTER_CALLS = {"sqs": "SendMessage", "sns": "Publish"}
# Lambda developer guide, "Defined runtime environment variables": the reserved ones.
_RESERVED = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip


# may_role(role ARN, session name, action, resource): whether the role's policies allow it.
MayRole = Callable[[str, str, str, str], bool]
_may_role: MayRole


def install(may_role: MayRole) -> None:
    """Take what tells what an execution role may do."""
    global _may_role
    _may_role = may_role


def check_request_size(operation: str, body: bytes) -> None:
    """Raise LambdaError where a request is larger than the service takes."""
    if len(body) > MAX_REQUEST_BYTES:
        raise LambdaError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the {operation} operation",
        )


def check_settings(
    settings: Mapping[str, Any], backend: LambdaBackend, current: LambdaFunction | None = None
) -> None:
    """Check the settings that are given, for a new function or over those of a `current` one.

    Raises LambdaError with the text of the first that the service refuses.
    """
    is_zip = (current.package_type if current else settings.get("PackageType", "Zip")) == "Zip"
    check_variables((settings.get("Environment") or {}).get("Variables") or {})
    if settings.get("Layers"):
        check_layers(settings["Layers"], backend)
    if int(settings.get("MemorySize") or 0) > _MAX_MEMORY_MB:
        raise invalid_parameter(
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or "
            f"equal to {_MAX_MEMORY_MB}"
        )
    if "Role" in settings:
        check_role(settings["Role"], backend)
    runtime = settings.get("Runtime", current.run_time if current else None)
    if is_zip and current is None and not (runtime and settings.get("Handler")):
        raise invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    if is_zip and "Runtime" in settings:
        _raise(runtime_problem(runtime))
    _raise(snap_start_problem((settings.get("SnapStart") or {}).get("ApplyOn", "None"), runtime))
    if settings.get("DeadLetterConfig"):
        role = settings.get("Role") or current.role
        _check_dead_letters(settings["DeadLetterConfig"].get("TargetArn") or "", role)
    check_tag_count(settings.get("Tags") or {})


def _raise(error: LambdaError | None) -> None:
    if error:
        raise error


def check_variables(variables: Mapping[str, str]) -> None:
    """Raise LambdaError for reserved names, and for more than 4 KB."""
    reserved = [name for name in variables if name in _RESERVED]
    prefix = (
        "Lambda was unable to configure your environment variables because the environment variables "
        "you have provided "
    )
    if reserved:
        raise invalid_parameter(
            f"{prefix}contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > _MAX_VARIABLES_BYTES:
        raise invalid_parameter(f"{prefix}exceeded the 4KB limit. String measured: {measured}")


def check_role(role: str, backend: LambdaBackend) -> None:
    """Raise LambdaError where there is no such role or its trust policy doesn't name Lambda."""
    # moto checks the ARN's form and account when it creates a function.
    try:
        found = iam_backends[backend.account_id][backend.partition].get_role_by_arn(role)
    except NotFoundException:
        found = None
    if found is None or not _trusts_lambda(found.assume_role_policy_document):
        raise invalid_parameter("The role defined for the function cannot be assumed by Lambda.")


def _trusts_lambda(document: str | Mapping[str, Any] | None) -> bool:
    document = json.loads(document or "{}") if isinstance(document, str | None) else document
    for statement in _listed(document.get("Statement")):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, Mapping) else []
        named = principal == "*" or "lambda.amazonaws.com" in services
        if named and statement.get("Effect") == "Allow":
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def check_layers(arns: list[str], backend: LambdaBackend) -> list[LayerVersion]:
    """The layer versions of these ARNs. Raises LambdaError where one is missing or comes twice."""
    if len(arns) > _MAX_LAYERS:
        raise invalid_parameter(f"Cannot reference more than {_MAX_LAYERS} layers.")
    found: list[LayerVersion] = []
    seen: dict[str, str] = {}
    for arn in arns:
        _, _, _, region, account, _, _, _ = arn.split(":")
        if region != backend.region_name and account == backend.account_id:
            raise invalid_parameter(
                "Layers are not in the same region as the function. Layers are expected to be in "
                f"region {backend.region_name}."
            )
        version = lambda_backends[account][region].layers_versions_by_arn(arn)
        if version is None:
            raise invalid_parameter(f"Layer version {arn} does not exist.")
        layer = arn.rpartition(":")[0]
        if layer in seen:
            raise invalid_parameter(
                "Two different versions of the same layer are not allowed to be referenced in the "
                f"same function. {seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn
        found.append(version)
    return found


def check_zip_file(encoded: str | bytes | None) -> None:
    """Raise LambdaError where a zip that comes in the request is empty or too large."""
    if encoded is None:
        return
    size = len(base64.b64decode(encoded))
    if size > MAX_ZIPPED_BYTES:
        raise LambdaError(
            "RequestEntityTooLargeException",
            f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes",
        )
    if size == 0:
        raise invalid_parameter("Uploaded file must be a non-empty zip")


def check_unzipped_size(archives: Iterable[bytes]) -> None:
    """Raise LambdaError where a package and its layers have 250 MB or more together, unzipped."""
    size = 0
    for data in archives:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size += sum(entry.file_size for entry in archive.infolist())
    if size >= MAX_UNZIPPED_BYTES:
        # Facts B1; that the text is the same for a package with layers is UNCONFIRMED.
        raise invalid_parameter(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")


def check_tag_count(tags: Mapping[str, str]) -> None:
    """Raise LambdaError for more tags than a resource may have."""
    if len(tags) > _MAX_TAGS:
        raise invalid_parameter("Number of tags exceeds resource tag limit.")


def _check_dead_letters(target: str, role: str) -> None:
    if not target:
        return
    service = target.split(":")[2]
    if service not in _DEAD_LETTER_CALLS:
        # Facts A13: a queue or a topic. The text is UNCONFIRMED.
        raise invalid_parameter(
            f"The dead letter target {target} must be an SQS queue or an SNS topic."
        )
    call = _DEAD_LETTER_CALLS[service]
    if not _may_role(role, "lambda", f"{service}:{call}", target):
        # Logged by users for SQS; for SNS by analogy.
        raise invalid_parameter(
            "The provided execution role does not have permissions to call "
            f"{call} on {service.upper()}"
        )
