"""Lambda's data plane: what the front door, S3 and moto ask to run a function."""

import asyncio
import dataclasses
import logging
import secrets
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ..control_plane.functions import Target, archives_in_use, find_function
from ..control_plane.lambda_event_invoke import event_invoke_settings
from ..control_plane.lambda_management import recursive_loop
from ..control_plane.state import note_change
from ..events import Record
from .concurrency import Concurrency, Limits
from .configuration import FunctionConfiguration, Invocation, Outcome, QueuedEvent
from .destinations import Destinations
from .environment import Environment
from .event_clock import EventClock
from .event_queue import Event, EventQueue
from .function_log import MayRole
from .isolation import Contents, Isolation, Place, View
from .lineage import MAX_INVOCATIONS, RecursionStopped, next_header
from .package import PackageStore, folder_names
from .provisioned import SetStatus
from .runtime import RUNTIME_VERSION
from .sandbox import OpenDoor, Sandbox
from .sandbox_pool import SandboxPool
from .scheduler import Scheduler
from .variables import environment_variables

_log = logging.getLogger(__name__)

_CREDENTIALS_SHARED_S = 3600.0
Credentials = Callable[[str, str, str], dict[str, str]]


class FunctionService:
    """Runs functions. Its methods belong to the event loop.

    `credentials(role_arn, session_name, region)` makes the variables of an execution role's
    credentials. `log` takes an environment's log events. `may_role(role_arn, session, action,
    resource)` says what a role is allowed. `unreserved()` is what of the account's limit no function has
    for itself; `set_status` takes how far provisioned concurrency is.
    """

    def __init__(
        self,
        account_id: str,
        folder: Path,
        runtime: Path,
        isolation: Isolation,
        credentials: Credentials,
        log,
        may_role: MayRole,
        record: Record,
        endpoint_url: Callable[[], str],
        unreserved: Callable[[], int],
        set_status: SetStatus,
        open_door: OpenDoor,
        **limits: float,
    ):
        self._account_id = account_id
        self.isolation = isolation
        self.packages = PackageStore(folder / "packages")
        self._folder = folder
        self._runtime = runtime
        self._credentials = credentials
        self._log = log
        self._record = record
        self._endpoint_url = endpoint_url
        self._open_door = open_door
        self.clock = EventClock(limits.pop("event_speed", 1.0))
        self.destinations = Destinations(may_role, record, self._invoke_destination)
        self.events = EventQueue(
            self.clock, self._invoke_event, event_invoke_settings, self.destinations, record
        )
        self._preparing: set[asyncio.Future] = set()
        self._sandboxes = SandboxPool(self._make_sandbox, int(limits.pop("spare_sandboxes", 2)))
        # Longer than anything between a request and its function's entry in the control plane.
        self._packages_kept_s = limits.pop("packages_kept_s", 10.0)
        names = [each.name for each in dataclasses.fields(Limits) if each.name in limits]
        self.limits = Limits(**{name: int(limits.pop(name)) for name in names})
        concurrency = Concurrency(self.limits, unreserved)
        self.scheduler = Scheduler(self._create, concurrency, set_status, record, **limits)
        self._queued: dict[str, QueuedEvent] = {}
        self._pruning: asyncio.Task | None = None
        # A function's environments share their role's credentials, for a part of the time they hold.
        self._shared: dict[str, tuple[float, str, dict[str, str]]] = {}

    def start(self) -> None:
        """Begin to keep sandboxes ready and disk space free."""
        self._sandboxes.fill_later()
        self._pruning = asyncio.create_task(self._prune_packages())

    async def invoke(
        self,
        target: Target,
        payload: bytes,
        invoked_arn: str,
        request_id: str | None = None,
        client_context: str | None = None,
        trace_id: str | None = None,
    ) -> Outcome:
        """Run a function and wait for it.

        Raises scheduler.Throttled, and lineage.RecursionStopped where `trace_id`, the trace header of
        who asked, shows that the function was invoked too often in one chain.
        """
        request_id = request_id or str(uuid.uuid4())
        configuration = target.configuration
        resource = invoked_arn.split(":", 6)[6]
        trace_id, before = next_header(trace_id or new_trace_id(), configuration.arn)
        if before >= MAX_INVOCATIONS and recursive_loop(configuration.arn) != "Allow":
            self._record.add(
                "recursion", function=configuration.arn, request_id=request_id, resource=resource
            )
            raise RecursionStopped
        self._record.add(
            "request", function=configuration.arn, request_id=request_id, resource=resource,
            reserved=target.reserved_concurrency is not None,
            provisioned=self.scheduler.provisioned.available(invoked_arn),
        )  # fmt: skip
        invocation = Invocation(request_id, payload, invoked_arn, trace_id, client_context)
        return await self.scheduler.invoke(configuration, invocation, target.reserved_concurrency)

    def invoke_later(
        self, find: Callable[[], Target], payload: bytes, invoked_arn: str, trace_id: str | None
    ) -> str:
        """Queue an asynchronous invocation and return its request id, the same for every try."""
        event = QueuedEvent(str(uuid.uuid4()), payload, invoked_arn, trace_id or new_trace_id())
        self._queue(event, find)
        return event.request_id

    def queued_events(self) -> list[QueuedEvent]:
        """The events that wait or run now, oldest first. May be called from any thread."""
        return list(self._queued.values())

    def queue_again(self, event: QueuedEvent, find: Callable[[], Target]) -> None:
        """Take an event back that was queued when the last server ended; its tries begin anew."""
        self._queue(event, find)

    def drop_events(self) -> None:
        """Forget the events that wait."""
        self.events.close()
        self._queued.clear()

    def _queue(self, event: QueuedEvent, find: Callable[[], Target]) -> None:
        self._queued[event.request_id] = event
        task = self.events.put(
            Event(event.request_id, event.payload, event.invoked_arn, event.trace_id, find)
        )
        task.add_done_callback(lambda task: self._unqueue(task, event))
        note_change()

    def _unqueue(self, task: asyncio.Task, event: QueuedEvent) -> None:
        if not task.cancelled():  # one that the end of the server cuts off stays queued
            self._queued.pop(event.request_id, None)
            note_change()

    def provide(self, arn: str, wanted: int) -> None:
        """Have so many provisioned environments for a version or alias, given with its ARN."""
        _, _, _, region, account, *_ = arn.split(":")
        if wanted:
            target = find_function(arn, None, account, region)
            self.scheduler.provisioned.provide(arn, target.configuration, wanted)
        else:
            self.scheduler.provisioned.release(arn)

    def prepare(
        self, configuration: FunctionConfiguration, done: Callable[[str | None], None]
    ) -> None:
        """Unpack a package and its layers, so that the first Init needn't; then `done(None)`.

        Where that fails, `done(text)` gets what went wrong.
        """
        self._preparing.add(task := asyncio.ensure_future(self._prepare(configuration, done)))
        task.add_done_callback(self._preparing.discard)

    async def _prepare(
        self, configuration: FunctionConfiguration, done: Callable[[str | None], None]
    ) -> None:
        try:
            await self._unpack(configuration)
        except Exception as error:
            _log.exception("%s could not be unpacked", configuration.arn)
            done(str(error))
        else:
            done(None)

    def retire(self, arn: str) -> None:
        """A function or version was deleted: its idle environments end now, the others when done."""
        self._shared.pop(arn, None)
        self.scheduler.retire(arn)

    async def close(self) -> None:
        """End every environment and drop the events that wait."""
        if self._pruning:
            self._pruning.cancel()
        self.events.close()
        await self.scheduler.close()
        self._sandboxes.close()

    def _make_sandbox(self) -> Sandbox:
        own = self._folder / "environments" / uuid.uuid4().hex
        port = urlsplit(self._endpoint_url()).port
        place = Place(self._runtime, self.packages.root, own)
        return Sandbox(self.isolation, place, port, self._open_door)

    async def _invoke_event(self, target: Target, event: Event) -> Outcome:
        return await self.invoke(
            target, event.payload, event.invoked_arn, event.request_id, trace_id=event.trace_id
        )

    def _invoke_destination(self, function_arn: str, payload: bytes, trace_id: str) -> None:
        def find() -> Target:
            _, _, _, region, account, *_ = function_arn.split(":")
            return find_function(function_arn, None, account, region)

        find()
        self.invoke_later(find, payload, function_arn, trace_id)

    async def _create(
        self, configuration: FunctionConfiguration, initialization_type: str
    ) -> Environment:
        sandbox = self._sandboxes.take()
        try:
            contents = await self._unpack(configuration)
        except BaseException:
            sandbox.destroy()
            raise
        credentials = self._role_credentials(configuration)

        def variables(view: View, log_stream: str, runtime_api: str) -> dict[str, str]:
            return environment_variables(
                configuration, initialization_type, view, credentials, self._endpoint_url(),
                runtime_api, log_stream,
            )  # fmt: skip

        return Environment(
            configuration, initialization_type, sandbox, contents, variables, self._log,
            self._record, RUNTIME_VERSION,
        )  # fmt: skip

    def _role_credentials(self, configuration: FunctionConfiguration) -> dict[str, str]:
        now, role = time.monotonic(), configuration.role
        made, of_role, credentials = self._shared.get(configuration.arn, (0.0, "", {}))
        if of_role != role or now - made > _CREDENTIALS_SHARED_S:
            credentials = self._credentials(role, configuration.name, configuration.region)
            self._shared[configuration.arn] = (now, role, credentials)
        return credentials

    async def _prune_packages(self) -> None:
        """Remove the packages and layers of functions that are gone, again and again."""
        while True:
            await asyncio.sleep(self._packages_kept_s)
            used = archives_in_use(self._account_id)
            used += [
                (each.code.digest, tuple(layer.digest for layer in each.layers))
                for each in self.scheduler.configurations()
            ]
            in_use = set().union(*(folder_names(*archives) for archives in used))
            try:
                await asyncio.get_running_loop().run_in_executor(
                    None, self.packages.prune, in_use, self._packages_kept_s
                )
            except OSError:
                _log.exception("packages that nobody uses could not be removed")

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
