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
from moto.core.common_models import CloudFormationModel

from . import lambda_states
from .lambda_resources import set_logging_config

# A change to one of these makes a new physical resource (the reference's "Update requires:
# Replacement"). None: a change to any property does. Budget/BudgetName is a member of Budget.
_REPLACED_BY: dict[str, frozenset[str] | None] = {
    "AWS::ApiGateway::Account": frozenset(),
    "AWS::ApiGateway::ApiKey": frozenset({"GenerateDistinctId", "Name", "Value"}),
    "AWS::ApiGateway::Authorizer": frozenset({"RestApiId"}),
    "AWS::ApiGateway::BasePathMapping": frozenset({"DomainName", "BasePath"}),
    "AWS::ApiGateway::Deployment": frozenset({"DeploymentCanarySettings", "RestApiId"}),
    "AWS::ApiGateway::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGateway::GatewayResponse": frozenset({"ResponseType", "RestApiId"}),
    "AWS::ApiGateway::Method": frozenset({"RestApiId", "ResourceId", "HttpMethod"}),
    "AWS::ApiGateway::Model": frozenset({"ContentType", "Name", "RestApiId"}),
    "AWS::ApiGateway::RequestValidator": frozenset({"Name", "RestApiId"}),
    "AWS::ApiGateway::Resource": None,
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGateway::Stage": frozenset({"RestApiId", "StageName"}),
    "AWS::ApiGateway::UsagePlan": frozenset(),
    "AWS::ApiGateway::UsagePlanKey": None,
    "AWS::ApiGatewayV2::Api": frozenset({"ProtocolType"}),
    "AWS::ApiGatewayV2::ApiMapping": frozenset({"DomainName"}),
    "AWS::ApiGatewayV2::Authorizer": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::Deployment": None,
    "AWS::ApiGatewayV2::DomainName": None,
    "AWS::ApiGatewayV2::Integration": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::IntegrationResponse": frozenset({"ApiId", "IntegrationId"}),
    "AWS::ApiGatewayV2::Route": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::RouteResponse": frozenset({"ApiId", "RouteId"}),
    "AWS::ApiGatewayV2::Stage": frozenset({"ApiId", "StageName"}),
    "AWS::Budgets::Budget": frozenset({"Budget/BudgetName", "NotificationsWithSubscribers"}),
    "AWS::CloudWatch::Dashboard": frozenset({"DashboardName"}),
    "AWS::DynamoDB::Table": frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
    "AWS::Events::Rule": frozenset({"Name"}),
    "AWS::IAM::ManagedPolicy": frozenset({"Description", "ManagedPolicyName", "Path"}),
    "AWS::IAM::Role": frozenset({"RoleName", "Path"}),
    "AWS::Lambda::Alias": frozenset({"FunctionName", "Name"}),
    "AWS::Lambda::EventInvokeConfig": frozenset({"FunctionName", "Qualifier"}),
    "AWS::Lambda::Function": frozenset({"FunctionName", "PackageType"}),
    "AWS::Lambda::LayerVersion": None,
    "AWS::Lambda::Permission": None,
    "AWS::Lambda::Url": frozenset({"TargetFunctionArn", "Qualifier"}),
    "AWS::Lambda::Version": frozenset({"FunctionName", "Description", "CodeSha256"}),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::S3::Bucket": frozenset({"BucketName"}),
    "AWS::SSM::Parameter": frozenset({"Name"}),
    "AWS::SNS::Topic": frozenset({"FifoTopic", "TopicName"}),
    "AWS::SNS::Subscription": frozenset({"TopicArn", "Protocol", "Endpoint"}),
    "AWS::SQS::Queue": frozenset({"QueueName", "FifoQueue"}),
    "AWS::SQS::QueuePolicy": frozenset(),
}


def changed_properties(now: Mapping[str, Any], then: Mapping[str, Any]) -> set[str]:
    """The names of the properties that differ, and of an object's members as `Property/Member`."""
    changed = _differing(now, then)
    for name in tuple(changed):
        new, old = now.get(name), then.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            changed |= {f"{name}/{member}" for member in _differing(new, old)}
    return changed


def _differing(now: Mapping[str, Any], then: Mapping[str, Any]) -> set[str]:
    return {name for name in {*now, *then} if now.get(name) != then.get(name)}


def needs_replacement(
    resource_type: str, resource_class: type[CloudFormationModel], changed: set[str]
) -> bool:
    """Must a resource be made anew when the properties `changed` are, as changed_properties names them?
    Types that moto can't update must.
    """
    if resource_type in _REPLACED_BY:
        properties = _REPLACED_BY[resource_type]
        return properties is None or bool(properties & changed)
    return hasattr(resource_class.update_from_cloudformation_json, "__isabstractmethod__")


def tags_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """CloudFormation's list of tags as the dict that the services' own APIs take."""
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}


def _function_code(code: Mapping[str, Any]) -> dict[str, Any]:
    if "ZipFile" not in code:
        return dict(code)
    # In a template ZipFile is source text, which becomes index.py.
    source = lambda_models.LambdaFunction._create_zipfile_from_plaintext_code(code["ZipFile"])
    return {"ZipFile": base64.b64encode(source).decode()}


def _function_configuration(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting that an update may change, a property left out being back at its default."""
    storage = properties.get("EphemeralStorage") or {"Size": 512}
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    configuration = {
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
        "Timeout": int(properties.get("Timeout", 3)),
        "TracingConfig": properties.get("TracingConfig") or {"Mode": "PassThrough"},
    }
    if "VpcConfig" in properties:
        configuration["VpcConfig"] = {
            "SecurityGroupIds": [],
            "SubnetIds": [],
            **properties["VpcConfig"],
        }
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
        function.update_configuration(configuration)
        function.tags = tags_dict(properties.get("Tags"))
        reserved = properties.get("ReservedConcurrentExecutions")
        function.reserved_concurrency = None if reserved is None else int(reserved)
        function.architectures = properties.get("Architectures") or ["x86_64"]
        if properties["Code"] != function.cloudformation_code:
            function.update_function_code(_function_code(properties["Code"]))
            function.cloudformation_code = copy.deepcopy(properties["Code"])
        lambda_states.settle(function.function_arn)
        return function


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
