"""How a gateway invokes functions: found by the integration's URI, allowed by the function's own
policy (apigateway.amazonaws.com) or by a role, and given up on after the integration's timeout.
"""

import asyncio
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..control_plane import resources
from ..control_plane.functions import FunctionNotFound, Target, find_function
from ..functions.concurrency import Throttled
from ..functions.lineage import RecursionStopped
from ..functions.service import FunctionService
from ..identity import Gatekeeper, may_service
from .refusals import Failure, IntegrationFailed

_SERVICE = "apigateway.amazonaws.com"
_INVOKE = "lambda:InvokeFunction"
# "Troubleshooting issues with HTTP API Lambda integrations".
NO_PERMISSION = (
    "The IAM role configured on the integration or API Gateway doesn't have permissions to call the "
    "integration. Check the permissions and try again."
)
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


@dataclass(frozen=True)
class Answered:
    """What a function answered, and the request id of the invocation."""

    payload: bytes
    failed: bool
    request_id: str


def with_stage_variables(uri: str, variables: Mapping[str, str]) -> str:
    """A URI with ${stageVariables.name} filled in."""
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)


def function_arn(uri: str) -> str:
    """The function's ARN in an integration's URI, which may also be that ARN itself."""
    return uri.partition("/functions/")[2].removesuffix("/invocations") or uri


class FunctionCalls:
    """Invokes functions for the gateways."""

    def __init__(self, service: FunctionService, gatekeeper: Gatekeeper):
        self._service = service
        self._gatekeeper = gatekeeper

    async def invoke(
        self,
        arn: str,
        event: Mapping[str, Any] | bytes,
        source_arn: str,
        role: str | None,
        timeout_s: float,
        trace_id: str,
    ) -> Answered:
        """Run a function with an event, or with its JSON text.

        Raises IntegrationFailed where it may not or can't be invoked, is throttled, or takes too long; it
        then runs on, as on AWS.
        """
        target = self._target(arn, source_arn, role)
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        request_id = str(uuid.uuid4())
        invocation = asyncio.ensure_future(
            self._service.invoke(target, payload, arn, request_id, trace_id=trace_id)
        )
        done, _ = await asyncio.wait((invocation,), timeout=timeout_s)
        if not done:
            invocation.add_done_callback(lambda task: task.cancelled() or task.exception())
            raise IntegrationFailed(Failure.TIMED_OUT, "Endpoint request timed out")
        try:
            outcome = invocation.result()
        except Throttled as throttled:
            reason = f"Rate Exceeded. {throttled.reason}"
            raise IntegrationFailed(Failure.THROTTLED, reason) from throttled
        except RecursionStopped as stopped:
            raise IntegrationFailed(Failure.NOT_ALLOWED, str(stopped)) from stopped
        return Answered(outcome.payload, outcome.failed, request_id)

    def invoke_later(
        self, arn: str, payload: bytes, source_arn: str, role: str | None, trace_id: str
    ) -> str:
        """Queue an asynchronous invocation; its request id. Raises IntegrationFailed where it may not
        be invoked.
        """
        self._target(arn, source_arn, role)

        def find() -> Target:
            return self._find(arn)

        return self._service.invoke_later(find, payload, arn, trace_id)

    def _target(self, arn: str, source_arn: str, role: str | None) -> Target:
        try:
            target = self._find(arn)
        except (FunctionNotFound, ValueError):
            raise IntegrationFailed(Failure.NOT_ALLOWED, NO_PERMISSION) from None
        if not self._may(arn, arn.split(":")[4], source_arn, role):
            raise IntegrationFailed(Failure.NOT_ALLOWED, NO_PERMISSION)
        return target

    def _find(self, arn: str) -> Target:
        _, _, _, region, account, *_ = arn.split(":")
        return find_function(arn, None, account, region)

    def _may(self, arn: str, account: str, source_arn: str, role: str | None) -> bool:
        if role:
            return self._gatekeeper.may_role(role, "apigateway", _INVOKE, arn)
        policy = resources.resource_policy(arn, account)
        return may_service(policy, _INVOKE, arn, source_arn, account, _SERVICE)
