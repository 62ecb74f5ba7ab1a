"""Resource-based policies of functions, versions and aliases."""

import json

import pytest

from deployment import deploy, unchecked
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"
NOT_FOUND = "ResourceNotFoundException"
ALLOW = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}


@pytest.fixture(scope="module")
def functions(local_cloud):
    deploy(local_cloud, "fn", "def handler(event, context): pass\n")
    client = unchecked(local_cloud, "lambda")
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return client


@pytest.fixture(autouse=True)
def empty_policies(functions):
    yield
    for qualifier in (None, "1", "live"):
        given = {"FunctionName": "fn", **({"Qualifier": qualifier} if qualifier else {})}
        for statement in statements(functions, qualifier):
            functions.remove_permission(**given, StatementId=statement["Sid"])


def statements(functions, qualifier=None):
    given = {"FunctionName": "fn", **({"Qualifier": qualifier} if qualifier else {})}
    try:
        policy = json.loads(functions.get_policy(**given)["Policy"])
    except functions.exceptions.ResourceNotFoundException:
        return []
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "default")
    return policy["Statement"]


def added(functions, **given):
    answer = functions.add_permission(FunctionName="fn", StatementId="s", **{**ALLOW, **given})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    return json.loads(answer["Statement"])


def test_service_with_source(functions):
    statement = added(functions, SourceArn="arn:aws:s3:::b", SourceAccount="000000000000")
    assert statement == {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
        },
    }
    assert statements(functions) == [statement]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("*", "*"),
        ("123456789012", {"AWS": "arn:aws:iam::123456789012:root"}),
        ("arn:aws:iam::123456789012:user/ann", {"AWS": "arn:aws:iam::123456789012:user/ann"}),
    ],
)
def test_principal(functions, given, written):
    statement = added(functions, Principal=given)
    assert statement["Principal"] == written
    assert "Condition" not in statement


def test_function_url_conditions(functions):
    given = {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    assert added(functions, **given)["Condition"] == {
        "StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}
    }


def test_policies_of_qualifiers_are_apart(functions):
    assert added(functions, Qualifier="live")["Resource"] == f"{ARN}:live"
    assert added(functions, Qualifier="1")["Resource"] == f"{ARN}:1"
    assert statements(functions) == []
    added(functions)
    functions.remove_permission(FunctionName="fn", StatementId="s", Qualifier="live")
    assert [len(statements(functions, each)) for each in (None, "1", "live")] == [1, 1, 0]


def test_permission_on_an_alias_is_none_on_the_function(local_cloud, functions):
    buckets = local_cloud.client("s3")
    buckets.create_bucket(Bucket="triggers")

    def notify(arn):
        buckets.put_bucket_notification_configuration(
            Bucket="triggers",
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [
                    {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
                ]
            },
        )

    added(functions, Qualifier="live", SourceArn="arn:aws:s3:::triggers")
    notify(f"{ARN}:live")
    assert "Unable to validate" in refusal(notify, arn=ARN)[2]


def test_refusals(functions):
    added(functions)

    def refused(**given):
        return refusal(
            functions.add_permission, **{"FunctionName": "fn", "StatementId": "t", **ALLOW, **given}
        )

    assert refused(StatementId="s") == (
        409, "ResourceConflictException",
        "The statement id (s) provided already exists. Please provide a new statement id, or remove the "
        "existing statement.",
    )  # fmt: skip
    assert refused(Principal="nobody") == (
        400, "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
    )  # fmt: skip
    assert refused(Qualifier="$LATEST")[1:] == (
        "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."
    )  # fmt: skip
    assert refused(Qualifier="9") == (404, NOT_FOUND, f"Function not found: {ARN}:9")
    assert refused(FunctionName="nobody")[2] == f"Function not found: {ARN[:-2]}nobody"
    assert refused(StatementId="a b") == (
        400, "ValidationException",
        "1 validation error detected: Value 'a b' at 'statementId' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    )  # fmt: skip
    assert refused(Action="s3:GetObject")[1] == "ValidationException"
    assert refused(RevisionId="6b1c6f8e-0000-4000-8000-000000000000")[:2] == (
        412, "PreconditionFailedException"
    )  # fmt: skip
    assert len(statements(functions)) == 1


def test_policy_over_twenty_kilobytes(functions):
    given = {"FunctionName": "fn", **ALLOW, "SourceArn": f"arn:aws:s3:::{'b' * 9000}"}
    functions.add_permission(**given, StatementId="one")
    functions.add_permission(**given, StatementId="two")
    status, code, message = refusal(functions.add_permission, **given, StatementId="three")
    assert (status, code) == (400, "PolicyLengthExceededException")
    assert message.endswith("is bigger than the limit (20480).")


def test_remove(functions):
    given = {"FunctionName": "fn", "StatementId": "s"}
    assert refusal(functions.remove_permission, **given) == (
        404, NOT_FOUND, "No policy is associated with the given resource."
    )  # fmt: skip
    added(functions)
    assert refusal(functions.remove_permission, FunctionName="fn", StatementId="other") == (
        404, NOT_FOUND, "Statement other is not found in resource policy."
    )  # fmt: skip
    assert refusal(functions.remove_permission, FunctionName="nobody", StatementId="s")[2] == (
        f"No policy found for: {ARN[:-2]}nobody"
    )
    revision = functions.get_policy(FunctionName="fn")["RevisionId"]
    stale = {**given, "RevisionId": "6b1c6f8e-0000-4000-8000-000000000000"}
    assert refusal(functions.remove_permission, **stale)[0] == 412
    answer = functions.remove_permission(**given, RevisionId=revision)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(functions.get_policy, FunctionName="fn") == (
        404, NOT_FOUND, "The resource you requested does not exist."
    )  # fmt: skip


def test_a_permission_changes_the_revision(functions):
    before = functions.get_function_configuration(FunctionName="fn")["RevisionId"]
    added(functions)
    after = functions.get_function_configuration(FunctionName="fn")["RevisionId"]
    assert after != before
    assert functions.get_policy(FunctionName="fn")["RevisionId"] == after


def test_whole_policy(functions):
    added(functions)
    statement = {
        "Sid": "no",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    functions.put_resource_policy(ResourceArn=ARN, Policy=document)
    assert statements(functions) == [statement], "it overwrites what AddPermission made"
    found = functions.get_resource_policy(ResourceArn=ARN)
    assert json.loads(found["Policy"])["Statement"] == [statement]
    functions.delete_resource_policy(ResourceArn=ARN, RevisionId=found["RevisionId"])
    assert refusal(functions.get_resource_policy, ResourceArn=ARN)[:2] == (404, NOT_FOUND)
    for broken in ("{", "[]", '{"Statement": [{"Effect": "Allow"}]}'):
        answer = refusal(functions.put_resource_policy, ResourceArn=ARN, Policy=broken)
        assert answer[:2] == (400, "InvalidParameterValueException")


def test_whole_policy_is_enforced(local_cloud, functions):
    user = local_cloud.client("iam")
    user.create_user(UserName="ann")
    keys = user.create_access_key(UserName="ann")["AccessKey"]
    hers = local_cloud.session(
        aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"]
    ).client("lambda", endpoint_url=local_cloud.endpoint_url)
    assert refusal(hers.invoke, FunctionName="fn")[0] == 403
    statement = {
        "Sid": "ann",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:user/ann"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    functions.put_resource_policy(ResourceArn=ARN, Policy=document)
    hers.invoke(FunctionName="fn")
