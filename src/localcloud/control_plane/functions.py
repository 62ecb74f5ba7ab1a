"""moto's Lambda resources, read for the data plane; and the one seam by which moto invokes a function."""

from collections.abc import Callable
from dataclasses import dataclass

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaAlias, LambdaBackend, LambdaFunction, lambda_backends

from ..functions.configuration import Archive, FunctionConfiguration, Logging
from ..functions.package import InvalidArchive, check_archive
from . import lambda_checks, lambda_provisioned, lambda_states
from .backends import regions_in_use
from .lambda_aliases import choose_version
from .lambda_errors import LambdaError, conflict
from .lambda_lookup import LATEST, Call
from .lambda_versions import is_published

InvokeFromMoto = Callable[[str, bytes], bytes]


class FunctionNotFound(Exception):
    """No such function, version or alias; the text is AWS's, as are the code and the HTTP status."""

    def __init__(self, message: str, code: str = "ResourceNotFoundException", status: int = 404):
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Target:
    """A function as an invocation finds it."""

    configuration: FunctionConfiguration
    reserved_concurrency: int | None


def find_function(name: str, qualifier: str | None, account_id: str, region: str) -> Target:
    """Find a function by name, ARN or partial ARN. Raises FunctionNotFound.

    An alias with weights leads to one of its versions at random, anew at each call.
    """
    call = Call(account_id, region, {})
    try:
        name, qualifier = call.split(name, qualifier)
    except LambdaError as error:
        raise FunctionNotFound(
            error.message or "", error.relative_error_type, error.code
        ) from error
    found = call.find(name, qualifier)
    if isinstance(found, LambdaAlias):
        found = call.version(name, choose_version(found))
    if found is None:
        raise FunctionNotFound(f"Function not found: {call.arn(name, qualifier or LATEST)}")
    latest = call.function(name)
    return Target(_configuration(found), latest.reserved_concurrency)


def invoked_arn(name: str, qualifier: str | None, account_id: str, region: str) -> str:
    """The ARN by which a function is invoked: qualified where the caller named a qualifier."""
    call = Call(account_id, region, {})
    return call.arn(*call.split(name, qualifier))


def function_arns(account_id: str) -> list[str]:
    """The ARNs of all functions and versions in all regions that have any."""
    return [function.function_arn for function in _all(account_id)]


def archives_in_use(account_id: str) -> list[tuple[str, tuple[str, ...]]]:
    """For each function and version the digest of its package and those of its layers."""
    return [
        (function.code_digest, tuple(layer.version.code_digest for layer in function.layers))
        for function in _all(account_id)
    ]


def _all(account_id: str) -> list[LambdaFunction]:
    return [
        function
        for _, backend in regions_in_use(lambda_backends, account_id)
        for group in list(backend._lambdas._functions.values())
        for function in [group["latest"], *group["versions"]]
    ]


def _configuration(function: LambdaFunction) -> FunctionConfiguration:
    version = str(function.version) if is_published(function) else LATEST
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
        last_modified=function.last_modified,
    )


def install(
    invoke: InvokeFromMoto,
    prepare: lambda_states.Prepare,
    on_delete: Callable[[str], None],
) -> None:
    """Put localcloud behind moto's Lambda: real invocations, checked archives, ended environments.

    `invoke(function_arn, payload)` is called from moto's worker threads and waits for the answer:
    custom resources and subscriptions come this way. `prepare(configuration, done)` follows a
    creation or update, `on_delete(arn)` the deletion of a function or version, both in the worker
    thread.
    """

    def invoke_function(self, body, request_headers, response_headers):
        payload = body.encode() if isinstance(body, str) else body
        return invoke(self.function_arn, payload or b"{}")

    LambdaFunction.invoke = invoke_function
    _check_archives()
    lambda_states.install(prepare, _configuration)
    _follow(on_delete)


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


def _follow(on_delete: Callable[[str], None]) -> None:
    def create_function(self, spec):
        lambda_checks.check_settings(spec, self)
        if spec["FunctionName"] in self._lambdas._functions:
            raise conflict(f"Function already exist: {spec['FunctionName']}")
        _original_create(self, spec)
        function = self.get_function(spec["FunctionName"])
        lambda_states.begin(function, is_new=True)
        return function

    def delete_function(self, function_name, qualifier=None):
        call = Call(self.account_id, self.region_name, {})
        name, qualifier = call.split(function_name, qualifier)
        if qualifier:
            gone = [call.version(name, qualifier)]
        else:
            gone = [resource for _, resource in call.resources(name)]
        _original_delete(self, name, qualifier)
        for resource in gone:
            lambda_provisioned.release(resource)
            on_delete(resource.function_arn)
        if not qualifier:  # moto empties the aliases of what it deletes, of a version too
            self._lambdas._aliases.pop(call.arn(name), None)

    LambdaBackend.create_function = create_function
    LambdaBackend.delete_function = delete_function
