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

from ..events import Record
from . import report
from .configuration import FunctionConfiguration, Invocation, Outcome
from .environment_log import EnvironmentLog, LogSink
from .extensions import Connection, Extensions, Refused
from .isolation import Contents, View
from .log_pipe import LogPipe
from .processor_share import ProcessorShare
from .programs import Programs
from .report import Failure
from .results import Result, answered, exited, extension_failed
from .runtime_api import RuntimeApi
from .sandbox import Sandbox

INIT_LIMIT_S = 10.0
PROVISIONED_INIT_LIMIT_S = 130.0  # or the function's timeout, where that is longer
MAX_PROCESSES = 1024  # processes and threads, "Lambda quotas"


class State(enum.Enum):
    """Where an environment is in its life. A reset one is Ready and inits at the next invocation."""

    INIT = "Init"
    READY = "Ready"
    BUSY = "Busy"
    SHUTDOWN = "Shutdown"


class Environment:
    """Runs the invocations of one function version, one at a time.

    `variables` makes the environment variables, given what the sandbox shows, the log stream's name
    and the Runtime API's address. All methods belong to the event loop.
    """

    def __init__(
        self,
        configuration: FunctionConfiguration,
        initialization_type: str,
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
        self._initialization_type = initialization_type
        self._sandbox = sandbox
        self._contents = contents
        self._variables = variables
        self._record = record
        # To read from a pipe costs as much as a line of the log: only where there are extensions.
        with_extensions = (contents.opt / "extensions").is_dir()
        streams = ("function", "extension") if with_extensions else ("function",)
        self._outputs = {stream: sandbox.outputs[stream] for stream in streams}
        self._log = EnvironmentLog(
            configuration, self.id, initialization_type, runtime_version,
            {stream: LogPipe(output) for stream, output in self._outputs.items()}, log,
        )  # fmt: skip
        self._api = RuntimeApi(self)
        self.extensions = Extensions(configuration, self.on_extensions)
        self._programs = Programs(
            sandbox, contents.opt / "extensions", self.extensions, self._log.telemetry
        )
        self._extensions_end: asyncio.Task | None = None
        self._share = ProcessorShare(sandbox, configuration.memory_mb)
        self._loop = asyncio.get_running_loop()
        self._runtime_started = self._runtime_up = False
        self._answer: Result | None = None
        self._init_ms: float | None = None
        self._peak_mb = 0
        self._invocation: Invocation | None = None
        self._waiter: asyncio.Future[Result] | None = None
        self._verdict: Failure | None = None
        self._pending: tuple[Invocation, float] | None = None

    # -- what the scheduler calls ---------------------------------------------------------------

    async def start(self) -> None:
        """Run Init in the sandbox. An Init that fails leaves the runtime to the invocation."""
        await self._sandbox.ready
        await self._api.open(self._sandbox.listener)
        environment = self._variables(
            self._sandbox.view, self._log.stream, self._sandbox.runtime_api
        )
        for output in self._outputs.values():
            self._loop.add_reader(output, self._log.read)
        self._sandbox.on_exit = self._on_exit
        self._sandbox.on_gone = self._on_gone
        with contextlib.suppress(BrokenPipeError):  # Init will find that it is gone
            self._sandbox.assign(self._contents, environment)
        timeout = self.configuration.timeout_s
        on_demand = self._initialization_type == "on-demand"
        limit_s = INIT_LIMIT_S if on_demand else max(PROVISIONED_INIT_LIMIT_S, timeout)
        init_ms, result = await self._init("init", limit_s)
        if result.failure is None:
            self.state = State.READY
            if on_demand:  # else Init is no part of an invocation
                self._init_ms = init_ms
        if not on_demand and self._api.is_waiting:
            self._freeze()

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation and return what came of it; never raises for the function's faults."""
        self.state = State.BUSY
        begun = time.monotonic()
        timeout = self.configuration.timeout_s
        init_ms, self._init_ms = self._init_ms, None
        self._log.begin_tail()
        self._invocation = invocation
        result = None
        if self._extensions_end:  # the reset that the last invocation made necessary
            await self._extensions_end
        if not self._runtime_up:
            _, result = await self._init("invoke", timeout)
        started = time.time()
        self._log.start(invocation.request_id)
        self._add(
            "invoke.start", request_id=invocation.request_id,
            initialization_type=self._initialization_type,
        )  # fmt: skip
        if result is None or result.failure is None:
            result = await self._run(invocation, begun + timeout, started + timeout)
        duration_ms = (time.monotonic() - begun) * 1000
        if result.failure and result.failure.status == "timeout":
            duration_ms = timeout * 1000.0
        self._peak_mb = max(self._peak_mb, self._measured_mb())
        self._log.end(
            invocation.request_id, duration_ms, init_ms,
            min(self._peak_mb, self.configuration.memory_mb), result.failure, len(result.payload),
        )  # fmt: skip
        tail = self._log.take_tail()
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

    def shutdown(self, reason: str) -> asyncio.Task | None:
        """End the environment; the task, if there is one, is its extensions' time to end.

        A function without extensions gets no grace, as on AWS.
        """
        if self.state is State.SHUTDOWN:
            return self._extensions_end
        self.state = State.SHUTDOWN
        self._add("shutdown", reason=reason)
        if self.extensions.registered and self._sandbox.is_alive:
            self._extensions_end = self._loop.create_task(self._spin_down())
            return self._extensions_end
        self._destroy()
        return None

    async def _spin_down(self) -> None:
        await self._programs.shut_down("SPINDOWN")
        self._destroy()

    def _destroy(self) -> None:
        self._api.close()
        self._share.stop()
        self._programs.leave_strays()
        for output in self._outputs.values():
            self._loop.remove_reader(output)
        self._log.flush()
        self._sandbox.destroy()
        self._finish(Result(b"", True, Failure("error", "Runtime.ExitError")))

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
                self._programs.kill()
        else:
            resident = sandbox.resident_bytes()
        self._peak_mb = max(self._peak_mb, _mb(resident))
        if resident > self.configuration.memory_mb * 1024 * 1024:
            self._verdict = Failure("error", "Runtime.OutOfMemory")
            self._programs.kill()

    # -- phases ---------------------------------------------------------------------------------

    async def _init(self, phase: str, limit_s: float) -> tuple[float, Result]:
        """Start the runtime and wait until it asks for work; return the time in ms and the result."""
        begun = time.monotonic()
        self._add("init.start", phase=phase, initialization_type=self._initialization_type)
        self._log.init_start(phase)
        self._verdict = None
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(limit_s, self._on_deadline)
        try:
            self._runtime_started = False
            self._programs.start_extensions()
            self.on_extensions()
            result = await self._waiter
        except OSError:  # the sandbox itself was killed from outside
            result = self._exited(-signal.SIGKILL)
        finally:
            timer.cancel()
            self._waiter = None
        init_ms = (time.monotonic() - begun) * 1000
        self._runtime_up = result.failure is None
        self.extensions.is_open = False
        self._peak_mb = max(self._peak_mb, self._measured_mb())
        if result.failure:
            # A runtime that reported an error is about to exit; the next must not be taken for it.
            self._programs.kill()
            await self._programs.until_all_ended()
            if phase == "invoke" and result.failure.status == "timeout":
                init_ms = limit_s * 1000
        self._log.init_done(init_ms, phase, result.failure, self.extensions)
        if result.failure:
            self.extensions.forget()
        self._add(
            "init.end", phase=phase, duration_ms=init_ms,
            error_type=result.failure and (result.failure.error_type or result.failure.status),
        )  # fmt: skip
        return init_ms, result

    async def _run(self, invocation: Invocation, deadline: float, unix_deadline: float) -> Result:
        self._verdict = self._answer = None
        self._waiter = self._loop.create_future()
        delay = deadline - time.monotonic()
        timer = self._loop.call_later(max(delay, 0), self._on_deadline)
        try:
            if self._api.is_waiting:
                self._hand_out(invocation, unix_deadline)
            else:  # the runtime has answered and is about to ask again
                self._pending = (invocation, unix_deadline)
            self._share.start()
            result = await self._waiter
        finally:
            owed_s = self._share.stop()
            timer.cancel()
            self._waiter = None
        if owed_s and not result.failure:
            await asyncio.sleep(min(owed_s, max(deadline - time.monotonic(), 0)))
        return result

    def _hand_out(self, invocation: Invocation, unix_deadline: float) -> None:
        self._pending = None
        self._api.hand_out(invocation, unix_deadline)
        self.extensions.invoke(invocation, unix_deadline)
        self._programs.thaw()

    def _freeze(self) -> None:
        if self._runtime_up and self.state is not State.SHUTDOWN:
            self._programs.freeze()
            self._add("freeze")

    # -- what the runtime says (RuntimeEvents) ---------------------------------------------------

    def on_next(self) -> None:
        """The runtime asks for work: Init is over, or the last invocation is."""
        if self._pending:
            self._hand_out(*self._pending)
        elif self._waiter:
            self.on_extensions()
        elif self._invocation is None and self.state is State.READY:
            self._freeze()

    def on_extensions(self) -> None:
        """Something that a phase waits for has happened: is the phase over?"""
        for extension in self.extensions.registered.values():
            if extension.error:
                self._programs.kill()
                self._finish(extension_failed(extension.error, self._request_id()))
                return
        if not self._runtime_started:
            if self._waiter and self.extensions.all_expected_registered:
                self._runtime_started = True
                self._sandbox.start()
        elif self._api.is_waiting and self.extensions.all_idle:
            if not self._runtime_up:
                self._finish(Result())
            elif self._answer:
                self._finish(self._answer)

    def on_response(self, request_id: str, payload: bytes) -> bool:
        """The function's result; False where it answers no running invocation."""
        return self._on_answer(request_id, answered(payload))

    def on_error(self, request_id: str, payload: bytes) -> bool:
        """An exception in the handler: reported as the answer, and the environment lives on."""
        return self._on_answer(request_id, Result(payload, True))

    def on_init_error(self, payload: bytes, error_type: str) -> None:
        """The runtime could not load the function; it exits by itself after this."""
        self._finish(Result(payload, True, Failure("error", error_type or "Runtime.Unknown")))

    def on_subscription(self, connection: Connection) -> None:
        """An extension asks for telemetry."""
        try:
            self._log.subscribe(self.extensions, connection)
        except Refused as refusal:
            refusal.answer(connection)

    def _on_answer(self, request_id: str, result: Result) -> bool:
        if self._invocation is None or self._invocation.request_id != request_id:
            return False
        if self.extensions.registered:  # the invocation lasts until they, too, are done
            self._answer = result
        else:
            self._finish(result)
        return True

    def _finish(self, result: Result) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(result)

    # -- what the processes do --------------------------------------------------------------------

    def _on_exit(self, program: str, status: int) -> None:
        self._programs.ended()
        if self._extensions_end and not self._extensions_end.done():
            return
        if program != "runtime":
            self._programs.kill()
            self._finish(extension_failed("Extension.Crash", self._request_id()))
            return
        was_up, self._runtime_up = self._runtime_up, False
        self._pending = None
        self._api.forget()
        if was_up and self.extensions.registered:
            reason = "TIMEOUT" if self._verdict == Failure("timeout") else "FAILURE"
            self._extensions_end = self._loop.create_task(self._programs.shut_down(reason))
        else:
            self._programs.kill()  # what the function left running ends with its runtime
        self._finish(self._exited(status))

    def _on_gone(self) -> None:
        self._on_exit("runtime", -signal.SIGKILL)

    @property
    def is_initialised(self) -> bool:
        """Whether Init has succeeded and the runtime waits for work."""
        return self._runtime_up

    @property
    def is_usable(self) -> bool:
        """Whether it can take another invocation: not shut down and its sandbox still there."""
        return self.state is State.READY and self._sandbox.is_alive

    def _exited(self, status: int) -> Result:
        return exited(status, self._verdict, self.configuration.timeout_s, self._request_id())

    def _request_id(self) -> str:
        return self._invocation.request_id if self._invocation else ""

    def _on_deadline(self) -> None:
        self._verdict = Failure("timeout")
        if self._runtime_up and self.extensions.registered:
            self._sandbox.signal("runtime", signal.SIGKILL)
        else:
            self._programs.kill()

    def _measured_mb(self) -> int:
        return _mb(self._sandbox.peak_bytes())

    def _add(self, kind: str, **fields) -> None:
        self._record.add(kind, function=self.configuration.arn, environment=self.id, **fields)


def _mb(size: int) -> int:
    return -(-size // (1024 * 1024))
