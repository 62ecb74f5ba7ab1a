"""What the data plane knows of a function: an immutable picture of its configuration.

Two pictures that are equal can share execution environments; when they differ, the environments of
the older one are replaced, as Lambda does after an update of code or configuration.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Archive:
    """A deployment package or a layer version: a zip, told apart by the hash of its bytes."""

    digest: str
    data: bytes = field(compare=False, repr=False)


@dataclass(frozen=True)
class Logging:
    """A function's LoggingConfig. Levels are None where the format is Text."""

    group: str
    format: str = "Text"
    application_level: str | None = None
    system_level: str | None = None


@dataclass(frozen=True)
class FunctionConfiguration:
    """One version of one function.

    `arn` is unqualified for $LATEST and carries the version otherwise. `memory_mb` and
    `ephemeral_storage_mb` are MiB, as everywhere in Lambda; `timeout_s` is in seconds. `last_modified`
    tells two updates apart that end where they began.
    """

    name: str
    arn: str
    version: str
    account_id: str
    region: str
    handler: str
    runtime: str
    role: str
    memory_mb: int
    timeout_s: int
    ephemeral_storage_mb: int
    environment: tuple[tuple[str, str], ...]
    code: Archive
    layers: tuple[Archive, ...]
    logging: Logging
    last_modified: str

    @property
    def function_arn(self) -> str:
        """The ARN of the function itself, without a version."""
        return ":".join(self.arn.split(":")[:7])


@dataclass(frozen=True)
class EventInvokeSettings:
    """What happens to a function's asynchronous invocations; the ARNs are None where not set."""

    maximum_retry_attempts: int = 2
    maximum_event_age_s: int = 21_600
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter_arn: str | None = None


@dataclass(frozen=True)
class Invocation:
    """One event on its way to a function.

    `invoked_arn` is the ARN as the caller gave it: it has a qualifier only if the caller named one.
    `trace_id` is the X-Ray header; AWS's native runtime client can't do without one.
    """

    request_id: str
    payload: bytes
    invoked_arn: str
    trace_id: str
    client_context: str | None = None


@dataclass(frozen=True)
class QueuedEvent:
    """An event of an asynchronous invocation, as it outlives the server."""

    request_id: str
    payload: bytes
    invoked_arn: str
    trace_id: str


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: the answer's payload, and whether the function failed.

    `duration_ms` is the Invoke phase; `billed_ms` includes Init, as Lambda bills since August 2025.
    `log_tail` holds the invocation's log, START to REPORT, at most its last 4 KB.
    """

    payload: bytes
    failed: bool
    version: str
    log_tail: bytes
    duration_ms: float
    billed_ms: int
