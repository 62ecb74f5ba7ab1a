"""The front door: an ASGI application that gives each request to the plane that answers it."""

import asyncio
import contextlib
import contextvars
from concurrent.futures import ThreadPoolExecutor

from . import function_urls, invoke_api, request_origin, s3_methods
from .actions import ApiRequest, Scope, credential_scope
from .anonymous import anonymous_scope
from .control_plane import faults
from .control_plane.moto_app import MotoApp, install_gateways
from .control_plane.state import may_change, note_change
from .foundation_models import language_model_pages
from .foundation_models.quotas import Limits
from .foundation_models.seeds import Seeds
from .function_urls import FunctionUrls
from .functions.service import FunctionService
from .gateways import addresses
from .gateways.addresses import Call
from .gateways.connection_limits import ConnectionLimits
from .gateways.throttling import AccountThrottle
from .identity import Gatekeeper
from .notifications import Notifications
from .own_pages import PREFIX, OwnPages
from .request_origin import RequestOrigin

_WORKERS = 16
_MODEL_SERVICES = ("bedrock", "s3vectors")


class FrontDoor:
    """Invoke goes to the functions' event loop, /_localcloud to ourselves, the rest to moto."""

    def __init__(
        self,
        account_id: str,
        region: str,
        moto: MotoApp,
        service: FunctionService,
        gatekeeper: Gatekeeper,
        notifications: Notifications,
        pages: OwnPages | None,
        api_throttle: AccountThrottle,
        connection_limits: ConnectionLimits,
        model_limits: Limits,
        seeds: Seeds,
    ):
        self._account_id = account_id
        self._region = region
        self._moto = moto
        self._service = service
        self._gatekeeper = gatekeeper
        self._notifications = notifications
        self._pages = pages
        self._api_throttle = api_throttle
        self._connection_limits = connection_limits
        self._model_limits = model_limits
        self._seeds = seeds
        self._urls = FunctionUrls(service, gatekeeper, account_id)
        self._gateways: asyncio.Future | None = None
        self._models: asyncio.Future | None = None
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="moto")

    async def __call__(self, scope, receive, send) -> None:
        """Answer one HTTP request, or serve one WebSocket connection; a fault of ours is a 500 in
        the service's protocol, never a broken connection.
        """
        if scope["type"] == "websocket":
            await self._serve(scope, receive, send)
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if body is None:
            return
        held: list = []
        try:
            status, headers, content = await self._answer(scope, body, held)
        except Exception as error:
            request = _request(scope, scope["method"], body)
            service = (credential_scope(request) or anonymous_scope(request)).service
            status, headers, content = faults.failure(scope, body, service, error)
        if not isinstance(content, bytes):
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await _stream(content, receive, send)
            return
        if not any(name == b"content-length" for name, _ in headers) and status != 204:
            headers = [*headers, (b"content-length", str(len(content)).encode())]
        if scope["method"] == "HEAD":
            content = b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        self._notifications.deliver(held)

    async def close(self) -> None:
        """End the worker threads, and the language model's process."""
        if self._models and self._models.done():
            await self._models.result().close()
        if self._gateways and self._gateways.done():
            self._gateways.result().close()
        self._workers.shutdown(wait=True, cancel_futures=True)

    async def _answer(self, scope, body: bytes, held: list):
        path = scope["raw_path"].decode("latin-1")
        if path.startswith(language_model_pages.PREFIX) and self._pages:
            models = await self._loaded_models()
            return await models.page(scope["method"], path, body)
        if path.startswith(PREFIX) and self._pages:
            query = scope["query_string"].decode("latin-1")
            return self._pages.answer(scope["method"], path, query, body)
        request = _request(scope, scope["method"], body)
        headers, query = request.headers, request.query
        asked = function_urls.match(request)
        if asked:
            return await self._urls.answer(asked)
        called = addresses.match(request, scope)
        signed = None if called else credential_scope(request)
        called = called or await self._by_domain(request, scope, signed)
        if called:
            gateways = await self._loaded_gateways()
            return await gateways.answer(called)
        service = (signed or anonymous_scope(request)).service
        origin = self._origin(scope, request) if service == "s3" else None
        denial = s3_methods.refusal(request) if service == "s3" else None
        denial = denial or self._gatekeeper.check(request)
        if denial:
            return denial.render(origin)
        if signed and addresses.is_test(request):
            gateways = await self._loaded_gateways()
            return await gateways.test(request, signed.region, scope["server"][1])
        function = invoke_api.match(path) if scope["method"] == "POST" else None
        if function:
            region = signed.region if signed else self._region
            return await invoke_api.invoke(
                self._service, function, self._account_id, region, query, headers, body
            )
        events = self._notifications.hold(headers.get("x-amzn-trace-id"))
        request_origin.current.set(origin)
        if service in _MODEL_SERVICES:
            models = await self._loaded_models()
            answer = await models.answer(request, service, signed.region)
            if answer is not None:
                return answer
        answer = self._moto.answer_at_once(request, service)
        if answer is None:
            context = contextvars.copy_context()
            answer = await asyncio.get_running_loop().run_in_executor(
                self._workers, context.run, self._moto.handle, scope, body, service
            )
        if may_change(request.method, headers, body):
            note_change()
        held.extend(events)
        if origin:
            status, headers, content = answer
            return status, origin.stamp(headers), content
        return answer

    async def _serve(self, scope, receive, send) -> None:
        """A WebSocket connection, which only APIs take."""
        request = _request(scope, "GET", b"")
        call = addresses.match(request, scope)
        call = call or await self._by_domain(request, scope, credential_scope(request))
        if call is None:
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted, this is a 403
            return
        await (await self._loaded_gateways()).serve(call, receive, send)

    async def _by_domain(self, request: ApiRequest, scope, signed: Scope | None) -> Call | None:
        """The request as one to a custom domain name of an API, if it is one."""
        if not addresses.may_be_custom(request, signed and signed.service):
            return None
        return (await self._loaded_gateways()).by_domain(request, scope)

    def _loaded_gateways(self) -> asyncio.Future:
        """The gateways, which are loaded with the first request to an API: a start needs none."""
        if self._gateways is None:

            def load():
                install_gateways()
                from .gateways.gateways import Gateways

                return Gateways(
                    self._service,
                    self._gatekeeper,
                    self._account_id,
                    self._api_throttle,
                    self._connection_limits,
                )

            loop = asyncio.get_running_loop()
            self._gateways = loop.run_in_executor(self._workers, load)
        return self._gateways

    def _loaded_models(self) -> asyncio.Future:
        """Bedrock, which is loaded with the first request to it."""
        if self._models is None:

            def load():
                from .foundation_models.api import FoundationModels

                return FoundationModels(
                    self._service, self._account_id, self._model_limits, self._seeds, self._workers,
                    self._gatekeeper.may_role,
                )  # fmt: skip

            loop = asyncio.get_running_loop()
            self._models = loop.run_in_executor(self._workers, load)
        return self._models

    def _origin(self, scope, request: ApiRequest) -> RequestOrigin:
        client = scope.get("client")
        return RequestOrigin(
            lambda: self._gatekeeper.caller_id(request), client[0] if client else "127.0.0.1"
        )


def _request(scope, method: str, body: bytes) -> ApiRequest:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return ApiRequest(method, path, query, headers, body)


async def _stream(chunks, receive, send) -> None:
    """Send what comes as it comes. Who makes it is told by aclose() where the client goes away."""

    async def until_client_leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def send_all() -> None:
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    sending = asyncio.ensure_future(send_all())
    leaving = asyncio.ensure_future(until_client_leaves())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _read(receive) -> bytes | None:
    """The whole body; None where the client has gone before its end: half a request means nothing."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
