"""moto's Lambda resources, read for the data plane; and the one seam by which moto invokes a function."""

from collections.abc import Callable
from dataclasses import dataclass

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends

from ..functions.configuration import (
    Archive,
    EventInvokeSettings,
    FunctionConfiguration,
    Logging,
)
from ..functions.package import InvalidArchive, check_archive
from .function_event_settings import dead_letter_arn

InvokeFromMoto = Callable[[str, bytes], bytes]


class FunctionNotFound(Exception):
    """No such function, version or alias; the text is AWS's."""


@dataclass(frozen=True)
class Target:
    """A function as an invocation finds it."""

    configuration: FunctionConfiguration
    reserved_concurrency: int | None


def find_function(name: str, qualifier: str | None, account_id: str, region: str) -> Target:
    """Find a function by name, ARN or partial ARN. Raises FunctionNotFound."""
    if ":function:" in name or name.count(":") > 1:
        parts = name.split(":function:")[-1].split(":")
    else:
        parts = name.split(":")
    name, qualifier = parts[0], (parts[1] if len(parts) > 1 else qualifier)
    backend: LambdaBackend = lambda_backends[account_id][region]
    try:
        function = backend.get_function(name, qualifier)
    except LambdaClientError as error:
        arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
        raise FunctionNotFound(f"Function not found: {arn}:{qualifier or '$LATEST'}") from error
    latest = backend.get_function(name, "$LATEST")
    return Target(_configuration(function, backend), latest.reserved_concurrency)


def unreserved(account_id: str, region: str, limit: int) -> int:
    """What of the account's concurrency no function has reserved."""
    backend: LambdaBackend = lambda_backends[account_id][region]
    groups = backend._lambdas._functions.values()
    return limit - sum(group["latest"].reserved_concurrency or 0 for group in groups)


def event_invoke_settings(function_arn: str) -> EventInvokeSettings:
    """The asynchronous invocation settings of a function, version or alias, by ARN."""
    _, _, _, region, account, _, name = function_arn.split(":")[:7]
    try:
        function = lambda_backends[account][region].get_function(name)
    except LambdaClientError:
        return EventInvokeSettings()
    config = function.event_invoke_config[0].config if function.event_invoke_config else {}
    destinations = config.get("DestinationConfig") or {}
    return EventInvokeSettings(
        config.get("MaximumRetryAttempts", 2),
        config.get("MaximumEventAgeInSeconds", 21_600),
        destinations.get("OnSuccess", {}).get("Destination"),
        destinations.get("OnFailure", {}).get("Destination"),
        dead_letter_arn(function),
    )


def function_arns(account_id: str) -> list[str]:
    """The ARNs of all functions and versions in all regions that have any."""
    return [
        function.function_arn
        for backend in list(lambda_backends[account_id].values())
        for group in list(backend._lambdas._functions.values())
        for function in [group["latest"], *group["versions"]]
    ]


def _configuration(function: LambdaFunction, backend: LambdaBackend) -> FunctionConfiguration:
    version = (
        "$LATEST"
        if function.version in (1, "$LATEST") and not _is_published(function)
        else (str(function.version))
    )
    layers = [layer.version for layer in function.layers]
    logging = function.logging_config
    return FunctionConfiguration(
        name=function.function_name,
        arn=function.function_arn,
        version=version,
        account_id=function.account_id,
        region=function.region,
        handler=function.handler or "",
        runtime=function.run_time or "",
        role=function.role,
        memory_mb=int(function.memory_size),
        timeout_s=int(function.timeout),
        ephemeral_storage_mb=int(function.ephemeral_storage),
        environment=tuple(sorted(function.environment_vars.items())),
        code=Archive(function.code_digest, function.code_bytes),
        layers=tuple(Archive(layer.code_digest, layer.code_bytes) for layer in layers),
        logging=Logging(
            logging["LogGroup"],
            logging["LogFormat"],
            logging.get("ApplicationLogLevel"),
            logging.get("SystemLogLevel"),
        ),
    )


def _is_published(function: LambdaFunction) -> bool:
    return function.function_arn.rsplit(":", 1)[-1] == str(function.version)


def install(
    invoke: InvokeFromMoto,
    on_deploy: Callable[[FunctionConfiguration], None],
    on_delete: Callable[[str], None],
) -> None:
    """Put localcloud behind moto's Lambda: real invocations, checked archives, ended environments.

    `invoke(function_arn, payload)` is called from moto's worker threads and waits for the answer:
    custom resources and subscriptions come this way. `on_deploy(configuration)` follows a creation,
    `on_delete(function_arn)` a deletion, both in the worker thread.
    """

    def invoke_function(self, body, request_headers, response_headers):
        payload = body.encode() if isinstance(body, str) else body
        return invoke(self.function_arn, payload or b"{}")

    LambdaFunction.invoke = invoke_function
    _check_archives()
    _follow(on_deploy, on_delete)


_original_zip = models._zipfile_content
_original_s3 = models._s3_content
_original_create = LambdaBackend.create_function
_original_delete = LambdaBackend.delete_function


def _check_archives() -> None:
    def checked(original):
        def content(source):
            result = original(source)
            try:
                check_archive(result[0])
            except InvalidArchive as error:
                raise InvalidParameterValueException(str(error)) from error
            return result

        return content

    models._zipfile_content = checked(_original_zip)
    models._s3_content = checked(_original_s3)


def _follow(
    on_deploy: Callable[[FunctionConfiguration], None], on_delete: Callable[[str], None]
) -> None:
    def create_function(self, spec):
        function = _original_create(self, spec)
        on_deploy(_configuration(function, self))
        return function

    def delete_function(self, function_name, qualifier=None):
        function = self.get_function(function_name, qualifier)
        _original_delete(self, function_name, qualifier)
        on_delete(function.function_arn)

    LambdaBackend.create_function = create_function
    LambdaBackend.delete_function = delete_function
