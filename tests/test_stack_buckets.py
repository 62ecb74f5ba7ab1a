"""Buckets that stacks make: lifecycle rules, CORS and versioning come out as the template says."""

import json

import pytest
from botocore.exceptions import ClientError

from stacks import create, ended, update

NAME = "stack-bucket"


def template(**properties):
    return {
        "Resources": {
            "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": NAME, **properties}}
        }
    }


pytestmark = pytest.mark.usefixtures("no_stack_left")


@pytest.fixture
def s3(local_cloud):
    return local_cloud.client("s3")


def test_lifecycle_rules(cfn, s3):
    rules = [
        {
            "Id": "leftovers",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        },
        {"Id": "old", "Status": "Disabled", "Prefix": "raw/", "ExpirationInDays": 30,
         "Transitions": [{"TransitionInDays": 10, "StorageClass": "GLACIER"}]},
        {"Id": "tagged", "Status": "Enabled", "ExpirationInDays": 1,
         "TagFilters": [{"Key": "kind", "Value": "test"}]},
    ]  # fmt: skip
    create(cfn, NAME, template(LifecycleConfiguration={"Rules": rules}))
    first, second, third = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    assert first["ID"] == "leftovers"
    assert first["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert first["NoncurrentVersionExpiration"]["NoncurrentDays"] == 7
    assert (second["Status"], second["Filter"]) == ("Disabled", {"Prefix": "raw/"})
    assert second["Expiration"] == {"Days": 30}
    assert second["Transitions"] == [{"Days": 10, "StorageClass": "GLACIER"}]
    assert third["Filter"]["And"]["Tags"] == [{"Key": "kind", "Value": "test"}]


def test_an_update_without_rules_takes_them_away(cfn, s3):
    rule = {"Status": "Enabled", "ExpirationInDays": 30}
    create(cfn, NAME, template(LifecycleConfiguration={"Rules": [rule]}))
    assert s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    update(cfn, NAME, template())
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=NAME)


def test_cors_rules(cfn, s3):
    rule = {
        "AllowedMethods": ["PUT"],
        "AllowedOrigins": ["http://localhost:8000"],
        "AllowedHeaders": ["*"],
        "ExposedHeaders": ["ETag"],
        "MaxAge": 300,
    }
    create(cfn, NAME, template(CorsConfiguration={"CorsRules": [rule]}))
    [made] = s3.get_bucket_cors(Bucket=NAME)["CORSRules"]
    assert made == {
        "AllowedMethods": ["PUT"],
        "AllowedOrigins": ["http://localhost:8000"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 300,
    }


def test_bucket_policy_comes_changes_and_goes(cfn, s3):
    def with_policy(action):
        made = template()
        made["Resources"]["P"] = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "B"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Deny", "Principal": "*", "Action": action,
                         "Resource": {"Fn::Sub": "${B.Arn}/*"}}
                    ],
                },
            },
        }  # fmt: skip
        return made

    def action():
        policy = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])
        return policy["Statement"][0]["Action"], policy["Statement"][0]["Resource"]

    create(cfn, NAME, with_policy("s3:DeleteObject"))
    assert action() == ("s3:DeleteObject", f"arn:aws:s3:::{NAME}/*")
    update(cfn, NAME, with_policy("s3:PutObject"))
    assert action() == ("s3:PutObject", f"arn:aws:s3:::{NAME}/*")
    update(cfn, NAME, template())
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=NAME)


def test_default_given_in_words_is_no_change(cfn, s3):
    """`aws cloudformation deploy` names every parameter from the second time on."""
    body = template() | {"Parameters": {"Days": {"Type": "Number", "Default": 7}}}
    create(cfn, NAME, body)
    made = cfn.create_change_set(
        StackName=NAME, ChangeSetName="same", TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": "Days", "UsePreviousValue": True}],
    )  # fmt: skip
    found = cfn.describe_change_set(ChangeSetName=made["Id"])
    assert found["Status"] == "FAILED"
    assert "didn't contain changes" in found["StatusReason"]
    assert ended(cfn, NAME)["StackStatus"] == "CREATE_COMPLETE"
