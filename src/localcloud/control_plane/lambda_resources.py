"""What moto's Lambda functions and layers lack as resources: logging, and updates that apply
everything given.

moto's `LambdaFunction` ignores LoggingConfig, drops most of UpdateFunctionConfiguration and creates
a function without code when its zip file isn't in S3. `install` puts that right on moto's classes.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from typing import Any

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException, UnknownLayerException
from moto.awslambda.utils import get_backend
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from . import lambda_aliases, lambda_permissions, lambda_states
from .lambda_checks import check_layers, check_settings, check_unzipped_size
from .lambda_times import timestamp
from .lambda_versions import copy_of, publish, runtime_version_arn

LEVEL_KEYS = ("ApplicationLogLevel", "SystemLogLevel")


def resolve_logging_config(
    function_name: str,
    given: Mapping[str, str] | None,
    current: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The LoggingConfig a function has after `given` is applied over `current`.

    LogFormat is Text and LogGroup /aws/lambda/<function_name> unless given. Levels exist only in
    JSON format, where both are INFO unless given (Lambda API reference, LoggingConfig).
    """
    wanted = {**(current or {}), **(given or {})}
    config = {
        "LogFormat": wanted.get("LogFormat") or "Text",
        "LogGroup": wanted.get("LogGroup") or f"/aws/lambda/{function_name}",
    }
    if config["LogFormat"] == "JSON":
        config.update({key: wanted.get(key) or "INFO" for key in LEVEL_KEYS})
    return config


def set_logging_config(
    function: models.LambdaFunction,
    given: Mapping[str, str] | None,
    current: Mapping[str, str] | None = None,
) -> None:
    """Give `function` its `logging_config`; a new dict, because published versions share the old
    one.
    """
    function.logging_config = resolve_logging_config(function.function_name, given, current)
    function.logs_group_name = function.logging_config["LogGroup"]


def require_code_in_s3(account_id: str, partition: str, location: Mapping[str, Any]) -> None:
    """Raise InvalidParameterValueException, in AWS's words, when there is no such zip file in S3.

    `location` may be any Code or Content: one that isn't in S3 is left alone.
    """
    if "S3Bucket" not in location or "S3Key" not in location:
        return
    try:
        key = s3_backends[account_id][partition].get_object(
            location["S3Bucket"], location["S3Key"], version_id=location.get("S3ObjectVersion")
        )
    except MissingBucket as error:
        raise InvalidParameterValueException(
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. "
            f"S3 Error Message: {error.message}"
        ) from None
    if key is None:
        raise InvalidParameterValueException(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            "S3 Error Message: The specified key does not exist."
        )


def apply_configuration(function: models.LambdaFunction, updates: Mapping[str, Any]) -> None:
    """Apply the members of UpdateFunctionConfiguration that moto's own update leaves out."""
    if "EphemeralStorage" in updates:
        function.ephemeral_storage = int(updates["EphemeralStorage"]["Size"])
    if "LoggingConfig" in updates:
        set_logging_config(function, updates["LoggingConfig"], function.logging_config)
    if "TracingConfig" in updates:
        function.tracing_config = updates["TracingConfig"]
    if "DeadLetterConfig" in updates:
        function.dead_letter_arn = (updates["DeadLetterConfig"] or {}).get("TargetArn") or None
    if "SnapStart" in updates:
        function.snap_start = updates["SnapStart"]["ApplyOn"]
    if "KMSKeyArn" in updates:
        function.kms_key_arn = updates["KMSKeyArn"] or None
    if "ImageConfig" in updates:
        function.image_config = models.ImageConfig(updates["ImageConfig"])
    function.last_modified = timestamp()


def set_new(function: models.LambdaFunction, spec: Mapping[str, Any]) -> None:
    """Give a new function what moto's has not."""
    set_logging_config(function, spec.get("LoggingConfig"))
    function.last_modified = timestamp()
    function.next_version = 1
    function.dead_letter_arn = (spec.get("DeadLetterConfig") or {}).get("TargetArn") or None
    function.snap_start = (spec.get("SnapStart") or {}).get("ApplyOn", "None")
    function.recursive_loop = "Terminate"
    function.runtime_updates = {"UpdateRuntimeOn": "Auto"}
    is_zip = function.package_type == "Zip"
    function.runtime_version = runtime_version_arn(function.region) if is_zip else None
    function.provisioned = None
    function.failure = {}


def layers_of(function: models.LambdaFunction) -> list[models.LayerVersion]:
    """The layer versions that a function uses."""
    return [layer.version for layer in function.layers]


def check_size(function: models.LambdaFunction, layers: list[models.LayerVersion]) -> None:
    """Raise LambdaError where a function's package and these layers are too large, unzipped."""
    if function.package_type == "Zip":
        check_unzipped_size([function.code_bytes, *(layer.code_bytes for layer in layers)])


def with_code(function: models.LambdaFunction, spec: Mapping[str, Any]) -> models.LambdaFunction:
    """A copy of a function as it is with the code that `spec` names. Raises LambdaError."""
    made = copy_of(function)
    made._set_function_code({**spec, "DryRun": False})
    made.architectures = spec.get("Architectures") or function.architectures
    check_size(made, layers_of(made))
    return made


def _publish_version(
    self: models.LambdaStorage, name_or_arn: str, description: str = ""
) -> models.LambdaFunction:
    function = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
    backend = get_backend(self.account_id, self.region_name)
    return publish(backend, function, description or None)


class LayerInUse(dict):
    """A function's layer as its configuration shows it, with the `version` itself.

    Functions keep the versions that they use when these are deleted (facts D1).
    """

    def __init__(self, shown: Mapping[str, Any], version: models.LayerVersion):
        super().__init__(shown)
        self.version = version


@functools.cache
def install() -> None:
    """Add the above to moto's Lambda classes. May be called more than once."""
    function_class = models.LambdaFunction
    moto_init = function_class.__init__
    moto_configuration = function_class.get_configuration
    moto_update = function_class.update_configuration
    moto_set_code = function_class._set_function_code
    moto_layers_data = function_class._get_layers_data
    moto_delete_layer_version = models.LambdaBackend.delete_layer_version
    moto_layer_init = models.LayerVersion.__init__

    @functools.wraps(moto_init)
    def __init__(self, account_id, spec, region, version=1):
        moto_init(self, account_id, spec, region, version)
        set_new(self, spec)
        check_size(self, layers_of(self))

    @functools.wraps(moto_configuration)
    def get_configuration(self, on_create=False):
        configuration = moto_configuration(self, on_create=on_create)
        configuration["LoggingConfig"] = dict(self.logging_config)
        configuration["SnapStart"] = {"ApplyOn": self.snap_start, "OptimizationStatus": "Off"}
        if self.dead_letter_arn:
            configuration["DeadLetterConfig"] = {"TargetArn": self.dead_letter_arn}
        return configuration

    @functools.wraps(moto_update)
    def update_configuration(self, config_updates):
        updates = dict(config_updates)
        backend = get_backend(self.account_id, self.region)
        check_settings(updates, backend, self)
        if updates.get("Layers"):
            check_size(self, check_layers(updates["Layers"], backend))
        if "Environment" in updates:
            # An Environment without Variables empties it on AWS; moto looks for the key.
            updates["Environment"] = {"Variables": updates["Environment"].get("Variables") or {}}
        apply_configuration(self, updates)
        moto_update(self, updates)
        lambda_states.begin(self, is_new=False)
        return self.get_configuration()

    def update_function_code(self, updated_spec):
        self.__dict__.update(with_code(self, updated_spec).__dict__)
        self.code_or_config_updated = True
        self.last_modified = timestamp()
        lambda_states.begin(self, is_new=False)
        return self.get_configuration()

    @functools.wraps(moto_set_code)
    def _set_function_code(self, updated_spec):
        require_code_in_s3(self.account_id, self.partition, updated_spec)
        moto_set_code(self, updated_spec)

    @functools.wraps(moto_layer_init)
    def layer_init(self, spec, account_id, region):
        require_code_in_s3(account_id, get_partition(region), spec["Content"])
        moto_layer_init(self, spec, account_id, region)

    @functools.wraps(moto_layers_data)
    def _get_layers_data(self, layers_versions_arns):
        backend = get_backend(self.account_id, self.region)
        return [
            LayerInUse(shown, backend.layers_versions_by_arn(shown["Arn"]))
            for shown in moto_layers_data(self, layers_versions_arns)
        ]

    @functools.wraps(moto_delete_layer_version)
    def delete_layer_version(self, layer_name, layer_version):
        # A success even where there is nothing to delete (facts D1).
        with contextlib.suppress(UnknownLayerException):
            moto_delete_layer_version(self, layer_name, layer_version)

    models.LambdaBackend.delete_layer_version = delete_layer_version
    function_class._get_layers_data = _get_layers_data
    function_class.__init__ = __init__
    function_class.get_configuration = get_configuration
    function_class.update_configuration = update_configuration
    function_class.update_function_code = update_function_code
    models.LambdaStorage.publish_version = _publish_version
    lambda_aliases.install()
    lambda_permissions.install()
    function_class._set_function_code = _set_function_code
    models.LayerVersion.__init__ = layer_init
