"""What a REST API's execution says of itself, in the log of its stage and to who tests a method.

The lines are those of AWS's examples: "TestInvokeMethod" in the API reference, "How can I use Amazon
API Gateway logs for troubleshooting?". A step is noted only where somebody will read it.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping

from ..background_writer import BackgroundWriter
from ..control_plane import logs
from ..functions.report import LogEvent
from .addresses import Field
from .exchange import Exchange, Step
from .gateway_responses import GatewayError

MALFORMED = "Malformed Lambda proxy response"
_MOST_BYTES = 1_024  # of an event ("Amazon API Gateway important notes")


def _note(exchange: Exchange, text: str, of_data: bool = False, is_error: bool = False) -> None:
    exchange.trace.append(Step(time.time(), text, of_data, is_error))


def admitted(exchange: Exchange) -> None:
    """The authorizer, the usage plan and the throttles have let the request in."""
    if exchange.trace is None:
        return
    stage = f"{exchange.api.id}/{exchange.stage.name}"
    _note(
        exchange, f"Verifying Usage Plan for request: {exchange.request_id}. API Key: "
        f"{_masked(exchange.context('identity.apiKey') or '')} API Stage: {stage}",
    )  # fmt: skip
    received(exchange)


def received(exchange: Exchange) -> None:
    """A method begins with the request."""
    if exchange.trace is None:
        return
    call = exchange.call
    _note(exchange, f"Starting execution for request: {exchange.request_id}")
    method, path = call.request.method, exchange.path
    _note(exchange, f"HTTP Method: {method}, Resource Path: {path}")
    _note(exchange, f"Method request path: {_map(exchange.path_parameters)}", True)
    _note(exchange, f"Method request query string: {_map(exchange.query)}", True)
    _note(exchange, f"Method request headers: {_map(exchange.headers)}", True)
    body = _text(call.request.body)
    _note(exchange, f"Method request body before transformations: {body}", True)


def authorizing(exchange: Exchange) -> None:
    """The method's authorizer is asked."""
    if exchange.trace is not None:
        asked = exchange.route.authorizer.id
        _note(exchange, f"Starting authorizer: {asked} for request: {exchange.request_id}")


def authorized(exchange: Exchange) -> None:
    """The method's authorizer has answered."""
    if exchange.trace is not None:
        _note(exchange, "Successfully completed authorizer execution")


def sent(exchange: Exchange, uri: str, headers: Iterable[Field], body: bytes) -> None:
    """An integration is asked."""
    if exchange.trace is None:
        return
    _note(exchange, f"Endpoint request URI: {uri}", True)
    _note(exchange, f"Endpoint request headers: {_map(dict(headers))}", True)
    _note(exchange, f"Endpoint request body after transformations: {_text(body)}", True)
    _note(exchange, f"Sending request to {uri}")


def answered(exchange: Exchange, status: int, fields: Iterable[Field], body: bytes) -> None:
    """An integration has answered."""
    if exchange.trace is None:
        return
    latency = exchange.outcome.get("integrationLatency", 0)
    _note(exchange, f"Received response. Status: {status}, Integration latency: {latency} ms")
    _note(exchange, f"Endpoint response headers: {_map(dict(fields))}", True)
    _note(exchange, f"Endpoint response body before transformations: {_text(body)}", True)


def failed(exchange: Exchange, error: GatewayError) -> None:
    """The execution ends in a gateway response."""
    if exchange.trace is None:
        return
    reason = str(error)
    if error.response_type == "API_CONFIGURATION_ERROR" or reason == MALFORMED:
        reason = f"Execution failed due to configuration error: {reason}"
    elif error.response_type == "INTEGRATION_TIMEOUT":
        reason = "Execution failed due to a timeout error"
    elif error.response_type == "INTEGRATION_FAILURE":
        reason = "Execution failed due to a network error communicating with endpoint"
    elif error.response_type == "UNAUTHORIZED":
        reason = f"Unauthorized request: {exchange.request_id}"
    _note(exchange, reason, is_error=True)


def completed(
    exchange: Exchange, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    """The caller gets an answer."""
    if exchange.trace is None:
        return
    shown = {name.decode("latin-1"): value.decode("utf-8", "replace") for name, value in headers}
    _note(exchange, f"Method response body after transformations: {_text(body)}", True)
    _note(exchange, f"Method response headers: {_map(shown)}", True)
    if not any(step.is_error for step in exchange.trace):
        _note(exchange, "Successfully completed execution")
    _note(exchange, f"Method completed with status: {status}")


class ExecutionLog:
    """Writes the logs of stages, in a thread of its own, where the account's role lets it."""

    def __init__(self, may_role: Callable[[str, str, str, str], bool]):
        self._may_role = may_role
        self._writer = BackgroundWriter("execution-log", self._write)

    def begin(self, exchange: Exchange) -> None:
        """A method takes the request: note the steps, if its stage has them logged."""
        if exchange.trace is None and exchange.stage.settings_of(exchange.route).log_level != "OFF":
            exchange.trace = []
        if exchange.trace is not None:
            _note(exchange, f"Extended Request Id: {exchange.context('extendedRequestId')}")

    def write(self, exchange: Exchange) -> None:
        """Queue what a stage's log takes: errors alone (ERROR) or all (INFO), and data where it wants
        them.
        """
        if exchange.trace is None:
            return
        api, settings = exchange.api, exchange.stage.settings_of(exchange.route)
        events = [
            LogEvent(int(step.at * 1000), _cut(f"({exchange.request_id}) {step.text}"))
            for step in exchange.trace
            if (step.is_error or settings.log_level == "INFO")
            and (settings.logs_data or not step.of_data)
        ]
        if events and api.log_role:
            name = exchange.stage.name
            if exchange.context("isCanaryRequest") == "true":
                name += "/Canary"
            stream = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
            place = (api.account_id, api.region, log_group(api.id, name), stream)
            self._writer.put(api.log_role, *place, events)

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._writer.close()

    def _write(
        self, role: str, account_id: str, region: str, group: str, stream: str, events: list
    ) -> None:
        arn = f"arn:aws:logs:{region}:{account_id}:log-group:{group}:log-stream:{stream}"
        if not self._may_role(role, "apigateway", "logs:PutLogEvents", arn):
            return
        logs.create_group(account_id, region, group)
        logs.put_events(account_id, region, group, stream, events)


def log_group(api_id: str, stage: str) -> str:
    """The log group of a stage's executions, which API Gateway makes itself."""
    return f"API-Gateway-Execution-Logs_{api_id}/{stage}"


def test_log(exchange: Exchange) -> str:
    """The log that TestInvokeMethod answers with."""
    lines = [f"Execution log for request {exchange.request_id}"]
    for step in exchange.trace or ():
        at = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(step.at))
        lines.append(f"{at} : {step.text}")
    return "\n".join(lines) + "\n"


def _map(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={_hidden(name, text)}" for name, text in values.items()) + "}"


def _hidden(name: str, text: str) -> str:
    """API Gateway doesn't log authorization headers and keys ("Set up CloudWatch logging")."""
    return _masked(text) if name.lower() in ("authorization", "x-api-key") else text


def _masked(secret: str) -> str:
    return "*" * 10 + secret[-6:] if secret else ""


def _text(body: bytes) -> str:
    return body[: 2 * _MOST_BYTES].decode("utf-8", "replace")


def _cut(text: str) -> str:
    raw = text.encode()
    return text if len(raw) <= _MOST_BYTES else raw[:_MOST_BYTES].decode("utf-8", "ignore")
