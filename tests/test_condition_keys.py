"""The condition keys that requests, callers and resources give, by requests that need them."""

import json

import pytest

from deployment import deploy, make_role, policy_of
from people import ACCOUNT, Person, client_of, refusal

HERE = f"us-east-1:{ACCOUNT}"
FUNCTION = f"arn:aws:lambda:{HERE}:function:tagged"
LAYER = f"arn:aws:lambda:{HERE}:layer:lib:1"


@pytest.fixture(scope="module")
def cloud(local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="album")
    s3.put_object(Bucket="album", Key="open", Body=b"x", Tagging="level=public")
    s3.put_object(Bucket="album", Key="secret", Body=b"x", Tagging="level=secret")
    deploy(local_cloud, "tagged", "def handler(event, context): return 1", Tags={"team": "red"})
    local_cloud.client("sqs").create_queue(QueueName="jobs", tags={"team": "red"})
    return local_cloud


@pytest.fixture(scope="module")
def person(cloud):
    """The same user for all tests; each gives a policy."""
    return Person(cloud, "ana")


def when(operator: str, key: str, value, action: str = "*") -> dict:
    return {"Action": action, "Resource": "*", "Condition": {operator: {key: value}}}


def is_allowed(call, **parameters) -> bool:
    """Whether a call is let through, whatever becomes of it then."""
    try:
        call(**parameters)
    except Exception as error:
        code = error.response["Error"]["Code"]
        return code not in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    return True


OBJECT = {"Bucket": "album", "Key": "new", "Body": b""}


@pytest.mark.parametrize(
    ("condition", "service", "call", "met", "unmet"),
    [
        (("StringEquals", "s3:ExistingObjectTag/level", "public"), "s3", "get_object",
         {"Bucket": "album", "Key": "open"}, {"Bucket": "album", "Key": "secret"}),
        (("StringEquals", "s3:RequestObjectTag/level", "public"), "s3", "put_object",
         {**OBJECT, "Tagging": "level=public"}, {**OBJECT, "Tagging": "level=secret"}),
        (("ForAnyValue:StringEquals", "s3:RequestObjectTagKeys", ["level"]), "s3",
         "put_object_tagging",
         {"Bucket": "album", "Key": "open",
          "Tagging": {"TagSet": [{"Key": "level", "Value": "public"}]}},
         {"Bucket": "album", "Key": "open", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
        (("StringEquals", "s3:VersionId", "v1"), "s3", "get_object",
         {"Bucket": "album", "Key": "open", "VersionId": "v1"},
         {"Bucket": "album", "Key": "open", "VersionId": "v2"}),
        (("StringEquals", "s3:x-amz-acl", "private"), "s3", "put_object",
         {**OBJECT, "ACL": "private"}, OBJECT),
        (("StringEquals", "s3:LocationConstraint", "eu-west-1"), "s3", "create_bucket",
         {"Bucket": "far", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
         {"Bucket": "near"}),
        (("StringEquals", "aws:ResourceTag/team", "red"), "lambda", "get_function",
         {"FunctionName": "tagged"}, {"FunctionName": "other"}),
        (("StringEquals", "aws:ResourceTag/team", "red"), "sqs", "send_message",
         {"QueueUrl": f"http://x/{ACCOUNT}/jobs", "MessageBody": "m"},
         {"QueueUrl": f"http://x/{ACCOUNT}/none", "MessageBody": "m"}),
        (("StringEquals", "aws:RequestTag/team", "red"), "lambda", "tag_resource",
         {"Resource": FUNCTION, "Tags": {"team": "red"}},
         {"Resource": FUNCTION, "Tags": {"team": "blue"}}),
        (("ForAllValues:StringEquals", "aws:TagKeys", ["team"]), "lambda", "tag_resource",
         {"Resource": FUNCTION, "Tags": {"team": "red"}},
         {"Resource": FUNCTION, "Tags": {"team": "red", "cost": "1"}}),
        (("StringEquals", "aws:RequestTag/team", "red"), "iam", "create_role",
         {"RoleName": "r", "AssumeRolePolicyDocument": "{}",
          "Tags": [{"Key": "team", "Value": "red"}]},
         {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
        (("StringEquals", "aws:RequestTag/team", "red"), "sqs", "create_queue",
         {"QueueName": "more", "tags": {"team": "red"}}, {"QueueName": "less"}),
        (("ArnLike", "lambda:FunctionArn", f"{FUNCTION}*"), "lambda",
         "create_event_source_mapping",
         {"FunctionName": "tagged", "EventSourceArn": f"arn:aws:sqs:{HERE}:jobs"},
         {"FunctionName": "other", "EventSourceArn": f"arn:aws:sqs:{HERE}:jobs"}),
        (("ForAllValues:StringEquals", "lambda:Layer", [LAYER]), "lambda",
         "update_function_configuration",
         {"FunctionName": "tagged", "Layers": [LAYER]},
         {"FunctionName": "tagged", "Layers": [LAYER, LAYER.replace("lib", "spy")]}),
        (("StringEquals", "lambda:Principal", "s3.amazonaws.com"), "lambda", "add_permission",
         {"FunctionName": "tagged", "StatementId": "a", "Action": "lambda:InvokeFunction",
          "Principal": "s3.amazonaws.com"},
         {"FunctionName": "tagged", "StatementId": "b", "Action": "lambda:InvokeFunction",
          "Principal": "*"}),
        (("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"), "iam",
         "attach_user_policy",
         {"UserName": "none", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
         {"UserName": "none", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ],
)  # fmt: skip
def test_keys_of_the_request_and_its_resource(person, condition, service, call, met, unmet):
    person.may(when(*condition))
    method = getattr(person.client(service), call)
    assert is_allowed(method, **met)
    assert not is_allowed(method, **unmet)


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("IpAddress", "aws:SourceIp", "127.0.0.0/8", True),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.168.0.0/16"], False),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", True),
        ("Bool", "aws:SecureTransport", "true", True),
        ("Bool", "aws:ViaAWSService", "false", True),
        ("Bool", "aws:PrincipalIsAWSService", "true", False),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/*", True),
        ("StringEquals", "aws:PrincipalAccount", ACCOUNT, True),
        ("StringEquals", "aws:PrincipalType", "User", True),
        ("StringEquals", "aws:ResourceAccount", ACCOUNT, True),
        ("StringEquals", "aws:username", "ana", True),
        ("StringEquals", "aws:username", "Ana", False),
        ("StringLike", "aws:userid", "AIDA*", None),
        ("StringEquals", "aws:RequestedRegion", "us-east-1", True),
        ("StringEquals", "aws:RequestedRegion", "eu-west-1", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z", True),
        ("DateLessThan", "aws:CurrentTime", "2026-01", False),
        ("NumericGreaterThan", "aws:EpochTime", 1700000000, True),
        ("DateGreaterThan", "aws:EpochTime", "2026-01-01T00:00:00Z", True),
        ("StringLike", "aws:UserAgent", "*Boto3*", True),
        # Nobody signed in with a second factor. Long-term keys don't even have the key.
        ("Bool", "aws:MultiFactorAuthPresent", "true", False),
        ("Bool", "aws:MultiFactorAuthPresent", "false", False),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "false", True),
        ("Null", "aws:MultiFactorAuthAge", "true", True),
        ("Null", "aws:PrincipalTag/team", "true", True),
        ("Null", "aws:SourceVpce", "true", True),
    ],
)
def test_keys_of_every_request(person, operator, key, value, expected):
    if expected is None:  # moto's own form of ids
        user = person.iam.get_user(UserName="ana")["User"]["UserId"]
        operator, value, expected = "StringEquals", user, True
    person.may(when(operator, key, value))
    assert is_allowed(person.client("s3").get_object, Bucket="album", Key="open") is expected


def test_what_a_condition_decides_is_asked_each_time(cloud, person):
    person.may(
        {"Action": "s3:GetObject", "Resource": "*"},
        {"Effect": "Deny", **when("StringEquals", "s3:ExistingObjectTag/level", "sealed")},
    )
    administrator, s3 = cloud.client("s3"), person.client("s3")
    for level, allowed in (("free", True), ("sealed", False), ("free", True), ("sealed", False)):
        administrator.put_object(Bucket="album", Key="turns", Body=b"", Tagging=f"level={level}")
        assert is_allowed(s3.get_object, Bucket="album", Key="turns") is allowed
        assert is_allowed(s3.get_object, Bucket="album", Key="turns") is allowed


def test_tags_of_the_user(cloud, person):
    person.may(when("StringEquals", "aws:PrincipalTag/team", "${s3:ExistingObjectTag/level}"))
    get = person.client("s3").get_object
    assert not is_allowed(get, Bucket="album", Key="open")
    person.iam.tag_user(UserName="ana", Tags=[{"Key": "team", "Value": "public"}])
    assert is_allowed(get, Bucket="album", Key="open")
    assert not is_allowed(get, Bucket="album", Key="secret")
    person.iam.untag_user(UserName="ana", TagKeys=["team"])


def test_tags_and_policies_of_a_session(cloud):
    iam = cloud.client("iam")
    trust = policy_of(
        {
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"sts:ExternalId": "1234"}},
        }
    )
    role = iam.create_role(
        RoleName="partner", AssumeRolePolicyDocument=trust, Tags=[{"Key": "team", "Value": "red"}]
    )["Role"]["Arn"]
    by_tag = when("StringEquals", "aws:PrincipalTag/team", "${aws:ResourceTag/team}", "sqs:*")
    iam.put_role_policy(
        RoleName="partner",
        PolicyName="p",
        PolicyDocument=policy_of(by_tag, {"Action": "s3:*", "Resource": "*"}),
    )
    bob = Person(cloud, "bob", {"Action": "sts:*", "Resource": "*"})
    sts = bob.client("sts")
    asked = {"RoleArn": role, "RoleSessionName": "bob"}
    assert refusal(sts.assume_role, **asked)[0] == "AccessDenied"
    assert refusal(sts.assume_role, **asked, ExternalId="4321")[0] == "AccessDenied"
    asked["ExternalId"] = "1234"
    send = {"QueueUrl": f"http://x/{ACCOUNT}/jobs", "MessageBody": "m"}
    made = sts.assume_role(**asked)["Credentials"]
    assert is_allowed(client_of(cloud, "sqs", made).send_message, **send)
    tags = [{"Key": "team", "Value": "blue"}]
    made = sts.assume_role(**asked, Tags=tags)["Credentials"]
    assert not is_allowed(client_of(cloud, "sqs", made).send_message, **send)
    reading = [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]
    made = sts.assume_role(**asked, PolicyArns=reading)["Credentials"]
    s3 = client_of(cloud, "s3", made)
    assert is_allowed(s3.get_object, Bucket="album", Key="open")
    assert refusal(s3.put_object, **OBJECT)[1].endswith(
        "because no session policy allows the s3:PutObject action"
    )
    # Temporary credentials do say whether there was a second factor.
    iam.put_role_policy(
        RoleName="partner",
        PolicyName="p",
        PolicyDocument=policy_of(when("Bool", "aws:MultiFactorAuthPresent", "false")),
    )
    made = sts.assume_role(**asked)["Credentials"]
    assert is_allowed(client_of(cloud, "s3", made).get_object, Bucket="album", Key="open")


def test_a_role_that_is_not_there_is_not_told(cloud):
    arn = f"arn:aws:iam::{ACCOUNT}:role/none"
    code, message, status = refusal(
        cloud.client("sts").assume_role, RoleArn=arn, RoleSessionName="me"
    )
    assert (code, status) == ("AccessDenied", 403)
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {arn}")


def test_a_role_is_passed_to_the_services_that_are_named(cloud, person):
    role = make_role(cloud, "passed")
    new = {"FunctionName": "new", "Role": role, "Runtime": "python3.12", "Handler": "a.b",
           "Code": {"ZipFile": b"x"}}  # fmt: skip
    creating = {"Action": "lambda:CreateFunction", "Resource": "*"}
    create = person.client("lambda").create_function
    person.may(creating, when("StringEquals", "iam:PassedToService", "ec2.amazonaws.com"))
    assert "iam:PassRole" in refusal(create, **new)[1]
    person.may(creating, when("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"))
    assert is_allowed(create, **new)


def test_the_function_behind_a_call(cloud):
    source = """
        import boto3
        def handler(event, context):
            return boto3.client("s3").get_object(Bucket="album", Key="open")["ContentLength"]
    """
    arn = f"arn:aws:lambda:{HERE}:function:caller"
    for name, value in (("caller", arn), ("stranger", arn)):
        statement = when("ArnEquals", "lambda:SourceFunctionArn", value, "s3:*")
        role = make_role(cloud, f"{name}-own", statement)
        deploy(cloud, name, source, role)
    call = cloud.client("lambda").invoke
    assert json.load(call(FunctionName="caller")["Payload"]) == 1
    assert "FunctionError" in call(FunctionName="stranger")
