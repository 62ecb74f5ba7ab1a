"""What the kit's requests are to IAM: places as a policy names them, tags, and what types of stacks need."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import cfnlint.data.schemas.resources

# All that the kit makes has a name that begins so.
PREFIX = "lab-"
# What a create operation needs beside its own action where it is given tags: `tagging.permissions` in the
# resource types' schemas, and "Actions, resources, and condition keys" of the services.
_TAGS = {
    "iam:CreateRole": "iam:TagRole", "iam:CreatePolicy": "iam:TagPolicy",
    "lambda:CreateFunction": "lambda:TagResource",
    "sqs:CreateQueue": "sqs:TagQueue", "sns:CreateTopic": "sns:TagResource",
    "dynamodb:CreateTable": "dynamodb:TagResource", "logs:CreateLogGroup": "logs:TagResource",
    "s3vectors:CreateVectorBucket": "s3vectors:TagResource",
    "s3vectors:CreateIndex": "s3vectors:TagResource",
    "bedrock:CreateKnowledgeBase": "bedrock:TagResource",
    "bedrock:CreateGuardrail": "bedrock:TagResource",
}  # fmt: skip
# Where the resources of a stack's types are.
_PLACES = {
    "AWS::S3::Bucket": ["arn:aws:s3:::lab-*"],
    "AWS::Lambda::LayerVersion": ["arn:aws:lambda:*:*:layer:lab-*"],
    "AWS::Lambda::": ["arn:aws:lambda:*:*:function:lab-*"],
    "AWS::IAM::Role": ["arn:aws:iam::*:role/lab-*"],
    "AWS::Logs::LogGroup": ["arn:aws:logs:*:*:log-group:/aws/lambda/lab-*"],
    "AWS::SQS::Queue": ["arn:aws:sqs:*:*:lab-*"],
    "AWS::DynamoDB::Table": ["arn:aws:dynamodb:*:*:table/lab-*"],
    "AWS::CloudFormation::Stack": ["arn:aws:cloudformation:*:*:stack/lab-*"],
}
# What only properties that no template here has would need, and two that are no actions (Service
# Authorization Reference: S3 asks for PutEncryptionConfiguration and PutLifecycleConfiguration there).
_UNUSED = re.compile(
    r"Acl|Analytics|Inventory|Metrics|Replication|Website|Accelerate|ObjectLock|Logging|Ownership|Tiering|Metadata"
    r"|Abac|CORS|Cors|CodeSigning|Recursion|Scaling|Capacity|RuntimeM|RuntimeA|Boundary|Delivery|DataProtection|Index"
    r"|Import|Insights|Kinesis|Replica|ResourcePolic|Bearer|Kms|REST|DeletionProtection|DeleteBucketEncryption|DeleteBucketLifecycle"
)


def place(resource: str) -> str:
    """A resource's ARN as a policy names it: any region and account, any name that begins as the kit's do."""
    if re.match(r"arn:aws:bedrock:[^:]*:[^:]*:(foundation-model|inference-profile)/", resource):
        # A profile leads to models, which are asked for besides.
        kind, model = resource.split(":", 5)[5].split("/")
        if kind == "inference-profile":
            return "arn:aws:bedrock:*:*:inference-profile/*"
        return f"arn:aws:bedrock:*::foundation-model/{model}"
    if PREFIX not in resource or not resource.startswith("arn:"):
        return "*"
    head = resource[: resource.index(PREFIX)].split(":", 5)
    head[3:5] = ["*" if part else "" for part in head[3:5]]
    return ":".join(head) + f"{PREFIX}*"


def with_tags(action: str, resource: str) -> Iterator[tuple[str, str]]:
    """An action on a place, and what it needs besides, as all that the kit creates is given tags."""
    yield action, resource
    if action in _TAGS:
        yield _TAGS[action], resource
    if action == "lambda:CreateEventSourceMapping":
        yield "lambda:TagResource", "arn:aws:lambda:*:*:event-source-mapping:*"


def stack_needs(template: str) -> Iterator[tuple[str, list[str]]]:
    """The actions that CloudFormation needs for a template's types, and where."""
    for kind in re.findall(r"\bType:\s*(AWS::\w+::\w+)", template):
        found = next((v for k, v in _PLACES.items() if kind.startswith(k)), ["*"])
        for action in _type_actions(kind):
            if action == "iam:PassRole":
                yield action, _PLACES["AWS::IAM::Role"]
            else:
                yield action, _PLACES["AWS::S3::Bucket"] if action.startswith("s3:") else found


@functools.cache
def _type_actions(kind: str) -> tuple[str, ...]:
    """The actions of a type's handlers in its schema: those of its own service, PassRole, S3's reads."""
    folder = Path(cfnlint.data.schemas.resources.__path__[0])
    for path in folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        if f'"typeName":"{kind}"' in text.replace('": "', '":"'):
            handlers = json.loads(text).get("handlers", {})
            break
    else:
        return ()
    own = kind.split("::")[1].lower()
    asked = {a for name in ("create", "read", "update", "delete")
             for a in handlers.get(name, {}).get("permissions", ())}  # fmt: skip
    return tuple(
        sorted(
            action for action in asked
            if not _UNUSED.search(action)
            and (action.startswith(f"{own}:") or action in ("iam:PassRole", "s3:GetObject"))
        )
    )  # fmt: skip
