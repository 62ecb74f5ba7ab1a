"""The trace header of the request that is being answered, seen by what answers it in a worker thread."""

import contextvars

request_trace: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "request_trace", default=None
)
