"""Policies on queues, topics, keys, functions and roles take part in the decision."""

import json

import pytest

from deployment import deploy, policy_of
from people import ACCOUNT, Person, client_of, refusal

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture(scope="module")
def cloud(local_cloud):
    local_cloud.client("sqs").create_queue(QueueName="jobs")
    local_cloud.client("sns").create_topic(Name="news")
    return local_cloud


@pytest.fixture(scope="module")
def ana(cloud):
    """A user without any policy."""
    return Person(cloud, "ana")


def set_queue_policy(cloud, *statements):
    url = f"{cloud.endpoint_url}/{ACCOUNT}/jobs"
    cloud.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": policy_of(*statements) if statements else ""}
    )
    return url


def test_a_queue_s_policy(cloud, ana):
    url = set_queue_policy(cloud)
    message = {"QueueUrl": url, "MessageBody": "m"}
    send = ana.client("sqs").send_message
    assert refusal(send, **message)[0] == "AccessDenied"
    allowing = {"Principal": {"AWS": ANA}, "Action": "sqs:SendMessage", "Resource": QUEUE}
    set_queue_policy(cloud, allowing)
    assert send(**message)
    set_queue_policy(cloud, allowing, {**allowing, "Effect": "Deny"})
    assert refusal(send, **message)[1].endswith("with an explicit deny in a resource-based policy")
    set_queue_policy(cloud, {**allowing, "Principal": {"AWS": ROOT}})
    assert refusal(send, **message)[0] == "AccessDenied"


def test_a_topic_s_policy(cloud, ana):
    publish = ana.client("sns").publish
    assert refusal(publish, TopicArn=TOPIC, Message="m")[0] == "AuthorizationError"
    allowing = {"Principal": {"AWS": ANA}, "Action": "sns:Publish", "Resource": TOPIC}
    cloud.client("sns").set_topic_attributes(
        TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy_of(allowing)
    )
    assert publish(TopicArn=TOPIC, Message="m")


def test_a_key_s_policy_must_agree(cloud):
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/photos", TargetKeyId=key)
    bob = Person(cloud, "bob", {"Action": "kms:*", "Resource": "*"})
    encrypt = bob.client("kms").encrypt
    # The default policy leaves it to the account's identity policies.
    for name in (key, "alias/photos"):
        assert encrypt(KeyId=name, Plaintext=b"x")
    only_carol = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/carol"}, "Action": "kms:*",
                  "Resource": "*"}  # fmt: skip
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy_of(only_carol))
    for name in (key, "alias/photos"):
        assert refusal(encrypt, KeyId=name, Plaintext=b"x")[1].endswith(
            "because no resource-based policy allows the kms:Encrypt action"
        )
    carol = Person(cloud, "carol")
    assert carol.client("kms").encrypt(KeyId=key, Plaintext=b"x")


def test_a_function_s_policy_names_a_user_or_the_account(cloud, ana):
    deploy(cloud, "greet", "def handler(event, context): return 1")
    invoke = ana.client("lambda").invoke
    functions = cloud.client("lambda")

    def permit(principal):
        functions.add_permission(
            FunctionName="greet", StatementId="s", Action="lambda:InvokeFunction",
            Principal=principal,
        )  # fmt: skip

    permit(ACCOUNT)  # only delegates
    assert refusal(invoke, FunctionName="greet")[0] == "AccessDeniedException"
    functions.remove_permission(FunctionName="greet", StatementId="s")
    permit(ANA)
    assert json.load(invoke(FunctionName="greet")["Payload"]) == 1


def test_a_role_s_session_in_a_bucket_s_policy(cloud):
    iam, s3 = cloud.client("iam"), cloud.client("s3")
    s3.create_bucket(Bucket="album")
    trust = policy_of({"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    sts = cloud.client("sts")
    names = ("first", "second")
    first, second = (
        client_of(
            cloud, "s3", sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        ).put_object
        for name in names
    )
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/first"
    statement = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::album/*"}
    s3.put_bucket_policy(
        Bucket="album", Policy=policy_of({**statement, "Principal": {"AWS": session}})
    )
    assert first(Bucket="album", Key="k")
    assert refusal(second, Bucket="album", Key="k")[0] == "AccessDenied"
    s3.put_bucket_policy(
        Bucket="album", Policy=policy_of({**statement, "Principal": {"AWS": role}})
    )
    assert second(Bucket="album", Key="k")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("no json", "Policies must be valid JSON and the first byte must be '{'"),
        ('{"Version": "2012-10-17"}', "Missing required field Statement"),
        (policy_of({"Action": "s3:*", "Resource": "*"}), "Missing required field Principal"),
        (policy_of({"Principal": "*", "Action": "s3:*"}), "Missing required field Resource"),
        (policy_of({"Principal": "*", "Action": "sqs:*", "Resource": "arn:aws:s3:::checked"}),
         "Policy has invalid action"),
        (policy_of({"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}),
         "Policy has invalid resource"),
    ],
)  # fmt: skip
def test_malformed_bucket_policies(cloud, policy, message):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="checked")
    assert refusal(s3.put_bucket_policy, Bucket="checked", Policy=policy) == (
        "MalformedPolicy", message, 400,
    )  # fmt: skip
    for resource in ("*", "arn:aws:s3:::checked*", "arn:aws:s3:::checked/a/${aws:username}/*"):
        good = {"Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        s3.put_bucket_policy(Bucket="checked", Policy=policy_of(good))


@pytest.mark.parametrize(
    "document", ["{}", "{", policy_of({"Action": "sts:AssumeRole", "Resource": "*"})]
)
def test_malformed_trust_policies(cloud, document):
    create = cloud.client("iam").create_role
    assert refusal(create, RoleName="r", AssumeRolePolicyDocument=document)[::2] == (
        "MalformedPolicyDocument", 400,
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "s3:GetObject"},
        {"Action": "s3", "Resource": "*"},
        {"Action": "s3:GetObject", "Resource": "album"},
        {"Action": "s3:GetObject", "Resource": "*", "Principal": "*"},
        {"Action": "s3:GetObject", "Resource": "*", "Sid": "read-only"},
        {"Action": "s3:*", "Resource": "*", "Condition": {"StringMatches": {"aws:userid": "x"}}},
    ],
)
def test_malformed_identity_policies(ana, statement):
    put = ana.iam.put_user_policy
    error = refusal(put, UserName="ana", PolicyName="p", PolicyDocument=policy_of(statement))
    assert error[::2] == ("MalformedPolicyDocument", 400)


def test_a_queues_policy_stays_when_other_attributes_are_set(local_cloud):
    sqs = local_cloud.client("sqs")
    url = sqs.create_queue(QueueName="with-policy")["QueueUrl"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    for attributes in ({"Policy": policy}, {"VisibilityTimeout": "33"}):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    asked = {"QueueUrl": url, "AttributeNames": ["All"]}
    assert json.loads(sqs.get_queue_attributes(**asked)["Attributes"]["Policy"]) == json.loads(
        policy
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(**asked)["Attributes"]
    sqs.delete_queue(QueueUrl=url)
