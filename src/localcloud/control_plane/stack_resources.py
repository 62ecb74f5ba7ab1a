"""The resource types whose CloudFormation side moto has only in part: all of their properties,
create to delete.

Each class method here replaces moto's of the same name; property names are those of the
CloudFormation resource reference.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

from moto.awslambda import models as lambda_models
from moto.awslambda.utils import get_backend

from . import lambda_states
from .lambda_resources import set_logging_config


def tags_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """CloudFormation's list of tags as the dict that the services' own APIs take."""
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}


def _function_code(code: Mapping[str, Any]) -> dict[str, Any]:
    if "ZipFile" not in code:
        return dict(code)
    # In a template ZipFile is source text, which becomes index.py.
    source = lambda_models.LambdaFunction._create_zipfile_from_plaintext_code(code["ZipFile"])
    return {"ZipFile": base64.b64encode(source).decode()}


_NO_VPC = {"SecurityGroupIds": [], "SubnetIds": []}


def _function_configuration(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting that an update may change, a property left out being back at its default."""
    storage = properties.get("EphemeralStorage") or {"Size": 512}
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    configuration = {
        "DeadLetterConfig": properties.get("DeadLetterConfig") or {},
        "Description": properties.get("Description", ""),
        "Environment": {"Variables": {name: _text(value) for name, value in variables.items()}},
        "EphemeralStorage": {"Size": int(storage["Size"])},
        "Handler": properties.get("Handler"),
        "KMSKeyArn": properties.get("KmsKeyArn"),
        "Layers": properties.get("Layers") or [],
        "LoggingConfig": properties.get("LoggingConfig") or {},
        "MemorySize": int(properties.get("MemorySize", 128)),
        "Role": properties["Role"],
        "Runtime": properties.get("Runtime"),
        "SnapStart": properties.get("SnapStart") or {"ApplyOn": "None"},
        "Timeout": int(properties.get("Timeout", 3)),
        "TracingConfig": properties.get("TracingConfig") or {"Mode": "PassThrough"},
    }
    if "VpcConfig" in properties:
        configuration["VpcConfig"] = _NO_VPC | properties["VpcConfig"]
    return configuration


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Function:
    """AWS::Lambda::Function."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        spec = {
            **_function_configuration(properties),
            "FunctionName": resource_name,
            "Architectures": properties.get("Architectures") or ["x86_64"],
            "Code": _function_code(properties["Code"]),
            "ImageConfig": properties.get("ImageConfig") or {},
            "PackageType": properties.get("PackageType", "Zip"),
            "Tags": tags_dict(properties.get("Tags")),
        }
        if "ReservedConcurrentExecutions" in properties:
            spec["ReservedConcurrentExecutions"] = int(properties["ReservedConcurrentExecutions"])
        function = get_backend(account_id, region_name).create_function(spec)
        function.cloudformation_code = copy.deepcopy(properties["Code"])
        lambda_states.settle(function.function_arn)
        return function

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties = cloudformation_json["Properties"]
        function = original_resource
        configuration = _function_configuration(properties)
        # A template says all there is: unlike UpdateFunctionConfiguration, nothing is kept.
        set_logging_config(function, configuration.pop("LoggingConfig"))
        function.update_configuration({"VpcConfig": _NO_VPC, **configuration})
        function.tags = tags_dict(properties.get("Tags"))
        reserved = properties.get("ReservedConcurrentExecutions")
        function.reserved_concurrency = None if reserved is None else int(reserved)
        function.architectures = properties.get("Architectures") or ["x86_64"]
        if properties["Code"] != function.cloudformation_code:
            function.update_function_code(_function_code(properties["Code"]))
            function.cloudformation_code = copy.deepcopy(properties["Code"])
        lambda_states.settle(function.function_arn)
        return function


# What a mapping has where its template says nothing, beside BatchSize, which depends on its source
# ("CreateEventSourceMapping", Lambda API reference).
_MAPPING_DEFAULTS = {
    "BatchSize": None,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": None,
    "Enabled": True,
    "FilterCriteria": None,
    "FunctionResponseTypes": None,
    "MaximumBatchingWindowInSeconds": None,
    "MaximumRecordAgeInSeconds": None,
    "MaximumRetryAttempts": None,
    "ParallelizationFactor": None,
    "ScalingConfig": None,
    "TumblingWindowInSeconds": None,
}


class EventSourceMapping:
    """AWS::Lambda::EventSourceMapping: an update takes away what its template no longer says."""

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        given = {**_MAPPING_DEFAULTS, **cloudformation_json["Properties"]}
        backend = get_backend(account_id, region_name)
        return backend.update_event_source_mapping(original_resource.uuid, given)


class LayerVersion:
    """AWS::Lambda::LayerVersion; Ref gives the version's ARN."""

    @staticmethod
    def cloudformation_name_type() -> str:
        return "LayerName"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        spec = {**cloudformation_json["Properties"], "LayerName": resource_name}
        return get_backend(account_id, region_name).publish_layer_version(spec)

    @property
    def physical_resource_id(self) -> str:
        return self.arn

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "LayerVersionArn"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.arn

    def delete(self, account_id: str, region: str) -> None:
        get_backend(account_id, region).delete_layer_version(self.name, str(self.version))


class Permission:
    """AWS::Lambda::Permission: one statement in a function's resource policy, as AddPermission
    writes it.
    """

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = dict(cloudformation_json["Properties"])
        permission = lambda_models.Permission(region=region_name)
        permission.function_name = properties.pop("FunctionName")
        permission.statement_id = resource_name
        request = json.dumps({**properties, "StatementId": resource_name})
        backend = get_backend(account_id, region_name)
        backend.add_permission(permission.function_name, None, request)
        return permission

    @property
    def physical_resource_id(self) -> str:
        return self.statement_id

    def delete(self, account_id: str, region: str) -> None:
        backend = get_backend(account_id, region)
        backend.remove_permission(self.function_name, self.statement_id)
