"""Throughput: callers in processes of their own, raw HTTP on kept connections.

``python -m benchmarks.callers PORT FUNCTION SECONDS`` is one caller; with the host of an HTTP API in the
function's place it calls that. For each line that it reads
it says ``ready`` first: then it warms up beside the others, so that every environment they need
exists, and then it invokes one after another for SECONDS and prints its count as JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # a caller imports no boto3: sixteen of them would take long to start
    from .servers import Endpoint

# The signature is not checked by either cloud, the credential's scope is what routes a request.
HEADERS = {
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
    ),
    "X-Amz-Date": "20260101T000000Z",
    "Content-Type": "application/json",
}
WARM_UP_S = 1.0
READY_LIMIT_S = 60


class CallersFailed(RuntimeError):
    """A caller got a wrong answer or ended early."""


def throughput(endpoint: Endpoint, function: str, callers: int, seconds: float) -> float:
    """Invocations of a function, or calls of an API's host, a second that ``callers`` processes get
    together, for ``seconds``.
    """
    port = str(urlsplit(endpoint.url).port)
    command = [sys.executable, "-m", "benchmarks.callers", port, function, str(seconds)]
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(callers):
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.append(process)
            stack.callback(_end, process)
        for _ in ("warm up", "count"):
            for process in processes:
                if process.stdout.readline().strip() != "ready":
                    raise CallersFailed(process.communicate(timeout=5)[1].strip()[-400:])
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
        rate = 0.0
        for process in processes:
            out, err = process.communicate(timeout=seconds + READY_LIMIT_S)
            if process.returncode:
                raise CallersFailed(err.strip()[-400:])
            told = json.loads(out)
            rate += told["count"] / told["seconds"]
        return rate


def invocation_path(function: str) -> str:
    """Where a function is invoked."""
    return f"/2015-03-31/functions/{function}/invocations"


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


def _caller(port: int, function: str, seconds: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_LIMIT_S)
    asked = ("POST", invocation_path(function), b"{}", HEADERS)
    if ".execute-api." in function:
        asked = ("GET", "/", None, {"Host": function})

    def invoke() -> None:
        connection.request(*asked)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or answer.getheader("X-Amz-Function-Error"):
            raise SystemExit(f"HTTP {answer.status}: {body[:300]!r}")

    def invoke_for(seconds: float) -> dict[str, float]:
        print("ready", flush=True)
        sys.stdin.readline()
        count = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            invoke()
            count += 1
        return {"count": count, "seconds": time.perf_counter() - started}

    invoke_for(WARM_UP_S)
    print(json.dumps(invoke_for(seconds)))


if __name__ == "__main__":
    _caller(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
