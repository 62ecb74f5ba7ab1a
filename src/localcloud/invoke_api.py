"""Lambda's Invoke operation over HTTP (Invoke API reference, and answers recorded from AWS)."""

import base64
import json
import re
import uuid
from urllib.parse import parse_qs, unquote

from .control_plane.functions import FunctionNotFound, find_function, invoked_arn
from .control_plane.lambda_requests import invoke_problem
from .functions.concurrency import Throttled
from .functions.lineage import RecursionStopped
from .functions.service import FunctionService

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

_PATH = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations/?$")
MAX_REQUEST_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024


def match(path: str) -> str | None:
    """The function's name or ARN, decoded, where the path is Invoke's; None elsewhere."""
    found = _PATH.match(path)
    return unquote(found.group(1)) if found else None


async def invoke(
    service: FunctionService,
    function: str,
    account_id: str,
    region: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
) -> Answer:
    """Answer an Invoke request: 200, 202 for Event, 204 for DryRun, or AWS's error."""
    qualifier = parse_qs(query).get("Qualifier", [None])[0]
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    problem = size_problem(len(body), kind)
    if problem:
        return _error(413, "RequestEntityTooLargeException", problem, "Message")
    payload = body or b"{}"
    problem = json_problem(payload)
    if problem:
        return _error(400, "InvalidRequestContentException", problem)

    def find():
        return find_function(function, qualifier, account_id, region)

    try:
        target = find()
    except FunctionNotFound as error:
        problem = invoke_problem(function, qualifier)
        if problem:
            return _error(400, "ValidationException", problem)
        return _error(error.status, error.code, str(error), "Message")
    invoked = invoked_arn(function, qualifier, account_id, region)
    trace_id = headers.get("x-amzn-trace-id")
    if kind == "DryRun":
        return 204, _headers(str(uuid.uuid4())), b""
    if kind == "Event":
        request_id = service.invoke_later(find, payload, invoked, trace_id)
        return 202, _headers(request_id), b""
    request_id = str(uuid.uuid4())
    try:
        outcome = await service.invoke(
            target, payload, invoked, request_id, headers.get("x-amz-client-context"), trace_id
        )
    except Throttled as throttled:
        body = {"Reason": throttled.reason, "Type": "User", "message": "Rate Exceeded."}
        answer = _headers(request_id) + [(b"x-amzn-errortype", b"TooManyRequestsException")]
        return 429, answer, json.dumps(body, separators=(",", ":")).encode()
    except RecursionStopped as stopped:
        return _error(400, "RecursiveInvocationException", str(stopped), "Message")
    answer = _headers(request_id) + [(b"x-amz-executed-version", outcome.version.encode())]
    if outcome.failed:
        answer.append((b"x-amz-function-error", b"Unhandled"))
    if headers.get("x-amz-log-type") == "Tail":
        answer.append((b"x-amz-log-result", base64.b64encode(outcome.log_tail)))
    return 200, answer, outcome.payload


def _headers(request_id: str) -> Headers:
    return [
        (b"content-type", b"application/json"),
        (b"x-amzn-requestid", request_id.encode()),
    ]


def _error(status: int, code: str, message: str, key: str = "message") -> Answer:
    body = json.dumps({"Type": "User", key: message}).encode()
    headers = _headers(str(uuid.uuid4())) + [(b"x-amzn-errortype", code.encode())]
    return status, headers, body


def size_problem(size: int, kind: str) -> str | None:
    """Code and texts as users have logged them; the API model calls it RequestTooLargeException."""
    if size > MAX_REQUEST_BYTES:
        return f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"
    if kind == "Event" and size > MAX_EVENT_BYTES:
        return (
            f"{size} byte payload is too large for the Event invocation type "
            f"(limit {MAX_EVENT_BYTES} bytes)"
        )
    return None


def json_problem(payload: bytes) -> str | None:
    """What is wrong with a payload that isn't JSON, in the words of the service's parser."""
    try:
        json.loads(payload)
        return None
    except UnicodeDecodeError as error:
        line, column, character = 1, error.start + 1, f"(CTRL-CHAR, code {payload[error.start]})"
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
        found = error.doc[error.pos : error.pos + 1]
        character = f"'{found}' (code {ord(found)})" if found else "end-of-input"
    return (
        "Could not parse request body into json: Could not parse payload into json: Unexpected "
        f"character ({character}): expected a valid value (JSON String, Number, Array, Object or "
        "token 'null', 'true' or 'false')\n at [Source: REDACTED "
        "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "
        f"line: {line}, column: {column}]"
    )
