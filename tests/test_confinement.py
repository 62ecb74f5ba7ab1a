"""A cloud for functions that nobody trusts: what they can reach, and whom the cloud believes."""

import socket

import boto3
import pytest

from deployment import deploy, invoke, make_role
from localcloud import LocalCloud
from localcloud.functions.isolation import confinement

pytestmark = pytest.mark.needs("bwrap")

PROBE = """
import os, socket, urllib.error, urllib.request
import boto3

URL = os.environ["AWS_ENDPOINT_URL"]


def outcome(call):
    try:
        return f"done: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def page(path, method):
    try:
        return urllib.request.urlopen(urllib.request.Request(URL + path, method=method)).status
    except urllib.error.HTTPError as error:
        return error.code


def client(service, key):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key="test", aws_session_token="")


def handler(event, context):
    tried = {
        "own role": lambda: boto3.client("sts").get_caller_identity()["Arn"],
        "beyond the role": lambda: boto3.client("iam").list_roles()["Roles"],
        "unknown key, query": lambda: client("iam", "test").list_roles()["Roles"],
        "unknown key, s3": lambda: client("s3", "test").list_buckets()["Buckets"],
        "unknown key, json": lambda: client("logs", "test").describe_log_groups(),
        "forged temporary key": lambda: client("iam", "ASIA" + 16 * "A").list_roles()["Roles"],
        "the internet": lambda: socket.create_connection(("192.0.2.1", 80), 2),
        "this machine": lambda: socket.create_connection(("127.0.0.1", event["neighbour"]), 2),
    }
    found = {name: outcome(call) for name, call in tried.items()}
    pages = [("/_localcloud/health", "GET"), ("/_localcloud/events", "GET"),
             ("/_localcloud/settings", "PUT"),
             ("/_localcloud/resources", "DELETE"), ("/moto-api/reset", "POST"),
             ("/moto-api/data.json", "GET"), ("/_localcloud/language-model/tokens", "GET"),
             ("/latest/meta-data/iam/security-credentials/", "GET"), ("/iam_us-east-1/", "GET")]
    return found | {path: page(path, method) for path, method in pages}
"""


@pytest.fixture(scope="module")
def cloud():
    with LocalCloud(port=0, confined=True) as running:
        yield running


@pytest.fixture(scope="module")
def found(cloud):
    """What a function of a role without permissions got for all that it tried."""
    deploy(cloud, "probe", PROBE, make_role(cloud, "nobody", logs=False), Timeout=60)
    with socket.create_server(("127.0.0.1", 0)) as neighbour:
        event = {"neighbour": neighbour.getsockname()[1]}
        payload, error, _ = invoke(cloud, "probe", event)
    assert error is None, payload
    return payload


def test_a_function_reaches_its_cloud_as_its_role(found):
    assert found["own role"] == "done: arn:aws:sts::000000000000:assumed-role/nobody/probe"
    assert "is not authorized to perform: iam:ListRoles" in found["beyond the role"]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("unknown key, query", "InvalidClientTokenId"),
        ("unknown key, s3", "InvalidAccessKeyId"),
        ("unknown key, json", "UnrecognizedClientException"),
        ("forged temporary key", "InvalidClientTokenId"),
    ],
)
def test_a_key_that_nobody_knows_is_nobody(found, key, code):
    assert code in found[key]


def test_it_reaches_nothing_else(found):
    assert "Network is unreachable" in found["the internet"]
    assert "Connection refused" in found["this machine"]


def test_neither_the_clouds_own_pages_nor_motos_are_there(found):
    pages = {path: status for path, status in found.items() if path.startswith("/")}
    assert len(pages) == 9 and {status for status in pages.values()} <= {403, 404, 405}, pages


def test_nothing_was_reset(cloud, found):
    assert [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]] == ["nobody"]


@pytest.mark.parametrize("secret", ["test", ""])
def test_the_administrators_key_needs_its_secret(cloud, secret):
    key, _ = cloud.administrator
    wrong = boto3.client("iam", endpoint_url=cloud.endpoint_url, region_name="us-east-1",
                         aws_access_key_id=key, aws_secret_access_key=secret or "x")  # fmt: skip
    with pytest.raises(wrong.exceptions.ClientError, match="SignatureDoesNotMatch"):
        wrong.list_roles()


def test_without_bubblewrap_there_is_no_confinement(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="bubblewrap is not installed"):
        confinement()
