"""What a role may do, asked twice: of IAM's policy simulator, and by a function under the role that tries."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.grading import Unmet, expect

from .deployment import ROLE_S, Deployment

Questions = Iterable[tuple[Sequence[str], Sequence[str]]]

_DENIED = ("AccessDenied", "AccessDeniedException", "403", "AuthorizationError")

SOURCE = """
import boto3
from botocore.exceptions import ClientError

CLIENTS = {name: boto3.client(name) for name in ("s3", "logs", "iam")}

def handler(event, context):
    return [attempt(**call) for call in event["calls"]]

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


def decisions(
    deployment: Deployment, role: str, actions: Sequence[str], resources: Sequence[str]
) -> list[tuple[str, str, str]]:
    """What IAM's policy simulator says of each pair: (action, resource, decision)."""
    context = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}
        for name, value, kind in (
            ("aws:SecureTransport", "true", "boolean"),
            ("aws:PrincipalAccount", deployment.account, "string"),
            ("aws:ResourceAccount", deployment.account, "string"),
            ("s3:ResourceAccount", deployment.account, "string"),
            ("aws:RequestedRegion", deployment.region, "string"),
            ("aws:PrincipalArn", role, "string"),
        )
    ]
    pages = deployment.client("iam").get_paginator("simulate_principal_policy")
    # An action's own result is that of its most restricted resource: each resource's is below it, if one is
    # named at all.
    return [
        (result["EvalActionName"], resource, decision)
        for page in pages.paginate(
            PolicySourceArn=role,
            ActionNames=list(actions),
            ResourceArns=list(resources),
            ContextEntries=context,
        )
        for result in page["EvaluationResults"]
        for resource, decision in _by_resource(result)
    ]


def _by_resource(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    specific = result.get("ResourceSpecificResults")
    if not specific:
        return [(result["EvalResourceName"], result["EvalDecision"])]
    return [(each["EvalResourceName"], each["EvalResourceDecision"]) for each in specific]


def expect_nothing_allowed(
    deployment: Deployment, role: str, questions: Questions, who: str
) -> None:
    """Ask for all pairs of each (actions, resources). Raises Unmet where one of them is allowed."""
    allowed = [
        f"{action} on {resource}"
        for actions, resources in questions
        for action, resource, decision in decisions(deployment, role, actions, resources)
        if decision == "allowed"
    ]
    more = f", and {len(allowed) - 3} more" if len(allowed) > 3 else ""
    expect(
        not allowed,
        tried=f"asked IAM's policy simulator what {who} may do besides",
        expected="nothing",
        seen=f"it may {'; '.join(allowed[:3])}{more}",
    )


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

    def may(self, *calls: Call) -> None:
        """Make the calls. Raises Unmet for the first that is refused."""
        judged = [
            decisions(self._deployment, self.role, [call.action], [call.resource])[0][2]
            for call in calls
        ]
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

    def may_not(self, calls: Sequence[Call], questions: Questions) -> None:
        """Make the calls, and ask the simulator for all pairs of each (actions, resources).

        Raises Unmet where anything of it is allowed.
        """
        expect_nothing_allowed(self._deployment, self.role, questions, f"a role with {self._file}")
        for call, code in zip(calls, self._attempt(calls), strict=True):
            expect(
                code in _DENIED,
                tried=f"called {call.named} from a function under a role with {self._file}",
                expected="AccessDenied",
                seen="the call was allowed" if code is None else f"the call came to {code}",
            )

    def _attempt(self, calls: Sequence[Call]) -> list[str | None]:
        """The error code of each call, None where it was done."""
        made = [
            {
                "service": call.action.partition(":")[0],
                "operation": call.operation,
                "parameters": call.parameters,
            }
            for call in calls
        ]
        answer = self._deployment.invoke(self._function, {"calls": made})
        named = ", ".join(call.named for call in calls)
        answer.must_work(
            f"called {named} from a function under a role with {self._file}", "an answer to each"
        )
        return answer.payload
