"""IAM policy evaluation: who may do what, decided from policy documents alone.

Follows "Policy evaluation logic" in the IAM User Guide, for one account: an explicit deny anywhere
wins; an identity-based or a resource-based policy must allow; a permissions boundary and session
policies, where there are any, must allow as well.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache

from .conditions import Condition, InvalidPolicy, arn_regex, as_list, filled, wildcard_regex


class PolicyType(StrEnum):
    """The kinds of policy, in the words of AWS's messages."""

    IDENTITY_BASED = "identity-based policy"
    RESOURCE_BASED = "resource-based policy"
    PERMISSIONS_BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True)
class Policy:
    """A policy document (JSON text or the parsed object); `arn` where it is a managed policy."""

    document: str | Mapping
    arn: str | None = None


@dataclass(frozen=True)
class Caller:
    """Who asks. `arn` is a user's or a role session's; `role_arn` stands behind a role session.

    An AWS service that calls by itself (S3 invoking a function) has `service` and no `arn`.
    """

    arn: str | None = None
    role_arn: str | None = None
    account_id: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class AccessRequest:
    """One action on one resource. `context` maps condition keys to a value or several values."""

    action: str
    resource: str
    caller: Caller
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """The outcome, and for a denial the kind of policy that decided it.

    `explicit` is true where a Deny statement matched, and `policy_arn` then names the managed
    policy it stands in; an implicit denial is the lack of an Allow in `policy_type`.
    """

    allowed: bool
    explicit: bool = False
    policy_type: PolicyType | None = None
    policy_arn: str | None = None


class _Match(IntEnum):
    """How closely a Principal element names the caller; the order is from not at all to exactly."""

    NONE = 0
    ACCOUNT = 1  # only delegates: the account's own identity policies still have to allow
    GRANT = 2
    DIRECT = 3  # this very user or session: no boundary or session policy limits the grant


def evaluate(
    request: AccessRequest,
    identity_policies: Iterable[Policy] = (),
    resource_policy: Policy | None = None,
    permissions_boundary: Policy | None = None,
    session_policies: Iterable[Policy] = (),
    resource_policy_must_allow: bool = False,
) -> Decision:
    """Decide whether the caller may do this, all policies being of the caller's own account.

    `resource_policy_must_allow` is for a role's trust policy, without whose consent no identity
    policy lets anybody assume the role. A document that can't be read grants and denies nothing.
    """
    session_policies = tuple(session_policies)
    groups = (
        (PolicyType.IDENTITY_BASED, tuple(identity_policies)),
        (PolicyType.RESOURCE_BASED, (resource_policy,) if resource_policy else ()),
        (PolicyType.PERMISSIONS_BOUNDARY, (permissions_boundary,) if permissions_boundary else ()),
        (PolicyType.SESSION, session_policies),
    )
    # Condition keys are compared without regard to case.
    context = {key.lower(): as_list(value) for key, value in request.context.items()}
    granted = {}
    for policy_type, policies in groups:
        granted[policy_type] = _Match.NONE
        for policy in policies:
            for statement in _statements(policy):
                match = statement.match(request, context, policy_type)
                if match and statement.denies:
                    return Decision(False, True, policy_type, policy.arn)
                granted[policy_type] = max(granted[policy_type], match)

    by_identity = granted[PolicyType.IDENTITY_BASED]
    by_resource = granted[PolicyType.RESOURCE_BASED]
    if resource_policy_must_allow and not by_resource:
        return Decision(False, False, PolicyType.RESOURCE_BASED)
    if by_resource is _Match.DIRECT:
        return Decision(True)
    if not by_identity and by_resource < _Match.GRANT:
        return Decision(False, False, PolicyType.IDENTITY_BASED)
    if permissions_boundary and not granted[PolicyType.PERMISSIONS_BOUNDARY]:
        return Decision(False, False, PolicyType.PERMISSIONS_BOUNDARY)
    if session_policies and not granted[PolicyType.SESSION]:
        return Decision(False, False, PolicyType.SESSION)
    return Decision(True)


def parse_policy(document: str | Mapping) -> "tuple[Statement, ...]":
    """Return the statements of a policy. Raises InvalidPolicy where it is none."""
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    return _parse_text(text)


def _statements(policy: Policy) -> "tuple[Statement, ...]":
    try:
        return parse_policy(policy.document)
    except InvalidPolicy:
        return ()


# Keyed by the text itself, so that a changed policy is effective with the next request.
@lru_cache(maxsize=1024)
def _parse_text(text: str) -> "tuple[Statement, ...]":
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPolicy(f"The policy is not in the valid JSON format: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise InvalidPolicy("A policy is a JSON object with a Statement")
    # Variables came with this version; in the older language `${` is plain text.
    has_variables = document.get("Version") == "2012-10-17"
    return tuple(
        _parse_statement(element, has_variables) for element in as_list(document["Statement"])
    )


def _parse_statement(element: object, has_variables: bool) -> "Statement":
    if not isinstance(element, dict) or element.get("Effect") not in ("Allow", "Deny"):
        raise InvalidPolicy("A statement has the Effect Allow or Deny")
    if ("Action" in element) == ("NotAction" in element):
        raise InvalidPolicy("A statement has either Action or NotAction")
    named = [*as_list(element.get("Action", [])), *as_list(element.get("Resource", []))]
    blocks = element.get("Condition") or {}
    if not all(isinstance(name, str) for name in named) or not (
        isinstance(blocks, dict) and all(isinstance(keys, dict) for keys in blocks.values())
    ):
        raise InvalidPolicy("Action and Resource are strings, Condition is an object of objects")
    conditions = [
        Condition.parse(operator, key, values, has_variables)
        for operator, keys in blocks.items()
        for key, values in keys.items()
    ]
    return Statement(element, has_variables, tuple(conditions))


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, ready to be matched."""

    element: Mapping
    has_variables: bool
    conditions: tuple[Condition, ...]

    @property
    def denies(self) -> bool:
        return self.element["Effect"] == "Deny"

    def match(
        self, request: AccessRequest, context: Mapping[str, list], policy_type: PolicyType
    ) -> _Match:
        """How closely this statement speaks of the request; NONE where it does not."""
        if not (
            self._names("Action", lambda pattern: action_matches(pattern, request.action))
            and self._names("Resource", lambda pattern: self._covers(pattern, request, context))
            and all(condition.holds(context) for condition in self.conditions)
        ):
            return _Match.NONE
        if policy_type is not PolicyType.RESOURCE_BASED:
            return _Match.GRANT
        if "NotPrincipal" in self.element:
            excluded = _principal_match(self.element["NotPrincipal"], request.caller)
            return _Match.NONE if excluded else _Match.GRANT
        return _principal_match(self.element.get("Principal"), request.caller)

    def _names(self, name: str, matches: Callable[[str], bool]) -> bool:
        if f"Not{name}" in self.element:
            return not any(map(matches, as_list(self.element[f"Not{name}"])))
        # A trust policy has no Resource: it speaks of the role it is attached to.
        return name not in self.element or any(map(matches, as_list(self.element[name])))

    def _covers(self, pattern: str, request: AccessRequest, context: Mapping) -> bool:
        compiled = filled(pattern, context if self.has_variables else None, arn_regex)
        return compiled is not None and compiled.fullmatch(request.resource) is not None


def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action pattern such as `s3:Get*` names the action; case does not count."""
    return wildcard_regex(pattern.lower()).fullmatch(action.lower()) is not None


def _principal_match(principal: object, caller: Caller) -> _Match:
    if principal == "*":
        return _Match.GRANT
    if not isinstance(principal, dict):
        return _Match.NONE
    if caller.service and caller.service in as_list(principal.get("Service", ())):
        return _Match.GRANT
    names = as_list(principal.get("AWS", ()))
    if caller.arn in names and caller.arn is not None:
        return _Match.DIRECT
    if "*" in names or (caller.role_arn and caller.role_arn in names):
        return _Match.GRANT
    if caller.account_id and any(
        name == caller.account_id
        or (name.startswith("arn:") and name.endswith(f":iam::{caller.account_id}:root"))
        for name in names
    ):
        return _Match.ACCOUNT
    return _Match.NONE
