"""Every operation of Bedrock and S3 Vectors that is answered, by service and name."""

from . import (
    agent_invocation,
    agent_parts,
    agents,
    answering,
    apply_guardrail,
    converse,
    data_sources,
    guardrails,
    ingestion_jobs,
    invoke_model,
    knowledge_bases,
    model_information,
    resource_tags,
    retrieval,
    vector_buckets,
    vectors,
)
from .calls import Handler

OPERATIONS: dict[tuple[str, str], Handler] = {
    **agent_invocation.OPERATIONS,
    **agent_parts.OPERATIONS,
    **agents.OPERATIONS,
    **answering.OPERATIONS,
    **apply_guardrail.OPERATIONS,
    **converse.OPERATIONS,
    **data_sources.OPERATIONS,
    **guardrails.OPERATIONS,
    **ingestion_jobs.OPERATIONS,
    **invoke_model.OPERATIONS,
    **knowledge_bases.OPERATIONS,
    **model_information.OPERATIONS,
    **resource_tags.OPERATIONS,
    **retrieval.OPERATIONS,
    **vector_buckets.OPERATIONS,
    **vectors.OPERATIONS,
}
