"""Answers in REST with JSON bodies, and events in event streams, by a service's model."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape, StructureShape

Headers = list[tuple[bytes, bytes]]


def serialize(shape: StructureShape | None, members: Mapping[str, Any]) -> tuple[Headers, bytes]:
    """Headers and body of an answer. Members that are None are left out; blobs are bytes, times datetime."""
    if shape is None:
        return [], b""
    headers = member_headers(shape, members)
    payload = shape.serialization.get("payload")
    if payload:
        value = members.get(payload) or b""
        return headers, value if isinstance(value, bytes) else _json(shape.members[payload], value)
    in_body = {
        name: value
        for name, value in members.items()
        if "location" not in shape.members[name].serialization
    }
    return [(b"content-type", b"application/json"), *headers], _json(shape, in_body)


def member_headers(shape: StructureShape, members: Mapping[str, Any]) -> Headers:
    """The members of an output that stand in headers."""
    return [
        (member.serialization["name"].lower().encode(), str(members[name]).encode())
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header" and members.get(name) is not None
    ]


def event(stream: StructureShape, name: str, members: Mapping[str, Any]) -> bytes:
    """One message of an event stream; `name` is a member of its shape."""
    shape = stream.members[name]
    kind = "exception" if shape.metadata.get("exception") else "event"
    for member, of in shape.members.items():
        if of.serialization.get("eventpayload"):
            return _message(kind, name, "application/octet-stream", members[member])
    return _message(kind, name, "application/json", _json(shape, members))


def _message(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    """A frame of application/vnd.amazon.eventstream (Smithy, "Amazon Event Stream Specification")."""
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in (
            (f":{kind}-type", name),
            (":content-type", content_type),
            (":message-type", kind),
        )
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _json(shape: Shape, value: Any) -> bytes:
    return json.dumps(_plain(shape, value), separators=(",", ":"), ensure_ascii=False).encode()


def _plain(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return value
        return {
            shape.members[name].serialization.get("name", name): _plain(shape.members[name], part)
            for name, part in value.items()
            if part is not None
        }
    if kind == "list":
        return [_plain(shape.member, part) for part in value]
    if kind == "map":
        return {key: _plain(shape.value, part) for key, part in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value
    if kind == "timestamp" and isinstance(value, datetime):
        if shape.serialization.get("timestampFormat") == "iso8601":
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return value.timestamp()
    return value
