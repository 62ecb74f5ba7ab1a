"""The log lines that Lambda itself writes, in text and in JSON.

Forms: "Understanding the Lambda execution environment lifecycle" and "Advanced logging controls" in
the Lambda developer guide, and lines recorded from AWS in 2025 and 2026.
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from .configuration import FunctionConfiguration


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
    return math.ceil(round(duration_ms + (init_ms or 0), 2))


class PlatformLog:
    """Writes the platform's lines for one execution environment."""

    def __init__(self, configuration: FunctionConfiguration, runtime_version: str, stream: str):
        self._configuration = configuration
        self._json = configuration.logging.format == "JSON"
        self._runtime_version = runtime_version
        self._stream = stream

    def init_start(self, time: float, phase: str = "init") -> LogEvent:
        """INIT_START / platform.initStart. `time` is a Unix time in seconds, here and below."""
        arn = f"arn:aws:lambda:{self._configuration.region}::runtime:{self._runtime_version}"
        return self._event(
            time,
            f"INIT_START Runtime Version: {self._runtime_version}\tRuntime Version ARN: {arn}\n",
            "initStart",
            {
                "initializationType": "on-demand",
                "phase": phase,
                "runtimeVersion": self._runtime_version,
                "runtimeVersionArn": arn,
                "functionName": self._configuration.name,
                "functionVersion": self._configuration.version,
                "instanceId": self._stream,
                "instanceMaxMemory": self._configuration.memory_mb * 1024 * 1024,
            },
        )

    def init_report(self, time: float, init_ms: float, phase: str, failure: Failure) -> LogEvent:
        """INIT_REPORT, which an on-demand environment writes only for an Init that failed."""
        text = f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}" + _status(failure)
        return self._event(
            time,
            text + "\t\n",
            "initReport",
            {
                "initializationType": "on-demand",
                "phase": phase,
                "metrics": {"durationMs": round(init_ms, 3)},
                **_json_status(failure),
            },
        )

    def start(self, time: float, request_id: str) -> LogEvent:
        """START / platform.start."""
        version = self._configuration.version
        record = {
            "requestId": request_id,
            "functionArn": self._configuration.arn,
            "version": version,
        }
        text = f"START RequestId: {request_id} Version: {version}\n"
        return self._event(time, text, "start", record)

    def end(
        self,
        time: float,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        max_memory_mb: int,
        failure: Failure | None,
    ) -> list[LogEvent]:
        """END and REPORT, or platform.report in JSON (which has no END at the default level)."""
        configuration = self._configuration
        billed = billed_ms(duration_ms, init_ms)
        metrics = {
            "durationMs": round(duration_ms, 3),
            "billedDurationMs": billed,
            "memorySizeMB": configuration.memory_mb,
            "maxMemoryUsedMB": max_memory_mb,
        }
        text = (
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms"
            f"\tBilled Duration: {billed} ms\tMemory Size: {configuration.memory_mb} MB"
            f"\tMax Memory Used: {max_memory_mb} MB\t"
        )
        if init_ms is not None:
            metrics["initDurationMs"] = round(init_ms, 3)
            text += f"Init Duration: {init_ms:.2f} ms\t\t"
        if failure:
            text = text.rstrip("\t") + _status(failure)
        record = {"requestId": request_id, "metrics": metrics, **_json_status(failure)}
        report = self._event(time, text + "\n", "report", record)
        if self._json:
            return [report]
        return [LogEvent(report.timestamp, f"END RequestId: {request_id}\n"), report]

    def _event(self, time: float, text: str, kind: str, record: dict) -> LogEvent:
        timestamp = int(time * 1000)
        if not self._json:
            return LogEvent(timestamp, text)
        stamp = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        body = {"time": stamp, "type": f"platform.{kind}", "record": record}
        return LogEvent(timestamp, json.dumps(body, separators=(",", ":")) + "\n")


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
