"""Amazon Bedrock on this computer: small models stand in for the ones that a request names."""

import os

# Before numpy is loaded: on cores that are shared with functions two threads take twice as long as one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
