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
from .environment import Environment, own_tmp
from .event_queue import EventQueue
from .isolation import Folders, Isolation
from .package import PackageStore
from .runtime import RUNTIME_VERSION
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
        self.scheduler = Scheduler(self._create, record, **limits)

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

    def close(self) -> None:
        """End every environment and drop the events that wait."""
        self.events.close()
        self.scheduler.close()

    async def _create(self, configuration: FunctionConfiguration) -> Environment:
        loop = asyncio.get_running_loop()
        # Unpacking is done once for each content; a thread does it, so that others are served.
        task_root = await loop.run_in_executor(None, self.packages.task_root, configuration.code)
        opt = await loop.run_in_executor(None, self.packages.opt, configuration.layers)
        folders = Folders(
            task_root, opt, self._runtime, self._folder / "tmp", configuration.ephemeral_storage_mb
        )
        if self.isolation.depth == 1:
            folders = own_tmp(folders, uuid.uuid4().hex)
        view = self.isolation.view(folders)
        credentials = self._credentials(
            configuration.role, configuration.name, configuration.region
        )

        def variables(log_stream: str, runtime_api: str) -> dict[str, str]:
            return environment_variables(
                configuration, view, credentials, self._endpoint_url(), runtime_api, log_stream
            )

        return Environment(
            configuration, self.isolation, folders, variables, self._log, self._record,
            RUNTIME_VERSION,
        )  # fmt: skip


def new_trace_id() -> str:
    """An X-Ray trace header of a request that came without one, not sampled."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
