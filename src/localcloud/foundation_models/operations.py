"""Every operation that is answered here, by service and name. moto answers the others of s3vectors,
bedrock and bedrock-agent, as far as it has them.
"""

from . import vector_buckets, vectors
from .calls import Handler

OPERATIONS: dict[tuple[str, str], Handler] = {
    **vector_buckets.OPERATIONS,
    **vectors.OPERATIONS,
}
