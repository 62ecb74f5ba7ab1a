"""Bedrock and S3 Vectors as the front door sees them: a request, and its answer or stream."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor

from ..actions import ApiRequest
from ..control_plane.state import note_change
from ..functions.service import FunctionService
from ..rest_requests import Invalid, Request, Unreadable, addressed, read
from . import ingestion_jobs, language_model_pages, serialization
from .calls import Call, EventStream, Handler, Resources
from .errors import BedrockError, invalid
from .function_calls import FunctionCalls
from .operations import OPERATIONS
from .quotas import Limits, Quotas
from .seeds import Seeds
from .text_engines import choose_text_engine

_log = logging.getLogger(__name__)
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes | AsyncIterator[bytes]]
# What signs with one name; of two with the same address the first is meant.
_SERVICES = {
    "bedrock": ("bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "bedrock"),
    "s3vectors": ("s3vectors",),
}
_READING = ("Get", "List", "BatchGet", "Query", "Validate")
_CONTROL_PLANES = ("bedrock", "bedrock-agent", "s3vectors")
_EVENT_STREAM = (b"content-type", b"application/vnd.amazon.eventstream")


class FoundationModels:
    """Answers requests signed for bedrock and s3vectors."""

    def __init__(
        self,
        service: FunctionService,
        account_id: str,
        limits: Limits,
        seeds: Seeds,
        workers: Executor,
        may_role: Callable[[str, str, str, str], bool],
    ):
        self._account_id = account_id
        self._workers = workers
        self._text = choose_text_engine()
        self._resources = Resources(
            self._text, Quotas(limits), seeds, FunctionCalls(service, account_id), may_role
        )

    async def close(self) -> None:
        """End what runs."""
        await self._in_thread(ingestion_jobs.end)
        await self._text.close()

    async def page(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request to a page about the language model itself."""
        return await language_model_pages.answer(self._text, method, path, body)

    async def answer(self, request: ApiRequest, service: str, region: str) -> Answer | None:
        """Answer a request whose caller may make it; None where no model has such an operation."""
        request_id = (b"x-amzn-requestid", str(uuid.uuid4()).encode())
        try:
            found = await self._in_thread(_read, _SERVICES[service], request)
            if found is None:
                return None
            handler, parsed = found
            operation = parsed.operation
            call = Call(
                operation.name, self._account_id, region, parsed.parameters, request.headers,
                self._resources,
            )  # fmt: skip
            result = await self._handle(handler, call)
        except Unreadable as error:
            # AWS's code; its text is UNCONFIRMED.
            return _error(BedrockError("SerializationException", str(error)), request_id)
        except Invalid as error:
            return _error(invalid(str(error)), request_id)
        except BedrockError as error:
            return _error(error, request_id)
        if (
            operation.service_model.service_name in _CONTROL_PLANES
            and not operation.name.startswith(_READING)
        ):
            note_change()
        added = [(k.encode(), v.encode()) for k, v in call.answer_headers.items()]
        if isinstance(result, EventStream):
            headers = serialization.member_headers(operation.output_shape, result.members)
            stream = operation.get_event_stream_output()
            return 200, [request_id, _EVENT_STREAM, *headers, *added], _frames(stream, result)
        headers, body = serialization.serialize(operation.output_shape, result)
        return operation.http["responseCode"], [request_id, *headers, *added], body

    async def _handle(self, handler: Handler, call: Call):
        if inspect.iscoroutinefunction(handler):
            return await handler(call)
        return await self._in_thread(handler, call)

    async def _in_thread(self, function: Callable, *arguments):
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, context.run, function, *arguments)


def _read(services: tuple[str, ...], asked: ApiRequest) -> tuple[Handler, Request] | None:
    """A request and what answers it. Raises UnknownOperationException where nothing does, before the
    parameters are looked at: what is wrong with them shall not hide it.
    """
    found = addressed(services, asked.method, asked.path, asked.query)
    if found is None:
        return None
    name = found.operation.service_model.service_name, found.operation.name
    handler = OPERATIONS.get(name)
    if handler is None:
        raise BedrockError(
            "UnknownOperationException",
            f"localcloud has no operation {name[1]} of {name[0]}; docs/localcloud.md lists what it has",
        )
    return handler, read(found, asked.headers, asked.body)


async def _frames(stream, result: EventStream) -> AsyncIterator[bytes]:
    """The events as they are sent; an error in their middle is the last of them."""
    try:
        async for name, members in result.events:
            yield serialization.event(stream, name, members)
    except BedrockError as error:
        name = error.code[0].lower() + error.code[1:]
        if name == "modelErrorException":  # which is called otherwise in the middle of a stream
            name = "modelStreamErrorException"
        if name not in stream.members:
            name = "internalServerException"
        yield serialization.event(stream, name, {"message": error.message})
    except Exception as error:
        _log.exception("a stream broke off")
        yield serialization.event(stream, "internalServerException", {"message": repr(error)})


def _error(error: BedrockError, request_id: tuple[bytes, bytes]) -> Answer:
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", error.code.encode()),
        request_id,
    ]
    return error.status, headers, json.dumps({"message": error.message}).encode()
