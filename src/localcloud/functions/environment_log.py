"""All that one environment logs: the function's output and the platform's lines, to its log stream."""

import time
from collections.abc import Callable

from .configuration import FunctionConfiguration
from .log_pipe import LogPipe
from .report import Failure, LogEvent, PlatformLog

LogSink = Callable[[FunctionConfiguration, str, list[LogEvent]], None]
TAIL_BYTES = 4096


class EnvironmentLog:
    """Writes one log stream. `read` and `flush` take what the function's processes wrote."""

    def __init__(
        self,
        configuration: FunctionConfiguration,
        environment_id: str,
        runtime_version: str,
        pipe: LogPipe,
        sink: LogSink,
    ):
        name = f"[{configuration.version}]{environment_id}"
        if configuration.logging.group != f"/aws/lambda/{configuration.name}":
            name = configuration.name + name  # a shared group's streams name the function
        self.stream = time.strftime("%Y/%m/%d/", time.gmtime()) + name
        self._configuration = configuration
        self._platform = PlatformLog(configuration, runtime_version, self.stream)
        self._pipe = pipe
        self._sink = sink
        self._tail: list[str] | None = None

    def read(self) -> None:
        """Write what is complete of the function's output."""
        self._write(self._pipe.read())

    def flush(self) -> None:
        """Write all of the function's output, an unfinished last line too."""
        self._write(self._pipe.flush())

    def init_start(self) -> None:
        """Init begins."""
        self._write([self._platform.init_start(time.time())])

    def init_report(self, init_ms: float, phase: str, failure: Failure) -> None:
        """Init has failed."""
        self._write([self._platform.init_report(time.time(), init_ms, phase, failure)])

    def start(self, request_id: str) -> None:
        """An invocation begins."""
        self._write([self._platform.start(time.time(), request_id)])

    def end(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        max_memory_mb: int,
        failure: Failure | None,
    ) -> None:
        """An invocation is over."""
        self.flush()
        self._write(
            self._platform.end(
                time.time(), request_id, duration_ms, init_ms, max_memory_mb, failure
            )
        )

    def begin_tail(self) -> None:
        """Keep what is written from now on, for the caller."""
        self._tail = []

    def take_tail(self) -> bytes:
        """The last 4 KB of what was written since then."""
        tail, self._tail = "".join(self._tail or ()), None
        return tail.encode()[-TAIL_BYTES:]

    def _write(self, events: list[LogEvent]) -> None:
        if not events:
            return
        if self._tail is not None:
            self._tail.extend(
                event.message if event.message.endswith("\n") else event.message + "\n"
                for event in events
            )
        self._sink(self._configuration, self.stream, events)
