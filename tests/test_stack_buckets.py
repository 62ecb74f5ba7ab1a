"""Buckets that stacks make: lifecycle rules, CORS and versioning come out as the template says."""

import pytest
from botocore.exceptions import ClientError

from stacks import create, delete, update

NAME = "stack-bucket"


def template(**properties):
    return {
        "Resources": {
            "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": NAME, **properties}}
        }
    }


@pytest.fixture
def cfn(local_cloud):
    cfn = local_cloud.client("cloudformation")
    yield cfn
    delete(cfn, NAME)


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
