"""Objects that are answered at once, and the same ones answered by moto: nobody can tell."""

import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def clients(local_cloud):
    """One client whose requests are plain, and one that sends a header which only moto takes."""
    plain, other = local_cloud.client("s3"), local_cloud.client("s3")
    for client in (plain, other):
        client.meta.events.register("before-send.s3", _note_path)
    other.meta.events.register(
        "before-sign.s3", lambda request, **_: request.headers.add_header("x-other", "1")
    )
    plain.create_bucket(Bucket="plain-objects")
    plain.create_bucket(Bucket="kept-objects")
    plain.put_bucket_versioning(
        Bucket="kept-objects", VersioningConfiguration={"Status": "Enabled"}
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    plain.put_bucket_encryption(
        Bucket="kept-objects", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    return plain, other


def _note_path(request, **_):
    assert request.url.startswith("http://127.0.0.1")


_IDS = {"x-amz-request-id", "x-amz-id-2", "date", "last-modified", "x-amz-version-id"}
# What moto's framework adds, and AWS does not.
_EXTRA = {"access-control-allow-origin", "x-amzn-requestid", "connection", "server",
          "x-amz-sdk-checksum-algorithm"}  # fmt: skip
_PAGE = "text/html; charset=utf-8"  # its content type where there is no content


def _seen(answer: dict) -> tuple[dict, dict]:
    """An answer's members and headers, without what differs each time."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    members = {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "Body")}
    for name in ("LastModified", "VersionId"):
        members.pop(name, None)
    return members, {k: v for k, v in headers.items() if k not in _IDS | _EXTRA and v != _PAGE}


@pytest.mark.parametrize("bucket", ["plain-objects", "kept-objects"])
@pytest.mark.parametrize(
    ("key", "body", "options"),
    [
        ("a.bin", b"\x00\x01", {}),
        ("empty", b"", {"ContentType": "text/plain"}),
        ("raw/mit Blank und Ümlaut+plus.jpg", b"x" * 1000, {"Metadata": {"Made-By": "me"}}),
        ("cached", b"y", {"CacheControl": "max-age=1", "ContentDisposition": "inline"}),
        ("tagged", b"z", {"Tagging": "a=b"}),
        ("large", b"l" * (4 * 1024 * 1024 + 1), {}),
    ],
)
def test_both_ways_give_the_same(clients, bucket, key, body, options):
    answers = []
    for client in clients:
        put = client.put_object(Bucket=bucket, Key=key, Body=body, **options)
        head = client.head_object(Bucket=bucket, Key=key)
        got = client.get_object(Bucket=bucket, Key=key)
        assert got["Body"].read() == body
        answers.append([_seen(answer) for answer in (put, head, got)])
        assert ("VersionId" in put) == (bucket == "kept-objects")
    assert answers[0] == answers[1]


def test_a_new_object_has_no_tags_of_the_old_one(clients):
    plain, _ = clients
    plain.put_object(Bucket="plain-objects", Key="again", Body=b"1", Tagging="a=b")
    plain.put_object(Bucket="plain-objects", Key="again", Body=b"2")
    assert plain.get_object_tagging(Bucket="plain-objects", Key="again")["TagSet"] == []


def test_what_is_not_there(clients):
    for client in clients:
        with pytest.raises(client.exceptions.NoSuchKey) as missing:
            client.get_object(Bucket="plain-objects", Key="nothing & <none>")
        error = missing.value.response["Error"]
        assert error["Message"] == "The specified key does not exist."
        assert error["Key"] == "nothing & <none>"
        with pytest.raises(ClientError) as headless:
            client.head_object(Bucket="plain-objects", Key="nothing")
        assert headless.value.response["Error"]["Code"] == "404"
        with pytest.raises(client.exceptions.NoSuchBucket):
            client.get_object(Bucket="no-such-bucket-here", Key="a")
        client.put_object(Bucket="kept-objects", Key="gone", Body=b"1")
        client.delete_object(Bucket="kept-objects", Key="gone")
        with pytest.raises(client.exceptions.NoSuchKey):
            client.get_object(Bucket="kept-objects", Key="gone")


def test_ranges_and_conditions(clients):
    plain, _ = clients
    put = plain.put_object(Bucket="plain-objects", Key="ten", Body=b"0123456789")
    got = plain.get_object(Bucket="plain-objects", Key="ten", Range="bytes=2-4")
    assert got["Body"].read() == b"234"
    with pytest.raises(ClientError) as same:
        plain.get_object(Bucket="plain-objects", Key="ten", IfNoneMatch=put["ETag"])
    assert same.value.response["Error"]["Code"] == "304"


@pytest.mark.parametrize("query", ["notification", "tagging", "lifecycle"])
def test_a_configuration_that_is_no_xml_is_refused(local_cloud, clients, query):
    url = f"{local_cloud.endpoint_url}/plain-objects?{query}"
    kind = {"Content-Type": "application/xml"}
    request = urllib.request.Request(url, b"<Half>and no more", kind, method="PUT")
    request.add_header(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=0",
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 400
    assert b"<Code>MalformedXML</Code>" in caught.value.read()
    caught.value.close()
