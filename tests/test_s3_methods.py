"""POST and PATCH to addresses of S3's that have no such operation, signed and unsigned."""

import re
from http.client import HTTPConnection
from xml.etree import ElementTree

import pytest

from people import refusal

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
NOT_ALLOWED = "The specified method is not allowed against this resource."
signed_or_not = pytest.mark.parametrize("headers", [{}, SIGNED], ids=["unsigned", "signed"])


@pytest.fixture(scope="module")
def cloud(local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="there")
    s3.put_object(Bucket="there", Key="kept", Body=b"x")
    return local_cloud


def ask(cloud, method, path, headers, body=b""):
    """Status and the elements of an error, the two ids left out, with the header Allow where there is one."""
    connection = HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.headers["content-type"] == "application/xml", text
    elements = {each.tag: each.text or "" for each in ElementTree.fromstring(text)}
    assert elements.pop("RequestId") == answer.headers["x-amz-request-id"]
    assert elements.pop("HostId") == answer.headers["x-amz-id-2"]
    if "allow" in answer.headers:
        elements["Allow"] = answer.headers["allow"]
    return answer.status, elements


@signed_or_not
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("path", ["/there/kept", "/there/none", "/nowhere/x", "/there/kept?x=y"])
def test_an_object_takes_no_post(cloud, method, path, headers):
    assert ask(cloud, method, path, headers) == (
        405,
        {
            "Code": "MethodNotAllowed",
            "Message": NOT_ALLOWED,
            "Method": method,
            "ResourceType": "OBJECT",
            "Allow": "HEAD, DELETE, GET, PUT",
        },
    )
    assert cloud.client("s3").get_object(Bucket="there", Key="kept")["Body"].read() == b"x"


@signed_or_not
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("PATCH", "/there", "BUCKET"), ("PATCH", "/", "SERVICE"), ("POST", "/", "SERVICE")],
)
def test_neither_does_what_holds_objects(cloud, method, path, kind, headers):
    status, error = ask(cloud, method, path, headers)
    assert (status, error["Code"], error["Method"]) == (405, "MethodNotAllowed", method)
    assert error["ResourceType"] == kind
    assert error.get("Allow") == ("GET" if kind == "SERVICE" else None)


@signed_or_not
@pytest.mark.parametrize("bucket", ["there", "nowhere"])
def test_a_bucket_takes_forms_alone(cloud, bucket, headers):
    status, error = ask(cloud, "POST", f"/{bucket}", headers)
    assert (status, error["Code"]) == (412, "PreconditionFailed")
    assert error["Condition"] == "Bucket POST must be of the enclosure-type multipart/form-data"


@signed_or_not
def test_a_form_needs_a_key(cloud, headers):
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nall\r\n--x--\r\n'
    headers = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
    status, error = ask(cloud, "POST", "/there", headers, body)
    assert (status, error["Code"], error["ArgumentName"]) == (400, "InvalidArgument", "key")
    assert re.match("Bucket POST must contain a field named 'key'", error["Message"])


@pytest.mark.parametrize(
    "operation", ["upload_part", "upload_part_copy", "complete_multipart_upload"]
)
def test_an_upload_that_is_not_there(cloud, operation):
    given = {
        "upload_part": {"PartNumber": 1, "Body": b"x"},
        "upload_part_copy": {"PartNumber": 1, "CopySource": "there/kept"},
        "complete_multipart_upload": {"MultipartUpload": {"Parts": []}},
    }[operation]
    call = getattr(cloud.client("s3"), operation)
    code, _, status = refusal(call, Bucket="there", Key="kept", UploadId="none", **given)
    assert (code, status) == ("NoSuchUpload", 404)
