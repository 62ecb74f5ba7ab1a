"""Tags of guardrails, agents, their aliases, knowledge bases, and S3 Vectors' buckets and indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ..control_plane.foundation_model_records import records
from .calls import Call
from .errors import not_found
from .vector_buckets import tags_of

_KINDS = {"guardrail": "guardrails", "agent": "agents", "knowledge-base": "knowledge_bases"}


def tag(call: Call) -> Mapping[str, Any]:
    """TagResource. Bedrock takes a list of tags, the others a mapping."""
    _tags(call).update(as_mapping(call.get("tags")))
    return {}


def untag(call: Call) -> Mapping[str, Any]:
    """UntagResource."""
    for key in call.get("tagKeys"):
        _tags(call).pop(key, None)
    return {}


def list_as_mapping(call: Call) -> Mapping[str, Any]:
    """ListTagsForResource of Bedrock Agents and S3 Vectors."""
    return {"tags": dict(_tags(call))}


def list_as_list(call: Call) -> Mapping[str, Any]:
    """ListTagsForResource of Bedrock."""
    return {"tags": [{"key": key, "value": value} for key, value in _tags(call).items()]}


def as_mapping(given: Mapping[str, str] | list[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags by key, of either form in which requests give them."""
    if isinstance(given, list):
        return {each["key"]: each["value"] for each in given}
    return dict(given or {})


def _tags(call: Call) -> dict[str, str]:
    arn = unquote(call.get("resourceArn") or call.get("resourceARN"))
    if arn.startswith("arn:aws:s3vectors:"):
        return tags_of(call, arn)
    _, _, resource = arn.rpartition(":")
    kind, _, name = resource.partition("/")
    if kind == "agent-alias":
        agent_id, _, alias_id = name.partition("/")
        agent = records("agents", call.account_id, call.region).get(agent_id, {})
        found = agent.get("aliases", {}).get(alias_id)
    else:
        kept = records(_KINDS[kind], call.account_id, call.region) if kind in _KINDS else {}
        found = kept.get(name)
    if found is None:  # UNCONFIRMED
        raise not_found(f"The resource {arn} does not exist")
    return found.setdefault("tags", {})


OPERATIONS = {
    ("bedrock", "TagResource"): tag,
    ("bedrock", "UntagResource"): untag,
    ("bedrock", "ListTagsForResource"): list_as_list,
    ("bedrock-agent", "TagResource"): tag,
    ("bedrock-agent", "UntagResource"): untag,
    ("bedrock-agent", "ListTagsForResource"): list_as_mapping,
    ("s3vectors", "TagResource"): tag,
    ("s3vectors", "UntagResource"): untag,
    ("s3vectors", "ListTagsForResource"): list_as_mapping,
}
