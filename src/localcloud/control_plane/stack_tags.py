"""The tags that a stack gives to what it makes: its own, and those that say which stack made it.

"CloudFormation resource tagging" in the CloudFormation Template Reference. Which types take which, and in
which property, is `tagging` in their schemas. A template's tag of the same key wins (UNCONFIRMED).
"""

from __future__ import annotations

import functools
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack

from .stack_names import made_for

# Types that take the stack's own tags and the three of CloudFormation.
_TAGGED = frozenset({
    "AWS::ApiGateway::ApiKey", "AWS::ApiGateway::DomainName", "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage", "AWS::ApiGateway::UsagePlan", "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Stage", "AWS::Budgets::Budget",
    "AWS::Events::Rule", "AWS::Kinesis::Stream", "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SNS::Topic",
    "AWS::SSM::Parameter", "AWS::StepFunctions::StateMachine",
})  # fmt: skip
# Types that take the stack's own alone.
_OWN_ALONE = frozenset({
    "AWS::CloudFormation::Stack", "AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::IAM::User",
    "AWS::SQS::Queue",
})  # fmt: skip
_AS_MAP = frozenset({
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Stage",
    "AWS::SSM::Parameter",
})  # fmt: skip
_PROPERTIES = {"AWS::Budgets::Budget": "ResourceTags"}


def of(stack: Stack, resource_type: str, logical_id: str) -> dict[str, str]:
    """What a resource of the stack is tagged with, beside its template's tags."""
    if resource_type not in _TAGGED | _OWN_ALONE:
        return {}
    own = dict(stack.tags or {})
    if resource_type in _OWN_ALONE:
        return own
    prefix = "aws:cloudformation:"
    return own | {
        f"{prefix}logical-id": logical_id,
        f"{prefix}stack-id": stack.stack_id,
        f"{prefix}stack-name": stack.name,
    }


def install() -> None:
    """Have moto make resources with these tags. May be called more than once."""
    moto_parse = parsing.parse_resource_and_generate_name
    if hasattr(moto_parse, "__wrapped__"):
        return

    @functools.wraps(moto_parse)
    def parse_resource_and_generate_name(logical_id, resource_json, resources_map):
        parsed = moto_parse(logical_id, resource_json, resources_map)
        record = made_for(logical_id)
        if parsed and record and record.stack_tags:
            _add(record.stack_tags, parsed[1]["Properties"], record.resource_type)
        return parsed

    parsing.parse_resource_and_generate_name = parse_resource_and_generate_name


def _add(tags: dict[str, str], properties: dict[str, Any], resource_type: str) -> None:
    name = _PROPERTIES.get(resource_type, "Tags")
    given = properties.get(name)
    if resource_type in _AS_MAP:
        properties[name] = tags | (given or {})
        return
    known = {tag["Key"] for tag in given or []}
    added = [{"Key": key, "Value": value} for key, value in tags.items() if key not in known]
    properties[name] = [*(given or []), *added]
