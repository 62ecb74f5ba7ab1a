"""IAM policy evaluation: who may do what, decided from policy documents alone.

Follows "Policy evaluation logic" in the IAM User Guide, for one account: an explicit deny anywhere
wins; an identity-based or a resource-based policy must allow; a permissions boundary and session
policies, where there are any, must allow as well.
"""

import base64
import binascii
import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from functools import lru_cache


class InvalidPolicy(ValueError):
    """A document that is not an IAM policy; AWS answers MalformedPolicyDocument."""


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
    granted = {}
    for policy_type, policies in groups:
        granted[policy_type] = _Match.NONE
        for policy in policies:
            for statement in _statements(policy):
                match = statement.match(request, policy_type)
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
        _parse_statement(element, has_variables) for element in _list(document["Statement"])
    )


def _parse_statement(element: object, has_variables: bool) -> "Statement":
    if not isinstance(element, dict) or element.get("Effect") not in ("Allow", "Deny"):
        raise InvalidPolicy("A statement has the Effect Allow or Deny")
    if ("Action" in element) == ("NotAction" in element):
        raise InvalidPolicy("A statement has either Action or NotAction")
    conditions = []
    for name, keys in (element.get("Condition") or {}).items():
        conditions += [
            _Condition.parse(name, key, values, has_variables) for key, values in keys.items()
        ]
    return Statement(element, has_variables, tuple(conditions))


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, ready to be matched."""

    element: Mapping
    has_variables: bool
    conditions: "tuple[_Condition, ...]"

    @property
    def denies(self) -> bool:
        return self.element["Effect"] == "Deny"

    def match(self, request: AccessRequest, policy_type: PolicyType) -> _Match:
        """How closely this statement speaks of the request; NONE where it does not."""
        context = {key.lower(): _list(value) for key, value in request.context.items()}
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
            return not any(map(matches, _list(self.element[f"Not{name}"])))
        # A trust policy has no Resource: it speaks of the role it is attached to.
        return name not in self.element or any(map(matches, _list(self.element[name])))

    def _covers(self, pattern: str, request: AccessRequest, context: Mapping) -> bool:
        compiled = _compile(pattern, context if self.has_variables else None, _arn_regex)
        return compiled is not None and compiled.fullmatch(request.resource) is not None


def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action pattern such as `s3:Get*` names the action; case does not count."""
    return _wildcard_regex(pattern.lower()).fullmatch(action.lower()) is not None


def _principal_match(principal: object, caller: Caller) -> _Match:
    if principal == "*":
        return _Match.GRANT
    if not isinstance(principal, dict):
        return _Match.NONE
    if caller.service and caller.service in _list(principal.get("Service", ())):
        return _Match.GRANT
    names = _list(principal.get("AWS", ()))
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


def _list(value: object) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


_VARIABLE = re.compile(r"\$\{([^}',]+)(?:,\s*'([^']*)')?\s*\}")
_ESCAPES = {"*": "*", "?": "?", "$": "$"}


def _compile(
    pattern: str, context: Mapping | None, make_regex: Callable[[str], re.Pattern]
) -> re.Pattern | None:
    """The pattern with its variables filled in, or None where a variable has no value.

    `context` is None where the policy's version knows no variables.
    """
    if context is None or "${" not in pattern:
        return make_regex(pattern)
    text = ""
    position = 0
    for variable in _VARIABLE.finditer(pattern):
        value = _ESCAPES.get(variable[1])
        if value is None:
            values = context.get(variable[1].strip().lower(), ())
            value = str(values[0]) if len(values) == 1 else variable[2]
        if value is None:
            return None
        # A value is taken literally: a `*` in a user's name is no wildcard.
        text += pattern[position : variable.start()] + value.translate(_LITERAL)
        position = variable.end()
    return make_regex(text + pattern[position:])


# Private-use code points stand for wildcard characters that came out of a variable.
_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})
_LITERAL_BACK = str.maketrans({"\ue000": "*", "\ue001": "?"})


def _regex_text(pattern: str, anything: str = ".") -> str:
    wildcards = {"*": f"{anything}*", "?": anything}
    return "".join(
        wildcards.get(character) or re.escape(character.translate(_LITERAL_BACK))
        for character in pattern
    )


@lru_cache(maxsize=4096)
def _wildcard_regex(pattern: str) -> re.Pattern:
    return re.compile(_regex_text(pattern), re.DOTALL)


@lru_cache(maxsize=4096)
def _arn_regex(pattern: str) -> re.Pattern:
    """A wildcard in an ARN stays within its part, but for the last part, which may hold colons."""
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return _wildcard_regex(pattern)
    text = ":".join(_regex_text(part, "[^:]") for part in parts[:5])
    return re.compile(f"{text}:{_regex_text(parts[5])}", re.DOTALL)


def _date(value: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return datetime.fromtimestamp(float(value), UTC)
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(convert: Callable, compare: Callable) -> Callable[[str, re.Pattern | str], bool]:
    def test(actual: str, expected: str) -> bool:
        try:
            return compare(convert(actual), convert(expected))
        except (ValueError, TypeError, binascii.Error):
            return False

    return test


def _in_network(actual: str, expected: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False


def _matches(actual: str, expected: re.Pattern) -> bool:
    return expected.fullmatch(actual) is not None


def _ordered(name: str, convert: Callable) -> dict:
    comparisons = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    return {f"{name}{word}": _compared(convert, test) for word, test in comparisons.items()}


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_TESTS: dict[str, Callable] = {
    "StringEquals": _matches,
    "StringEqualsIgnoreCase": _compared(str.lower, operator.eq),
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": _compared(str.lower, operator.eq),
    "BinaryEquals": _compared(base64.b64decode, operator.eq),
    "IpAddress": _in_network,
    **_ordered("Numeric", float),
    **_ordered("Date", _date),
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def _literal_regex(text: str) -> re.Pattern:
    return re.compile(re.escape(text.translate(_LITERAL_BACK)), re.DOTALL)


# What a policy's value becomes before it is compared; other operators take it as it stands.
_PATTERNS = {
    "StringEquals": _literal_regex,
    "StringLike": _wildcard_regex,
    "ArnEquals": _arn_regex,
    "ArnLike": _arn_regex,
}


@dataclass(frozen=True)
class _Condition:
    """One operator on one key, such as StringLike on s3:prefix."""

    test: str
    negated: bool
    if_exists: bool
    quantifier: str
    key: str
    values: tuple[str, ...]
    has_variables: bool

    @classmethod
    def parse(cls, name: str, key: str, values: object, has_variables: bool) -> "_Condition":
        quantifier, _, word = name.rpartition(":")
        if_exists = word.endswith("IfExists")
        word = word.removesuffix("IfExists")
        test = _NEGATIONS.get(word, word)
        if (test != "Null" and test not in _TESTS) or quantifier not in (
            "",
            "ForAnyValue",
            "ForAllValues",
        ):
            raise InvalidPolicy(f"Invalid Condition type : {name}")
        # JSON allows true and 5 where the policy language means "true" and "5".
        texts = tuple(
            json.dumps(value) if isinstance(value, bool | int | float) else str(value)
            for value in _list(values)
        )
        return cls(
            test, word in _NEGATIONS, if_exists, quantifier, key.lower(), texts, has_variables
        )

    def holds(self, context: Mapping[str, list[str]]) -> bool:
        """Whether the condition is met; `context` maps lower-case keys to lists of values."""
        actual = context.get(self.key, [])
        if self.test == "Null":
            return ("false" if actual else "true") in (value.lower() for value in self.values)
        if not actual:
            if self.quantifier:
                return self.quantifier == "ForAllValues" or self.if_exists
            return self.negated or self.if_exists
        outcomes = [self._is_any(str(value), context) is not self.negated for value in actual]
        if self.quantifier == "ForAnyValue":
            return any(outcomes)
        # Without a quantifier: one of the values for a positive test, none for a negated one.
        return all(outcomes) if self.negated or self.quantifier else any(outcomes)

    def _is_any(self, actual: str, context: Mapping) -> bool:
        test = _TESTS[self.test]
        if self.test not in _PATTERNS:
            return any(test(actual, value) for value in self.values)
        variables = context if self.has_variables else None
        patterns = (_compile(value, variables, _PATTERNS[self.test]) for value in self.values)
        return any(pattern is not None and test(actual, pattern) for pattern in patterns)


# Bridge for identity.py as it is wired today; goes with it.
@dataclass(frozen=True)
class Question:
    action: str
    resource: str
    principal: str
    context: Mapping = field(default_factory=dict)

    def request(self) -> AccessRequest:
        is_service = not self.principal.startswith("arn:")
        account = None if is_service else self.principal.split(":")[4]
        caller = Caller(
            arn=None if is_service else self.principal,
            service=self.principal if is_service else None,
            account_id=account,
        )
        return AccessRequest(self.action, self.resource, caller, self.context)


@dataclass(frozen=True)
class _Kinded:
    allowed: bool
    explicit: bool
    kind: str
    policy_arn: str | None


def decide(question, identity=(), resource=None, boundary=None, session=None) -> _Kinded:
    made = evaluate(question.request(), identity, resource, boundary, (session,) if session else ())
    return _Kinded(made.allowed, made.explicit, str(made.policy_type or ""), made.policy_arn)


def resource_policy_allows(policy: Mapping | None, question: Question) -> bool:
    if policy is None:
        return False
    return evaluate(question.request(), (), Policy(policy)).allowed
