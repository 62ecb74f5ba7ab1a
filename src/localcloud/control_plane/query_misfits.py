"""What is wrong with a form of the query protocol, in the words of the service that was asked.

moto reads such forms by AWS's model, but holds them to none of its constraints: what doesn't fit is found
here, after moto has failed at it. IAM, STS and CloudFormation word it as their models do (see constraints);
SNS, SQS and CloudWatch have words of their own, as their users have published them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError, Shape
from moto.core.parse import UNDEFINED, QueryParser
from moto.core.utils import get_service_model

from ..constraints import problems
from ..rest_requests import validation_message

Misfit = tuple[str, str]
_MODELS = {"monitoring": "cloudwatch"}  # where a signature has another name than botocore
_ARN_PARTS = 6


class _Unreadable(Exception):
    """A value that isn't of the type that the model names; None where a map's key has none."""

    def __init__(self, name: str, value: str | None, kind: str):
        super().__init__(name, value, kind)
        self.name, self.value, self.kind = name, value, kind


class _Parser(QueryParser):
    """moto's, which says what it can't read. A name is where the value stands in the form."""

    def _parse_shape(self, shape: Shape, node: dict[str, str], prefix: str = "") -> Any:
        try:
            return super()._parse_shape(shape, node, prefix)
        except (ValueError, OverflowError):
            raise _Unreadable(prefix, node[prefix], shape.type_name) from None

    def _parse_map(self, shape: Shape, node: dict[str, str], prefix: str = "") -> Any:
        parsed = super()._parse_map(shape, node, prefix)
        if parsed is not UNDEFINED and UNDEFINED in parsed.values():
            raise _Unreadable(prefix, None, shape.value.type_name)
        return parsed


def misfit(service: str | None, form: str, error: Exception) -> Misfit | None:
    """Code and message for a form that moto has failed at with an error: what doesn't fit its operation's
    model, else the value that the error quotes, such as a token that nobody gave out. None where neither is
    to be seen, or nobody knows the operation.
    """
    values = dict(parse_qsl(form, keep_blank_values=True))
    try:
        model = get_service_model(_MODELS.get(service or "", service or ""))
        operation = model.operation_model(values.get("Action", ""))
    except (UnknownServiceError, OperationNotFoundError):
        return None
    shape = operation.input_shape
    if shape is None or model.metadata["protocol"] == "ec2":  # which writes lists in another way
        return None
    try:
        parameters = _Parser(operation).parse({"values": values})
    except _Unreadable as unreadable:
        return _unreadable(service, unreadable)
    judge = _JUDGES.get(service or "", _by_the_model)
    return judge(shape, parameters) or _quoted(service, values, error)


def _quoted(service: str | None, values: dict[str, str], error: Exception) -> Misfit | None:
    """The texts are UNCONFIRMED."""
    for name, value in values.items():
        if name in ("Action", "Version") or repr(value) not in str(error):
            continue
        if service == "sns":
            return "InvalidParameter", f"Invalid parameter: {name}"
        code = "InvalidParameterValue" if service in ("sqs", "monitoring") else "ValidationError"
        return code, f"Value {value} for parameter {name} is invalid."
    return None


def _unreadable(service: str | None, error: _Unreadable) -> Misfit:
    if service == "sqs":
        problem = f"Value {error.value} for parameter {error.name} is invalid."
        return "InvalidParameterValue", f"{problem} Reason: Must be an {error.kind}."
    if error.kind == "timestamp":
        return "MalformedInput", "timestamp must follow ISO8601"
    # The code is AWS's, the texts are UNCONFIRMED.
    problem = (
        "has a key without a value" if error.value is None else f"is not of the type {error.kind}"
    )
    return "MalformedInput", f"{error.name} {problem}"


def _by_the_model(shape: Shape, parameters: dict[str, Any]) -> Misfit | None:
    found = problems(shape, parameters)
    return ("ValidationError", validation_message(found)) if found else None


def _by_sns(shape: Shape, parameters: dict[str, Any]) -> Misfit | None:
    for name in shape.required_members:
        if name not in parameters:
            return (
                "InvalidParameter",
                f"Invalid parameter: {name} Reason: no value for required parameter",
            )
    if "TargetArn" in shape.members and not parameters.keys() & {
        "TopicArn",
        "TargetArn",
        "PhoneNumber",
    }:
        return "InvalidParameter", (
            "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"
        )
    for name, value in parameters.items():
        parts = len(value.split(":")) if name.endswith("Arn") else _ARN_PARTS
        if parts < _ARN_PARTS:
            reason = f"An ARN must have at least {_ARN_PARTS} elements, not {parts}"
            return "InvalidParameter", f"Invalid parameter: {name} Reason: {reason}"
    found = problems(shape, parameters)
    return ("InvalidParameter", f"Invalid parameter: {found[0]}") if found else None


def _by_sqs(shape: Shape, parameters: dict[str, Any]) -> Misfit | None:
    for name in shape.required_members:
        if name not in parameters:
            return "MissingParameter", f"The request must contain the parameter {name}."
    found = problems(shape, parameters)
    return ("InvalidParameterValue", found[0]) if found else None


def _by_cloudwatch(shape: Shape, parameters: dict[str, Any]) -> Misfit | None:
    missing = [name for name in shape.required_members if name not in parameters]
    if missing:
        return "MissingParameter", "\n".join(
            f"The parameter {name} is required." for name in missing
        )
    found = problems(shape, parameters)
    return ("InvalidParameterValue", found[0]) if found else None


_JUDGES: dict[str, Callable[[Shape, dict[str, Any]], Misfit | None]] = {
    "sns": _by_sns,
    "sqs": _by_sqs,
    "monitoring": _by_cloudwatch,
}
