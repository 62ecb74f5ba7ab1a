"""Requests to Lambda's API, and its errors for those that its model forbids."""

from __future__ import annotations

from collections.abc import Mapping

from ..constraints import problems
from ..rest_requests import Invalid, Request, Unreadable, addressed, read, routes
from ..service_models import service_model
from .lambda_errors import LambdaError, invalid_parameter, validation

_SERVICES = ("lambda",)


def load() -> None:
    """Read Lambda's API, which else the first request does."""
    routes(_SERVICES)


def parse(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Request | None:
    """Read a request; None where Lambda's API has no such operation.

    `path` and `query` are percent-encoded. Raises LambdaError where the body isn't JSON or a
    parameter breaks the constraints of the model.
    """
    found = addressed(_SERVICES, method, path, query)
    try:
        return found and read(found, headers, body)
    except Unreadable as error:
        # AWS's code; its text for Lambda is UNCONFIRMED.
        raise LambdaError("SerializationException", str(error)) from None
    except Invalid as error:
        raise _refusal(error) from None


def invoke_problem(function: str, qualifier: str | None) -> str | None:
    """What is wrong with the name or qualifier that Invoke was given; None where nothing is."""
    given = {"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {})}
    shape = service_model("lambda").operation_model("Invoke").input_shape
    broken = problems(shape, given)
    return validation(*broken).message if broken else None


def error_message_key(code: str) -> str:
    """The member of an error that holds its text: `message`, or `Message` for some."""
    model = service_model("lambda")
    shape = model.shape_for(code) if code in model.shape_names else None
    return "Message" if shape and "Message" in shape.members else "message"


def _refusal(error: Invalid) -> LambdaError:
    named = [problem for problem in error.problems if " at 'functionName' " in problem]
    if (
        error.operation == "CreateFunction"
        and error.problems == named
        and ":" not in error.parameters["FunctionName"]
    ):
        # The one place where the code is another (recorded).
        return invalid_parameter(str(error))
    return validation(*error.problems)
