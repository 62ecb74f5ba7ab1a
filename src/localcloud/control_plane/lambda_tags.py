"""Tags of functions and event source mappings."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaFunction

from .lambda_checks import check_tag_count
from .lambda_errors import LambdaError, invalid_parameter, not_found
from .lambda_lookup import Call


def list_tags(call: Call) -> dict[str, Any]:
    """ListTags."""
    return {"Tags": dict(_tagged(call).tags)}


def tag_resource(call: Call) -> None:
    """TagResource."""
    resource = _tagged(call)
    if not call.parameters["Tags"]:
        raise invalid_parameter("An error occurred and the request cannot be processed.")
    tags = {**resource.tags, **call.parameters["Tags"]}
    check_tag_count(tags)
    resource.tags = tags


def untag_resource(call: Call) -> None:
    """UntagResource; keys that aren't there are no fault."""
    resource = _tagged(call)
    keys = call.parameters["TagKeys"]
    resource.tags = {key: value for key, value in resource.tags.items() if key not in keys}


def _tagged(call: Call) -> LambdaFunction | EventSourceMapping:
    arn = call.parameters["Resource"]
    if ":event-source-mapping:" in arn:
        mapping = call.backend.get_event_source_mapping(arn.rpartition(":")[2])
        if mapping is None:
            raise not_found()
        return mapping
    if ":function:" not in arn:
        raise LambdaError("UnknownOperationException", f"localcloud keeps no tags of {arn}")
    name, qualifier = call.split(arn)
    if qualifier:
        raise invalid_parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return call.function(name)


OPERATIONS = {
    "ListTags": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
