"""@connections: how a backend sends to a connection, asks after it and closes it ("Use @connections commands
in your backend service"; API reference of the API Gateway Management API).

The request is one to the API's own stage, /prod/@connections/ID. /@connections/ID without them is taken
too: ids are unique, and that is what a client built without endpoint_url asks for.
"""

import json
import re
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import unquote

from ..denials import refused_credentials
from ..identity import Gatekeeper, Verdict
from .addresses import CONNECTIONS, Call
from .connection_limits import MAX_MESSAGE_BYTES
from .connections import BufferFull, Connection, Connections, Gone
from .metrics import ApiMetrics
from .refusals import Answer
from .websocket_api import FindApi
from .websocket_events import WebSocketExchange

_ID = re.compile(r"[\w-]{15}=")


class ConnectionCallbacks:
    """Answers POST, GET and DELETE of @connections."""

    def __init__(
        self,
        find_api: FindApi,
        gatekeeper: Gatekeeper,
        connections: Connections,
        metrics: ApiMetrics,
    ):
        self._find_api = find_api
        self._gatekeeper = gatekeeper
        self._connections = connections
        self._metrics = metrics

    async def answer(self, call: Call) -> Answer:
        """Do what is asked of the connection in the path, for whoever may."""
        stage, _, raw_id = call.path.partition(CONNECTIONS)
        connection_id, stage = unquote(raw_id), unquote(stage).strip("/")
        named = (call.api_id, stage) if call.api_id else None
        place = named or self._connections.place(connection_id)
        arn = self._arn(call, connection_id, place)
        verdict = self._gatekeeper.judge_connection_call(call.request, arn)
        if not verdict.allowed:
            return _refusal(call, verdict, arn)
        if not _ID.fullmatch(connection_id):
            return _error(400, "BadRequestException", f"Invalid connectionId: {connection_id}")
        connection = self._connections.find(connection_id)
        if connection is None or place != (connection.call.api_id, connection.stage):
            return _error(410, "GoneException")
        try:
            match call.request.method:
                case "POST":
                    return await self._post(connection, call.request.body)
                case "GET":
                    return _description(connection)
                case "DELETE":
                    await connection.close(1000)
                    return _answer(204)
        except Gone:
            return _error(410, "GoneException")
        except BufferFull:
            return _error(429, "LimitExceededException")
        return _error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")

    async def _post(self, connection: Connection, data: bytes) -> Answer:
        if len(data) > MAX_MESSAGE_BYTES:
            return _error(413, "PayloadTooLargeException", "Message too long")
        await connection.send(data.decode("utf-8", "replace"))
        api = self._find_api(connection.call.api_id)
        if api and connection.stage in api.stages:
            stage = api.stages[connection.stage]
            self._metrics.count(
                WebSocketExchange(connection.call, api, stage, "/", ""), {"MessageCount": 1}
            )
        return _answer(200)

    def _arn(self, call: Call, connection_id: str, place: tuple[str, str] | None) -> str | None:
        """None for a connection that nobody knows: that it is gone is all that can be said of it."""
        api = self._find_api(place[0]) if place else None
        if api is None:
            return None
        return api.arn(place[1], call.request.method, "@connections", connection_id)


def _refusal(call: Call, verdict: Verdict, arn: str | None) -> Answer:
    if verdict.problem == "unsigned":
        return _error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    if verdict.problem:
        denial = refused_credentials(verdict.problem, "execute-api", call.request)
        return _error(403, denial.code, denial.message)
    who = verdict.principal.caller.arn
    message = f"User: {who} is not authorized to perform: execute-api:ManageConnections on resource: {arn}"
    if verdict.is_explicit:
        message += " with an explicit deny"
    return _error(403, "AccessDeniedException", message)


def _description(connection: Connection) -> Answer:
    request = connection.call.request
    described = {
        "connectedAt": _iso(connection.connected),
        "identity": {
            "sourceIp": connection.call.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "lastActiveAt": _iso(connection.last_active),
    }
    return _answer(200, json.dumps(described).encode())


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _error(status: int, code: str, message: str = "") -> Answer:
    body = json.dumps({"message": message}).encode() if message else b""
    status, headers, body = _answer(status, body)
    return status, [*headers, (b"x-amzn-errortype", code.encode())], body


def _answer(status: int, body: bytes = b"") -> Answer:
    headers = [(b"x-amzn-requestid", str(uuid.uuid4()).encode())]
    if status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-type", b"application/json"))
    return status, headers, body
