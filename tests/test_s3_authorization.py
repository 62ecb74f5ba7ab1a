"""S3's permissions are the gatekeeper's matter alone, and DeleteObjects is refused key by key."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from deployment import policy_of

BUCKET = "album"


@pytest.fixture
def s3(local_cloud):
    client = local_cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.delete_bucket_policy(Bucket=BUCKET)
    for version in client.list_object_versions(Bucket=BUCKET).get("Versions", []):
        client.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def user(local_cloud):
    """A function that gives an S3 client of a user with the given statements."""
    iam = local_cloud.client("iam")
    iam.create_user(UserName="ana")

    def client(*statements):
        iam.put_user_policy(UserName="ana", PolicyName="own", PolicyDocument=policy_of(*statements))
        key = iam.create_access_key(UserName="ana")["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
        return session.client("s3", endpoint_url=local_cloud.endpoint_url)

    yield client
    for key in iam.list_access_keys(UserName="ana")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ana", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="ana", PolicyName="own")
    iam.delete_user(UserName="ana")


def fill(s3, *keys):
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")


def keys_of(s3):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def delete(s3, *keys, **options):
    objects = [{"Key": key} for key in keys]
    return s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects, **options})


def test_a_deny_for_plain_http_does_not_shut_out_the_administrator(s3):
    fill(s3, "a")
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    fill(s3, "b")
    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"x"
    assert [each["Key"] for each in delete(s3, "a", "b")["Deleted"]] == ["a", "b"]


def test_a_deny_for_somebody_else_is_for_somebody_else(s3, user):
    fill(s3, "a")
    ana = user({"Action": "s3:*", "Resource": "*"})
    deny = {
        "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::000000000000:user/ana"},
        "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }  # fmt: skip
    s3.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        ana.get_object(Bucket=BUCKET, Key="a")


def test_delete_objects_refuses_key_by_key(s3, user):
    fill(s3, "mine/1 & 2", "theirs/1", "theirs/2")
    ana = user({"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/mine/*"})
    answer = delete(ana, "theirs/1", "mine/1 & 2", "theirs/2")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [each["Key"] for each in answer["Deleted"]] == ["mine/1 & 2"]
    assert answer["Errors"] == [
        {
            "Key": key,
            "Code": "AccessDenied",
            "Message": "User: arn:aws:iam::000000000000:user/ana is not authorized to perform: "
            f's3:DeleteObject on resource: "arn:aws:s3:::{BUCKET}/{key}" because no '
            "identity-based policy allows the s3:DeleteObject action",
        }
        for key in ("theirs/1", "theirs/2")
    ]
    assert keys_of(s3) == ["theirs/1", "theirs/2"]
    fill(s3, "mine/3")  # what was refused once is not remembered
    assert [each["Key"] for each in delete(s3, "theirs/1")["Deleted"]] == ["theirs/1"]


def test_nothing_is_deleted_for_who_may_not(s3, user):
    fill(s3, "a", "b")
    answer = delete(user({"Action": "s3:GetObject", "Resource": "*"}), "a", "b")
    assert [each["Key"] for each in answer["Errors"]] == ["a", "b"]
    assert "Deleted" not in answer
    assert keys_of(s3) == ["a", "b"]


def test_a_version_needs_a_permission_of_its_own(s3, user):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")["VersionId"]
    ana = user({"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"})
    objects = {"Objects": [{"Key": "a", "VersionId": version}]}
    (error,) = ana.delete_objects(Bucket=BUCKET, Delete=objects)["Errors"]
    assert (error["Key"], error["VersionId"], error["Code"]) == ("a", version, "AccessDenied")
    assert "s3:DeleteObjectVersion" in error["Message"]
    (gone,) = s3.delete_objects(Bucket=BUCKET, Delete=objects)["Deleted"]
    assert (gone["Key"], gone["VersionId"]) == ("a", version)


def test_quiet_names_only_what_failed(s3, user):
    fill(s3, "a", "b")
    ana = user({"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/a"})
    answer = delete(ana, "a", "b", Quiet=True)
    assert "Deleted" not in answer
    assert [each["Key"] for each in answer["Errors"]] == ["b"]
    assert keys_of(s3) == ["b"]


def test_a_missing_bucket_is_missing_for_everybody(s3, user):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        user({"Action": "s3:GetObject", "Resource": "*"}).delete_objects(
            Bucket="nowhere", Delete={"Objects": [{"Key": "a"}]}
        )
