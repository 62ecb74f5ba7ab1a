"""A stand-in, in Python alone, for the native `runtime_client` module of awslambdaric.

AWS builds that module for Linux only. This file has the same four functions over the same Runtime
API and is copied into the runtime's folder where the native one can't be imported. It imports little,
because what it imports is part of every cold start.
"""

import os
import socket

_HOST, _, _PORT = os.environ.get("AWS_LAMBDA_RUNTIME_API", "").rpartition(":")
_connection = None
_stream = None


def initialize_client(user_agent):
    """Do nothing: the connection is made by the first call, as in the native client."""


def next():
    """Wait for an invocation; return its payload as bytes and its headers as a dict."""
    status, headers, body = _request("GET", "/2018-06-01/runtime/invocation/next")
    if status != 200:
        raise RuntimeError(f"Failed to get next invocation. HTTP status code: {status}")
    deadline = "Lambda-Runtime-Deadline-Ms"
    return body, {**headers, deadline: int(headers[deadline])}  # a number, as in the native client


def post_invocation_result(invoke_id, result_data, content_type, invocation_id=None):
    """Post the result of an invocation, bytes as they are."""
    path = f"/2018-06-01/runtime/invocation/{invoke_id}/response"
    _post(path, result_data, {"Content-Type": content_type})


def post_error(invoke_id, error_response_data, xray_fault, invocation_id=None):
    """Post a function's error, a JSON text."""
    path = f"/2018-06-01/runtime/invocation/{invoke_id}/error"
    _post(path, error_response_data.encode(), {"Content-Type": "application/json"})


def _post(path, body, headers):
    status, _, _ = _request("POST", path, body, headers)
    if not 200 <= status < 300:
        raise RuntimeError(f"Failed to post to the runtime API. HTTP status code: {status}")


def _request(method, path, body=b"", headers=None):
    global _connection, _stream
    if _connection is None:
        _connection = socket.create_connection((_HOST, int(_PORT)))
        _connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _stream = _connection.makefile("rb")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {_HOST}:{_PORT}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    _connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    status_line = _stream.readline()
    if not status_line:
        raise RuntimeError("The runtime API closed the connection")
    answer = {}
    while (line := _stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        answer[name] = value.strip()
    return int(status_line.split()[1]), answer, _stream.read(int(answer["Content-Length"]))
