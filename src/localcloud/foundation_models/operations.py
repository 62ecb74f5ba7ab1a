"""Every operation that is answered here, by service and name. moto answers the others of s3vectors,
bedrock and bedrock-agent, as far as it has them.
"""

from .calls import Handler

OPERATIONS: dict[tuple[str, str], Handler] = {}
