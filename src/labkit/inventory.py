"""What the kit has made in the cloud in use, found by its tag, and how each kind of it is removed.

Each kind is found by listing: AWS's own search by tag doesn't know roles. Kinds stand in the order in which
they are removed.
"""

import time
from collections.abc import Iterator

from botocore.exceptions import ClientError

from . import bedrock_inventory, tagging
from .cloud_errors import refuses_keys
from .resource_kinds import Kind, NotRemoved, asked, by, client, pages, tagged

_WAIT_S, _LOOK_S = 600, 0.5


def _stacks() -> Iterator[str]:
    for stack in pages("cloudformation", "describe_stacks", "Stacks"):
        # A link of `lab publish` can't give its stack tags: the kit's templates say whose it is.
        by_template = tagging.MARK in stack.get("Description", "")
        ours = by_template or tagging.is_ours(stack.get("Tags", []))
        # A nested stack goes with the one that made it.
        if ours and not stack.get("ParentId"):
            yield stack["StackName"]


def _remove_stack(name: str) -> None:
    cfn = client("cloudformation")
    identifier = cfn.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    deadline = time.monotonic() + _WAIT_S
    asked = False
    while time.monotonic() < deadline:
        stack = cfn.describe_stacks(StackName=identifier)["Stacks"][0]
        status = stack["StackStatus"]
        if status == "DELETE_COMPLETE":
            return
        if status == "DELETE_FAILED" and asked:
            raise NotRemoved(f"{status}: {stack.get('StackStatusReason', 'no reason given')}")
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            _empty_buckets_of(name)
            cfn.delete_stack(StackName=name)
            asked = True
        time.sleep(_LOOK_S)
    raise NotRemoved(f"still {status} after {_WAIT_S} s")


def _empty_buckets_of(stack: str) -> None:
    for resource in client("cloudformation").describe_stack_resources(StackName=stack)[
        "StackResources"
    ]:
        if resource["ResourceType"] == "AWS::S3::Bucket" and resource.get("PhysicalResourceId"):
            empty_bucket(resource["PhysicalResourceId"])


def _event_source_mappings() -> Iterator[str]:
    for mapping in pages("lambda", "list_event_source_mappings", "EventSourceMappings"):
        arn = mapping.get("EventSourceMappingArn")
        if arn and tagged("lambda", "list_tags", "Tags", Resource=arn):
            yield mapping["UUID"]


def _functions() -> Iterator[str]:
    for function in pages("lambda", "list_functions", "Functions"):
        if tagged("lambda", "list_tags", "Tags", Resource=function["FunctionArn"]):
            yield function["FunctionName"]


def _remove_function(name: str) -> None:
    client("lambda").delete_function(FunctionName=name)
    # Lambda makes this log group itself, and gives it no tags. Another one that the function was told to
    # write to may be somebody's.
    try:
        client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")
    except client("logs").exceptions.ResourceNotFoundException:
        pass


def _layer_versions() -> Iterator[str]:
    for layer in pages("lambda", "list_layers", "Layers"):
        for version in pages(
            "lambda", "list_layer_versions", "LayerVersions", LayerName=layer["LayerName"]
        ):
            if tagging.MARK in version.get("Description", ""):
                yield f"{layer['LayerName']}:{version['Version']}"


def _remove_layer_version(name: str) -> None:
    layer, _, version = name.rpartition(":")
    client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))


def _usage_plans() -> Iterator[str]:
    for plan in pages("apigateway", "get_usage_plans", "items"):
        if tagging.is_ours(plan.get("tags", {})):
            yield plan["id"]


def _remove_usage_plan(plan_id: str) -> None:
    gateway = client("apigateway")
    # A plan with stages can't be deleted.
    stages = gateway.get_usage_plan(usagePlanId=plan_id).get("apiStages", [])
    names = [f"{stage['apiId']}:{stage['stage']}" for stage in stages]
    patch = [{"op": "remove", "path": "/apiStages", "value": name} for name in names]
    if patch:
        gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=patch)
    gateway.delete_usage_plan(usagePlanId=plan_id)


def _api_keys() -> Iterator[str]:
    for key in pages("apigateway", "get_api_keys", "items"):
        if tagging.is_ours(key.get("tags", {})):
            yield key["id"]


def _rest_apis() -> Iterator[str]:
    for api in pages("apigateway", "get_rest_apis", "items"):
        if tagging.is_ours(api.get("tags", {})):
            yield api["id"]


def _apis() -> Iterator[str]:
    for api in pages("apigatewayv2", "get_apis", "Items"):
        if tagging.is_ours(api.get("Tags", {})):
            yield api["ApiId"]


def _buckets() -> Iterator[str]:
    hidden = None
    for bucket in client("s3").list_buckets()["Buckets"]:
        try:
            if tagged("s3", "get_bucket_tagging", "TagSet", Bucket=bucket["Name"]):
                yield bucket["Name"]
        except ClientError as error:
            # A bucket's own policy may refuse everybody: the others are looked at all the same.
            if refuses_keys(error):
                raise
            hidden = error
    if hidden:
        raise hidden


def _remove_bucket(name: str) -> None:
    empty_bucket(name)
    client("s3").delete_bucket(Bucket=name)


def empty_bucket(name: str) -> None:
    """Delete every version of every object, if the bucket is there. Raises NotRemoved where one stays."""
    s3 = client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = page.get("Versions", []) + page.get("DeleteMarkers", [])
            objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
            if objects:
                answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
                for error in answer.get("Errors", []):
                    raise NotRemoved(f"s3://{name}/{error['Key']}: {error['Message']}")
    except s3.exceptions.NoSuchBucket:
        pass


def _queues() -> Iterator[str]:
    for url in pages("sqs", "list_queues", "QueueUrls"):
        if tagged("sqs", "list_queue_tags", "Tags", QueueUrl=url):
            yield url


def _topics() -> Iterator[str]:
    for topic in pages("sns", "list_topics", "Topics"):
        arn = topic["TopicArn"]
        if tagged("sns", "list_tags_for_resource", "Tags", ResourceArn=arn):
            yield arn


def _tables() -> Iterator[str]:
    for name in pages("dynamodb", "list_tables", "TableNames"):
        found = asked("dynamodb", "describe_table", TableName=name)
        arn = found and found["Table"]["TableArn"]
        if arn and tagged("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=arn):
            yield name


def _log_groups() -> Iterator[str]:
    for group in pages("logs", "describe_log_groups", "logGroups"):
        arn = group["arn"].removesuffix(":*")
        if tagged("logs", "list_tags_for_resource", "tags", resourceArn=arn):
            yield group["logGroupName"]


def _policies() -> Iterator[str]:
    for policy in pages("iam", "list_policies", "Policies", Scope="Local"):
        if tagged("iam", "list_policy_tags", "Tags", PolicyArn=policy["Arn"]):
            yield policy["Arn"]


def _remove_policy(arn: str) -> None:
    iam = client("iam")
    for role in pages("iam", "list_entities_for_policy", "PolicyRoles", PolicyArn=arn):
        iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def _roles() -> Iterator[str]:
    for role in pages("iam", "list_roles", "Roles"):
        if role["Path"].startswith("/aws-service-role/"):
            continue
        if tagged("iam", "list_role_tags", "Tags", RoleName=role["RoleName"]):
            yield role["RoleName"]


def _remove_role(name: str) -> None:
    iam = client("iam")
    for policy in pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in pages("iam", "list_role_policies", "PolicyNames", RoleName=name):
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


KINDS = (
    Kind("stack", _stacks, _remove_stack),
    Kind(
        "event source mapping",
        _event_source_mappings,
        by("lambda", "delete_event_source_mapping", "UUID"),
    ),
    *bedrock_inventory.KINDS,
    Kind("usage plan", _usage_plans, _remove_usage_plan),
    Kind("API key", _api_keys, by("apigateway", "delete_api_key", "apiKey")),
    Kind("REST API", _rest_apis, by("apigateway", "delete_rest_api", "restApiId")),
    Kind("HTTP or WebSocket API", _apis, by("apigatewayv2", "delete_api", "ApiId")),
    Kind("function", _functions, _remove_function),
    Kind("layer version", _layer_versions, _remove_layer_version),
    Kind("bucket", _buckets, _remove_bucket),
    Kind("queue", _queues, by("sqs", "delete_queue", "QueueUrl")),
    Kind("topic", _topics, by("sns", "delete_topic", "TopicArn")),
    Kind("table", _tables, by("dynamodb", "delete_table", "TableName")),
    Kind("log group", _log_groups, by("logs", "delete_log_group", "logGroupName")),
    Kind("policy", _policies, _remove_policy),
    Kind("role", _roles, _remove_role),
)
