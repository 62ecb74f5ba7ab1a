"""Lambda's errors, with the codes and HTTP statuses of its API model.

The texts at the places that raise them are AWS's own, recorded from the service (facts A12, A14, B1,
C3, D1) or logged by users, unless a comment says otherwise.
"""

from __future__ import annotations

from moto.awslambda.exceptions import LambdaClientError

from ..rest_requests import validation_message

_STATUS = {
    "AccessDeniedException": 403,
    "PreconditionFailedException": 412,
    "ProvisionedConcurrencyConfigNotFoundException": 404,
    "RequestEntityTooLargeException": 413,
    "ResourceConflictException": 409,
    "ResourceNotFoundException": 404,
    "ServiceException": 500,
    "UnknownOperationException": 404,
}
_MISSING = "The resource you requested does not exist."


class LambdaError(LambdaClientError):
    """An error of the service; moto answers with it too where it comes up inside of moto."""

    def __init__(self, code: str, message: str | None):
        super().__init__(code, message)
        self.code = _STATUS.get(code, 400)


def invalid_parameter(message: str) -> LambdaError:
    """A parameter that is well-formed and wrong."""
    return LambdaError("InvalidParameterValueException", message)


def validation(*problems: str) -> LambdaError:
    """Parameters that break the constraints of the API's model."""
    return LambdaError("ValidationException", validation_message(list(problems)))


def conflict(message: str) -> LambdaError:
    """A resource that is there already, or busy."""
    return LambdaError("ResourceConflictException", message)


def not_found(message: str = _MISSING) -> LambdaError:
    """A resource that isn't there."""
    return LambdaError("ResourceNotFoundException", message)


def function_not_found(arn: str) -> LambdaError:
    """No function, version or alias of this ARN."""
    return not_found(f"Function not found: {arn}")


def stale_revision(where: str = "GetFunction/GetAlias") -> LambdaError:
    """A RevisionId that is not the latest."""
    return LambdaError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {where} API to retrieve the latest Revision Id",
    )
