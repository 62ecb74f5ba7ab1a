"""Policies are evaluated as AWS documents it, element by element."""

import pytest

from localcloud.conditions import InvalidPolicy
from localcloud.policies import (
    AccessRequest,
    Caller,
    Decision,
    Policy,
    PolicyType,
    evaluate,
)
from localcloud.policy_documents import action_matches, parse_policy

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/fn"
ANA = Caller(arn=USER, account_id=ACCOUNT)
FUNCTION = Caller(arn=SESSION, role_arn=ROLE, account_id=ACCOUNT)
S3 = Caller(service="s3.amazonaws.com")
KEY = "arn:aws:s3:::photos/raw/a.jpg"


def policy(*statements: dict, version: str = "2012-10-17", arn: str | None = None) -> Policy:
    return Policy({"Version": version, "Statement": list(statements)}, arn)


def allow(**elements: object) -> dict:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **elements}


def deny(**elements: object) -> dict:
    return allow(**elements) | {"Effect": "Deny"}


def asked(caller: Caller = ANA, resource: str = KEY, **context: object) -> AccessRequest:
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    return AccessRequest("s3:GetObject", resource, caller, keys)


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        ("s3:Get.bject", "s3:GetObject", False),
    ],
)
def test_action_patterns(pattern, action, expected):
    assert action_matches(pattern, action) is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", KEY, True),
        ("arn:aws:s3:::photos/*", KEY, True),
        ("arn:aws:s3:::photos/raw/?.jpg", KEY, True),
        ("arn:aws:s3:::photos", KEY, False),
        ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos", False),
        ("arn:aws:s3:::Photos/*", KEY, False),
        ("arn:aws:s3:::*", KEY, True),
        ("arn:*:s3:::photos/*", KEY, True),
        # A wildcard before the last part does not reach over a colon.
        ("arn:aws:logs:*:log-group:a", "arn:aws:logs:us-east-1:1:log-group:a", False),
        ("arn:aws:logs:*:*:log-group:/aws/lambda/f:*",
         "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:x", True),
        ("arn:aws:logs:us-east-1:1:*", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:b", True),
    ],
)  # fmt: skip
def test_resource_patterns(pattern, resource, expected):
    made = evaluate(asked(resource=resource), [policy(allow(Resource=pattern))])
    assert made.allowed is expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(Action=["s3:PutObject", "s3:GetObject"]), True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::photos/*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, True),
        (allow(Resource="arn:aws:s3:::photos/raw/${aws:username}.jpg"), False),
        (allow(Resource="arn:aws:s3:::photos/${aws:none}/*"), False),
        (allow(Resource="arn:aws:s3:::photos/${aws:none, 'raw'}/*"), True),
    ],
)
def test_statements(statement, expected):
    assert evaluate(asked(aws__username="ana"), [policy(statement)]).allowed is expected


def test_variables():
    own = allow(Resource="arn:aws:s3:::photos/${aws:username}/*")
    mine, yours = "arn:aws:s3:::photos/ana/1", "arn:aws:s3:::photos/bob/1"
    assert evaluate(asked(resource=mine, aws__username="ana"), [policy(own)]).allowed
    assert not evaluate(asked(resource=yours, aws__username="ana"), [policy(own)]).allowed
    # What a variable holds is no pattern.
    assert not evaluate(asked(resource=yours, aws__username="*"), [policy(own)]).allowed
    # The older policy language has no variables.
    old = policy(own, version="2008-10-17")
    assert not evaluate(asked(resource=mine, aws__username="ana"), [old]).allowed
    star = policy(allow(Resource="arn:aws:s3:::photos/${*}"))
    assert evaluate(asked(resource="arn:aws:s3:::photos/*"), [star]).allowed
    assert not evaluate(asked(resource="arn:aws:s3:::photos/x"), [star]).allowed


@pytest.mark.parametrize(
    ("operator", "value", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEquals", "a", None, False),
        ("StringEquals", "${aws:username}", "ana", True),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "raw/*", "raw/x", True),
        ("StringLike", "raw/?", "raw/xy", False),
        ("StringLike", ["", "home/${aws:username}/*"], "home/ana/x", True),
        ("StringNotLike", "raw/*", "raw/x", False),
        ("ArnLike", "arn:aws:s3:::p*", "arn:aws:s3:::photos", True),
        ("ArnEquals", "arn:aws:s3:::p*", "arn:aws:s3:::photos", True),
        ("ArnLike", "arn:aws:*:*:*:photos:x", "arn:aws:s3:::photos", False),
        ("ArnNotLike", "arn:aws:s3:::p*", "arn:aws:s3:::photos", False),
        ("NumericEquals", 10, "10", True),
        ("NumericNotEquals", "10", "10.0", False),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "9", False),
        ("NumericGreaterThanEquals", "10", "x", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-11-24T12:00:00+00:00", True),
        ("DateLessThan", "2026-01-01", "2026-11-24T12:00:00Z", False),
        ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("Bool", "true", "True", True),
        ("Bool", False, "false", True),
        ("Bool", "true", None, False),
        ("BoolIfExists", "true", None, True),
        ("BinaryEquals", "QUJD", "QUJD", True),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "nowhere", False),
        ("NotIpAddress", ["10.0.0.0/8", "127.0.0.1"], "127.0.0.1", False),
        ("Null", "true", None, True),
        ("Null", "true", "x", False),
        ("Null", "false", "x", True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["b", "c"], True),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["b", "c"], False),
        ("ForAllValues:StringEquals", ["a", "b"], ["b", "a"], True),
        ("ForAllValues:StringEquals", ["a"], None, True),
        ("ForAllValues:StringNotLike", ["a*"], ["b", "ab"], False),
    ],
)
def test_conditions(operator, value, actual, expected):
    context = {"aws:username": "ana"} | ({} if actual is None else {"s3:Thing": actual})
    conditional = allow(Condition={operator: {"S3:thing": value}})
    request = AccessRequest("s3:GetObject", KEY, ANA, context)
    assert evaluate(request, [policy(conditional)]).allowed is expected


def test_every_condition_must_hold():
    both = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    statement = policy(allow(Condition=both))
    assert evaluate(asked(a__x="1", a__y="2", a__z="true"), [statement]).allowed
    assert not evaluate(asked(a__x="1", a__y="3", a__z="true"), [statement]).allowed
    assert not evaluate(asked(a__x="1", a__y="2"), [statement]).allowed


NO_IDENTITY = Decision(False, False, PolicyType.IDENTITY_BASED)
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/stop"


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, NO_IDENTITY),
        ({"identity_policies": [policy(allow())]}, Decision(True)),
        (
            {"identity_policies": [policy(allow()), policy(deny(), arn=MANAGED)]},
            Decision(False, True, PolicyType.IDENTITY_BASED, MANAGED),
        ),
        (
            {
                "identity_policies": [policy(allow())],
                "resource_policy": policy(deny(Principal="*")),
            },
            Decision(False, True, PolicyType.RESOURCE_BASED),
        ),
        ({"resource_policy": policy(allow(Principal={"AWS": "*"}))}, Decision(True)),
        (
            {"identity_policies": [policy(allow())], "permissions_boundary": policy()},
            Decision(False, False, PolicyType.PERMISSIONS_BOUNDARY),
        ),
        ({"permissions_boundary": policy(allow())}, NO_IDENTITY),
        (
            {
                "identity_policies": [policy(allow())],
                "permissions_boundary": policy(deny(Action="s3:*"), arn=MANAGED),
            },
            Decision(False, True, PolicyType.PERMISSIONS_BOUNDARY, MANAGED),
        ),
        (
            {
                "identity_policies": [policy(allow())],
                "session_policies": [policy(allow(Action="s3:PutObject"))],
            },
            Decision(False, False, PolicyType.SESSION),
        ),
        (
            {"identity_policies": [policy(allow())], "session_policies": [policy(deny())]},
            Decision(False, True, PolicyType.SESSION),
        ),
        (
            {
                "identity_policies": [policy(allow())],
                "permissions_boundary": policy(allow()),
                "session_policies": [policy(allow())],
            },
            Decision(True),
        ),
        # A document that can't be read neither grants nor limits what others decide.
        ({"identity_policies": [Policy("{"), policy(allow())]}, Decision(True)),
        (
            {"identity_policies": [policy(allow())], "resource_policy_must_allow": True},
            Decision(False, False, PolicyType.RESOURCE_BASED),
        ),
    ],
)
def test_policy_types(policies, expected):
    assert evaluate(asked(), **policies) == expected


@pytest.mark.parametrize(
    ("principal", "caller", "expected"),
    [
        ({"Principal": "*"}, ANA, True),
        ({"Principal": {"AWS": USER}}, ANA, True),
        ({"Principal": {"AWS": [USER + "2", USER]}}, ANA, True),
        ({"Principal": {"AWS": USER + "2"}}, ANA, False),
        # Naming the account only delegates to it; the account's identity policies decide.
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, ANA, False),
        ({"Principal": {"AWS": ACCOUNT}}, ANA, False),
        ({"Principal": {"AWS": ROLE}}, FUNCTION, True),
        ({"Principal": {"AWS": SESSION}}, FUNCTION, True),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, S3, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, S3, False),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, ANA, False),
        ({"NotPrincipal": {"AWS": USER}}, ANA, False),
        ({"NotPrincipal": {"AWS": USER}}, FUNCTION, True),
        ({}, ANA, False),
    ],
)
def test_principals(principal, caller, expected):
    resource_policy = policy(allow(**principal))
    assert evaluate(asked(caller), resource_policy=resource_policy).allowed is expected


def test_an_account_principal_denies_everybody_in_it():
    refusing = policy(deny(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    assert evaluate(asked(), [policy(allow())], refusing).explicit


def test_a_boundary_limits_grants_to_a_role_but_not_to_its_session():
    def granted(arn):
        resource_policy = policy(allow(Principal={"AWS": arn}))
        return evaluate(asked(FUNCTION), (), resource_policy, policy()).allowed

    assert granted(SESSION)
    assert not granted(ROLE)


def test_a_trust_policy_has_no_resource():
    trust = policy({"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"})
    request = AccessRequest("sts:AssumeRole", ROLE, ANA)
    assert evaluate(request, (), trust, resource_policy_must_allow=True).allowed
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = policy({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
    assert not evaluate(request, (), trust, resource_policy_must_allow=True).allowed
    assert evaluate(request, [policy(allow())], trust, resource_policy_must_allow=True).allowed


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Version": "2012-10-17"}',
        {"Statement": {"Effect": "Perhaps", "Action": "*"}},
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}},
        {"Statement": allow(Condition={"StringMatches": {"a:b": "c"}})},
        {"Statement": allow(Condition={"ForSomeValues:StringLike": {"a:b": "c"}})},
        {"Statement": allow(Condition=["StringLike"])},
        {"Statement": allow(Action=[1])},
    ],
)
def test_invalid_policies(document):
    with pytest.raises(InvalidPolicy):
        parse_policy(document)
