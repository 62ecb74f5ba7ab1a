"""The log lines that Lambda itself writes, in text and in JSON.

Forms: "Understanding the Lambda execution environment lifecycle" and "Advanced logging controls" in
the Lambda developer guide, and lines recorded from AWS in 2025 and 2026.
"""

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from .configuration import FunctionConfiguration, Logging


@dataclass(frozen=True)
class LogEvent:
    """One CloudWatch log event; `timestamp` is in milliseconds since the epoch."""

    timestamp: int
    message: str


@dataclass(frozen=True)
class Failure:
    """How a phase ended, if not well: status is `error` or `timeout`."""

    status: str
    error_type: str | None = None


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Billed Duration: Init and Invoke together, rounded up to 1 ms (since 1 August 2025)."""
    # Of the numbers as the line shows them, so that the bill can be worked out from it.
    return math.ceil(round(round(duration_ms, 2) + round(init_ms or 0, 2), 2))


@dataclass(frozen=True)
class PlatformEvent:
    """Something that the platform reports.

    `time` is a Unix time in seconds. `text` is its line in a text log, None where it has none there;
    `type` is None for what only a text log has. `level` is the system log level it belongs to.
    """

    time: float
    type: str | None
    record: dict
    text: str | None = None
    level: str = "INFO"

    def as_dict(self) -> dict:
        """As the Telemetry API and logs in JSON have it."""
        stamp = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return {"time": f"{stamp}Z", "type": self.type, "record": self.record}


_LEVELS = {"DEBUG": 0, "INFO": 1, "WARN": 2}


def log_events(events: list[PlatformEvent], logging: Logging) -> list[LogEvent]:
    """What a function's log holds of the events, in its format and at its system log level."""
    if logging.format != "JSON":
        return [LogEvent(int(e.time * 1000), e.text) for e in events if e.text]
    least = _LEVELS[logging.system_level or "INFO"]
    return [
        LogEvent(int(e.time * 1000), json.dumps(e.as_dict(), separators=(",", ":")) + "\n")
        for e in events
        if e.type and _LEVELS[e.level] >= least
    ]


class PlatformLog:
    """Words the platform's events for one execution environment."""

    def __init__(
        self,
        configuration: FunctionConfiguration,
        initialization_type: str,
        runtime_version: str,
        stream: str,
    ):
        self._configuration = configuration
        self._type = initialization_type
        self._runtime_version = runtime_version
        self._stream = stream

    def init_start(self, phase: str) -> PlatformEvent:
        """INIT_START, which a suppressed Init has not in a text log."""
        arn = f"arn:aws:lambda:{self._configuration.region}::runtime:{self._runtime_version}"
        text = f"INIT_START Runtime Version: {self._runtime_version}\tRuntime Version ARN: {arn}\n"
        record = {
            "initializationType": self._type,
            "phase": phase,
            "runtimeVersion": self._runtime_version,
            "runtimeVersionArn": arn,
            "functionName": self._configuration.name,
            "functionVersion": self._configuration.version,
            "instanceId": self._stream,
            "instanceMaxMemory": self._configuration.memory_mb * 1024 * 1024,
        }
        suppressed = phase == "invoke"
        return PlatformEvent(
            time.time(), "platform.initStart", record, None if suppressed else text,
            "DEBUG" if suppressed else "INFO",
        )  # fmt: skip

    def init_done(self, init_ms: float, phase: str, failure: Failure | None) -> list[PlatformEvent]:
        """The end of Init. INIT_REPORT is written for one that failed, and where the concurrency is
        provisioned.
        """
        now, status = time.time(), _json_status(failure)
        record = {"initializationType": self._type, "phase": phase, **status}
        text = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}"
        text += f"{_status(failure) if failure else ''}\t\n"
        said = failure is not None or self._type != "on-demand"
        metrics = {"metrics": {"durationMs": round(init_ms, 3)}}
        return [
            PlatformEvent(now, "platform.initRuntimeDone", record, level="DEBUG"),
            PlatformEvent(
                now, "platform.initReport", record | metrics, text if said else None,
                "WARN" if failure else "INFO" if said else "DEBUG",
            ),
        ]  # fmt: skip

    def start(self, request_id: str) -> PlatformEvent:
        """START."""
        version = self._configuration.version
        arn = self._configuration.arn
        record = {"requestId": request_id, "functionArn": arn, "version": version}
        text = f"START RequestId: {request_id} Version: {version}\n"
        return PlatformEvent(time.time(), "platform.start", record, text)

    def end(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        max_memory_mb: int,
        failure: Failure | None,
        produced_bytes: int,
    ) -> list[PlatformEvent]:
        """The end of an invocation: platform.runtimeDone, END and REPORT."""
        now, status = time.time(), _json_status(failure)
        memory_mb = self._configuration.memory_mb
        billed = billed_ms(duration_ms, init_ms)
        metrics = {
            "durationMs": round(duration_ms, 3),
            "billedDurationMs": billed,
            "memorySizeMB": memory_mb,
            "maxMemoryUsedMB": max_memory_mb,
        }
        text = (
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms"
            f"\tBilled Duration: {billed} ms\tMemory Size: {memory_mb} MB"
            f"\tMax Memory Used: {max_memory_mb} MB\t"
        )
        if init_ms is not None:
            metrics["initDurationMs"] = round(init_ms, 3)
            text += f"Init Duration: {init_ms:.2f} ms\t\t"
        if failure:
            text = text.rstrip("\t") + _status(failure)
        done = {
            "requestId": request_id,
            **status,
            "metrics": {"durationMs": round(duration_ms, 3), "producedBytes": produced_bytes},
        }
        record = {"requestId": request_id, "metrics": metrics, **status}
        level = "WARN" if failure else "INFO"
        done_level = "WARN" if failure else "DEBUG"
        return [
            PlatformEvent(now, "platform.runtimeDone", done, level=done_level),
            PlatformEvent(now, None, {}, f"END RequestId: {request_id}\n"),
            PlatformEvent(now, "platform.report", record, text + "\n", level),
        ]

    def extension(self, name: str, events: list[str]) -> PlatformEvent:
        """EXTENSION: one is ready at the end of Init (lines published by users in 2023 and 2024)."""
        record = {"name": name, "state": "Ready", "events": events}
        text = f"EXTENSION\tName: {name}\tState: Ready\tEvents: [{', '.join(events)}]\n"
        return PlatformEvent(time.time(), "platform.extension", record, text)

    def subscription(self, record: dict) -> PlatformEvent:
        """TELEMETRY: an extension has subscribed."""
        types = ", ".join(kind.capitalize() for kind in record["types"])
        text = f"TELEMETRY\tName: {record['name']}\tState: Subscribed\tTypes: [{types}]\n"
        return PlatformEvent(time.time(), "platform.telemetrySubscription", record, text)


def _status(failure: Failure) -> str:
    kind = f"\tError Type: {failure.error_type}" if failure.error_type else ""
    return f"\tStatus: {failure.status}{kind}"


def _json_status(failure: Failure | None) -> dict:
    if failure is None:
        return {"status": "success"}
    if failure.error_type is None:
        return {"status": failure.status}
    return {"status": failure.status, "errorType": failure.error_type}


def platform_error(error_type: str, message: str, request_id: str) -> bytes:
    """The payload of a failure that the platform reports, not the runtime."""
    text = f"RequestId: {request_id} Error: {message}"
    body = {"errorType": error_type, "errorMessage": text}
    return json.dumps(body, separators=(",", ":")).encode()
