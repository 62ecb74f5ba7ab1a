"""HTTP that no client of AWS's sends: the server answers or hangs up, and serves the next."""

import contextlib
import json
import socket

import pytest

SIGNED = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/%s/aws4_request, "
    b"SignedHeaders=host, Signature=0\r\n"
)
S3, LAMBDA, LOGS = SIGNED % b"s3", SIGNED % b"lambda", SIGNED % b"logs"
INVOKE = b"POST /2015-03-31/functions/x/invocations HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def port(local_cloud):
    local_cloud.client("s3").create_bucket(Bucket="there")
    return local_cloud.port


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def send(port, *parts, end=True):
    """Send the bytes and return all that comes back until the server closes or is silent."""
    with connect(port) as connection:
        # It may hang up before it has read everything.
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
            if end:
                connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while chunk := connection.recv(65536):
                answer += chunk
                connection.settimeout(1)
        return answer


def assert_it_serves(cloud, caplog=None):
    assert cloud.client("s3").list_buckets()["Buckets"][0]["Name"] == "there"
    assert cloud.client("lambda").list_functions()["Functions"] == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 5000,
        b"\r\n\r\n\r\n",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
        b"FROB / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X-%d: y\r\n" % n for n in range(5000))
        + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n",
        INVOKE + b"Content-Length: nine\r\n\r\n",
        INVOKE + b"Content-Length: -5\r\n\r\n{}",
        INVOKE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        INVOKE + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        INVOKE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        INVOKE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        INVOKE + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n{}",
        INVOKE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
        INVOKE + b"Transfer-Encoding: gzip, nonsense\r\n\r\n{}",
        INVOKE + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
        b"GET /%ff%fe%00 HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 nonsense\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\nAuthorization: \xff\xfe\r\n\r\n",
        b"GET /%zz%e HTTP/1.1\r\nHost: x\r\n" + S3 + b"\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n" + S3 + b"\r\n",
        b"GET /there/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n" + S3 + b"\r\n",
        b"GET /_localcloud/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda request_bytes: request_bytes[:40].decode("latin-1"),
)
def test_what_is_no_request_harms_nothing(local_cloud, port, request_bytes):
    answer = send(port, request_bytes)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b"Traceback" not in answer
    assert_it_serves(local_cloud)


def body(text, headers=b""):
    return b"Content-Length: %d\r\n%s\r\n%s" % (len(text), headers, text)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\n" + LAMBDA + body(b"{not json"),
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\n" + LAMBDA + body(b"[]"),
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\n" + LAMBDA + body(b"\xff\xfe"),
        b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\n" + LAMBDA + body(b"{}"),
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Logs_20140328.NoSuch\r\n" + LOGS + body(b"{}"),
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Logs_20140328.CreateLogGroup\r\n"
        + LOGS + body(b"nonsense"),
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: \xff\r\n" + LOGS + body(b"{}"),
        b"POST / HTTP/1.1\r\nHost: x\r\n" + SIGNED % b"iam" + body(b"Action=Nothing"),
        b"POST / HTTP/1.1\r\nHost: x\r\n" + SIGNED % b"nosuchservice" + body(b"Action=Nothing"),
        b"PUT /there?notification HTTP/1.1\r\nHost: x\r\n" + S3 + body(b"<NotXml"),
        b"PUT /there?versioning HTTP/1.1\r\nHost: x\r\n" + S3 + body(b""),
        b"POST /there?delete HTTP/1.1\r\nHost: x\r\n" + S3 + body(b"<Delete>"),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_means_nothing_gets_an_error(local_cloud, port, request_bytes):
    answer = send(port, request_bytes, end=False)
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 600
    assert b"Traceback" not in answer
    assert b"<html" not in answer.lower()
    assert_it_serves(local_cloud)


def test_a_request_that_breaks_off_changes_nothing(local_cloud, port):
    head = b"PUT /there/half HTTP/1.1\r\nHost: x\r\n" + S3
    send(port, head + b"Content-Length: 1000\r\n\r\n", b"x" * 500)
    send(port, head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert_it_serves(local_cloud)
    assert "Contents" not in local_cloud.client("s3").list_objects_v2(Bucket="there")


def test_bytes_behind_a_request_are_no_part_of_it(local_cloud, port):
    send(
        port, b"PUT /there/short HTTP/1.1\r\nHost: x\r\n" + S3 + b"Content-Length: 3\r\n\r\nabcdef"
    )
    got = local_cloud.client("s3").get_object(Bucket="there", Key="short")["Body"].read()
    assert got == b"abc"
    local_cloud.client("s3").delete_object(Bucket="there", Key="short")
    assert_it_serves(local_cloud)


def test_connections_that_never_finish_leave_room_for_others(local_cloud, port):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(port)) for _ in range(300)]
        for number, connection in enumerate(slow):
            connection.sendall(
                [b"", b"GET / HT", INVOKE, INVOKE + b"Content-Length: 9\r\n\r\n{"][number % 4]
            )
        assert_it_serves(local_cloud)
        for connection in slow:  # a little more from each, and still not enough
            connection.sendall(b"P")
        assert_it_serves(local_cloud)
    assert_it_serves(local_cloud)


def test_our_own_errors_are_json(port):
    answer = send(
        port, b"GET /2099-01-01/nothing HTTP/1.1\r\nHost: x\r\n" + LAMBDA + b"\r\n", end=False
    )
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["__type"] == "UnknownOperationException"
