"""Buckets, log groups and roles in a stack: the properties that moto's CloudFormation leaves out.

Each class method here replaces moto's of the same name.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.exceptions import BucketNotEmpty
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from .stack_resources import tags_dict

# AWS encrypts every new bucket so; it is what a bucket has when its template says nothing.
_DEFAULT_ENCRYPTION = {
    "ServerSideEncryptionConfiguration": [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]
}
# CloudFormation's name of a list of notifications, and its destination's: the S3 API's name, and
# the destination's.
_NOTIFICATION_KINDS = {
    ("LambdaConfigurations", "Function"): "CloudFunction",
    ("QueueConfigurations", "Queue"): "Queue",
    ("TopicConfigurations", "Topic"): "Topic",
}


def api_notification_configuration(properties: dict[str, Any] | None) -> dict[str, Any]:
    """A bucket's NotificationConfiguration property in the form of
    PutBucketNotificationConfiguration.
    """
    properties = properties or {}
    configuration: dict[str, Any] = {}
    for (list_name, destination), kind in _NOTIFICATION_KINDS.items():
        entries = []
        for given in properties.get(list_name) or []:
            entry = {kind: given[destination], "Event": [given["Event"]]}
            rules = ((given.get("Filter") or {}).get("S3Key") or {}).get("Rules") or []
            if rules:
                filter_rules = [
                    {"Name": rule["Name"].capitalize(), "Value": rule["Value"]} for rule in rules
                ]
                entry["Filter"] = {"S3Key": {"FilterRule": filter_rules}}
            entries.append(entry)
        if entries:
            configuration[f"{kind}Configuration"] = entries
    if "EventBridgeConfiguration" in properties:
        configuration["EventBridgeConfiguration"] = {}
    return configuration


def _apply_bucket_properties(name: str, properties: dict[str, Any], backend: Any) -> None:
    encryption = properties.get("BucketEncryption") or _DEFAULT_ENCRYPTION
    backend.put_bucket_encryption(name, cfn_to_api_encryption(encryption))
    backend.put_bucket_tagging(name, tags_dict(properties.get("Tags")))
    if properties.get("PublicAccessBlockConfiguration"):
        backend.put_public_access_block(name, properties["PublicAccessBlockConfiguration"])
    else:
        backend.delete_public_access_block(name)
    if "VersioningConfiguration" in properties:
        status = properties["VersioningConfiguration"]["Status"]
        backend.put_bucket_versioning(name, status)
    notifications = api_notification_configuration(properties.get("NotificationConfiguration"))
    backend.put_bucket_notification_configuration(name, notifications)


class Bucket:
    """AWS::S3::Bucket."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        backend = s3_backends[account_id][get_partition(region_name)]
        bucket = backend.create_bucket(resource_name, region_name)
        properties = cloudformation_json.get("Properties", {})
        try:
            _apply_bucket_properties(resource_name, properties, backend)
        except Exception:
            # The stack doesn't know of a bucket whose creation failed: nothing else would delete
            # it.
            backend.delete_bucket(resource_name)
            raise
        return bucket

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        backend = s3_backends[account_id][get_partition(region_name)]
        properties = cloudformation_json["Properties"]
        _apply_bucket_properties(original_resource.name, properties, backend)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        backend = s3_backends[account_id][get_partition(region_name)]
        if backend.delete_bucket(resource_name) is None:
            raise BucketNotEmpty(bucket_name=resource_name)


class LogGroup:
    """AWS::Logs::LogGroup; GetAtt Arn ends in :*, as on AWS, so that it can stand in a policy."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        group = logs_backends[account_id][region_name].create_log_group(
            resource_name, tags_dict(properties.get("Tags")), kmsKeyId=properties.get("KmsKeyId")
        )
        _set_retention(group, properties)
        return group

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties = cloudformation_json["Properties"]
        _set_retention(original_resource, properties)
        backend = logs_backends[account_id][region_name]
        backend.tagger.delete_all_tags_for_resource(original_resource.arn)
        backend.tag_resource(original_resource.arn, tags_dict(properties.get("Tags")))
        return original_resource

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return f"{self.arn}:*"


def _set_retention(group: Any, properties: dict[str, Any]) -> None:
    days = properties.get("RetentionInDays")
    group.set_retention_policy(None if days is None else int(days))


def _document(policy: Any) -> str:
    # An unquoted Version is a date in YAML.
    return policy if isinstance(policy, str) else json.dumps(policy, default=str)


def _apply_role_policies(role: Any, properties: dict[str, Any], backend: Any) -> None:
    inline = {p["PolicyName"]: p["PolicyDocument"] for p in properties.get("Policies") or []}
    for name in set(role.policies) - set(inline):
        backend.delete_role_policy(role.name, name)
    for name, document in inline.items():
        backend.put_role_policy(role.name, name, _document(document))
    managed = properties.get("ManagedPolicyArns") or []
    for arn in set(role.managed_policies) - set(managed):
        backend.detach_role_policy(arn, role.name)
    for arn in managed:
        if arn not in role.managed_policies:
            backend.attach_role_policy(arn, role.name)


class Role:
    """AWS::IAM::Role."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        backend = iam_backends[account_id][get_partition(region_name)]
        role = backend.create_role(
            role_name=resource_name,
            assume_role_policy_document=_document(properties["AssumeRolePolicyDocument"]),
            path=properties.get("Path", "/"),
            permissions_boundary=properties.get("PermissionsBoundary", ""),
            description=properties.get("Description", ""),
            tags=properties.get("Tags") or [],
            max_session_duration=properties.get("MaxSessionDuration", 3600),
        )
        try:
            _apply_role_policies(role, properties, backend)
        except Exception:
            cls.delete_from_cloudformation_json(resource_name, {}, account_id, region_name)
            raise
        return role

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties = cloudformation_json["Properties"]
        role = original_resource
        backend = iam_backends[account_id][get_partition(region_name)]
        document = _document(properties["AssumeRolePolicyDocument"])
        backend.update_assume_role_policy(role.name, document)
        backend.update_role(
            role.name, properties.get("Description", ""), properties.get("MaxSessionDuration", 3600)
        )
        role.tags = properties.get("Tags") or []
        _apply_role_policies(role, properties, backend)
        return role

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        backend = iam_backends[account_id][get_partition(region_name)]
        role = backend.get_role(resource_name)
        for profile in backend.instance_profiles.values():
            profile.delete_role(role_name=resource_name)
        for policy in backend.inline_policies.values():
            policy.role_names = [name for name in policy.role_names if name != resource_name]
        _apply_role_policies(role, {}, backend)
        backend.delete_role(resource_name)
