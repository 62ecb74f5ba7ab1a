"""Buckets in a stack: the properties that moto's CloudFormation leaves out.

Each class method of Bucket replaces moto's of the same name. AWS::S3::BucketPolicy moto does not have.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
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


def _api_lifecycle_rules(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """A bucket's LifecycleConfiguration in the form of PutBucketLifecycleConfiguration."""
    given = (properties.get("LifecycleConfiguration") or {}).get("Rules") or []
    return [_api_lifecycle_rule(rule) for rule in given]


def _api_lifecycle_rule(given: dict[str, Any]) -> dict[str, Any]:
    expiration = {
        name: given[key]
        for key, name in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if key in given
    }
    noncurrent = given.get("NoncurrentVersionExpiration") or {}
    if "NoncurrentVersionExpirationInDays" in given:
        noncurrent = {"NoncurrentDays": given["NoncurrentVersionExpirationInDays"]}
    abort = given.get("AbortIncompleteMultipartUpload")
    transitions = given.get("Transitions") or [given.get("Transition")]
    return {
        "ID": given.get("Id"),
        "Status": given["Status"],
        "Filter": _api_lifecycle_filter(given),
        "Expiration": expiration or None,
        "Transition": [
            {
                "Days": each.get("TransitionInDays"),
                "Date": each.get("TransitionDate"),
                "StorageClass": each["StorageClass"],
            }
            for each in transitions
            if each
        ],
        "NoncurrentVersionExpiration": noncurrent or None,
        "AbortIncompleteMultipartUpload": abort,
    }


def _api_lifecycle_filter(given: dict[str, Any]) -> dict[str, Any]:
    tags = given.get("TagFilters") or []
    if not tags:
        return {"Prefix": given.get("Prefix", "")}
    return {"And": {"Tag": tags, "Prefix": given.get("Prefix", "")}}


def _api_cors_rule(given: dict[str, Any]) -> dict[str, Any]:
    names = {
        "AllowedMethods": "AllowedMethod",
        "AllowedOrigins": "AllowedOrigin",
        "AllowedHeaders": "AllowedHeader",
        "ExposedHeaders": "ExposeHeader",
        "Id": "ID",
    }
    rule = {name: given[key] for key, name in names.items() if key in given}
    if "MaxAge" in given:
        rule["MaxAgeSeconds"] = str(given["MaxAge"])
    return rule


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
    elif backend.get_bucket(name).versioning_status == "Enabled":
        backend.put_bucket_versioning(name, "Suspended")  # a bucket is never unversioned again
    backend.put_bucket_lifecycle(name, _api_lifecycle_rules(properties))
    cors = (properties.get("CorsConfiguration") or {}).get("CorsRules") or []
    backend.put_bucket_cors(name, [_api_cors_rule(rule) for rule in cors])
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


class BucketPolicy(CloudFormationModel):
    """AWS::S3::BucketPolicy. Ref gives the bucket's name."""

    def __init__(self, bucket: str):
        self.physical_resource_id = bucket

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::S3::BucketPolicy"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        document = properties["PolicyDocument"]
        # An unquoted Version is a date in YAML.
        text = document if isinstance(document, str) else json.dumps(document, default=str)
        backend = s3_backends[account_id][get_partition(region_name)]
        backend.put_bucket_policy(properties["Bucket"], text.encode())
        return cls(properties["Bucket"])

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        return cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name
    ):
        backend = s3_backends[account_id][get_partition(region_name)]
        if resource_name in backend.buckets:
            backend.delete_bucket_policy(resource_name)
