"""IAM policy evaluation: who may do what, decided from policy documents alone.

Follows "Policy evaluation logic" in the IAM User Guide, for one account: an explicit deny anywhere
wins; an identity-based or a resource-based policy must allow; a permissions boundary and session
policies, where there are any, must allow as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .conditions import Context
from .policy_documents import Caller, Match, Statement, statements_of


class PolicyType(StrEnum):
    """The kinds of policy, in the words of AWS's messages."""

    IDENTITY_BASED = "identity-based policy"
    RESOURCE_BASED = "resource-based policy"
    PERMISSIONS_BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document (JSON text or the parsed object).

    `arn` is that of a managed policy. `source_id` and `source_type` are what the policy simulator
    calls it by (Statement in the IAM API reference).
    """

    document: str | Mapping
    arn: str | None = None
    source_id: str = ""
    source_type: str = "none"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One action on one resource. `context` maps condition keys to a value or several values."""

    action: str
    resource: str
    caller: Caller
    context: Context | Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, and for a denial the kind of policy that decided it.

    `explicit` is true where a Deny statement matched, and `policy_arn` then names the managed
    policy it stands in; an implicit denial is the lack of an Allow in `policy_type`. `statements`
    are those that decided; `within_boundary` is None where there is no permissions boundary.
    """

    allowed: bool
    explicit: bool = False
    policy_type: PolicyType | None = None
    policy_arn: str | None = None
    statements: tuple[tuple[Policy, Statement], ...] = field(default=(), compare=False)
    within_boundary: bool | None = field(default=None, compare=False)


def evaluate(
    request: AccessRequest,
    identity_policies: Iterable[Policy] = (),
    resource_policy: Policy | None = None,
    permissions_boundary: Policy | None = None,
    session_policies: Iterable[Policy] = (),
    resource_policy_must_allow: bool = False,
) -> Decision:
    """Decide whether the caller may do this, all policies being of the caller's own account.

    `resource_policy_must_allow` is for a role's trust policy and a key's policy, without whose
    consent no identity policy helps. A document that can't be read grants and denies nothing.
    """
    context = request.context if isinstance(request.context, Context) else Context(request.context)
    action = request.action.lower()
    caller, resource = request.caller, request.resource
    is_bounded = permissions_boundary is not None
    matched: list[tuple[Policy, Statement]] = []
    denied: Decision | None = None

    def strongest(policies: Iterable[Policy], policy_type: PolicyType) -> Match:
        nonlocal denied
        best = Match.NONE
        by_resource = policy_type is PolicyType.RESOURCE_BASED
        for policy in policies:
            for statement in statements_of(policy.document):
                match = statement.match(action, resource, context, caller, by_resource, is_bounded)
                if not match:
                    continue
                if statement.denies:
                    denied = denied or Decision(
                        False, True, policy_type, policy.arn, ((policy, statement),)
                    )
                else:
                    best = max(best, match)
                    if policy_type in (PolicyType.IDENTITY_BASED, PolicyType.RESOURCE_BASED):
                        matched.append((policy, statement))
        return best

    session_policies = tuple(session_policies)
    by_identity = strongest(identity_policies, PolicyType.IDENTITY_BASED)
    by_resource = Match.NONE
    if resource_policy:
        by_resource = strongest((resource_policy,), PolicyType.RESOURCE_BASED)
    within = None
    if permissions_boundary:
        within = bool(strongest((permissions_boundary,), PolicyType.PERMISSIONS_BOUNDARY))
    by_session = True
    if session_policies:
        by_session = bool(strongest(session_policies, PolicyType.SESSION))

    if denied:
        if denied.policy_type is PolicyType.PERMISSIONS_BOUNDARY:
            within = False
        return Decision(
            False, True, denied.policy_type, denied.policy_arn, denied.statements, within
        )

    def refused(policy_type: PolicyType) -> Decision:
        return Decision(False, False, policy_type, None, (), within)

    if resource_policy_must_allow and not by_resource:
        return refused(PolicyType.RESOURCE_BASED)
    if by_resource is not Match.DIRECT:
        if not by_identity and by_resource < Match.GRANT:
            return refused(PolicyType.IDENTITY_BASED)
        if within is False:
            return refused(PolicyType.PERMISSIONS_BOUNDARY)
        if not by_session:
            return refused(PolicyType.SESSION)
    return Decision(True, statements=tuple(matched), within_boundary=within)
