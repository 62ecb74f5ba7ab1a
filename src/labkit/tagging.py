"""The kit's tag on all that it makes, by which `lab destroy` finds it again.

What boto3's default session creates is tagged: an operation named Create… whose request can hold tags gets
the kit's, beside those that are given. So a cell or a check reads as anybody would write it.
"""

from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import OperationModel, Shape

KEY, VALUE = "project", "serverless-lab-kit"
# Stands in the description of layer versions, which have no tags (AWS Lambda Developer Guide, "Using tags"),
# and in that of each template, because a quick-create link has no tags for its stack.
MARK = f"[{VALUE}]"
_FIELDS = ("Tags", "tags", "UserPoolTags")
# Descriptions of services, read once for all sessions, and for processes that are forked from this one.
_loader = create_loader()
_NEW_BUCKET = "labkit_new_bucket"
_MAX_DESCRIPTION = 256


def install() -> None:
    """Make a default session for boto3 that tags; clients made from now on use it."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader)
    session.register("before-parameter-build", _tag)
    session.register("before-parameter-build.lambda.PublishLayerVersion", _describe)
    session.register("before-parameter-build.s3.CreateBucket", _remember)
    session.register("after-call.s3.CreateBucket", _tag_bucket)
    session.register("after-call.apigatewayv2.ImportApi", _tag_api)
    boto3.setup_default_session(botocore_session=session)


def is_ours(tags: Any) -> bool:
    """Whether tags hold the kit's: a mapping, or a list of Key and Value."""
    if isinstance(tags, dict):
        return tags.get(KEY) == VALUE
    return any(
        (t.get("Key") or t.get("key")) == KEY and (t.get("Value") or t.get("value")) == VALUE
        for t in tags
    )


def _tag(params: Any, model: OperationModel, **_: Any) -> None:
    if not model.name.startswith("Create") or not isinstance(params, dict) or not model.input_shape:
        return
    for field in _FIELDS:
        shape = model.input_shape.members.get(field)
        if shape is not None:
            params[field] = _with_ours(params.get(field), shape)


def _with_ours(given: Any, shape: Shape) -> Any:
    if shape.type_name == "map":
        return {KEY: VALUE, **(given or {})}
    key, value = ("Key", "Value") if "Key" in shape.member.members else ("key", "value")
    if any(each.get(key) == KEY for each in given or []):
        return given
    return [*(given or []), {key: KEY, value: VALUE}]


def _describe(params: dict[str, Any], **_: Any) -> None:
    words = params.get("Description", "")
    if MARK not in words and len(words) + len(MARK) < _MAX_DESCRIPTION:
        params["Description"] = f"{words} {MARK}".strip()


def _remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Note a bucket that is to be made, with the tags that it will have. In us-east-1 CreateBucket says 200
    of a bucket that the caller has already (S3 API reference, BucketAlreadyOwnedByYou): that one stays as
    it is.
    """
    bucket = params.get("Bucket")
    try:
        boto3.client("s3").get_bucket_tagging(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            given = params.get("CreateBucketConfiguration", {}).get("Tags", [])
            tags = {KEY: VALUE} | {tag["Key"]: tag["Value"] for tag in given}
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            context[_NEW_BUCKET] = {"Bucket": bucket, "Tagging": {"TagSet": listed}}


def _tag_bucket(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _NEW_BUCKET in context and "Error" not in parsed:
        boto3.client("s3").put_bucket_tagging(**context[_NEW_BUCKET])


def _tag_api(parsed: dict[str, Any], **_: Any) -> None:
    if "ApiId" in parsed:
        apis = boto3.client("apigatewayv2")
        place = f"arn:{apis.meta.partition}:apigateway:{apis.meta.region_name}::/apis"
        apis.tag_resource(ResourceArn=f"{place}/{parsed['ApiId']}", Tags={KEY: VALUE})
