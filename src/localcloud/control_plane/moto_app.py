"""moto as the control plane: one WSGI application, called with a whole request and its whole answer."""

import functools
import importlib
import io
import os
import sys
import threading
from http import HTTPStatus
from types import ModuleType
from typing import Any

from a2wsgi.wsgi import build_environ
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .. import service_models
from ..actions import ApiRequest, credential_scope
from . import (
    custom_resource_responses,
    expression_limits,
    faults,
    gateway_refusals,
    lambda_api,
    lambda_requests,
    object_requests,
)
from .object_requests import Answer

# Clouds in several processes that are forked from one must not make the same ids and keys.
os.register_at_fork(after_in_child=mock_random.seed)
# moto's own pages: whoever may open them may empty the cloud, unsigned.
_MOTO_PAGES = ("moto_api", "instance_metadata")


# An application holds the routes of a service, and nothing of what a cloud holds.
_backend_app = functools.cache(create_backend_app)


class _Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, which remembers what it found: by itself it lists a folder every time."""

    def __init__(self):
        super().__init__(_backend_app)
        self._found: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The name of the service that answers for a host name of AWS's."""
        if host in _MOTO_PAGES:
            raise NotImplementedError(host)
        if host not in self._found:
            self._found[host] = super().get_backend_for_host(host)
        return self._found[host]

    def get_service_from_path(self, path_info: str) -> tuple[str | None, str | None]:
        """None: no unsigned request may choose its service by a prefix that AWS doesn't know."""
        return None, None


class MotoApp:
    """Answers the AWS requests that no data plane of localcloud takes.

    moto keeps its resources in the process, so that a process holds one cloud at a time.
    """

    def __init__(self, account_id: str):
        os.environ["MOTO_ACCOUNT_ID"] = account_id  # the only way in which moto takes it
        self._account_id = account_id
        self._app = _Dispatcher()

    def handle(self, scope: dict, body: bytes, service: str | None) -> Answer:
        """Answer an ASGI HTTP request whose body has been read. Called from worker threads."""
        if custom_resource_responses.is_response(scope["path"]):
            taken = custom_resource_responses.take(scope["path"], body)
            return (HTTPStatus.OK if taken else HTTPStatus.FORBIDDEN), [], b""
        if service == "cloudformation":
            host, port = scope["server"]
            custom_resource_responses.serve_at(f"http://{host}:{port}")
            _install_cloudformation()
        if service == "apigateway":
            install_gateways()
        if service == "wafv2":
            gateway_refusals.install_web_acls()
        if service == "budgets":
            _install_budgets()
        if service == "dynamodb":
            problem = expression_limits.problem(body)
            if problem:
                return faults.refuse(scope, service, "ValidationException", problem)
        if service == "lambda":
            answered = self._lambda(scope, body)
            if answered:
                return answered
        environ = build_environ(scope, io.BytesIO(body))
        # moto needs the path as it was sent: S3 keys may hold encoded slashes.
        query = scope["query_string"].decode("latin-1")
        environ["RAW_URI"] = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        answer: list = []

        def start_response(status, headers, exc_info=None):
            answer[:] = [int(status.split(" ", 1)[0]), headers]

        try:
            chunks = self._app(environ, start_response)
            try:
                content = b"".join(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except Exception as error:
            return faults.failure(scope, body, service, error)
        status, headers = answer
        encoded = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        if status == HTTPStatus.NOT_FOUND and _is_html(encoded):
            return faults.unknown_operation(scope, body, service)
        return status, encoded, content

    def _lambda(self, scope: dict, body: bytes) -> Answer | None:
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        method = scope["method"]
        signed = credential_scope(ApiRequest(method, path, query, headers))
        return lambda_api.answer(
            self._account_id, signed.region, method, path, query, headers, body
        )

    def answer_at_once(self, request: ApiRequest, service: str | None) -> Answer | None:
        """Answer what needs no thread, on the event loop; None for what does."""
        return object_requests.answer(request, self._account_id) if service == "s3" else None

    def reset(self) -> None:
        """Empty every resource of every service."""
        custom_resource_responses.reset()
        moto_api_backend.reset()


_loading = threading.Lock()


def _install_cloudformation() -> None:
    """Load CloudFormation when it is first asked for."""
    loaded = load_cloudformation()
    with _loading:
        loaded.install()


def load_cloudformation() -> ModuleType:
    """Import CloudFormation, which brings the models of all of moto along, and change nothing yet."""
    with _loading:
        # jsonschema, far down that tree, checks one rare format with a grammar that takes seconds
        # to build, if JupyterLab happens to have installed it. moto never uses that format.
        name = "rfc3987_syntax"
        hidden = name not in sys.modules
        if hidden:
            sys.modules[name] = None
        try:
            return importlib.import_module(".cloudformation", __package__)
        finally:
            if hidden:
                sys.modules.pop(name, None)


def load_gateways() -> ModuleType:
    """Import API Gateway, and change nothing yet."""
    with _loading:
        importlib.import_module("..gateways.gateways", __package__)
        return importlib.import_module(".gateway_operations", __package__)


def install_gateways() -> None:
    """Load API Gateway when it is first asked for, be it for a resource or for an answer."""
    loaded = load_gateways()
    with _loading:
        loaded.install()


def _install_budgets() -> None:
    with _loading:
        importlib.import_module(".budgets", __package__).install()


def load_descriptions() -> None:
    """Read what the first request to Lambda's API and the first resource of any service need."""
    lambda_requests.load()
    service_models.regions("lambda")


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(k == b"content-type" and v.startswith(b"text/html") for k, v in headers)
