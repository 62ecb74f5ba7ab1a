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

# Each asks for so little that it would be granted, or for so odd a thing that only the call itself says so.
SYSTEM_CALLS = """
import ctypes, errno, platform

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {  # where the C library has no function
    "x86_64": {"add_key": 248, "request_key": 249, "keyctl": 250, "io_setup": 206, "io_uring_setup": 425,
               "userfaultfd": 323, "bpf": 321, "perf_event_open": 298},
    "aarch64": {"add_key": 217, "request_key": 218, "keyctl": 219, "io_setup": 0, "io_uring_setup": 425,
                "userfaultfd": 282, "bpf": 280, "perf_event_open": 241},
}[platform.machine()]


def number(name, *arguments):
    return libc.syscall(ctypes.c_long(NUMBERS[name]), *arguments)


TRIES = {
    "memfd_create": lambda: libc.memfd_create(b"x", 0),
    "shmget": lambda: libc.shmget(0, 4096, 0o600),
    "semget": lambda: libc.semget(0, 1, 0o600),
    "msgget": lambda: libc.msgget(0, 0o600),
    "mq_open": lambda: libc.mq_open(b"/attacked", 0o102, 0o600, None),
    "inotify_init": lambda: libc.inotify_init(),
    "inotify_init1": lambda: libc.inotify_init1(0),
    "fanotify_init": lambda: libc.fanotify_init(0x200, 0),
    "add_key": lambda: number("add_key", b"user", b"attacked", b"x", ctypes.c_size_t(1), -3),
    "request_key": lambda: number("request_key", b"user", b"attacked", None, 0),
    "keyctl": lambda: number("keyctl", 0, -3, 1, 0, 0),
    "io_setup": lambda: number("io_setup", 1, ctypes.byref(ctypes.c_ulong(0))),
    "io_uring_setup": lambda: number("io_uring_setup", 1, None),
    "userfaultfd": lambda: number("userfaultfd", 1),
    "bpf": lambda: number("bpf", 0, None, 1 << 30),
    "perf_event_open": lambda: number("perf_event_open", None, 0, -1, -1, ctypes.c_ulong(0)),
}


def handler(event, context):
    answers = {}
    for name, call in TRIES.items():
        ctypes.set_errno(0)
        answers[name] = "done" if call() != -1 else errno.errorcode[ctypes.get_errno()]
    return answers
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


def test_the_kernel_keeps_nothing_for_it(cloud, found):
    deploy(cloud, "kernel", SYSTEM_CALLS, "arn:aws:iam::000000000000:role/nobody", Timeout=60)
    payload, error, _ = invoke(cloud, "kernel")
    assert error is None, payload
    absent = {"io_uring_setup", "inotify_init", "inotify_init1"}  # libraries then do without
    assert {name for name, answer in payload.items() if answer == "ENOSYS"} == absent
    assert {answer for name, answer in payload.items() if name not in absent} == {"EPERM"}


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
