"""What becomes of a resource that leaves its stack, or is replaced: DeletionPolicy and UpdateReplacePolicy.

"DeletionPolicy attribute" and "UpdateReplacePolicy attribute" (CloudFormation Template Reference Guide).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

_POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
_WITH_SNAPSHOTS = (
    "AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster", "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
)  # fmt: skip


def check_policies(template: Mapping[str, Any]) -> None:
    """Raise ValidationError for a policy that there isn't, or that its type doesn't have.

    Texts: Eucalyptus's CloudFormation, which was written after AWS's; what is no string, issue 269 of the
    CloudFormation coverage roadmap. That UpdateReplacePolicy has the same is UNCONFIRMED. Snapshot as an
    UpdateReplacePolicy of what has no snapshots counts as Delete.
    """
    for logical_id, resource in template["Resources"].items():
        for name, known in _POLICIES.items():
            if name not in resource:
                continue
            policy = resource[name]
            if not isinstance(policy, str):
                raise ValidationError(
                    message=f"Template format error: Every {name} member must be a string."
                )
            if policy not in known:
                raise ValidationError(
                    message=f"Template format error: Unrecognized {name} {policy} for resource {logical_id}"
                )
        if resource.get("DeletionPolicy") == "Snapshot" and resource["Type"] not in _WITH_SNAPSHOTS:
            raise ValidationError(
                message=f"Template error: resource type {resource['Type']} does not support deletion "
                "policy Snapshot"
            )


def is_retained(resource: Mapping[str, Any], is_new: bool = False) -> bool:
    """Whether a resource outlives its stack; `is_new` if it goes in the operation that has made it ("AWS
    CloudFormation Announces New Deletion Policy", July 2023, for RetainExceptOnCreate).
    """
    policy = resource.get("DeletionPolicy")
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not is_new)
