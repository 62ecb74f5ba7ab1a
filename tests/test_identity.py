"""Callers are found by their keys, held to their policies, and refused in AWS's words."""

import urllib.error
import urllib.request
from datetime import timedelta

import boto3
import pytest
from moto.core.utils import utcnow
from moto.sts.models import sts_backends

from deployment import deploy, policy_of
from localcloud.actions import ApiRequest
from localcloud.control_plane import principals
from localcloud.identity import Gatekeeper, may_service
from localcloud.policies import Policy
from people import Person, refusal

ACCOUNT = "000000000000"
USER = f"arn:aws:iam::{ACCOUNT}:user"
BUCKET = "arn:aws:s3:::album"
ALL = {"Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A bucket with one object and another one; returns the cloud."""
    s3 = local_cloud.client("s3")
    for bucket in ("album", "locked"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="album", Key="raw/a.jpg", Body=b"x")
    return local_cloud


@pytest.fixture
def person(cloud, request):
    """Makes an IAM user, named after the test, with the given statements."""
    return lambda *statements: Person(cloud, request.node.name.replace("[", "."), *statements)


def lacking(arn: str, action: str, resource: str, kind: str = "identity-based policy") -> str:
    return (
        f"User: {arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no {kind} allows the {action} action"
    )


def test_unknown_keys_are_the_administrator(cloud):
    assert cloud.client("s3").get_object(Bucket="album", Key="raw/a.jpg")
    gatekeeper = Gatekeeper(ACCOUNT)
    scope = "20261124/us-east-1/s3/aws4_request"
    for key in ("test", "AKIAIOSFODNN7EXAMPLE"):
        headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, Signature=x"}
        assert gatekeeper.check(ApiRequest("DELETE", "/album", "", headers)) is None


def test_s3_refusals(person):
    user = person({"Action": "s3:GetObject", "Resource": f"{BUCKET}/raw/*"})
    arn, s3 = f"{USER}/{user.name}", user.client("s3")
    assert s3.get_object(Bucket="album", Key="raw/a.jpg")["Body"].read() == b"x"
    assert refusal(s3.put_object, Bucket="album", Key="raw/b.jpg", Body=b"") == (
        "AccessDenied", lacking(arn, "s3:PutObject", f'"{BUCKET}/raw/b.jpg"'), 403,
    )  # fmt: skip
    assert refusal(s3.list_objects_v2, Bucket="album") == (
        "AccessDenied", lacking(arn, "s3:ListBucket", f'"{BUCKET}"'), 403,
    )  # fmt: skip
    assert refusal(s3.head_bucket, Bucket="album") == ("403", "Forbidden", 403)
    assert refusal(s3.get_object, Bucket="nowhere-at-all", Key="x")[0] == "NoSuchBucket"


def test_a_missing_key_is_told_only_to_who_may_list(person):
    user = person({"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"})
    s3 = user.client("s3")
    message = lacking(f"{USER}/{user.name}", "s3:ListBucket", f'"{BUCKET}"')
    assert refusal(s3.get_object, Bucket="album", Key="no") == ("AccessDenied", message, 403)
    assert refusal(s3.head_object, Bucket="album", Key="no")[2] == 403
    user.may({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [f"{BUCKET}/*", BUCKET]})
    assert refusal(s3.get_object, Bucket="album", Key="no")[0] == "NoSuchKey"
    assert refusal(s3.head_object, Bucket="album", Key="no")[2] == 404


def test_a_policy_that_changes_is_in_force_at_once(person):
    user = person()
    call = user.client("sqs").list_queues
    assert refusal(call)[0] == "AccessDenied"
    user.may({"Action": "sqs:ListQueues", "Resource": "*"})
    call()
    user.iam.delete_user_policy(UserName=user.name, PolicyName="own")
    assert refusal(call)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code", "action", "resource"),
    [
        ("logs", "create_log_group", {"logGroupName": "g"}, "AccessDeniedException",
         "logs:CreateLogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:log-stream:"),
        ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException",
         "lambda:GetFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException",
         "lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
        ("iam", "list_users", {}, "AccessDenied", "iam:ListUsers", "*"),
        ("sns", "create_topic", {"Name": "t"}, "AuthorizationError",
         "SNS:CreateTopic", f"arn:aws:sns:us-east-1:{ACCOUNT}:t"),
        ("dynamodb", "describe_table", {"TableName": "tab"}, "AccessDeniedException",
         "dynamodb:DescribeTable", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/tab"),
        ("cloudwatch", "list_metrics", {}, "AccessDeniedException",
         "cloudwatch:ListMetrics", "*"),
    ],
)  # fmt: skip
def test_refusals_in_every_protocol(cloud, service, call, parameters, code, action, resource):
    user = Person(cloud, f"nobody-{service}-{call}")
    found = refusal(getattr(user.client(service), call), **parameters)
    assert found[:2] == (code, lacking(f"{USER}/{user.name}", action, resource))


def test_an_explicit_deny_names_the_managed_policy(person):
    user = person(ALL)
    document = policy_of({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    managed = user.iam.create_policy(PolicyName="no-deleting", PolicyDocument=document)
    user.iam.create_group(GroupName="careful")
    user.iam.attach_group_policy(GroupName="careful", PolicyArn=managed["Policy"]["Arn"])
    s3 = user.client("s3")
    s3.delete_object(Bucket="album", Key="gone")
    user.iam.add_user_to_group(GroupName="careful", UserName=user.name)
    assert refusal(s3.delete_object, Bucket="album", Key="gone") == (
        "AccessDenied",
        f"User: {USER}/{user.name} is not authorized to perform: s3:DeleteObject on resource: "
        f'"{BUCKET}/gone" with an explicit deny in an identity-based policy: '
        f"arn:aws:iam::{ACCOUNT}:policy/no-deleting",
        403,
    )


def test_a_bucket_policy_grants_and_denies(cloud, person):
    user = person()
    s3, owner = user.client("s3"), cloud.client("s3")
    grant = {"Principal": {"AWS": f"{USER}/{user.name}"}, "Action": "s3:PutObject",
             "Resource": "arn:aws:s3:::locked/*"}  # fmt: skip
    owner.put_bucket_policy(Bucket="locked", Policy=policy_of(grant))
    s3.put_object(Bucket="locked", Key="k", Body=b"")
    owner.put_bucket_policy(Bucket="locked", Policy=policy_of({**grant, "Effect": "Deny"}))
    assert refusal(s3.put_object, Bucket="locked", Key="k", Body=b"")[1].endswith(
        '"arn:aws:s3:::locked/k" with an explicit deny in a resource-based policy'
    )


def test_a_function_policy_lets_a_user_invoke(cloud, person):
    user = person()
    role = make_role(cloud, "greeter-role", {"Service": "lambda.amazonaws.com"})
    deploy(cloud, "greeter", "def handler(event, context): return 1", role)
    call = user.client("lambda").invoke
    assert refusal(call, FunctionName="greeter")[0] == "AccessDeniedException"
    cloud.client("lambda").add_permission(
        FunctionName="greeter", StatementId="user", Action="lambda:InvokeFunction", Principal="*"
    )
    assert call(FunctionName="greeter")["Payload"].read() == b"1"


def make_role(cloud, name: str, principal: dict, **options) -> str:
    trust = policy_of({"Principal": principal, "Action": "sts:AssumeRole"})
    trust = trust.replace(', "Resource": "*"', "")
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, **options)
    return role["Role"]["Arn"]


def session_client(cloud, service: str, made: principals.RoleCredentials):
    session = boto3.Session(
        made.access_key_id, made.secret_access_key, made.session_token, region_name="us-east-1"
    )
    return session.client(service, endpoint_url=cloud.endpoint_url)


def test_role_credentials(cloud):
    arn = make_role(cloud, "app", {"Service": "lambda.amazonaws.com"})
    made = principals.mint_role_credentials(arn, "fn", ACCOUNT, "us-east-1")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/fn"
    # Always allowed, and the function's role is named after the function.
    assert session_client(cloud, "sts", made).get_caller_identity()["Arn"] == session
    s3 = session_client(cloud, "s3", made)
    message = lacking(session, "s3:GetObject", f'"{BUCKET}/raw/a.jpg"')
    assert refusal(s3.get_object, Bucket="album", Key="raw/a.jpg")[1] == message
    cloud.client("iam").attach_role_policy(
        RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    assert s3.get_object(Bucket="album", Key="raw/a.jpg")
    assert refusal(s3.put_object, Bucket="album", Key="x", Body=b"")[0] == "AccessDenied"


def test_permissions_boundary(cloud):
    boundary = cloud.client("iam").create_policy(
        PolicyName="reading", PolicyDocument=policy_of({"Action": "s3:Get*", "Resource": "*"})
    )["Policy"]["Arn"]
    lambda_ = {"Service": "lambda.amazonaws.com"}
    arn = make_role(cloud, "bounded", lambda_, PermissionsBoundary=boundary)
    cloud.client("iam").put_role_policy(
        RoleName="bounded", PolicyName="all", PolicyDocument=policy_of(ALL)
    )
    made = principals.mint_role_credentials(arn, "fn", ACCOUNT, "us-east-1")
    s3 = session_client(cloud, "s3", made)
    assert s3.get_object(Bucket="album", Key="raw/a.jpg")
    assert refusal(s3.put_object, Bucket="album", Key="x", Body=b"")[1] == lacking(
        f"arn:aws:sts::{ACCOUNT}:assumed-role/bounded/fn",
        "s3:PutObject", f'"{BUCKET}/x"', "permissions boundary",
    )  # fmt: skip


def test_assuming_a_role_needs_its_trust_and_obeys_the_session_policy(cloud, person):
    user = person(ALL)
    sts = user.client("sts")
    closed = make_role(cloud, "closed", {"Service": "lambda.amazonaws.com"})
    code, message, _ = refusal(sts.assume_role, RoleArn=closed, RoleSessionName="me")
    assert code == "AccessDenied"
    assert message == (
        f"User: {USER}/{user.name} is not authorized to perform: sts:AssumeRole "
        f"on resource: {closed}"
    )
    opened = make_role(cloud, "opened", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    cloud.client("iam").put_role_policy(
        RoleName="opened", PolicyName="all", PolicyDocument=policy_of(ALL)
    )
    keys = sts.assume_role(
        RoleArn=opened,
        RoleSessionName="me",
        Policy=policy_of({"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}),
    )["Credentials"]
    made = principals.RoleCredentials(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"]
    )
    s3 = session_client(cloud, "s3", made)
    assert s3.get_object(Bucket="album", Key="raw/a.jpg")
    assert "because no session policy allows" in refusal(s3.list_buckets)[1]


def test_passing_a_role_is_a_permission_of_its_own(cloud, person):
    user = person({"Action": "lambda:*", "Resource": "*"})
    role = make_role(cloud, "passed", {"Service": "lambda.amazonaws.com"})
    message = refusal(
        user.client("lambda").create_function,
        FunctionName="new", Role=role, Runtime="python3.12", Handler="a.b",
        Code={"ZipFile": b"x"},
    )[1]  # fmt: skip
    assert message == lacking(f"{USER}/{user.name}", "iam:PassRole", role)


def test_inactive_and_expired_credentials(cloud, person):
    user = person(ALL)
    user.iam.update_access_key(
        UserName=user.name, AccessKeyId=user.key["AccessKeyId"], Status="Inactive"
    )
    assert refusal(user.client("s3").list_buckets)[0] == "InvalidAccessKeyId"
    assert refusal(user.client("iam").list_users)[0] == "InvalidClientTokenId"
    assert refusal(user.client("logs").describe_log_groups)[0] == "UnrecognizedClientException"
    arn = make_role(cloud, "short", {"Service": "lambda.amazonaws.com"})
    made = principals.mint_role_credentials(arn, "fn", ACCOUNT, "us-east-1")
    assumed = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(made.access_key_id)
    assumed.expiration = utcnow() - timedelta(seconds=1)
    assert refusal(session_client(cloud, "s3", made).list_buckets)[::2] == ("ExpiredToken", 400)


def test_presigned_urls(person):
    user = person({"Action": "s3:GetObject", "Resource": f"{BUCKET}/raw/*"})
    s3 = user.client("s3")
    good, bad = (
        s3.generate_presigned_url("get_object", {"Bucket": "album", "Key": key})
        for key in ("raw/a.jpg", "b.jpg")
    )
    assert urllib.request.urlopen(good).read() == b"x"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(bad)
    with refused.value as answer:
        assert answer.status == 403
        assert b"<Code>AccessDenied</Code>" in answer.read()


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"


@pytest.mark.parametrize(
    ("changes", "bucket", "account", "function", "expected"),
    [
        ({}, "album", ACCOUNT, FUNCTION, True),
        ({}, "other", ACCOUNT, FUNCTION, False),
        ({}, "album", "999999999999", FUNCTION, False),
        ({}, "album", ACCOUNT, f"{FUNCTION}:live", False),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, "album", ACCOUNT, FUNCTION, False),
        ({"Action": "lambda:GetFunction"}, "album", ACCOUNT, FUNCTION, False),
        ({"Effect": "Deny"}, "album", ACCOUNT, FUNCTION, False),
        ({"Condition": {}}, "other", ACCOUNT, FUNCTION, True),
    ],
)
def test_may_service(changes, bucket, account, function, expected):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        "Condition": {
            "ArnLike": {"AWS:SourceArn": BUCKET},
            "StringEquals": {"AWS:SourceAccount": ACCOUNT},
        },
        **changes,
    }
    policy = Policy(policy_of(statement))
    asked = ("lambda:InvokeFunction", function, f"arn:aws:s3:::{bucket}", account)
    assert may_service(policy, *asked) is expected


def test_no_service_may_invoke_a_function_without_a_policy():
    assert not may_service(None, "lambda:InvokeFunction", FUNCTION, BUCKET, ACCOUNT)
