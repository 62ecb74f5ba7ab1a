"""Every operation that is answered here, by service and name. moto answers the others of s3vectors,
bedrock and bedrock-agent, as far as it has them.
"""

from . import (
    answering,
    data_sources,
    ingestion_jobs,
    knowledge_bases,
    retrieval,
    vector_buckets,
    vectors,
)
from .calls import Handler

OPERATIONS: dict[tuple[str, str], Handler] = {
    **answering.OPERATIONS,
    **data_sources.OPERATIONS,
    **ingestion_jobs.OPERATIONS,
    **knowledge_bases.OPERATIONS,
    **retrieval.OPERATIONS,
    **vector_buckets.OPERATIONS,
    **vectors.OPERATIONS,
}
