"""One execution environment: its phases, its deadline, its resets and its end.

Init, Invoke and Shutdown follow "Understanding the Lambda execution environment lifecycle" in the
Lambda developer guide: Init has ten seconds; one that fails is tried again inside the first
invocation; an exception keeps the environment, a crash, a timeout or too much memory resets it, and
the next invocation then begins with an Init of its own (a suppressed init). /tmp outlives a reset.
"""

import asyncio
import contextlib
import enum
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ..events import Record
from . import report
from .configuration import FunctionConfiguration, Invocation, Outcome
from .isolation import Contents, View
from .log_pipe import LogPipe
from .processor_share import ProcessorShare
from .report import Failure, LogEvent, platform_error
from .runtime_api import RuntimeApi
from .sandbox import Sandbox

INIT_LIMIT_S = 10.0
# A process that left its process group runs on this long after an invocation: to look for one costs
# more than an invocation may take.
_STRAYS_AFTER_S = 0.02
MAX_RESPONSE_BYTES = 6_291_556
LOG_TAIL_BYTES = 4096
MAX_PROCESSES = 1024  # processes and threads, "Lambda quotas"


class State(enum.Enum):
    """Where an environment is in its life. A reset one is Ready and inits at the next invocation."""

    INIT = "Init"
    READY = "Ready"
    BUSY = "Busy"
    SHUTDOWN = "Shutdown"


@dataclass(frozen=True)
class _Result:
    """How Init or an invocation ended, seen from the platform."""

    payload: bytes = b""
    failed: bool = False
    failure: Failure | None = None


LogSink = Callable[[FunctionConfiguration, str, list[LogEvent]], None]


class Environment:
    """Runs the invocations of one function version, one at a time.

    `variables` makes the environment variables, given what the sandbox shows, the log stream's name
    and the Runtime API's address. All methods belong to the event loop.
    """

    def __init__(
        self,
        configuration: FunctionConfiguration,
        sandbox: Sandbox,
        contents: Contents,
        variables: Callable[[View, str, str], dict[str, str]],
        log: LogSink,
        record: Record,
        runtime_version: str,
    ):
        self.configuration = configuration
        self.state = State.INIT
        self.created = time.monotonic()
        self.id = uuid.uuid4().hex
        name = f"[{configuration.version}]{self.id}"
        if configuration.logging.group != f"/aws/lambda/{configuration.name}":
            name = configuration.name + name  # a shared group's streams name the function
        self.log_stream = time.strftime("%Y/%m/%d/", time.gmtime()) + name
        self._sandbox = sandbox
        self._contents = contents
        self._variables = variables
        self._log_sink = log
        self._record = record
        self._platform = report.PlatformLog(configuration, runtime_version, self.log_stream)
        self._api = RuntimeApi(self)
        self._pipe = LogPipe(sandbox.log_descriptor)
        self._share = ProcessorShare(sandbox, configuration.memory_mb)
        self._loop = asyncio.get_running_loop()
        self._runtime_up = False
        self._init_ms: float | None = None
        self._peak_mb = 0
        self._tail: list[str] | None = None
        self._invocation: Invocation | None = None
        self._waiter: asyncio.Future[_Result] | None = None
        self._verdict: Failure | None = None
        self._gone = asyncio.Event()
        self._pending: tuple[Invocation, float] | None = None
        self._strays: asyncio.TimerHandle | None = None

    # -- what the scheduler calls ---------------------------------------------------------------

    async def start(self) -> None:
        """Run Init in the sandbox. An Init that fails leaves the runtime to the invocation."""
        await self._api.open(self._sandbox.listener)
        environment = self._variables(
            self._sandbox.view, self.log_stream, self._sandbox.runtime_api
        )
        await self._sandbox.ready
        self._loop.add_reader(self._sandbox.log_descriptor, self._on_output)
        self._sandbox.on_exit = self._on_exit
        self._sandbox.on_gone = self._on_gone
        self._emit([self._platform.init_start(time.time())])
        with contextlib.suppress(BrokenPipeError):  # Init will find that it is gone
            self._sandbox.assign(self._contents, environment)
        init_ms, result = await self._init("init", INIT_LIMIT_S)
        if result.failure is None:
            self._init_ms = init_ms

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation and return what came of it; never raises for the function's faults."""
        self.state = State.BUSY
        begun = time.monotonic()
        timeout = self.configuration.timeout_s
        init_ms, self._init_ms = self._init_ms, None
        self._tail = []
        self._invocation = invocation
        result = None
        if not self._runtime_up:
            _, result = await self._init("invoke", timeout, invocation)
        started = time.time()
        self._emit([self._platform.start(started, invocation.request_id)])
        self._add("invoke.start", request_id=invocation.request_id)
        if result is None or result.failure is None:
            result = await self._run(invocation, begun + timeout, started + timeout)
        duration_ms = (time.monotonic() - begun) * 1000
        if result.failure and result.failure.status == "timeout":
            duration_ms = timeout * 1000.0
        self._peak_mb = max(self._peak_mb, self._measured_mb())
        self._emit(self._pipe.flush())
        lines = self._platform.end(
            time.time(), invocation.request_id, duration_ms, init_ms,
            min(self._peak_mb, self.configuration.memory_mb), result.failure,
        )  # fmt: skip
        self._emit(lines)
        tail = "".join(self._tail).encode()[-LOG_TAIL_BYTES:]
        self._tail = None
        self._invocation = None
        billed = report.billed_ms(duration_ms, init_ms)
        self._add(
            "invoke.end", request_id=invocation.request_id, duration_ms=duration_ms,
            billed_ms=billed, init_ms=init_ms, max_memory_mb=self._peak_mb, failed=result.failed,
            error_type=result.failure and result.failure.error_type,
        )  # fmt: skip
        if self.state is State.BUSY:
            self.state = State.READY
        if self._api.is_waiting:
            self._freeze()
        return Outcome(
            result.payload, result.failed, self.configuration.version, tail, duration_ms, billed
        )

    def shutdown(self, reason: str) -> None:
        """End the environment: a function without extensions gets no grace, as on AWS."""
        if self.state is State.SHUTDOWN:
            return
        self.state = State.SHUTDOWN
        self._api.close()
        self._share.stop()
        self._cancel_strays()
        self._loop.remove_reader(self._sandbox.log_descriptor)
        self._emit(self._pipe.flush())
        self._sandbox.destroy()
        self._finish(_Result(b"", True, Failure("error", "Runtime.ExitError")))
        self._add("shutdown", reason=reason)

    def check_memory(self, all_processes: bool) -> None:
        """Kill the function's processes if they hold more than its memory, as Lambda does.

        Without `all_processes` only the runtime itself is looked at.
        """
        if self._waiter is None or self._waiter.done():
            return
        sandbox = self._sandbox
        if all_processes:
            processes = sandbox.processes()
            resident = sandbox.resident_bytes(processes)
            if len(processes) > MAX_PROCESSES:  # where the system's own limit doesn't hold: as root
                sandbox.kill_programs()
        else:
            resident = sandbox.resident_bytes()
        self._peak_mb = max(self._peak_mb, _mb(resident))
        if resident > self.configuration.memory_mb * 1024 * 1024:
            self._verdict = Failure("error", "Runtime.OutOfMemory")
            sandbox.kill_programs()

    # -- phases ---------------------------------------------------------------------------------

    async def _init(
        self, phase: str, limit_s: float, invocation: Invocation | None = None
    ) -> tuple[float, _Result]:
        """Start the runtime and wait until it asks for work; return the time in ms and the result."""
        begun = time.monotonic()
        self._add("init.start", phase=phase)
        self._verdict = None
        self._gone.clear()
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(limit_s, self._on_deadline)
        try:
            self._sandbox.start()
            result = await self._waiter
        except OSError:  # the sandbox itself was killed from outside
            self._gone.set()
            result = self._exited(-signal.SIGKILL, invocation)
        finally:
            timer.cancel()
            self._waiter = None
        init_ms = (time.monotonic() - begun) * 1000
        self._runtime_up = result.failure is None
        self._peak_mb = max(self._peak_mb, self._measured_mb())
        self._emit(self._pipe.read())
        if result.failure:
            # A runtime that reported an error is about to exit; the next must not be taken for it.
            self._sandbox.kill_programs()
            await self._gone.wait()
            if phase == "invoke" and result.failure.status == "timeout":
                init_ms = limit_s * 1000
            self._emit([self._platform.init_report(time.time(), init_ms, phase, result.failure)])
        self._add(
            "init.end", phase=phase, duration_ms=init_ms,
            error_type=result.failure and (result.failure.error_type or result.failure.status),
        )  # fmt: skip
        return init_ms, result

    async def _run(self, invocation: Invocation, deadline: float, unix_deadline: float) -> _Result:
        self._verdict = None
        self._waiter = self._loop.create_future()
        delay = deadline - time.monotonic()
        timer = self._loop.call_later(max(delay, 0), self._on_deadline)
        try:
            if self._api.is_waiting:
                self._hand_out(invocation, unix_deadline)
            else:  # the runtime has answered and is about to ask again
                self._pending = (invocation, unix_deadline)
            self._share.start()
            return await self._waiter
        finally:
            self._share.stop()
            timer.cancel()
            self._waiter = None

    def _hand_out(self, invocation: Invocation, unix_deadline: float) -> None:
        self._pending = None
        self._api.hand_out(invocation, unix_deadline)
        self._cancel_strays()
        self._sandbox.thaw()

    def _freeze(self) -> None:
        if self._runtime_up and self.state is not State.SHUTDOWN:
            self._sandbox.freeze()
            self._strays = self._loop.call_later(_STRAYS_AFTER_S, self._sandbox.freeze_strays)
            self._add("freeze")

    def _cancel_strays(self) -> None:
        if self._strays:
            self._strays.cancel()
            self._strays = None

    # -- what the runtime says (RuntimeEvents) ---------------------------------------------------

    def on_next(self) -> None:
        """The runtime asks for work: Init is over, or the last invocation is."""
        if self._pending:
            self._hand_out(*self._pending)
        elif not self._runtime_up:
            self._finish(_Result())
        elif self._invocation is None and self.state is State.READY:
            self._freeze()

    def on_response(self, request_id: str, payload: bytes) -> bool:
        """The function's result; False where it answers no running invocation."""
        if not self._is_running(request_id):
            return False
        if len(payload) > MAX_RESPONSE_BYTES:
            message = (
                "Response payload size exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes)."
            )
            body = (
                f'{{"errorMessage":"{message}","errorType":"Function.ResponseSizeTooLarge"}}'
            ).encode()
            failure = Failure("error", "Function.ResponseSizeTooLarge")
            self._finish(_Result(body, True, failure))
        else:
            self._finish(_Result(payload))
        return True

    def on_error(self, request_id: str, payload: bytes) -> bool:
        """An exception in the handler: reported as the answer, and the environment lives on."""
        if not self._is_running(request_id):
            return False
        self._finish(_Result(payload, True))
        return True

    def on_init_error(self, payload: bytes, error_type: str) -> None:
        """The runtime could not load the function; it exits by itself after this."""
        self._finish(_Result(payload, True, Failure("error", error_type or "Runtime.Unknown")))

    def _is_running(self, request_id: str) -> bool:
        return self._invocation is not None and self._invocation.request_id == request_id

    def _finish(self, result: _Result) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(result)

    # -- what the processes do --------------------------------------------------------------------

    def _on_output(self) -> None:
        self._emit(self._pipe.read())

    def _on_exit(self, program: str, status: int) -> None:
        self._runtime_up = False
        self._sandbox.kill_programs()  # what the function left running ends with its runtime
        self._gone.set()
        self._pending = None
        self._api.forget()
        self._finish(self._exited(status, self._invocation))

    def _on_gone(self) -> None:
        self._on_exit("runtime", -signal.SIGKILL)

    @property
    def is_usable(self) -> bool:
        """Whether it can take another invocation: not shut down and its sandbox still there."""
        return self.state is State.READY and self._sandbox.is_alive

    def _exited(self, status: int, invocation: Invocation | None) -> _Result:
        """The result where the runtime's process ended: by itself, by a signal or by our hand."""
        request_id = invocation.request_id if invocation else ""
        verdict = self._verdict or Failure("error", "Runtime.ExitError")
        if verdict.status == "timeout":
            message = f"Task timed out after {self.configuration.timeout_s:.2f} seconds"
            return _Result(platform_error("Sandbox.Timedout", message, request_id), True, verdict)
        if status == 0:
            message = "Runtime exited without providing a reason"
        elif status < 0:
            name = signal.strsignal(-status) or f"signal {-status}"
            message = f"Runtime exited with error: signal: {name.lower()}"
        else:
            message = f"Runtime exited with error: exit status {status}"
        return _Result(platform_error("Runtime.ExitError", message, request_id), True, verdict)

    def _on_deadline(self) -> None:
        self._verdict = Failure("timeout")
        self._sandbox.kill_programs()

    def _measured_mb(self) -> int:
        return _mb(self._sandbox.peak_bytes())

    # -- output -----------------------------------------------------------------------------------

    def _emit(self, events: list[LogEvent]) -> None:
        if not events:
            return
        if self._tail is not None:
            self._tail.extend(
                event.message if event.message.endswith("\n") else event.message + "\n"
                for event in events
            )
        self._log_sink(self.configuration, self.log_stream, events)

    def _add(self, kind: str, **fields) -> None:
        self._record.add(kind, function=self.configuration.arn, environment=self.id, **fields)


def _mb(size: int) -> int:
    return -(-size // (1024 * 1024))
