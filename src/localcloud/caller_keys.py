"""The condition keys that callers and resources give; those of the request's parameters are in
request_keys.
"""

from datetime import UTC, datetime

from .actions import ApiRequest, Need, Scope
from .control_plane import resources
from .control_plane.principals import Principal

_S3 = "arn:aws:s3:::"


def caller_keys(
    principal: Principal, scope: Scope, request: ApiRequest, account_id: str
) -> dict[str, str | list[str]]:
    """The condition keys that every request has (IAM User Guide, "AWS global condition context
    keys").
    """
    now = datetime.now(UTC)
    caller = principal.caller
    context = {
        "aws:PrincipalType": principal.kind,
        "aws:userid": principal.user_id,
        "aws:RequestedRegion": scope.region,
        "aws:SourceIp": "127.0.0.1",
        # The way to this computer's own port stands for AWS's HTTPS: a policy that refuses
        # plain HTTP has to work here as it does there.
        "aws:SecureTransport": "true",
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
    }
    if caller.arn:
        context["aws:PrincipalArn"] = caller.role_arn or caller.arn
        context["aws:PrincipalAccount"] = account_id
        context |= {f"aws:PrincipalTag/{k}": v for k, v in principal.tags.items()}
    if principal.kind == "User":
        context["aws:username"] = principal.name
    if principal.is_temporary:
        # Long-term keys have no such key at all; nobody has a second factor here.
        context["aws:MultiFactorAuthPresent"] = "false"
    if principal.function_arn:
        context["lambda:SourceFunctionArn"] = principal.function_arn
    for header, key in (("user-agent", "aws:UserAgent"), ("referer", "aws:Referer")):
        if header in request.headers:
            context[key] = request.headers[header]
    return context


def resource_keys(need: Need, account_id: str) -> dict[str, str]:
    """The condition keys that the resource itself gives: its tags and its account."""
    if not need.resource.startswith("arn:"):
        return {}
    keys = {"aws:ResourceAccount": need.resource.split(":")[4] or account_id}
    if need.action.startswith("s3:"):
        keys["s3:ResourceAccount"] = account_id
        bucket, _, key = need.resource[len(_S3) :].partition("/")
        if key:
            tags = resources.object_tags(bucket, key, account_id)
            return keys | {f"s3:ExistingObjectTag/{k}": v for k, v in tags.items()}
    tags = resources.resource_tags(need.resource, account_id)
    keys |= {f"aws:ResourceTag/{name}": value for name, value in tags.items()}
    if need.action.startswith("iam:"):
        keys |= {f"iam:ResourceTag/{name}": value for name, value in tags.items()}
    return keys
