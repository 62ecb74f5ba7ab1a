"""Policies and the decisions that AWS documents for them: IAM User Guide, "Policy evaluation logic",
"IAM JSON policy elements reference" and "Permissions boundaries for IAM entities".

The caller is the user `ana` of account 000000000000; the buckets are `album` and `other`.
"""

from dataclasses import dataclass, field

ACCOUNT = "000000000000"
ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALBUM = "arn:aws:s3:::album"
KEY = f"{ALBUM}/raw/a.jpg"
ALLOWED, DENIED, REFUSED = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True)
class Case:
    """A request by ana and the decision. `context` holds what a real request can say as well."""

    name: str
    expected: str
    identity: tuple[dict, ...] = ()
    resource_policy: tuple[dict, ...] = ()
    boundary: tuple[dict, ...] | None = None
    action: str = "s3:GetObject"
    resource: str = KEY
    context: dict[str, str] = field(default_factory=dict)
    version: str = "2012-10-17"


def allow(**elements) -> dict:
    """An Allow statement of an identity-based policy, for everything that isn't given."""
    made = {"Effect": "Allow", **elements}
    if "NotAction" not in made:
        made.setdefault("Action", "*")
    if "NotResource" not in made:
        made.setdefault("Resource", "*")
    return made


def deny(**elements) -> dict:
    return allow(**elements) | {"Effect": "Deny"}


def on_bucket(**elements) -> dict:
    """An Allow statement of the bucket's policy."""
    return allow(**{"Action": "s3:*", "Resource": [ALBUM, f"{ALBUM}/*"], **elements})


def if_(operator: str, key: str, value) -> dict:
    return {operator: {key: value}}


def deciding(expected: str, name: str, *identity: dict, **more) -> Case:
    return Case(name, expected, identity, **more)


LIST = {"action": "s3:ListBucket", "resource": ALBUM}
PUT = {"action": "s3:PutObject", "resource": f"{ALBUM}/new"}

CASES = [
    # Which statements speak of the request.
    deciding(REFUSED, "nothing at all"),
    deciding(ALLOWED, "everything", allow()),
    deciding(ALLOWED, "the very action and resource", allow(Action="s3:GetObject", Resource=KEY)),
    deciding(REFUSED, "another action", allow(Action="s3:PutObject")),
    deciding(ALLOWED, "one of several actions", allow(Action=["s3:PutObject", "s3:GetObject"])),
    deciding(ALLOWED, "actions in any case", allow(Action="S3:GETOBJECT")),
    deciding(ALLOWED, "an action by *", allow(Action="s3:Get*")),
    deciding(ALLOWED, "an action by ?", allow(Action="s3:G?tObject")),
    deciding(REFUSED, "? is one character", allow(Action="s3:GetObjec?t")),
    deciding(REFUSED, "an action that begins alike", allow(Action="s3:GetObjectAcl")),
    deciding(REFUSED, "an action without its wildcard", allow(Action="s3:Get")),
    deciding(REFUSED, "another service", allow(Action="sqs:*")),
    deciding(ALLOWED, "* reaches over slashes", allow(Resource=f"{ALBUM}/*.jpg")),
    deciding(REFUSED, "resources have a case", allow(Resource=f"{ALBUM}/RAW/*")),
    deciding(REFUSED, "the bucket is not its objects", allow(Resource=ALBUM)),
    deciding(REFUSED, "objects are not the bucket", allow(Resource=f"{ALBUM}/*"), **LIST),
    deciding(ALLOWED, "the bucket itself", allow(Action="s3:ListBucket", Resource=ALBUM), **LIST),
    deciding(ALLOWED, "? in a resource", allow(Resource=f"{ALBUM}/raw/?.jpg")),
    deciding(REFUSED, "a dot is a dot", allow(Resource=f"{ALBUM}/raw/a?.jpg")),
    deciding(REFUSED, "a bucket that begins alike", allow(Resource="arn:aws:s3:::alb/*")),
    deciding(ALLOWED, "one of several resources", allow(Resource=["arn:aws:s3:::x/*", KEY])),
    deciding(ALLOWED, "a key beyond ASCII", allow(Resource=f"{ALBUM}/Käse/*"),
             resource=f"{ALBUM}/Käse/日本.jpg"),
    deciding(REFUSED, "an umlaut is not its letter", allow(Resource=f"{ALBUM}/Kase/*"),
             resource=f"{ALBUM}/Käse/日本.jpg"),
    deciding(ALLOWED, "a key with a colon", allow(Resource=f"{ALBUM}/*"),
             resource=f"{ALBUM}/a:b:c"),
    deciding(ALLOWED, "a key with brackets is no pattern", allow(Resource=f"{ALBUM}/[a].jpg"),
             resource=f"{ALBUM}/[a].jpg"),
    # NotAction and NotResource.
    deciding(ALLOWED, "NotAction of another", allow(NotAction="iam:*")),
    deciding(REFUSED, "NotAction of this", allow(NotAction="s3:*")),
    deciding(DENIED, "Deny with NotAction", allow(), deny(NotAction="sqs:*")),
    deciding(ALLOWED, "Deny with NotAction that excepts", allow(), deny(NotAction="s3:Get*")),
    deciding(ALLOWED, "NotResource of another", allow(NotResource="arn:aws:s3:::other/*")),
    deciding(REFUSED, "NotResource of this", allow(NotResource=f"{ALBUM}/*")),
    deciding(DENIED, "Deny with NotResource", allow(), deny(NotResource=f"{ALBUM}/done/*")),
    deciding(ALLOWED, "Deny with NotResource that excepts", allow(),
             deny(NotResource=f"{ALBUM}/raw/*")),
    # Explicit deny.
    deciding(DENIED, "a deny beside an allow", allow(), deny(Action="s3:GetObject")),
    deciding(DENIED, "a deny before an allow", deny(Resource=KEY), allow()),
    deciding(DENIED, "a deny alone", deny()),
    deciding(ALLOWED, "a deny of another", allow(), deny(Action="s3:PutObject")),
    # Conditions.
    deciding(ALLOWED, "the prefix that is asked", allow(Condition=if_(
        "StringEquals", "s3:prefix", "raw/")), **LIST, context={"s3:prefix": "raw/"}),
    deciding(REFUSED, "another prefix", allow(Condition=if_(
        "StringEquals", "s3:prefix", "raw/")), **LIST, context={"s3:prefix": "done/"}),
    deciding(REFUSED, "no prefix", allow(Condition=if_("StringEquals", "s3:prefix", "raw/")),
             **LIST),
    deciding(ALLOWED, "no prefix, IfExists", allow(Condition=if_(
        "StringEqualsIfExists", "s3:prefix", "raw/")), **LIST),
    deciding(ALLOWED, "no prefix, negated", allow(Condition=if_(
        "StringNotEquals", "s3:prefix", "raw/")), **LIST),
    deciding(ALLOWED, "a prefix by pattern", allow(Condition=if_(
        "StringLike", "s3:prefix", ["home/*", "raw/*"])), **LIST, context={"s3:prefix": "raw/x/y"}),
    deciding(ALLOWED, "keys in any case", allow(Condition=if_(
        "StringEquals", "S3:PREFIX", "raw/")), **LIST, context={"s3:prefix": "raw/"}),
    deciding(REFUSED, "values have a case", allow(Condition=if_(
        "StringEquals", "s3:prefix", "RAW/")), **LIST, context={"s3:prefix": "raw/"}),
    deciding(ALLOWED, "values in any case", allow(Condition=if_(
        "StringEqualsIgnoreCase", "s3:prefix", "RAW/")), **LIST, context={"s3:prefix": "raw/"}),
    deciding(ALLOWED, "few enough keys", allow(Condition=if_(
        "NumericLessThanEquals", "s3:max-keys", "10")), **LIST, context={"s3:max-keys": "10"}),
    deciding(REFUSED, "too many keys", allow(Condition=if_(
        "NumericLessThanEquals", "s3:max-keys", 10)), **LIST, context={"s3:max-keys": "11"}),
    deciding(REFUSED, "both conditions, one met", allow(Condition={
        "StringEquals": {"s3:prefix": "raw/", "s3:delimiter": "/"}}), **LIST,
        context={"s3:prefix": "raw/"}),
    deciding(ALLOWED, "both conditions, both met", allow(Condition={
        "StringEquals": {"s3:prefix": "raw/", "s3:delimiter": "/"}}), **LIST,
        context={"s3:prefix": "raw/", "s3:delimiter": "/"}),
    deciding(ALLOWED, "Null: no such key", allow(Condition=if_("Null", "s3:prefix", "true")),
             **LIST),
    deciding(REFUSED, "Null: there is one", allow(Condition=if_("Null", "s3:prefix", "true")),
             **LIST, context={"s3:prefix": "raw/"}),
    deciding(ALLOWED, "no condition in the element", allow(Condition={})),
    deciding(ALLOWED, "ForAllValues of nothing", allow(Condition=if_(
        "ForAllValues:StringEquals", "s3:prefix", "raw/")), **LIST),
    deciding(REFUSED, "ForAnyValue of nothing", allow(Condition=if_(
        "ForAnyValue:StringEquals", "s3:prefix", "raw/")), **LIST),
    deciding(DENIED, "a public upload", allow(), deny(Condition=if_(
        "StringLike", "s3:x-amz-acl", "public*")), **PUT, context={"s3:x-amz-acl": "public-read"}),
    deciding(DENIED, "an upload without encryption", allow(), deny(Condition=if_(
        "Null", "s3:x-amz-server-side-encryption", "true")), **PUT),
    deciding(ALLOWED, "an upload with encryption", allow(), deny(Condition=if_(
        "Null", "s3:x-amz-server-side-encryption", "true")), **PUT,
        context={"s3:x-amz-server-side-encryption": "AES256"}),
    # Variables.
    deciding(ALLOWED, "the user's own folder", allow(Resource=f"{ALBUM}/${{aws:username}}/*"),
             resource=f"{ALBUM}/ana/x"),
    deciding(REFUSED, "somebody else's folder", allow(Resource=f"{ALBUM}/${{aws:username}}/*"),
             resource=f"{ALBUM}/bob/x"),
    deciding(REFUSED, "a variable without a value", allow(
        Resource=f"{ALBUM}/${{aws:PrincipalTag/team}}/*"), resource=f"{ALBUM}//x"),
    deciding(ALLOWED, "a variable with a default", allow(
        Resource=f"{ALBUM}/${{aws:PrincipalTag/team, 'none'}}/*"), resource=f"{ALBUM}/none/x"),
    deciding(ALLOWED, "a deny by a variable without a value", allow(),
             deny(Resource=f"{ALBUM}/${{aws:PrincipalTag/team}}*")),
    deciding(REFUSED, "no variables in the older language", allow(
        Resource=f"{ALBUM}/${{aws:username}}/*"), resource=f"{ALBUM}/ana/x", version="2008-10-17"),
    deciding(ALLOWED, "${*} is an asterisk", allow(Resource=f"{ALBUM}/${{*}}"),
             resource=f"{ALBUM}/*"),
    deciding(REFUSED, "${*} is nothing else", allow(Resource=f"{ALBUM}/${{*}}"),
             resource=f"{ALBUM}/x"),
    # The bucket's policy.
    Case("the user by the bucket's policy", ALLOWED, (), (on_bucket(Principal={"AWS": ANA}),)),
    Case("everybody by the bucket's policy", ALLOWED, (), (on_bucket(Principal="*"),)),
    Case("everybody, written as AWS", ALLOWED, (), (on_bucket(Principal={"AWS": "*"}),)),
    Case("somebody else", REFUSED, (), (on_bucket(Principal={"AWS": f"{ANA}bel"}),)),
    Case("the account only delegates", REFUSED, (), (on_bucket(Principal={"AWS": ROOT}),)),
    Case("the account by its number only delegates", REFUSED, (),
         (on_bucket(Principal={"AWS": ACCOUNT}),)),
    Case("a service is not the user", REFUSED, (),
         (on_bucket(Principal={"Service": "s3.amazonaws.com"}),)),
    Case("the bucket denies", DENIED, (allow(),),
         (on_bucket(Principal="*") | {"Effect": "Deny"},)),
    Case("the bucket denies the account", DENIED, (allow(),),
         (on_bucket(Principal={"AWS": ROOT}) | {"Effect": "Deny"},)),
    Case("the user denies what the bucket allows", DENIED, (deny(),),
         (on_bucket(Principal={"AWS": ANA}),)),
    Case("NotPrincipal excepts the user and the account", ALLOWED, (allow(),),
         (on_bucket(NotPrincipal={"AWS": [ANA, ROOT]}) | {"Effect": "Deny"},)),
    Case("NotPrincipal without the account", DENIED, (allow(),),
         (on_bucket(NotPrincipal={"AWS": ANA}) | {"Effect": "Deny"},)),
    Case("NotPrincipal with the account alone", DENIED, (allow(),),
         (on_bucket(NotPrincipal={"AWS": ROOT}) | {"Effect": "Deny"},)),
    Case("NotPrincipal excepts nobody with a boundary", DENIED, (allow(),),
         (on_bucket(NotPrincipal={"AWS": [ANA, ROOT]}) | {"Effect": "Deny"},), (allow(),)),
    Case("the bucket's policy speaks of other objects", REFUSED, (),
         (on_bucket(Principal={"AWS": ANA}, Resource=f"{ALBUM}/done/*"),)),
    # Permissions boundaries.
    Case("within the boundary", ALLOWED, (allow(),), (), (allow(Action="s3:*"),)),
    Case("beyond the boundary", REFUSED, (allow(),), (), (allow(Action="sqs:*"),)),
    Case("a boundary grants nothing", REFUSED, (), (), (allow(),)),
    Case("the boundary denies", DENIED, (allow(),), (), (allow(), deny(Action="s3:Get*"))),
    Case("a boundary that only denies", REFUSED, (allow(),), (), (deny(Action="sqs:*"),)),
    Case("the bucket's grant to the user is beyond no boundary", ALLOWED, (),
         (on_bucket(Principal={"AWS": ANA}),), (allow(Action="sqs:*"),)),
]  # fmt: skip
