"""Requests without credentials: what a bucket opens to everybody, and nothing else."""

import json
import urllib.error
import urllib.request

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from deployment import deploy, policy_of
from people import refusal


@pytest.fixture(scope="module")
def cloud(local_cloud):
    s3 = local_cloud.client("s3")
    for bucket in ("closed", "opened"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    opening = {"Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::opened/*"}
    s3.put_bucket_policy(Bucket="opened", Policy=policy_of(opening))
    s3.put_object(Bucket="closed", Key="public", Body=b"y", ACL="public-read")
    return local_cloud


@pytest.fixture(scope="module")
def nobody(cloud):
    return cloud.client("s3", config=Config(signature_version=UNSIGNED))


def test_everybody_may_do_what_the_bucket_s_policy_allows(nobody):
    assert nobody.get_object(Bucket="opened", Key="a")["Body"].read() == b"x"
    assert refusal(nobody.put_object, Bucket="opened", Key="a") == (
        "AccessDenied", "Access Denied", 403,
    )  # fmt: skip
    assert refusal(nobody.get_object, Bucket="opened", Key="none")[0] == "AccessDenied"


def test_everybody_may_read_what_its_acl_opens(nobody):
    assert nobody.get_object(Bucket="closed", Key="public")["Body"].read() == b"y"
    assert refusal(nobody.delete_object, Bucket="closed", Key="public")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("get_object", {"Bucket": "closed", "Key": "a"}),
        ("put_object", {"Bucket": "closed", "Key": "b"}),
        ("delete_object", {"Bucket": "closed", "Key": "a"}),
        ("list_objects_v2", {"Bucket": "closed"}),
        ("delete_bucket", {"Bucket": "closed"}),
        ("create_bucket", {"Bucket": "mine"}),
        ("get_bucket_policy", {"Bucket": "opened"}),
    ],
)
def test_everything_else_is_denied_without_a_reason(nobody, call, parameters):
    assert refusal(getattr(nobody, call), **parameters) == ("AccessDenied", "Access Denied", 403)


def test_a_missing_bucket_is_told_to_everybody(nobody):
    assert refusal(nobody.get_object, Bucket="nowhere", Key="a")[0] == "NoSuchBucket"


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("iam", "list_users", {}, "MissingAuthenticationToken"),
        ("sqs", "list_queues", {}, "MissingAuthenticationTokenException"),
        ("lambda", "list_functions", {}, "MissingAuthenticationTokenException"),
        ("logs", "describe_log_groups", {}, "MissingAuthenticationTokenException"),
    ],
)
def test_other_services_want_a_signature(cloud, service, call, parameters, code):
    client = cloud.client(service, config=Config(signature_version=UNSIGNED))
    assert refusal(getattr(client, call), **parameters)[0] == code


def test_nobody_invokes_a_function(cloud):
    deploy(cloud, "shy", "def handler(event, context): return 1")
    url = f"{cloud.endpoint_url}/2015-03-31/functions/shy/invocations"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"))
    with refused.value as answer:
        assert answer.status == 403
        assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("path", ["/_localcloud/health", "/"])
def test_whether_the_server_lives_is_told_to_everybody(cloud, path):
    with urllib.request.urlopen(f"{cloud.endpoint_url}{path}") as answer:
        assert answer.status == 200
        if path != "/":
            assert json.load(answer)["status"] == "running"


@pytest.mark.parametrize(
    ("method", "host"),
    [("GET", "closed.localhost"), ("PUT", "mine.localhost"), ("DELETE", "closed.localhost")],
)
def test_a_bucket_in_the_host_s_name_is_as_closed_as_in_the_path(cloud, method, host):
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/", method=method, headers={"Host": f"{host}:{cloud.port}"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 403
    assert b"<Code>AccessDenied</Code>" in caught.value.read()
