"""What stands behind resources, read from moto: their policies, their tags, and whether they exist."""

from moto.kms.models import kms_backends
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ..policies import Policy
from . import principals
from .backends import backend_of
from .lambda_errors import LambdaError
from .lambda_lookup import Call

_PARTITION = "aws"
_S3 = "arn:aws:s3:::"


def bucket_exists(bucket: str, account_id: str) -> bool:
    """Whether the account has this bucket."""
    return _bucket(bucket, account_id) is not None


def object_exists(bucket: str, key: str, account_id: str) -> bool:
    """Whether the bucket holds the key, a delete marker counting as none."""
    return _object(bucket, key, account_id) is not None


def is_public(bucket: str, key: str, action: str, account_id: str) -> bool:
    """Whether an access control list lets everybody do this: read an object, list a bucket."""
    if action in ("s3:GetObject", "s3:GetObjectVersion"):
        found = _object(bucket, key, account_id)
    else:
        found = _bucket(bucket, account_id) if action == "s3:ListBucket" else None
    return bool(found and found.acl and found.acl.public_read)


def object_tags(bucket: str, key: str, account_id: str) -> dict[str, str]:
    """An object's tags."""
    found = _object(bucket, key, account_id)
    if found is None:
        return {}
    return _s3(account_id).tagger.get_tag_dict_for_resource(found.arn)


def resource_tags(arn: str, account_id: str) -> dict[str, str]:
    """The tags of a function, queue, user, role or bucket; none of what is not known here."""
    service, region = arn.split(":")[2:4] if arn.startswith("arn:") else ("", "")
    if service == "iam":
        return principals.entity_tags(arn, account_id)
    if service == "s3" and "/" not in arn:
        return _s3(account_id).tagger.get_tag_dict_for_resource(arn)
    if service == "lambda" and ":function:" in arn:
        # Versions and aliases have no tags of their own.
        function = _function(":".join(arn.split(":")[:7]), account_id, region)
        return dict(function.tags or {}) if function else {}
    if service == "sqs":
        queue = sqs_backends[account_id][region].queues.get(arn.rpartition(":")[2])
        return dict(queue.tags or {}) if queue else {}
    return {}


def resource_policy(arn: str, account_id: str) -> Policy | None:
    """The policy on a bucket (or its object), function, queue, topic or key; None without one."""
    if arn.startswith(_S3):
        bucket = _bucket(arn[len(_S3) :].partition("/")[0], account_id)
        return Policy(bucket.policy.decode()) if bucket and bucket.policy else None
    parts = arn.split(":")
    if len(parts) < 6:
        return None
    service, region, name = parts[2], parts[3], parts[5]
    if service == "lambda":
        function = _function(arn, account_id, region)
        has_policy = function is not None and function.policy.statements
        return (
            Policy({"Version": "2012-10-17", "Statement": function.policy.statements})
            if has_policy
            else None
        )
    if service == "sqs":
        queue = sqs_backends[account_id][region].queues.get(name)
        return Policy(queue.policy) if queue and queue.policy else None
    if service == "sns":
        topic = sns_backends[account_id][region].topics.get(arn)
        return Policy(topic.policy) if topic else None
    if service == "kms":
        key = kms_backends[account_id][region].keys.get(name.partition("/")[2])
        return Policy(key.policy) if key else None
    return None


def destination_exists(arn: str, account_id: str) -> bool:
    """Whether there is this function, queue or topic."""
    _, _, service, region, _, name = arn.split(":", 5)
    if service == "lambda":
        return _function(arn, account_id, region) is not None
    if service == "sqs":
        return name in sqs_backends[account_id][region].queues
    return arn in sns_backends[account_id][region].topics


def key_arn(arn: str, account_id: str) -> str:
    """The ARN of a KMS key by its own ARN or an alias's; as it is where there is none."""
    region, name = arn.split(":")[3], arn.split(":", 5)[5].removeprefix("key/")
    backend = kms_backends[account_id][region]
    for key in backend.keys.values():
        if name in key.aliases:
            return key.arn
    return arn


def _function(arn: str, account_id: str, region: str):
    """The function, version or alias: each has a policy of its own."""
    call = Call(account_id, region, {})
    try:
        return call.find(*call.split(arn))
    except LambdaError:
        return None


def _s3(account_id: str):
    return backend_of(s3_backends, account_id, _PARTITION)


def _bucket(name: str, account_id: str) -> FakeBucket | None:
    return _s3(account_id).buckets.get(name)


def _object(bucket: str, key: str, account_id: str) -> FakeKey | None:
    found = _bucket(bucket, account_id)
    newest = found.keys.get(key) if found else None
    return None if newest is None or isinstance(newest, FakeDeleteMarker) else newest
