"""Writing a function's log events into moto's CloudWatch Logs."""

from moto.logs.models import logs_backends

from ..functions.report import LogEvent
from .state import note_change


def group_exists(account_id: str, region: str, group: str) -> bool:
    """Whether there is such a log group."""
    return group in logs_backends[account_id][region].groups


def create_group(account_id: str, region: str, group: str) -> None:
    """Create a log group, unless it is there."""
    logs_backends[account_id][region].ensure_log_group(group)
    note_change()


def put_events(
    account_id: str, region: str, group: str, stream: str, events: list[LogEvent]
) -> None:
    """Append events to a stream of an existing group; the stream is created if need be."""
    backend = logs_backends[account_id][region]
    if group not in backend.groups:
        return  # deleted a moment ago, and these events with it
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    backend.put_log_events(
        group, stream, [{"timestamp": e.timestamp, "message": e.message} for e in events]
    )
    note_change()
