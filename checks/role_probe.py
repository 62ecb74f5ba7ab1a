"""What a role may do, asked twice: of IAM's policy simulator, and by a function under the role that tries."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.grading import Unmet, expect

from .deployment import ROLE_S, Deployment

_DENIED = ("AccessDenied", "AccessDeniedException", "403", "AuthorizationError")

SOURCE = """
import boto3
from botocore.exceptions import ClientError

CLIENTS = {name: boto3.client(name) for name in ("s3", "logs", "iam")}

def handler(event, context):
    return [attempt(**call) for call in event]

def attempt(service, operation, parameters):
    try:
        getattr(CLIENTS[service], operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
"""


@dataclass(frozen=True)
class Call:
    """A real call, and the action and resource that IAM judges it by. `words` name the resource."""

    action: str
    resource: str
    operation: str
    parameters: Mapping[str, Any]
    words: str

    @property
    def named(self) -> str:
        return f"{self.action} on {self.words}"


class RoleProbe:
    """A role with a policy, and a function that runs under it."""

    def __init__(self, deployment: Deployment, word: str, policy: Any, file: str):
        self._deployment, self._file = deployment, file
        iam = deployment.client("iam")
        try:
            self.role = deployment.role(word, policy)
        except iam.exceptions.MalformedPolicyDocumentException as error:
            seen = f"MalformedPolicyDocument: {error.response['Error']['Message']}"
            raise Unmet(
                tried=f"gave {file} to a role", expected="IAM to accept it", seen=seen
            ) from None
        files = {"probe.py": SOURCE}
        # Below 1,769 MB a function has a part of a processor, and this one's clients take long to make.
        self._function = deployment.function(
            word, files, handler="probe.handler", role=self.role, memory=1769
        )
        self._context = [
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
            for name, value, kind in (
                ("aws:SecureTransport", "true", "boolean"),
                ("aws:PrincipalAccount", deployment.account, "string"),
                ("aws:ResourceAccount", deployment.account, "string"),
                ("s3:ResourceAccount", deployment.account, "string"),
                ("aws:RequestedRegion", deployment.region, "string"),
                ("aws:PrincipalArn", self.role, "string"),
            )
        ]

    def may(self, *calls: Call) -> None:
        """Make the calls. Raises Unmet for the first that is refused."""
        judged = [self._decisions([call.action], [call.resource])[0][2] for call in calls]
        # A new policy takes seconds to hold everywhere on AWS: what the simulator allows is tried again.
        deadline = time.monotonic() + ROLE_S
        while True:
            refused = [
                (call, decision)
                for call, decision, code in zip(calls, judged, self._attempt(calls), strict=True)
                if code in _DENIED
            ]
            late = time.monotonic() > deadline
            if late or not any(decision == "allowed" for _, decision in refused):
                break
            time.sleep(1)
        for call, decision in refused:
            reason = (
                f"a Deny statement of {self._file} forbids it"
                if decision == "explicitDeny"
                else f"no statement of {self._file} allows it"
            )
            raise Unmet(
                tried=f"called {call.named} from a function under a role with {self._file}",
                expected="the call to be allowed",
                seen=f"AccessDenied: {reason}",
            )

    def may_not(
        self, calls: Sequence[Call], questions: Iterable[tuple[Sequence[str], Sequence[str]]]
    ) -> None:
        """Make the calls, and ask the simulator for all pairs of each (actions, resources).

        Raises Unmet where anything of it is allowed.
        """
        allowed = [
            f"{action} on {resource}"
            for actions, resources in questions
            for action, resource, decision in self._decisions(actions, resources)
            if decision == "allowed"
        ]
        more = f", and {len(allowed) - 3} more" if len(allowed) > 3 else ""
        expect(
            not allowed,
            tried=f"asked IAM's policy simulator what a role with {self._file} may do besides",
            expected="nothing",
            seen=f"it may {'; '.join(allowed[:3])}{more}",
        )
        for call, code in zip(calls, self._attempt(calls), strict=True):
            expect(
                code in _DENIED,
                tried=f"called {call.named} from a function under a role with {self._file}",
                expected="AccessDenied",
                seen="the call was allowed" if code is None else f"the call came to {code}",
            )

    def _decisions(
        self, actions: Sequence[str], resources: Sequence[str]
    ) -> list[tuple[str, str, str]]:
        """(action, resource, decision) of each pair."""
        pages = (
            self._deployment.client("iam")
            .get_paginator("simulate_principal_policy")
            .paginate(
                PolicySourceArn=self.role,
                ActionNames=list(actions),
                ResourceArns=list(resources),
                ContextEntries=self._context,
            )
        )
        found = []
        for result in (result for page in pages for result in page["EvaluationResults"]):
            action = result["EvalActionName"]
            # With several resources the decision of each stands one level below.
            for each in result.get("ResourceSpecificResults") or ():
                found.append((action, each["EvalResourceName"], each["EvalResourceDecision"]))
            if not result.get("ResourceSpecificResults"):
                found.append((action, result["EvalResourceName"], result["EvalDecision"]))
        return found

    def _attempt(self, calls: Sequence[Call]) -> list[str | None]:
        """The error code of each call, None where it was done."""
        event = [
            {
                "service": call.action.partition(":")[0],
                "operation": call.operation,
                "parameters": call.parameters,
            }
            for call in calls
        ]
        return self._deployment.invoke(self._function, event).payload
