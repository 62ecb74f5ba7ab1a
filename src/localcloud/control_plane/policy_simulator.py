"""SimulateCustomPolicy, SimulatePrincipalPolicy and the two that list context keys, which moto lacks.

The evaluator is the one that judges requests. Shapes: IAM API reference, as of 2026: one result for
each action, with the decision for each resource under ResourceSpecificResults.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import InvalidInput, NotFoundException
from moto.iam.responses import IamResponse

from ..conditions import Context, InvalidPolicy
from ..policies import AccessRequest, Caller, Decision, Policy, evaluate
from ..policy_documents import Statement, parse_policy
from . import principals
from .principals import Principal

_STRICTEST_FIRST = ("explicitDeny", "implicitDeny", "allowed")
_MAX_ITEMS = 100


def install() -> None:
    """Add the four operations to moto's IAM."""
    IamResponse.simulate_custom_policy = _simulate_custom_policy
    IamResponse.simulate_principal_policy = _simulate_principal_policy
    IamResponse.get_context_keys_for_custom_policy = _context_keys_for_custom_policy
    IamResponse.get_context_keys_for_principal_policy = _context_keys_for_principal_policy


def _simulate_custom_policy(self: IamResponse) -> ActionResult:
    account = self.current_account
    caller = _caller(self._get_param("CallerArn"), account)
    policies = tuple(_input_policies(self, "PolicyInputList"))
    return _simulate(self, Principal(caller, "", "", policies))


def _simulate_principal_policy(self: IamResponse) -> ActionResult:
    principal = _principal(self)
    principal = replace(
        principal, identity=(*principal.identity, *_input_policies(self, "PolicyInputList"))
    )
    given = self._get_param("CallerArn")
    if given:
        principal = replace(principal, caller=_caller(given, self.current_account))
    return _simulate(self, principal)


def _context_keys_for_custom_policy(self: IamResponse) -> ActionResult:
    policies = _input_policies(self, "PolicyInputList")
    return ActionResult({"ContextKeyNames": sorted(_keys(policies))})


def _context_keys_for_principal_policy(self: IamResponse) -> ActionResult:
    policies = (*_principal(self).identity, *_input_policies(self, "PolicyInputList"))
    return ActionResult({"ContextKeyNames": sorted(_keys(policies))})


def _principal(response: IamResponse) -> Principal:
    arn = response._get_param("PolicySourceArn")
    try:
        return principals.entity_principal(arn, response.current_account)
    except KeyError:
        raise NotFoundException(f"The entity with ARN {arn} cannot be found.") from None


def _caller(arn: str | None, account_id: str) -> Caller:
    if arn is None:
        return Caller(None, None, account_id)
    if not arn.startswith("arn:") or ":sts:" in arn:
        raise InvalidInput(f"Invalid caller: {arn} is not a user, group or role.")
    return Caller(arn, None, account_id)


def _input_policies(response: IamResponse, parameter: str) -> list[Policy]:
    policies = [
        Policy(document, None, f"{parameter}.{number}")
        for number, document in enumerate(response._get_param(parameter, []), start=1)
    ]
    for policy in policies:
        _require(policy)
    return policies


def _require(policy: Policy) -> None:
    try:
        parse_policy(policy.document)
    except InvalidPolicy as error:
        raise InvalidInput(f"{policy.source_id} is not a valid policy: {error}") from error


def _keys(policies: Any) -> set[str]:
    return {
        key
        for policy in policies
        for statement in parse_policy(policy.document)
        for key in statement.names
    }


def _simulate(response: IamResponse, principal: Principal) -> ActionResult:
    get = response._get_param
    boundaries = _input_policies(response, "PermissionsBoundaryPolicyInputList")
    if boundaries:
        principal = replace(principal, boundary=boundaries[0])
    document = get("ResourcePolicy")
    resource_policy = Policy(document, None, "ResourcePolicy", "resource") if document else None
    if resource_policy:
        _require(resource_policy)
        if principal.caller.arn is None:
            raise InvalidInput("CallerArn is required when ResourcePolicy is given.")
    simulation = _Simulation(principal, resource_policy, get("ContextEntries", []))
    resources = get("ResourceArns", []) or ["*"]
    actions = get("ActionNames", [])
    for action in actions:
        if ":" not in action or "*" in action:
            raise InvalidInput(f"Invalid Action Name: {action}")
    first = int(get("Marker") or 0)
    page = actions[first : first + int(get("MaxItems") or _MAX_ITEMS)]
    last = first + len(page)
    answer: dict[str, Any] = {
        "EvaluationResults": [simulation.result(action, resources) for action in page],
        "IsTruncated": last < len(actions),
    }
    if last < len(actions):
        answer["Marker"] = str(last)
    return ActionResult(answer)


class _Simulation:
    """What all actions of one simulation have in common."""

    def __init__(self, principal: Principal, resource_policy: Policy | None, entries: list[dict]):
        self._principal, self._resource_policy = principal, resource_policy
        self._given = {
            entry["ContextKeyName"]: list(entry.get("ContextKeyValues", [])) for entry in entries
        }
        caller = principal.caller
        if caller.arn:
            self._given.setdefault("aws:PrincipalArn", [caller.arn])
            self._given.setdefault("aws:PrincipalAccount", [caller.account_id])
        if principal.user_id:
            self._given.setdefault("aws:userid", [principal.user_id])
        if caller.arn and ":user/" in caller.arn:
            self._given.setdefault("aws:username", [caller.arn.rpartition("/")[2]])
        for name, value in principal.tags.items():
            self._given.setdefault(f"aws:PrincipalTag/{name}", [value])
        policies = [*principal.identity, principal.boundary, resource_policy]
        used = _keys(policy for policy in policies if policy and _is_readable(policy))
        known = {name.lower() for name in self._given}
        self._missing = sorted(name for name in used if name.lower() not in known)

    def result(self, action: str, resources: list[str]) -> dict[str, Any]:
        """One EvaluationResult."""
        decisions = [(resource, self._decide(action, resource)) for resource in resources]
        strictest = min((_word(each) for _, each in decisions), key=_STRICTEST_FIRST.index)
        deciding = [each for _, each in decisions if _word(each) == strictest]
        found: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resources[0] if len(resources) == 1 else "*",
            "EvalDecision": strictest,
            "MatchedStatements": _union(_matched(each) for each in deciding),
            "MissingContextValues": self._missing,
        }
        if resources != ["*"]:
            found["EvalDecisionDetails"] = {}
            found["ResourceSpecificResults"] = [
                self._specific(resource, decision) for resource, decision in decisions
            ]
        return self._with_boundary(found, deciding[0])

    def _decide(self, action: str, resource: str) -> Decision:
        principal = self._principal
        request = AccessRequest(action, resource, principal.caller, Context(self._given))
        return evaluate(request, principal.identity, self._resource_policy, principal.boundary)

    def _specific(self, resource: str, decision: Decision) -> dict[str, Any]:
        found = {
            "EvalResourceName": resource,
            "EvalResourceDecision": _word(decision),
            "MatchedStatements": _matched(decision),
            "MissingContextValues": self._missing,
        }
        return self._with_boundary(found, decision)

    @staticmethod
    def _with_boundary(found: dict[str, Any], decision: Decision) -> dict[str, Any]:
        if decision.within_boundary is not None:
            found["PermissionsBoundaryDecisionDetail"] = {
                "AllowedByPermissionsBoundary": decision.within_boundary
            }
        return found


def _is_readable(policy: Policy) -> bool:
    try:
        parse_policy(policy.document)
    except InvalidPolicy:
        return False
    return True


def _word(decision: Decision) -> str:
    if decision.allowed:
        return "allowed"
    return "explicitDeny" if decision.explicit else "implicitDeny"


def _matched(decision: Decision) -> list[dict[str, Any]]:
    return [_described(policy, statement) for policy, statement in decision.statements]


def _described(policy: Policy, statement: Statement) -> dict[str, Any]:
    text = policy.document
    text = text if isinstance(text, str) else json.dumps(text)
    first, last = statement.span
    return {
        "SourcePolicyId": policy.source_id,
        "SourcePolicyType": policy.source_type,
        "StartPosition": _position(text, first),
        "EndPosition": _position(text, last),
    }


def _position(text: str, offset: int) -> dict[str, int]:
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - (before.rfind("\n") + 1) + 1}


def _union(lists: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in lists:
        found += [statement for statement in each if statement not in found]
    return found
