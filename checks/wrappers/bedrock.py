"""Stands around the learner's app.py in the function, with a Bedrock of its own that answers by a script.

What the learner's code asks of Bedrock Runtime goes to a server in this process, which notes it: answers,
throttles and stop reasons come exactly when a check wants them, here and on AWS. S3 is the real one.

The event is {"event": S3's event, "script": [answer, …]}; the last answer of the script is given on and on.
An answer is {"error": code, "message": …} or {"content": […], "stopReason": …, "usage": [input, output]}.
The result is {"answer" or "failed": …, "requests": [{"path": …, "body": …, "at": s}, …]}.
"""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

_STATUS = {"ThrottlingException": 429, "AccessDeniedException": 403}
_script = []
_requests = []


class _Bedrock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802  http.server's name for it
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = {"path": unquote(self.path), "body": json.loads(body or b"{}")}
        _requests.append({**request, "at": time.monotonic()})
        given = _script[min(len(_requests), len(_script)) - 1]
        if "error" in given:
            status, answer = _STATUS.get(given["error"], 400), {"message": given["message"]}
        else:
            status, answer = 200, _answer(**given)
        self._send(status, json.dumps(answer).encode(), given.get("error"))

    def _send(self, status, body, error):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def _answer(content, usage, stopReason):  # noqa: N803  the API's name for it
    taken, written = usage
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stopReason,
        "usage": {"inputTokens": taken, "outputTokens": written, "totalTokens": taken + written},
        "metrics": {"latencyMs": 1},
    }


_server = ThreadingHTTPServer(("127.0.0.1", 0), _Bedrock)
threading.Thread(target=_server.serve_forever, daemon=True).start()
os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = f"http://127.0.0.1:{_server.server_port}"

import app  # noqa: E402  it makes its clients while it is imported


def handler(event, context):
    """Run app.handler against the script; an error of it is part of the result."""
    _script[:], _requests[:] = event["script"], []
    try:
        outcome = {"answer": app.handler(event["event"], context)}
    except Exception as error:
        outcome = {"failed": f"{type(error).__name__}: {error}"}
    return {**outcome, "requests": _requests}
