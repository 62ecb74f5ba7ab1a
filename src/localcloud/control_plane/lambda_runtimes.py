"""Lambda's runtimes: which may be asked for, and what the service says of the others."""

from __future__ import annotations

from .lambda_errors import LambdaError, invalid_parameter

# In the order of the service's own text (recorded 25-11-2025).
_NAMED = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java17, "
    "nodejs16.x, java25, dotnet8, python3.10, java11, python3.11, dotnet6, java21, nodejs18.x, "
    "provided.al2, ruby3.3, ruby3.4, java8.al2, ruby3.2, python3.8, python3.9"
)
# In the API's model since; UNCONFIRMED which of them may be used yet.
_NEWER = (
    "python3.15", "nodejs26.x", "dotnet10", "ruby4.0", "java8.al2023", "java11.al2023",
    "java17.al2023",
)  # fmt: skip
# Past the date from which functions can be neither made nor updated ("Lambda runtimes").
_GONE = (
    "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x",
    "nodejs14.x", "java8", "python2.7", "python3.6", "python3.7", "dotnetcore1.0", "dotnetcore2.0",
    "dotnetcore2.1", "dotnetcore3.1", "go1.x", "ruby2.5", "ruby2.7", "provided",
)  # fmt: skip
_USABLE = {*_NAMED.split(", "), *_NEWER}
# Lambda developer guide, "Improving startup performance with Lambda SnapStart".
_SNAP_START = (
    "java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8",
)  # fmt: skip


def runtime_problem(runtime: str) -> LambdaError | None:
    """Why a function in a zip can't have this runtime; None where it can (facts B1)."""
    if runtime in _USABLE:
        return None
    if runtime in _GONE:
        return invalid_parameter(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS "
            "Lambda functions. We recommend you use a supported runtime while creating or updating "
            "functions."
        )
    return invalid_parameter(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value "
        f"set: [{_NAMED}] or be a valid ARN"
    )


def snap_start_problem(apply_on: str, runtime: str | None) -> LambdaError | None:
    """Why a function can't have SnapStart."""
    if apply_on == "None" or runtime in _SNAP_START:
        return None
    return invalid_parameter(f"{runtime} is not supported for SnapStart enabled functions.")
