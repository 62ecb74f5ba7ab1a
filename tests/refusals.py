"""What a service says when it refuses."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError


def refusal(operation: Callable, **parameters) -> tuple[int, str, str]:
    """The HTTP status, error code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    response = caught.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return status, response["Error"]["Code"], response["Error"]["Message"]
