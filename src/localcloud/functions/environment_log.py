"""All that one environment logs: the function's and the extensions' output, the platform's events.

They go to its log stream and, where an extension has subscribed, to the Telemetry API.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from .configuration import FunctionConfiguration
from .extensions import Connection, Extensions
from .log_pipe import LogPipe
from .report import Failure, LogEvent, PlatformEvent, PlatformLog, log_events
from .telemetry import Telemetry

LogSink = Callable[[FunctionConfiguration, str, list[LogEvent]], None]
TAIL_BYTES = 4096


class EnvironmentLog:
    """Writes one log stream. `read` and `flush` take what the processes wrote.

    `pipes` has the output of each stream of the Telemetry API: function and extension.
    """

    def __init__(
        self,
        configuration: FunctionConfiguration,
        environment_id: str,
        initialization_type: str,
        runtime_version: str,
        pipes: Mapping[str, LogPipe],
        sink: LogSink,
    ):
        name = f"[{configuration.version}]{environment_id}"
        if configuration.logging.group != f"/aws/lambda/{configuration.name}":
            name = configuration.name + name  # a shared group's streams name the function
        self.stream = time.strftime("%Y/%m/%d/", time.gmtime()) + name
        self.telemetry = Telemetry()
        self._configuration = configuration
        self._platform = PlatformLog(
            configuration, initialization_type, runtime_version, self.stream
        )
        self._pipes = pipes
        self._sink = sink
        self._tail: list[str] | None = None

    def read(self) -> None:
        """Write what is complete of the output."""
        for stream, pipe in self._pipes.items():
            self._write_output(stream, pipe.read())

    def flush(self) -> None:
        """Write all of the output, an unfinished last line too."""
        for stream, pipe in self._pipes.items():
            self._write_output(stream, pipe.flush())

    def init_start(self, phase: str) -> None:
        """Init begins."""
        self.telemetry.begin()
        self._report(self._platform.init_start(phase))

    def init_done(
        self, init_ms: float, phase: str, failure: Failure | None, extensions: Extensions
    ) -> None:
        """Init is over; those extensions take part in what comes."""
        self.read()
        for extension in extensions.registered.values():
            self._report(self._platform.extension(extension.name, sorted(extension.events)))
        self._report(*self._platform.init_done(init_ms, phase, failure))
        self.telemetry.end_of_init()

    def start(self, request_id: str) -> None:
        """An invocation begins."""
        self._report(self._platform.start(request_id))

    def end(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        max_memory_mb: int,
        failure: Failure | None,
        produced_bytes: int,
    ) -> None:
        """An invocation is over."""
        self.flush()
        self._report(
            *self._platform.end(
                request_id, duration_ms, init_ms, max_memory_mb, failure, produced_bytes
            )
        )

    def subscribe(self, extensions: Extensions, connection: Connection) -> None:
        """An extension asks for telemetry. Raises Refused."""
        record = self.telemetry.subscribe(extensions.find(connection), connection)
        self._report(self._platform.subscription(record))

    def begin_tail(self) -> None:
        """Keep what is written from now on, for the caller."""
        self._tail = []

    def take_tail(self) -> bytes:
        """The last 4 KB of what was written since then."""
        tail, self._tail = "".join(self._tail or ()), None
        return tail.encode()[-TAIL_BYTES:]

    def _report(self, *events: PlatformEvent) -> None:
        self._write(log_events(events, self._configuration.logging))
        for event in events:
            if event.type:
                self.telemetry.add("platform", event.as_dict())

    def _write_output(self, stream: str, events: list[LogEvent]) -> None:
        self._write(events)
        for event in events:
            stamp = datetime.fromtimestamp(event.timestamp / 1000, UTC)
            self.telemetry.add(
                stream,
                {
                    "time": stamp.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                    "type": stream,
                    "record": event.message,
                },
            )

    def _write(self, events: list[LogEvent]) -> None:
        if not events:
            return
        if self._tail is not None:
            self._tail.extend(
                event.message if event.message.endswith("\n") else event.message + "\n"
                for event in events
            )
        self._sink(self._configuration, self.stream, events)
