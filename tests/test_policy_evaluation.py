"""Every case of policy_cases, once by SimulateCustomPolicy and once by a real request."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from policy_cases import ALBUM, ALLOWED, ANA, CASES, DENIED, Case

_CALLS = {"s3:GetObject": "get_object", "s3:PutObject": "put_object",
          "s3:ListBucket": "list_objects_v2"}  # fmt: skip
_PARAMETERS = {
    "s3:prefix": "Prefix",
    "s3:delimiter": "Delimiter",
    "s3:max-keys": "MaxKeys",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
}


@pytest.fixture(scope="module")
def cloud(local_cloud):
    s3 = local_cloud.client("s3")
    for bucket in ("album", "other"):
        s3.create_bucket(Bucket=bucket)
    for resource in {case.resource for case in CASES}:
        key = resource.removeprefix(f"{ALBUM}/")
        if key != resource:
            s3.put_object(Bucket="album", Key=key, Body=b"x")
    return local_cloud


@pytest.fixture(scope="module")
def ana(cloud):
    """S3 by the user ana's own key."""
    iam = cloud.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    return session.client("s3", endpoint_url=cloud.endpoint_url)


def document(statements, version="2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


@pytest.fixture(scope="module")
def clients(cloud):
    return {name: cloud.client(name) for name in ("iam", "s3")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_simulated(clients, case: Case):
    more = {}
    if case.resource_policy:
        more["ResourcePolicy"] = document(case.resource_policy)
    if case.boundary is not None:
        more["PermissionsBoundaryPolicyInputList"] = [document(case.boundary)]
    identity = case.identity or ({"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"},)
    [result] = clients["iam"].simulate_custom_policy(
        PolicyInputList=[document(identity, case.version)],
        ActionNames=[case.action],
        ResourceArns=[case.resource],
        CallerArn=ANA,
        ContextEntries=[
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in case.context.items()
        ],
        **more,
    )["EvaluationResults"]
    assert result["EvalDecision"] == case.expected
    assert result["ResourceSpecificResults"][0]["EvalResourceDecision"] == case.expected


@pytest.fixture
def policies_of(clients):
    """Gives ana and the bucket the policies of a case, and takes them away again."""
    iam, s3 = clients["iam"], clients["s3"]
    boundaries = []

    def give(case: Case) -> None:
        if case.identity:
            policy = document(case.identity, case.version)
            iam.put_user_policy(UserName="ana", PolicyName="own", PolicyDocument=policy)
        if case.resource_policy:
            s3.put_bucket_policy(Bucket="album", Policy=document(case.resource_policy))
        if case.boundary is not None:
            made = iam.create_policy(PolicyName="edge", PolicyDocument=document(case.boundary))
            boundaries.append(made["Policy"]["Arn"])
            iam.put_user_permissions_boundary(UserName="ana", PermissionsBoundary=boundaries[0])

    yield give
    for name in iam.list_user_policies(UserName="ana")["PolicyNames"]:
        iam.delete_user_policy(UserName="ana", PolicyName=name)
    s3.delete_bucket_policy(Bucket="album")
    for arn in boundaries:
        iam.delete_user_permissions_boundary(UserName="ana")
        iam.delete_policy(PolicyArn=arn)


# IAM takes no identity-based policy of the older language; the simulator does.
_ASKABLE = [case for case in CASES if case.version == "2012-10-17"]


@pytest.mark.parametrize("case", _ASKABLE, ids=lambda case: case.name)
def test_requested(ana, policies_of, case: Case):
    policies_of(case)
    parameters = {_PARAMETERS[key]: value for key, value in case.context.items()}
    if "MaxKeys" in parameters:
        parameters["MaxKeys"] = int(parameters["MaxKeys"])
    bucket, _, key = case.resource.removeprefix("arn:aws:s3:::").partition("/")
    if key:
        parameters["Key"] = key
    call = getattr(ana, _CALLS[case.action])
    if case.expected == ALLOWED:
        assert call(Bucket=bucket, **parameters)
        return
    with pytest.raises(ClientError) as caught:
        call(Bucket=bucket, **parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert ("with an explicit deny in" in error["Message"]) is (case.expected == DENIED)
    assert ("because no " in error["Message"]) is (case.expected != DENIED)
