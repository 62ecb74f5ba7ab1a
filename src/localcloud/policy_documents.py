"""Policy documents, compiled: each text is read once, and its statements are ready to be matched.

Follows "IAM JSON policy elements reference" in the IAM User Guide.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from .conditions import (
    Condition,
    Context,
    InvalidPolicy,
    arn_regex,
    as_list,
    filled,
    variable_keys,
    wildcard_regex,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `arn` is a user's or a role session's; `role_arn` stands behind a role session.

    An AWS service that calls by itself (S3 invoking a function) has `service` and no `arn`; who has
    no credentials at all has neither.
    """

    arn: str | None = None
    role_arn: str | None = None
    account_id: str | None = None
    service: str | None = None

    def is_named(self, name: str) -> bool:
        """Whether a name of a Principal element is one of this caller's, the account's included."""
        return name in (self.arn, self.role_arn) or self.is_account(name)

    def is_account(self, name: str) -> bool:
        """Whether a name of a Principal element is this caller's account."""
        return self.account_id is not None and (
            name == self.account_id
            or (name.startswith("arn:") and name.endswith(f":iam::{self.account_id}:root"))
        )


class Match(IntEnum):
    """How closely a Principal element names the caller; the order is from not at all to exactly."""

    NONE = 0
    ACCOUNT = 1  # only delegates: the account's own identity policies still have to allow
    GRANT = 2
    DIRECT = 3  # this very user or session: no boundary or session policy limits the grant


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    `names` are the condition keys that it asks for, as it writes them; `span` is where it stands in
    the text: (first, past the last).
    """

    denies: bool
    names_action: Callable[[str], bool]
    covers: Callable[[str, Context], bool] | None
    conditions: tuple[Condition, ...]
    principal: object
    not_principal: object
    names: frozenset[str]
    span: tuple[int, int] = field(compare=False)

    def match(
        self,
        action: str,
        resource: str,
        context: Context,
        caller: Caller,
        by_resource: bool,
        is_bounded: bool,
    ) -> Match:
        """How closely this statement speaks of a request; NONE where it does not.

        `action` is in lower case. `by_resource` is true for a resource-based policy, `is_bounded`
        for a caller with a permissions boundary.
        """
        if not self.names_action(action):
            return Match.NONE
        # A trust policy has no Resource: it speaks of the role it is attached to.
        if self.covers is not None and not self.covers(resource, context):
            return Match.NONE
        for condition in self.conditions:
            if not condition.holds(context):
                return Match.NONE
        if not by_resource:
            return Match.GRANT
        if self.not_principal is not None:
            # Deny with NotPrincipal binds whoever has a permissions boundary, named or not.
            excepted = not (self.denies and is_bounded) and _is_excepted(
                self.not_principal, caller, self.denies
            )
            return Match.NONE if excepted else Match.GRANT
        return _principal_match(self.principal, caller)


def parse_policy(document: str | Mapping) -> tuple[Statement, ...]:
    """Return the statements of a policy. Raises InvalidPolicy where it is none."""
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    return _parse_text(text)


def statements_of(document: str | Mapping) -> tuple[Statement, ...]:
    """The statements of a policy; none where the document can't be read."""
    if not isinstance(document, str):
        document = json.dumps(document, default=str)
    return _readable(document)


# Both caches are keyed by the text itself: a changed policy is effective with the next request.
@lru_cache(maxsize=1024)
def _readable(text: str) -> tuple[Statement, ...]:
    try:
        return _parse_text(text)
    except InvalidPolicy:
        return ()


@lru_cache(maxsize=1024)
def _parse_text(text: str) -> tuple[Statement, ...]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidPolicy(f"The policy is not in the valid JSON format: {error}") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise InvalidPolicy("A policy is a JSON object with a Statement")
    # Variables came with this version; in the older language `${` is plain text.
    has_variables = document.get("Version") == "2012-10-17"
    elements = as_list(document["Statement"])
    spans = _spans(text, len(elements))
    return tuple(
        _parse_statement(element, has_variables, span)
        for element, span in zip(elements, spans, strict=True)
    )


_STATEMENT = re.compile(r'"Statement"\s*:\s*\[?\s*')
_BETWEEN = re.compile(r"[\s,]*")


def _spans(text: str, count: int) -> list[tuple[int, int]]:
    """Where the statements stand in the text."""
    decoder = json.JSONDecoder()
    found = []
    start = _STATEMENT.search(text)
    if start is None:  # written with escapes
        return [(0, len(text))] * count
    position = start.end()
    for _ in range(count):
        _, end = decoder.raw_decode(text, position)
        found.append((position, end))
        position = _BETWEEN.match(text, end).end()
    return found


def _parse_statement(element: object, has_variables: bool, span: tuple[int, int]) -> Statement:
    if not isinstance(element, dict) or element.get("Effect") not in ("Allow", "Deny"):
        raise InvalidPolicy("A statement has the Effect Allow or Deny")
    if ("Action" in element) == ("NotAction" in element):
        raise InvalidPolicy("A statement has either Action or NotAction")
    actions = as_list(element.get("Action", element.get("NotAction")))
    resources = as_list(element.get("Resource", element.get("NotResource", [])))
    blocks = element.get("Condition") or {}
    if not all(isinstance(name, str) for name in [*actions, *resources]) or not (
        isinstance(blocks, dict) and all(isinstance(keys, dict) for keys in blocks.values())
    ):
        raise InvalidPolicy("Action and Resource are strings, Condition is an object of objects")
    conditions = tuple(
        Condition.parse(operator, key, values, has_variables)
        for operator, keys in blocks.items()
        for key, values in keys.items()
    )
    names = {key for keys in blocks.values() for key in keys}
    if has_variables:
        texts = [*resources, *(text for condition in conditions for text in condition.values)]
        names.update(*map(variable_keys, texts))
    covers = None
    if "Resource" in element or "NotResource" in element:
        covers = _resource_test(resources, "NotResource" in element, has_variables)
    return Statement(
        element["Effect"] == "Deny",
        _action_test(actions, "NotAction" in element),
        covers,
        conditions,
        element.get("Principal"),
        element.get("NotPrincipal"),
        frozenset(names),
        span,
    )


def action_matches(pattern: str, action: str) -> bool:
    """Whether an Action pattern such as `s3:Get*` names the action; case does not count."""
    return wildcard_regex(pattern.lower()).fullmatch(action.lower()) is not None


def _action_test(patterns: list[str], negated: bool) -> Callable[[str], bool]:
    one = _any_of(wildcard_regex(pattern.lower()) for pattern in patterns).fullmatch
    if negated:
        return lambda action: one(action) is None
    return lambda action: one(action) is not None


def _any_of(patterns: Iterable[re.Pattern]) -> re.Pattern:
    return re.compile("|".join(f"(?:{each.pattern})" for each in patterns), re.DOTALL)


def _resource_test(
    patterns: list[str], negated: bool, has_variables: bool
) -> Callable[[str, Context], bool]:
    plain = [p for p in patterns if not has_variables or "${" not in p]
    variable = [p for p in patterns if p not in plain]
    # An empty list covers nothing, whereas an empty regular expression would match "".
    one = _any_of(map(arn_regex, plain))

    def covers(resource: str, context: Context) -> bool:
        if plain and one.fullmatch(resource):
            return not negated
        for pattern in variable:
            compiled = filled(pattern, context, arn_regex)
            if compiled is not None and compiled.fullmatch(resource):
                return not negated
        return negated

    return covers


def _principal_match(principal: object, caller: Caller) -> Match:
    if principal == "*":
        return Match.GRANT
    if not isinstance(principal, dict):
        return Match.NONE
    names = as_list(principal.get("AWS", ()))
    if caller.service and caller.service in as_list(principal.get("Service", ())):
        return Match.GRANT
    if caller.arn is not None and caller.arn in names:
        return Match.DIRECT
    if "*" in names or (caller.role_arn and caller.role_arn in names):
        return Match.GRANT
    return Match.ACCOUNT if any(map(caller.is_account, names)) else Match.NONE


def _is_excepted(not_principal: object, caller: Caller, denies: bool) -> bool:
    """Whether NotPrincipal leaves this caller out.

    With Deny it must name the account beside the user, and for a session the role as well
    ("AWS JSON policy elements: NotPrincipal" in the IAM User Guide).
    """
    if not_principal == "*":
        return True
    if not isinstance(not_principal, dict):
        return False
    if caller.service:
        return caller.service in as_list(not_principal.get("Service", ()))
    names = as_list(not_principal.get("AWS", ()))
    if "*" in names:
        return True
    if not denies:
        return any(map(caller.is_named, names))
    own = [arn for arn in (caller.arn, caller.role_arn) if arn]
    return bool(own) and all(arn in names for arn in own) and any(map(caller.is_account, names))
