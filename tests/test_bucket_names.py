"""CreateBucket and the names that S3 does not give."""

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    "name",
    [
        "ab", "a" * 64, "Album", "my_album", "album-", "-album", "album.", "a..b", "192.168.5.4",
        "xn--album", "sthree-album", "amzn-s3-demo-album", "album-s3alias", "album--ol-s3", "album.mrap",
    ],
)  # fmt: skip
def test_a_name_that_s3_does_not_give(local_cloud, name):
    s3 = local_cloud.client("s3")
    with pytest.raises(ClientError) as raised:
        s3.create_bucket(Bucket=name)
    assert raised.value.response["Error"]["Code"] == "InvalidBucketName"
    assert raised.value.response["Error"]["Message"] == "The specified bucket is not valid."
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("name", ["abc", "a" * 63, "1.2.3", "my-album.2026", "a--b"])
def test_a_name_that_s3_gives(local_cloud, name):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.head_bucket(Bucket=name)
