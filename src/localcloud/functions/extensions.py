"""The Extensions API of one execution environment: who has registered, who waits, who is busy.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html; the errors are those of
AWS's own aws-lambda-runtime-interface-emulator (rapi/handler, core/states.go).
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from .configuration import FunctionConfiguration, Invocation

PREFIX = "/2020-01-01/extension/"
MAX_EXTENSIONS = 10
# How long a shutdown may take: with an internal extension only, and with an external one.
INTERNAL_SHUTDOWN_S, EXTERNAL_SHUTDOWN_S = 0.5, 2.0


class Connection(Protocol):
    """A request of an extension, and the way to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def respond(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None: ...


class Refused(Exception):
    """A request that the API does not take: its status and error type."""

    def __init__(self, error_type: str, message: str, status: int = 403):
        super().__init__(message)
        self.error_type = error_type
        self.status = status

    def answer(self, connection: Connection) -> None:
        """Say so."""
        body = {"errorMessage": str(self), "errorType": self.error_type}
        connection.respond(self.status, json.dumps(body).encode())


@dataclass(eq=False)
class Extension:
    """One registered extension. It is idle while it waits for its next event."""

    name: str
    external: bool
    events: frozenset[str]
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    waiting: Connection | None = None
    pending: dict | None = None
    error: str | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has done what the phase asked of it."""
        return self.waiting is not None

    def send(self, event: dict) -> None:
        """Hand it an event, now or when it asks."""
        connection, self.waiting = self.waiting, None
        if connection is None:
            self.pending = event
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Extension-Identifier": self.identifier,
        }
        connection.respond(200, json.dumps(event, separators=(",", ":")).encode(), headers)


class Extensions:
    """The extensions of one environment; `expected` are the file names in /opt/extensions.

    `on_change()` is called when one has registered, is idle again or has failed.
    """

    def __init__(self, configuration: FunctionConfiguration, on_change: Callable[[], None]):
        self._configuration = configuration
        self.expected: list[str] = []
        self._on_change = on_change
        self.registered: dict[str, Extension] = {}
        self.is_open = True

    def begin(self, expected: list[str]) -> None:
        """Init begins: all register anew."""
        self.expected = expected
        self.registered.clear()
        self.is_open = True

    def forget(self) -> None:
        """Their processes are gone."""
        self.registered.clear()

    @property
    def all_expected_registered(self) -> bool:
        """Whether every external extension has registered, so that the runtime may start."""
        return {e.name for e in self.registered.values()} >= set(self.expected)

    @property
    def all_idle(self) -> bool:
        """Whether every extension has done what the phase asked of it."""
        return all(extension.is_idle for extension in self.registered.values())

    @property
    def shutdown_s(self) -> float:
        """How long a shutdown may take, in seconds; 0 without an extension."""
        kinds = [extension.external for extension in self.registered.values()]
        return EXTERNAL_SHUTDOWN_S if any(kinds) else INTERNAL_SHUTDOWN_S if kinds else 0.0

    def invoke(self, invocation: Invocation, unix_deadline: float) -> None:
        """Tell those that asked for it that an invocation begins."""
        event = {
            "eventType": "INVOKE",
            "deadlineMs": int(unix_deadline * 1000),
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.invoked_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
        }
        self._send("INVOKE", event)

    def shut_down(self, reason: str, unix_deadline: float) -> None:
        """Tell those that asked for it that the environment ends: SPINDOWN, TIMEOUT or FAILURE."""
        event = {
            "eventType": "SHUTDOWN",
            "shutdownReason": reason,
            "deadlineMs": int(unix_deadline * 1000),
        }
        self._send("SHUTDOWN", event)

    def handle(self, connection: Connection) -> None:
        """Answer a request below /2020-01-01/extension/."""
        action = connection.method, connection.path.removeprefix(PREFIX)
        try:
            if action == ("POST", "register"):
                self._register(connection)
            else:
                self._take(action, self.find(connection), connection)
        except Refused as refusal:
            refusal.answer(connection)
        else:
            self._on_change()

    def find(self, connection: Connection) -> Extension:
        """Who sent a request. Raises Refused."""
        identifier = connection.headers.get("lambda-extension-identifier")
        if identifier is None:
            message = "Missing Lambda-Extension-Identifier header"
            raise Refused("Extension.MissingHeader", message)
        extension = self.registered.get(identifier)
        if extension is None:
            message = f"Unknown extension {identifier}"
            raise Refused("Extension.UnknownExtensionIdentifier", message)
        return extension

    def _take(self, action: tuple[str, str], extension: Extension, connection: Connection) -> None:
        match action:
            case "GET", "event/next":
                extension.waiting = connection
                if extension.pending:
                    event, extension.pending = extension.pending, None
                    extension.send(event)
            case "POST", "init/error" | "exit/error":
                error_type = connection.headers.get("lambda-extension-function-error-type")
                extension.error = error_type or "Extension.Crash"
                connection.respond(202, b'{"status":"OK"}\n')
            case _:
                connection.respond(404, b"{}")

    def _register(self, connection: Connection) -> None:
        name = connection.headers.get("lambda-extension-name", "")
        if not name:
            raise Refused("Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = frozenset(json.loads(connection.body or b"{}").get("events") or ())
        except (ValueError, AttributeError, TypeError) as error:
            raise Refused("InvalidRequestFormat", str(error)) from error
        external = name in self.expected
        for event in events - {"INVOKE"}:
            if event != "SHUTDOWN":
                message = f"{event}: ErrorInvalidEventType"
            elif not external:
                message = f"{event}: ShutdownEventNotSupportedForInternalExtension"
            else:
                continue
            raise Refused("Extension.InvalidEventType", message)
        if not self.is_open:
            message = "Extension registration closed already"
            raise Refused("Extension.RegistrationClosed", message)
        if len(self.registered) >= MAX_EXTENSIONS:
            message = f"Extension limit ({MAX_EXTENSIONS}) reached"
            raise Refused("Extension.TooManyExtensions", message)
        extension = Extension(name, external, events)
        self.registered[extension.identifier] = extension
        configuration = self._configuration
        answer = {
            "functionName": configuration.name,
            "functionVersion": configuration.version,
            "handler": configuration.handler,
        }
        if "accountId" in connection.headers.get("lambda-extension-accept-feature", ""):
            answer["accountId"] = configuration.account_id
        headers = {"Lambda-Extension-Identifier": extension.identifier}
        connection.respond(200, json.dumps(answer).encode(), headers)

    def _send(self, kind: str, event: dict) -> None:
        for extension in self.registered.values():
            if kind in extension.events:
                extension.send(event)
