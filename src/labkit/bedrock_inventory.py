"""What the kit has made of Bedrock's agents, knowledge bases and guardrails, and in S3 Vectors.

Bedrock and S3 Vectors answer before something has gone: it is looked at until it has (status DELETING).
A data source has no tags, and goes with its knowledge base; an index goes with its bucket, as objects do.
"""

import time
from collections.abc import Iterator

from .resource_kinds import Kind, NotRemoved, asked, by, client, pages, tagged

_WAIT_S, _LOOK_S = 300, 0.5
# Every agent has this alias, which can't be deleted.
_TEST_ALIAS = "TSTALIASID"
# What an update of a data source has to say again.
_UPDATED = ("name", "description", "dataSourceConfiguration", "vectorIngestionConfiguration")


def _is_ours(arn: str) -> bool:
    return tagged("bedrock-agent", "list_tags_for_resource", "tags", resourceArn=arn)


def _agents() -> Iterator[str]:
    for summary in pages("bedrock-agent", "list_agents", "agentSummaries"):
        found = asked("bedrock-agent", "get_agent", agentId=summary["agentId"])
        if found and _is_ours(found["agent"]["agentArn"]):
            yield summary["agentId"]


def _remove_agent(agent_id: str) -> None:
    agents = client("bedrock-agent")
    for alias in pages(
        "bedrock-agent", "list_agent_aliases", "agentAliasSummaries", agentId=agent_id
    ):
        if alias["agentAliasId"] != _TEST_ALIAS:
            agents.delete_agent_alias(agentId=agent_id, agentAliasId=alias["agentAliasId"])
    # Aliases that are still going away don't hold it.
    agents.delete_agent(agentId=agent_id, skipResourceInUseCheck=True)
    _until_gone("get_agent", "agent", "agentStatus", agentId=agent_id)


def _knowledge_bases() -> Iterator[str]:
    for summary in pages("bedrock-agent", "list_knowledge_bases", "knowledgeBaseSummaries"):
        base_id = summary["knowledgeBaseId"]
        found = asked("bedrock-agent", "get_knowledge_base", knowledgeBaseId=base_id)
        if found and _is_ours(found["knowledgeBase"]["knowledgeBaseArn"]):
            yield base_id


def _remove_knowledge_base(base_id: str) -> None:
    client("bedrock-agent").delete_knowledge_base(knowledgeBaseId=base_id)
    _until_gone("get_knowledge_base", "knowledgeBase", "status", knowledgeBaseId=base_id)


def _data_sources() -> Iterator[str]:
    for base_id in _knowledge_bases():
        for source in pages(
            "bedrock-agent", "list_data_sources", "dataSourceSummaries", knowledgeBaseId=base_id
        ):
            yield f"{base_id}/{source['dataSourceId']}"


def _remove_data_source(name: str) -> None:
    base_id, source_id = name.split("/")
    place = {"knowledgeBaseId": base_id, "dataSourceId": source_id}
    agents = client("bedrock-agent")
    agents.delete_data_source(**place)
    try:
        _until_gone("get_data_source", "dataSource", "status", **place)
    except NotRemoved:
        # Its index is gone already, or its role: AWS advises to leave the vectors ("Delete a data source from
        # your Amazon Bedrock knowledge base"). An index of the kit's goes next.
        source = agents.get_data_source(**place)["dataSource"]
        kept = {name: source[name] for name in _UPDATED if name in source}
        agents.update_data_source(**place, **kept, dataDeletionPolicy="RETAIN")
        agents.delete_data_source(**place)
        _until_gone("get_data_source", "dataSource", "status", **place)


def _until_gone(operation: str, field: str, status: str, **place: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while found := asked("bedrock-agent", operation, **place):
        state = found[field][status]
        if state == "DELETE_UNSUCCESSFUL":
            reasons = found[field].get("failureReasons") or ["no reason given"]
            raise NotRemoved(f"{state}: {' '.join(reasons)}")
        if time.monotonic() > deadline:
            raise NotRemoved(f"still {state} after {_WAIT_S} s")
        time.sleep(_LOOK_S)


def _guardrails() -> Iterator[str]:
    for guardrail in pages("bedrock", "list_guardrails", "guardrails"):
        arn = guardrail["arn"]
        if tagged("bedrock", "list_tags_for_resource", "tags", resourceARN=arn):
            yield arn


def _vector_buckets() -> Iterator[tuple[str, bool]]:
    """Every vector bucket's ARN, and whether it is the kit's."""
    for bucket in pages("s3vectors", "list_vector_buckets", "vectorBuckets"):
        arn = bucket["vectorBucketArn"]
        yield arn, tagged("s3vectors", "list_tags_for_resource", "tags", resourceArn=arn)


def _own_vector_buckets() -> Iterator[str]:
    return (arn for arn, is_ours in _vector_buckets() if is_ours)


def _vector_indexes() -> Iterator[str]:
    for bucket, is_ours in _vector_buckets():
        for index in pages("s3vectors", "list_indexes", "indexes", vectorBucketArn=bucket):
            arn = index["indexArn"]
            if is_ours or tagged("s3vectors", "list_tags_for_resource", "tags", resourceArn=arn):
                yield arn


# In the order in which they are removed: data sources take their vectors along, and need the index for it.
KINDS = (
    Kind("agent", _agents, _remove_agent),
    Kind("data source", _data_sources, _remove_data_source),
    Kind("knowledge base", _knowledge_bases, _remove_knowledge_base),
    Kind("guardrail", _guardrails, by("bedrock", "delete_guardrail", "guardrailIdentifier")),
    Kind("vector index", _vector_indexes, by("s3vectors", "delete_index", "indexArn")),
    Kind(
        "vector bucket",
        _own_vector_buckets,
        by("s3vectors", "delete_vector_bucket", "vectorBucketArn"),
    ),
)
