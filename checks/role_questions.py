"""What the resizer's role is asked in stage 07: calls that are made, and pairs of action and resource.

Actions and the resources they are for: "Actions, resources, and condition keys for AWS services" in the
Service Authorization Reference.
"""

import re
import time
from dataclasses import dataclass

from .deployment import Deployment
from .role_probe import Call

_READ_OBJECT = (
    "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectTagging",
    "s3:GetObjectAttributes", "s3:GetObjectRetention", "s3:GetObjectLegalHold",
)  # fmt: skip
_CHANGE_OBJECT = (
    "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging", "s3:PutObjectRetention",
    "s3:PutObjectLegalHold", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteObjectTagging",
    "s3:RestoreObject", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention",
)  # fmt: skip
_OBJECT = _READ_OBJECT + _CHANGE_OBJECT
_BUCKET = (
    "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketPolicy",
    "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketNotification", "s3:GetEncryptionConfiguration",
    "s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketNotification", "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration", "s3:PutBucketPublicAccessBlock", "s3:CreateBucket", "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
)  # fmt: skip
_WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
_OTHER_LOGS = (
    "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:DescribeLogStreams",
    "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "logs:PutRetentionPolicy",
    "logs:PutSubscriptionFilter", "logs:PutMetricFilter",
)  # fmt: skip
# Services at large, by resources that nobody has named anywhere.
_AT_LARGE = {
    "*": (
        "s3:ListAllMyBuckets", "iam:ListUsers", "iam:ListRoles", "ec2:RunInstances", "logs:DescribeLogGroups",
        "lambda:ListFunctions", "sts:GetSessionToken", "cloudwatch:PutMetricData", "kms:CreateKey",
        "organizations:ListAccounts", "xray:PutTraceSegments", "bedrock:ListFoundationModels",
    ),
    "arn:{p}:iam::{a}:user/somebody": ("iam:CreateUser", "iam:CreateAccessKey", "iam:PutUserPolicy"),
    "arn:{p}:iam::{a}:role/somerole": ("iam:PassRole", "iam:AttachRolePolicy", "sts:AssumeRole"),
    "arn:{p}:lambda:{r}:{a}:function:other": (
        "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:AddPermission", "lambda:GetFunction",
    ),
    "arn:{p}:sqs:{r}:{a}:jobs": ("sqs:SendMessage", "sqs:ReceiveMessage"),
    "arn:{p}:sns:{r}:{a}:news": ("sns:Publish",),
    "arn:{p}:dynamodb:{r}:{a}:table/people": ("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:PutItem"),
    "arn:{p}:kms:{r}:{a}:key/1234": ("kms:Decrypt", "kms:GenerateDataKey"),
    "arn:{p}:secretsmanager:{r}:{a}:secret:door-1": ("secretsmanager:GetSecretValue",),
    "arn:{p}:ssm:{r}:{a}:parameter/door": ("ssm:GetParameter",),
    "arn:{p}:events:{r}:{a}:rule/nightly": ("events:PutRule",),
    "arn:{p}:cloudformation:{r}:{a}:stack/all/1": ("cloudformation:CreateStack",),
}  # fmt: skip


def unfilled(text: str) -> str:
    """The first ${Word} of a policy. IAM's own policy variables have a colon: ${aws:username}."""
    found = re.search(r"\$\{[^:}*?$]+\}", text)
    return found[0] if found else ""


@dataclass(frozen=True)
class Places:
    """The buckets and the log group that a policy is about, and their neighbours."""

    source: str
    destination: str
    other: str
    group: str
    deployment: Deployment

    @property
    def other_group(self) -> str:
        """A group whose name begins like the function's."""
        return f"{self.group}-other"

    def get(self, key: str, words: str, bucket: str = "") -> Call:
        """Read an object, of the source bucket if no other is named."""
        bucket = bucket or self.source
        parameters = {"Bucket": bucket, "Key": key}
        return Call("s3:GetObject", self._s3(bucket, key), "get_object", parameters, words)

    def put(self, key: str, words: str, bucket: str = "") -> Call:
        """Write an object, to the destination bucket if no other is named."""
        bucket = bucket or self.destination
        parameters = {"Bucket": bucket, "Key": key, "Body": "1"}
        return Call("s3:PutObject", self._s3(bucket, key), "put_object", parameters, words)

    def log(self, group: str, stream: str, words: str) -> list[Call]:
        """Make a stream in a log group, and write to it."""
        resource = self._log_group(group, f"log-stream:{stream}")
        name = {"logGroupName": group, "logStreamName": stream}
        now = [{"timestamp": int(time.time() * 1000), "message": "a line"}]
        written = name | {"logEvents": now}
        return [
            Call("logs:CreateLogStream", resource, "create_log_stream", name, words),
            Call("logs:PutLogEvents", resource, "put_log_events", written, words),
        ]

    def source_calls(self) -> list[Call]:
        """What a resizer must not do in the source bucket."""
        return [
            self._list(self.source, "the source bucket"),
            self._delete(self.source, "raw/a/b c.jpg", "an object below raw/ of the source bucket"),
            self.get("private/a.jpg", "an object outside raw/ of the source bucket"),
            self.get("rawest.jpg", "rawest.jpg in the source bucket"),
            self.put("raw/a.jpg", "an object below raw/ of the source bucket", self.source),
            self.put("thumbnails/a.jpg", "thumbnails/ of the source bucket", self.source),
        ]

    def source_questions(self):
        """Pairs of actions and resources in the source bucket."""
        inside, outside = self._keys(self.source, "raw/")
        others = [action for action in _OBJECT if action != "s3:GetObject"]
        return [(others, [inside]), (_OBJECT, outside), (_BUCKET, [self._s3(self.source)])]

    def destination_calls(self) -> list[Call]:
        """What a resizer must not do in the destination bucket."""
        place = "the destination bucket"
        return [
            self._list(self.destination, place),
            self._delete(self.destination, "thumbnails/a/b c.jpg", f"thumbnails/ of {place}"),
            self.get("thumbnails/a/b c.jpg", f"thumbnails/ of {place}", self.destination),
            self.put("private/a.jpg", f"an object outside thumbnails/ of {place}"),
        ]

    def destination_questions(self):
        """Pairs of actions and resources in the destination bucket."""
        inside, outside = self._keys(self.destination, "thumbnails/")
        others = [action for action in _OBJECT if action != "s3:PutObject"]
        return [(others, [inside]), (_OBJECT, outside), (_BUCKET, [self._s3(self.destination)])]

    def log_questions(self):
        """Pairs of actions and resources of logs."""
        own = [self._log_group(self.group), self._log_group(self.group, "log-stream:stream")]
        elsewhere = "eu-west-3" if self.deployment.region != "eu-west-3" else "eu-west-1"
        others = [
            self._log_group(self.other_group, "log-stream:theirs"),
            self._log_group("/aws/lambda/another", "log-stream:theirs"),
            self._log_group("shop", "log-stream:theirs"),
            self._log_group(self.group, "log-stream:stream", region=elsewhere),
        ]
        return [(_OTHER_LOGS, own), (_WRITE_LOGS + _OTHER_LOGS, others)]

    def other_calls(self) -> list[Call]:
        """Another bucket, all buckets, and IAM."""
        return [
            self.get("raw/a/b c.jpg", "raw/ of another bucket", self.other),
            self.put("thumbnails/a.jpg", "thumbnails/ of another bucket", self.other),
            Call("s3:ListAllMyBuckets", "*", "list_buckets", {}, "the account"),
            Call("iam:ListUsers", "*", "list_users", {}, "the account"),
        ]

    def other_questions(self):
        """Pairs of actions and resources of other buckets and other services."""
        buckets = (self.other, f"{self.destination}-other", "somebody-elses-album")
        keys = [self._s3(bucket, key) for bucket in buckets for key in ("raw/a", "thumbnails/a")]
        made = self.deployment
        values = {"p": made.partition, "r": made.region, "a": made.account}
        services = [
            (actions, [resource.format_map(values)]) for resource, actions in _AT_LARGE.items()
        ]
        return [(_OBJECT, keys), (_BUCKET, [self._s3(bucket) for bucket in buckets]), *services]

    def _list(self, bucket: str, words: str) -> Call:
        return Call("s3:ListBucket", self._s3(bucket), "list_objects_v2", {"Bucket": bucket}, words)

    def _delete(self, bucket: str, key: str, words: str) -> Call:
        parameters = {"Bucket": bucket, "Key": key}
        return Call("s3:DeleteObject", self._s3(bucket, key), "delete_object", parameters, words)

    def _keys(self, bucket: str, prefix: str) -> tuple[str, list[str]]:
        """The ARN of an object below the prefix, and those of some that are not."""
        word = prefix.rstrip("/")
        outside = (
            word,
            f"{word}-old/a.jpg",
            f"{word}a.jpg",
            f"a/{prefix}b.jpg",
            "a.jpg",
            "private/a.jpg",
        )
        others = {"raw/": "thumbnails/a.jpg", "thumbnails/": "raw/a.jpg"}
        keys = [*outside, others[prefix]]
        return self._s3(bucket, f"{prefix}a/b.jpg"), [self._s3(bucket, key) for key in keys]

    def _s3(self, bucket: str, key: str = "") -> str:
        path = f"{bucket}/{key}" if key else bucket
        return f"arn:{self.deployment.partition}:s3:::{path}"

    def _log_group(self, name: str, rest: str = "", region: str = "") -> str:
        made = self.deployment
        head = f"arn:{made.partition}:logs:{region or made.region}:{made.account}:log-group:{name}"
        return f"{head}:{rest}" if rest else f"{head}:log-stream:"
