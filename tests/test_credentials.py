"""Signatures, session tokens and temporary credentials are checked for keys that the account knows."""

import time
import urllib.error
import urllib.request
from datetime import timedelta

import botocore.auth
import pytest
from botocore.config import Config
from moto.core.utils import utcnow
from moto.iam.models import iam_backends

from deployment import policy_of
from people import ACCOUNT, Person, client_of, refusal

ALL = {"Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def cloud(local_cloud):
    local_cloud.client("s3").create_bucket(Bucket="album")
    local_cloud.client("s3").put_object(Bucket="album", Key="a b+ä.txt", Body=b"x")
    return local_cloud


@pytest.fixture(scope="module")
def ana(cloud):
    return Person(cloud, "ana", ALL)


@pytest.mark.parametrize(
    ("service", "call", "parameters"),
    [
        ("s3", "list_buckets", {}),
        ("s3", "get_object", {"Bucket": "album", "Key": "a b+ä.txt"}),
        ("s3", "list_objects_v2", {"Bucket": "album", "Prefix": "a b", "Delimiter": "/"}),
        ("s3", "put_object", {"Bucket": "album", "Key": "new", "Body": b"y", "Metadata": {"k": "a  b"}}),
        ("iam", "list_users", {}),
        ("sqs", "list_queues", {}),
        ("lambda", "list_functions", {}),
        ("lambda", "list_tags", {"Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}),
        ("logs", "describe_log_groups", {}),
        ("sts", "get_caller_identity", {}),
    ],
)  # fmt: skip
def test_signatures(cloud, ana, service, call, parameters):
    wrong = client_of(cloud, service, {**ana.key, "SecretAccessKey": "x" * 40})
    code, message, status = refusal(getattr(wrong, call), **parameters)
    assert code in ("SignatureDoesNotMatch", "InvalidSignatureException")
    assert message.startswith("The request signature we calculated does not match")
    assert status == (400 if service in ("sqs", "logs") else 403)
    right = getattr(ana.client(service), call)
    if call == "list_tags":  # signed well enough to be told
        assert refusal(right, **parameters)[0] == "ResourceNotFoundException"
    else:
        right(**parameters)


def test_a_body_that_was_changed(cloud, ana):
    s3 = ana.client("s3")

    def change(request, **_):
        request.body = b"z"

    s3.meta.events.register("before-send.s3.PutObject", change)
    assert refusal(s3.put_object, Bucket="album", Key="new", Body=b"y")[0] in (
        "XAmzContentSHA256Mismatch",
        "SignatureDoesNotMatch",
    )


def test_a_clock_that_is_wrong(ana, monkeypatch):
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) - timedelta(hours=1)
    )
    assert refusal(ana.client("s3").list_buckets) == (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        403,
    )


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_are_signed_for_one_thing_and_one_time(cloud, ana, version):
    s3 = client_of(cloud, "s3", ana.key, config=Config(signature_version=version))
    where = {"Bucket": "album", "Key": "a b+ä.txt"}
    good = s3.generate_presigned_url("get_object", where)
    assert urllib.request.urlopen(good).read() == b"x"
    past = s3.generate_presigned_url("get_object", where, ExpiresIn=-1 if version == "s3" else 1)
    if version == "s3v4":
        time.sleep(1.1)  # a URL can't be made for less than a second
    for url, text in (
        (good.replace("/album/", "/album/x"), b"SignatureDoesNotMatch"),
        (past, b"Request has expired"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        with refused.value as answer:
            assert answer.status == 403
            assert text in answer.read()


def test_a_session_without_its_token(cloud, ana):
    made = ana.client("sts").get_session_token()["Credentials"]
    assert client_of(cloud, "s3", made).list_buckets()
    without = {name: made[name] for name in ("AccessKeyId", "SecretAccessKey")}
    assert refusal(client_of(cloud, "s3", without).list_buckets)[::2] == ("InvalidToken", 400)
    wrong = {**made, "SessionToken": "x"}
    assert refusal(client_of(cloud, "iam", wrong).list_users)[0] == "InvalidClientTokenId"


def test_a_session_token_acts_as_the_user(cloud):
    bob = Person(cloud, "bob", {"Action": "s3:ListBucket", "Resource": "*"})
    made = bob.client("sts").get_session_token()["Credentials"]
    s3 = client_of(cloud, "s3", made)
    assert s3.list_objects_v2(Bucket="album")["KeyCount"]
    message = refusal(s3.put_object, Bucket="album", Key="k")[1]
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized")
    key = iam_backends[ACCOUNT]["aws"].access_keys[made["AccessKeyId"]]
    object.__setattr__(key.session, "expiration", utcnow() - timedelta(seconds=1))
    assert refusal(s3.list_objects_v2, Bucket="album")[0] == "ExpiredToken"
    assert refusal(client_of(cloud, "iam", made).list_users)[0] == "ExpiredToken"
    assert refusal(client_of(cloud, "sqs", made).list_queues)[0] == "ExpiredTokenException"


def test_a_federated_user_has_what_both_policies_allow(cloud, ana):
    sts = ana.client("sts")
    listing = policy_of({"Action": "s3:ListBucket", "Resource": "*"})
    made = sts.get_federation_token(Name="guest", Policy=listing)["Credentials"]
    s3 = client_of(cloud, "s3", made)
    assert s3.list_objects_v2(Bucket="album")["KeyCount"]
    assert refusal(s3.put_object, Bucket="album", Key="k")[1].endswith(
        "because no session policy allows the s3:PutObject action"
    )
    none = sts.get_federation_token(Name="guest")["Credentials"]
    assert (
        refusal(client_of(cloud, "s3", none).list_objects_v2, Bucket="album")[0] == "AccessDenied"
    )


def test_the_administrator_s_session_is_the_administrator(cloud):
    made = cloud.client("sts").get_session_token()["Credentials"]
    assert client_of(cloud, "s3", made).list_buckets()["Buckets"]


REFUSED = {
    "s3": ("list_buckets", "InvalidAccessKeyId", 403),
    "iam": ("list_users", "InvalidClientTokenId", 403),
    "sts": ("get_caller_identity", "InvalidClientTokenId", 403),
    "sqs": ("list_queues", "UnrecognizedClientException", 400),
    "lambda": ("list_functions", "UnrecognizedClientException", 403),
    "bedrock": ("list_foundation_models", "UnrecognizedClientException", 403),
}


@pytest.mark.parametrize("service", REFUSED)
def test_a_session_that_nobody_issued_is_nobody(cloud, service):
    made_up = {
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": "test",
        "SessionToken": "x",
    }
    call, *refused = REFUSED[service]
    got = refusal(getattr(client_of(cloud, service, made_up), call))
    assert [got[0], got[2]] == refused


def test_a_key_that_is_deleted_is_nobody(cloud):
    eva = Person(cloud, "eva", ALL)
    assert eva.client("iam").list_users()
    cloud.client("iam").delete_access_key(UserName="eva", AccessKeyId=eva.key["AccessKeyId"])
    assert refusal(eva.client("iam").list_users)[0] == "InvalidClientTokenId"


def upload(cloud, fields: dict) -> tuple[int, bytes]:
    lines = []
    for name, value in {**fields, "file": "content"}.items():
        extra = '; filename="f.txt"' if name == "file" else ""
        lines.append(
            f'--B\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}\r\n'
        )
    body = ("".join(lines) + "--B--\r\n").encode()
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/album", body, {"Content-Type": "multipart/form-data; boundary=B"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_form_upload_needs_its_signer_s_permission(cloud, version):
    may_put = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::album/up/*"}
    carol = Person(cloud, f"carol-{version}", may_put)
    s3 = client_of(cloud, "s3", carol.key, config=Config(signature_version=version))
    good = s3.generate_presigned_post("album", "up/${filename}")["fields"]
    assert upload(cloud, good)[0] == 204
    stored = cloud.client("s3").get_object(Bucket="album", Key="up/f.txt")
    assert stored["Body"].read() == b"content"
    elsewhere = s3.generate_presigned_post("album", "down/x")["fields"]
    status, body = upload(cloud, elsewhere)
    assert (status, b"s3:PutObject" in body) == (403, True)
    status, body = upload(cloud, {**good, "policy": good["policy"][:-4] + "AAAA"})
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    status, body = upload(cloud, {"key": "up/anonymous"})
    assert (status, b"Access Denied" in body) == (403, True)


def test_in_a_cloud_that_was_emptied_its_keys_are_nobody(cloud, ana):
    """The last test here: nothing is left of what the others share."""
    sessions = [
        who.get_session_token()["Credentials"] for who in (ana.client("sts"), cloud.client("sts"))
    ]
    resources = f"{cloud.endpoint_url}/_localcloud/resources"
    urllib.request.urlopen(urllib.request.Request(resources, method="DELETE")).close()
    for key in (ana.key, *sessions):
        assert refusal(client_of(cloud, "s3", key).list_buckets)[0] == "InvalidAccessKeyId"
        assert refusal(client_of(cloud, "iam", key).list_users)[0] == "InvalidClientTokenId"
    assert cloud.client("s3").list_buckets()["Buckets"] == []
