"""Log groups, queues, roles and policies in a stack: what moto's CloudFormation leaves out.

Each class method here replaces moto's of the same name.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.sqs.models import MAXIMUM_MESSAGE_LENGTH, sqs_backends
from moto.utilities.utils import get_partition

from . import stack_names
from .stack_resources import tags_dict


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
        original_resource.kms_key_id = properties.get("KmsKeyId")
        backend = logs_backends[account_id][region_name]
        backend.tagger.delete_all_tags_for_resource(original_resource.arn)
        backend.tag_resource(original_resource.arn, tags_dict(properties.get("Tags")))
        return original_resource

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return f"{self.arn}:*"


def _set_retention(group: Any, properties: dict[str, Any]) -> None:
    days = properties.get("RetentionInDays")
    group.set_retention_policy(None if days is None else int(days))


# What a queue has where its template says nothing ("SetQueueAttributes", SQS API reference).
_QUEUE_DEFAULTS = {
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "KmsMasterKeyId": None,
    "MaximumMessageSize": MAXIMUM_MESSAGE_LENGTH,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "RedriveAllowPolicy": None,
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": True,
    "VisibilityTimeout": 30,
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": False,
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


class Queue:
    """AWS::SQS::Queue: an update changes every attribute, where moto's changes two."""

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties = dict(cloudformation_json["Properties"])
        queue = original_resource
        queue.tags = tags_dict(properties.pop("Tags", None))
        for name in ("QueueName", "FifoQueue"):
            properties.pop(name, None)
        attributes = {
            **_QUEUE_DEFAULTS, **(_FIFO_DEFAULTS if queue.fifo_queue else {}), **properties
        }  # fmt: skip
        return sqs_backends[account_id][region_name].set_queue_attributes(queue.name, attributes)


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
        boundary = properties.get("PermissionsBoundary", "")
        backend.put_role_permissions_boundary(role.name, boundary)
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


# Versions of a policy that there may be (IAM User Guide, "IAM and AWS STS quotas").
_MOST_VERSIONS = 5


class ManagedPolicy:
    """AWS::IAM::ManagedPolicy, which moto makes anew at an update, and leaves behind.

    An update attaches it to whom its lists name now, and detaches it from whom they name no more; who
    has attached it otherwise keeps it.
    """

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        properties, policy = cloudformation_json["Properties"], original_resource
        earlier = stack_names.earlier_properties()
        backend = iam_backends[account_id][get_partition(region_name)]
        others = [v for v in policy.versions if v.version_id != policy.default_version_id]
        if len(policy.versions) == _MOST_VERSIONS:
            backend.delete_policy_version(policy.arn, others[0].version_id)
        document = _document(properties["PolicyDocument"])
        backend.create_policy_version(policy.arn, document, "true")
        for entities, name in (
            (backend.roles, "Roles"), (backend.users, "Users"), (backend.groups, "Groups"),
        ):  # fmt: skip
            wanted, named_before = properties.get(name) or [], earlier.get(name) or []
            for entity in entities.values():
                attached = policy.arn in entity.managed_policies
                if entity.name in wanted and not attached:
                    policy.attach_to(entity)
                elif attached and entity.name in named_before and entity.name not in wanted:
                    policy.detach_from(entity)
        return policy

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        backend = iam_backends[account_id][get_partition(region_name)]
        policy = backend.get_policy(resource_name)
        for entity in (*backend.roles.values(), *backend.users.values(), *backend.groups.values()):
            if policy.arn in entity.managed_policies:
                policy.detach_from(entity)
        backend.delete_policy(policy.arn)


class ByName:
    """AWS::Events::EventBus and Archive: Ref gives the name, which moto's don't."""

    @property
    def physical_resource_id(self) -> str:
        return self.name
