"""LocalCloud: an AWS on this computer, as a context manager and as a server."""

import asyncio
import contextlib
import errno
import functools
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

import uvicorn

from . import DEFAULT_PORT, connection_protocols, identity
from .control_plane import (
    administrator,
    bucket_names,
    buckets,
    cloudwatch,
    event_rules,
    functions,
    gateway_endpoints,
    instances,
    lambda_checks,
    lambda_concurrency,
    lambda_provisioned,
    lambda_resources,
    lambda_urls,
    log_filter_patterns,
    managed_policies,
    multipart_uploads,
    policy_simulator,
    policy_validation,
    principals,
    s3_authorization,
    service_regions,
    session_tokens,
    timestamps,
    topics,
    user_boundaries,
)
from .control_plane.moto_app import MotoApp
from .control_plane.state import StateKeeper
from .control_plane.trace import request_trace
from .event_sources.invoker import Invoker
from .event_sources.pollers import Pollers
from .events import Record
from .foundation_models.quotas import Limits
from .foundation_models.seeds import Seeds
from .functions.function_log import FunctionLog
from .functions.isolation import choose_isolation, confinement
from .functions.metrics import Metrics
from .functions.runtime import native_client_available, prepare_runtime
from .functions.service import FunctionService
from .gateways.connection_limits import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, ConnectionLimits
from .gateways.throttling import AccountThrottle
from .notifications import Notifications
from .own_pages import OwnPages
from .server import FrontDoor
from .settings import Settings
from .state_folder import StateFolder
from .temporary_folder import TemporaryFolder, delete_left_behind

_running = threading.Lock()
_WITH_API_KEYS = ("bedrock", "bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime")


class PortInUse(OSError):
    """Something else listens on the port; `free_port` is one that is free now."""

    def __init__(self, port: int):
        self.port = port
        self.free_port = _free_port()
        super().__init__(errno.EADDRINUSE, f"port {port} is in use; {self.free_port} is free")


class LocalCloud:
    """An AWS in this process, on 127.0.0.1, served by a thread of its own.

    `port` 0 takes any free one. `state` is a folder in which resources outlive the process; without
    one they end with it. `folder` holds unpacked packages (by default one that goes at the end).
    `isolation` is auto, bubblewrap or plain; `runtime_client` auto, native or python. Where they are
    not given, LOCALCLOUD_ISOLATION and LOCALCLOUD_RUNTIME_CLIENT are taken, else auto.
    `limits` are those of functions.concurrency.Limits (account_concurrency, scaling_rate, request_rate),
    the Scheduler's idle_timeout_s and max_age_s, event_speed, by which the delays between tries of
    asynchronous invocations are divided, spare_sandboxes, and packages_kept_s, for which the unpacked
    packages of deleted functions stay.

    `confined` is for functions that nobody trusts: bubblewrap, no network but this cloud's port, no
    administrator but `administrator` (a key and its secret), and none of the cloud's own pages.

    start() raises PortInUse, StateInUse where another server uses the state folder, and RuntimeError
    where this process runs another cloud already: moto keeps its resources in the process.
    """

    def __init__(
        self,
        port: int = DEFAULT_PORT,
        *,
        account_id: str = "000000000000",
        region: str = "us-east-1",
        state: Path | None = None,
        folder: Path | None = None,
        isolation: str | None = None,
        runtime_client: str | None = None,
        confined: bool = False,
        **limits: float,
    ):
        self.port = port
        self.account_id = account_id
        self.region = region
        self.record = Record()
        isolation = isolation or os.environ.get("LOCALCLOUD_ISOLATION", "auto")
        runtime_client = runtime_client or os.environ.get("LOCALCLOUD_RUNTIME_CLIENT", "auto")
        self.isolation = confinement() if confined else choose_isolation(isolation)
        # Not to be guessed, and of a form that neither IAM's nor STS's keys have.
        self.administrator = ("ROOT" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))
        self._confined = confined
        self.native_client = runtime_client != "python" and native_client_available()
        if runtime_client == "native" and not self.native_client:
            raise RuntimeError("AWS's native runtime client is not installed here")
        self._state = StateFolder(state) if state else None
        self._keeper: StateKeeper | None = None
        self._folder = folder
        self._limits = limits
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None

    @property
    def endpoint_url(self) -> str:
        """The address that clients use."""
        return f"http://127.0.0.1:{self.port}"

    def session(self, **credentials: str):
        """A boto3 session of this cloud: the account's administrator, or who the credentials are."""
        import boto3

        key, secret = self.administrator if self._confined else ("test", "test")
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, **credentials}
        session = boto3.Session(region_name=self.region, **keys)
        for service in _WITH_API_KEYS:
            session.events.register(f"choose-signer.{service}", _signed_with_keys)
        return session

    def client(self, service: str, **options: Any):
        """A boto3 client of this cloud, for the administrator."""
        return self.session().client(service, endpoint_url=self.endpoint_url, **options)

    def start(self) -> "LocalCloud":
        """Serve until stop(); returns when the cloud answers."""
        if not _running.acquire(blocking=False):
            raise RuntimeError("this process runs a LocalCloud already; stop it first")
        try:
            if self._state:
                self._state.take()
            listener = _listen(self.port)
            self.port = listener.getsockname()[1]
            if self._state:
                self._state.tell(self.port)
            self._thread = threading.Thread(
                target=self._serve, args=(listener,), name="localcloud", daemon=True
            )
            self._thread.start()
            self._ready.wait()
            if self._error:
                raise self._error
        except BaseException:
            if self._state:
                self._state.release()
            _running.release()
            raise
        return self

    def stop(self) -> None:
        """End every environment and close the port."""
        if self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._thread = None
        if self._state:
            self._state.release()
        _running.release()

    def __enter__(self) -> "LocalCloud":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _serve(self, listener: socket.socket) -> None:
        try:
            import uvloop

            uvloop.run(self._main(listener))
        except BaseException as error:
            self._error = error
        finally:
            listener.close()
            self._ready.set()

    async def _main(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        own = self._state.run if self._state else None
        temporary = None if self._folder or own else TemporaryFolder()
        folder = Path(self._folder or own or temporary.path)
        root_key = self.administrator if self._confined else None
        gatekeeper = identity.Gatekeeper(self.account_id, root_key)
        log = FunctionLog(gatekeeper.may_role)
        moto = MotoApp(self.account_id)
        service = FunctionService(
            self.account_id, folder, prepare_runtime(self.native_client), self.isolation, self._credentials,
            log.write, gatekeeper.may_role, self.record, lambda: self.endpoint_url,
            lambda: lambda_concurrency.unreserved(self.account_id, self.region),
            lambda_provisioned.set_status, self._open_door, **self._limits,
        )  # fmt: skip
        model_limits, seeds = Limits(), Seeds()
        api_throttle, connection_limits = AccountThrottle(), ConnectionLimits()
        settings = Settings()
        settings.add("event_speed", service.clock, "speed", minimum=1)
        settings.add("bedrock_seed", seeds, "value", whole=True)
        settings.add_fields(service.limits, minimum=1, whole=True)
        settings.add_fields(model_limits, minimum=1, whole=True)
        settings.add("api_rate", api_throttle, "rate")
        settings.add("api_burst", api_throttle, "burst", whole=True)
        settings.add_fields(connection_limits, minimum=0.1)
        pollers = Pollers(self.account_id, Invoker(service, gatekeeper.may_role, self.record))
        pollers.install(gatekeeper.may_role)
        notifications = Notifications(service, self.record, self.account_id)
        metrics = Metrics(functools.partial(lambda_concurrency.allocated, self.account_id))
        self.record.listener = metrics.observe
        self._install(loop, gatekeeper, service, notifications, metrics)
        if self._state:
            self._keeper = StateKeeper(self._state, service.queued_events)
        keeper = self._keeper

        def reset() -> None:
            service.drop_events()
            for arn in functions.function_arns(self.account_id):
                service.retire(arn)
            moto.reset()
            if keeper:
                keeper.reset()

        door = FrontDoor(
            self.account_id, self.region, moto, service, gatekeeper, notifications,
            None if self._confined else OwnPages(self.status, self.record, settings, reset),
            api_throttle, connection_limits, model_limits, seeds,
        )  # fmt: skip
        config = uvicorn.Config(
            door, log_level="warning", access_log=False, lifespan="off", proxy_headers=False,
            http=connection_protocols.HttpProtocol, ws=connection_protocols.websocket_protocol,
            ws_max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES), ws_ping_interval=None,
            ws_per_message_deflate=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None
        try:
            for event in keeper.start() if keeper else ():
                service.queue_again(event, notifications.finder(event.invoked_arn))
            pollers.changed()  # of restored mappings
            lambda_provisioned.provide_all(self.account_id)
            self._ready.set()
            service.start()
            loop.run_in_executor(None, delete_left_behind)
            await self._server.serve(sockets=[listener])
        finally:
            pollers.close()
            self.record.listener = None
            metrics.close()
            await service.close()
            await door.close()
            log.close()
            if keeper:
                keeper.close()
            moto.reset()
            if temporary:
                temporary.close()

    def _install(
        self,
        loop: asyncio.AbstractEventLoop,
        gatekeeper: identity.Gatekeeper,
        service: FunctionService,
        notifications: Notifications,
        metrics: Metrics,
    ) -> None:
        """Put what moto lacks into it. What is loaded later installs itself (control_plane/moto_app.py)."""
        instances.install()
        timestamps.install()
        service_regions.install()
        lambda_resources.install()
        managed_policies.install()
        administrator.install()
        s3_authorization.install()
        bucket_names.install()
        multipart_uploads.install()
        cloudwatch.install(metrics.data)
        topics.install(identity.may_service, notifications.take)
        log_filter_patterns.install()
        session_tokens.install()
        user_boundaries.install()
        policy_simulator.install()
        policy_validation.install()
        event_rules.install(identity.may_service, notifications.take)
        buckets.install(identity.may_service, notifications.take)
        functions.install(
            lambda arn, payload: self._invoke_from_thread(loop, service, arn, payload),
            lambda configuration, done: loop.call_soon_threadsafe(
                service.prepare, configuration, done
            ),
            lambda arn: loop.call_soon_threadsafe(service.retire, arn),
        )
        lambda_checks.install(gatekeeper.may_role)
        lambda_concurrency.install(lambda: service.limits.account_concurrency)
        lambda_provisioned.install(
            lambda arn, wanted: loop.call_soon_threadsafe(service.provide, arn, wanted)
        )
        lambda_urls.install(self._function_url)
        gateway_endpoints.install(self._api_endpoint)

    async def _open_door(self, listener: socket.socket) -> asyncio.Server:
        """Serve on one listener more, as uvicorn does on its own."""
        protocol = functools.partial(
            self._server.config.http_protocol_class,
            config=self._server.config, server_state=self._server.server_state, app_state={},
        )  # fmt: skip
        return await asyncio.get_running_loop().create_server(protocol, sock=listener)

    def status(self) -> dict[str, Any]:
        """What /_localcloud/health answers; `state_written` is null where no state is kept."""
        return {
            "status": "running",
            "account_id": self.account_id,
            "region": self.region,
            "isolation": self.isolation.name,
            "runtime_client": "native" if self.native_client else "python",
            "state_written": self._keeper.is_written if self._keeper else None,
        }

    def _credentials(self, role_arn: str, session: str, region: str) -> dict[str, str]:
        made = principals.mint_role_credentials(role_arn, session, self.account_id, region)
        return {
            "AWS_ACCESS_KEY_ID": made.access_key_id,
            "AWS_SECRET_ACCESS_KEY": made.secret_access_key,
            "AWS_SESSION_TOKEN": made.session_token,
        }

    def _function_url(self, url_id: str, region: str) -> str:
        return f"http://{url_id}.lambda-url.{region}.localhost:{self.port}/"

    def _api_endpoint(self, api_id: str) -> str:
        return f"http://{api_id}.execute-api.localhost:{self.port}"

    def _invoke_from_thread(self, loop, service: FunctionService, arn: str, payload: bytes):
        region = arn.split(":")[3]
        target = functions.find_function(arn, None, self.account_id, region)
        invocation = service.invoke(target, payload, arn, trace_id=request_trace.get())
        future = asyncio.run_coroutine_threadsafe(invocation, loop)
        return future.result().payload


def _signed_with_keys(signature_version: Any, **context: Any) -> str | None:
    """Have boto3 sign: an API key in AWS_BEARER_TOKEN_BEDROCK goes before access keys, and boto3 sends it to
    no address without TLS.
    """
    return "v4" if isinstance(signature_version, str) else None  # else it is to be unsigned


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(port) from error
        raise
    return listener


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
