"""Lambda's data plane: what the front door, S3 and moto ask to run a function."""

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from ..control_plane.functions import Target
from ..events import Record
from .configuration import FunctionConfiguration, Invocation, Outcome
from .environment import Environment
from .event_queue import EventQueue
from .isolation import Contents, Isolation, Place, View
from .package import PackageStore
from .runtime import RUNTIME_VERSION
from .sandbox import Sandbox
from .sandbox_pool import SandboxPool
from .scheduler import Scheduler
from .variables import environment_variables

Credentials = Callable[[str, str, str], dict[str, str]]


class FunctionService:
    """Runs functions. Its methods belong to the event loop.

    `credentials(role_arn, session_name, region)` makes the variables of an execution role's
    credentials. `log` takes an environment's log events.
    """

    def __init__(
        self,
        folder: Path,
        runtime: Path,
        isolation: Isolation,
        credentials: Credentials,
        log,
        record: Record,
        endpoint_url: Callable[[], str],
        **limits: float,
    ):
        self.isolation = isolation
        self.packages = PackageStore(folder / "packages")
        self._folder = folder
        self._runtime = runtime
        self._credentials = credentials
        self._log = log
        self._record = record
        self._endpoint_url = endpoint_url
        self.events = EventQueue(speed=limits.pop("event_speed", 1.0))
        self._sandboxes = SandboxPool(self._make_sandbox, int(limits.pop("spare_sandboxes", 2)))
        self.scheduler = Scheduler(self._create, record, **limits)

    def start(self) -> None:
        """Begin to keep sandboxes ready."""
        self._sandboxes.fill_later()

    async def invoke(
        self,
        target: Target,
        payload: bytes,
        invoked_arn: str,
        request_id: str | None = None,
        client_context: str | None = None,
        trace_id: str | None = None,
    ) -> Outcome:
        """Run a function and wait for it. Raises scheduler.Throttled."""
        invocation = Invocation(
            request_id or str(uuid.uuid4()),
            payload,
            invoked_arn,
            trace_id or new_trace_id(),
            client_context,
        )
        return await self.scheduler.invoke(
            target.configuration, invocation, target.reserved_concurrency
        )

    def invoke_later(
        self, find: Callable[[], Target], payload: bytes, invoked_arn: str, trace_id: str | None
    ) -> str:
        """Queue an asynchronous invocation and return its request id, the same for every try."""
        request_id = str(uuid.uuid4())
        trace_id = trace_id or new_trace_id()
        self.events.put(
            lambda: self.invoke(find(), payload, invoked_arn, request_id, trace_id=trace_id)
        )
        return request_id

    def prepare(self, configuration: FunctionConfiguration) -> None:
        """Begin to unpack a new function's package and layers, so that its first Init needn't."""
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self.packages.task_root, configuration.code)
        loop.run_in_executor(None, self.packages.opt, configuration.layers)

    async def close(self) -> None:
        """End every environment and drop the events that wait."""
        self.events.close()
        await self.scheduler.close()
        self._sandboxes.close()

    def _make_sandbox(self) -> Sandbox:
        own = self._folder / "environments" / uuid.uuid4().hex
        return Sandbox(self.isolation, Place(self._runtime, self.packages.root, own))

    async def _create(self, configuration: FunctionConfiguration) -> Environment:
        sandbox = self._sandboxes.take()
        try:
            contents = await self._unpack(configuration)
        except BaseException:
            sandbox.destroy()
            raise
        credentials = self._credentials(
            configuration.role, configuration.name, configuration.region
        )

        def variables(view: View, log_stream: str, runtime_api: str) -> dict[str, str]:
            return environment_variables(
                configuration, view, credentials, self._endpoint_url(), runtime_api, log_stream
            )

        return Environment(
            configuration, sandbox, contents, variables, self._log, self._record, RUNTIME_VERSION
        )

    async def _unpack(self, configuration: FunctionConfiguration) -> Contents:
        """The function's folders. Unpacking is done once, by a thread, so that others are served."""
        code, layers = configuration.code, configuration.layers
        task_root, opt = self.packages.unpacked(code, layers)
        if task_root is None or opt is None:
            loop = asyncio.get_running_loop()
            task_root = await loop.run_in_executor(None, self.packages.task_root, code)
            opt = await loop.run_in_executor(None, self.packages.opt, layers)
        return Contents(task_root, opt, configuration.ephemeral_storage_mb)


def new_trace_id() -> str:
    """An X-Ray trace header of a request that came without one, not sampled."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
