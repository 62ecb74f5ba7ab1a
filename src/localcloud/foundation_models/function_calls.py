"""Invoking Lambda functions in Bedrock's name, as the action groups of agents do."""

import uuid

from ..control_plane import resources
from ..control_plane.functions import find_function
from ..functions.service import FunctionService
from ..identity import may_service
from .errors import BedrockError


class FunctionCalls:
    """Invokes functions that let Bedrock do so."""

    def __init__(self, service: FunctionService, account_id: str):
        self._service = service
        self._account_id = account_id

    async def invoke(
        self, function_arn: str, payload: bytes, source_arn: str
    ) -> tuple[bytes, bool]:
        """What a function answers, and whether it failed.

        Raises FunctionNotFound, Throttled, and AccessDeniedException where the function's policy does not
        allow lambda:InvokeFunction to bedrock.amazonaws.com for `source_arn` (an agent's ARN): Bedrock
        User Guide, "Resource-based policy to allow Amazon Bedrock to invoke an action group Lambda function".
        """
        policy = resources.resource_policy(function_arn, self._account_id)
        if not may_service(
            policy, "lambda:InvokeFunction", function_arn, source_arn, self._account_id,
            "bedrock.amazonaws.com",
        ):  # fmt: skip
            # AWS's text as users have quoted it; UNCONFIRMED to the letter.
            raise BedrockError(
                "AccessDeniedException",
                f"Access denied while invoking Lambda function {function_arn}. Check the permissions "
                "on the Lambda function and retry the request.",
            )
        region = function_arn.split(":")[3]
        target = find_function(function_arn, None, self._account_id, region)
        request_id = str(uuid.uuid4())
        outcome = await self._service.invoke(target, payload, function_arn, request_id)
        return outcome.payload, outcome.failed
