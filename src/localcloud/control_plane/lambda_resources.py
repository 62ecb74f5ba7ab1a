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
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

LEVEL_KEYS = ("ApplicationLogLevel", "SystemLogLevel")

_installed = False


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
    if "KMSKeyArn" in updates:
        function.kms_key_arn = updates["KMSKeyArn"] or None
    if "ImageConfig" in updates:
        function.image_config = models.ImageConfig(updates["ImageConfig"])
    function.last_modified = iso_8601_datetime_with_nanoseconds()


class LayerInUse(dict):
    """A function's layer as its configuration shows it, with the `version` itself.

    Functions keep the versions that they use when these are deleted (facts D1).
    """

    def __init__(self, shown: Mapping[str, Any], version: models.LayerVersion):
        super().__init__(shown)
        self.version = version


def install() -> None:
    """Add the above to moto's Lambda classes. May be called more than once."""
    global _installed
    if _installed:
        return
    _installed = True
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
        set_logging_config(self, spec.get("LoggingConfig"))

    @functools.wraps(moto_configuration)
    def get_configuration(self, on_create=False):
        configuration = moto_configuration(self, on_create=on_create)
        configuration["LoggingConfig"] = dict(self.logging_config)
        return configuration

    @functools.wraps(moto_update)
    def update_configuration(self, config_updates):
        updates = dict(config_updates)
        if "Environment" in updates:
            # An Environment without Variables empties it on AWS; moto looks for the key.
            updates["Environment"] = {"Variables": updates["Environment"].get("Variables") or {}}
        apply_configuration(self, updates)
        return moto_update(self, updates)

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
    function_class._set_function_code = _set_function_code
    models.LayerVersion.__init__ = layer_init
