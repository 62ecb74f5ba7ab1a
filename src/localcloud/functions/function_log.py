"""From an environment to CloudWatch Logs, in the name of the function's role.

The events are written by a thread of their own, so that an invocation never waits for its log. As on
AWS a role without the logs actions leaves no log, and nobody is told.
"""

from collections.abc import Callable

from ..background_writer import BackgroundWriter
from ..control_plane import logs
from .configuration import FunctionConfiguration
from .report import LogEvent

MayRole = Callable[[str, str, str, str], bool]


class FunctionLog:
    """Ships log events. `may(role_arn, session, action, resource)` says what the role is allowed."""

    def __init__(self, may: MayRole):
        self._may = may
        self._writer = BackgroundWriter("function-log", self._ship)

    def write(
        self, configuration: FunctionConfiguration, stream: str, events: list[LogEvent]
    ) -> None:
        """Queue events of one log stream, oldest first."""
        self._writer.put(configuration, stream, events)

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._writer.close()

    def _ship(
        self, configuration: FunctionConfiguration, stream: str, events: list[LogEvent]
    ) -> None:
        account, region = configuration.account_id, configuration.region
        group = configuration.logging.group
        arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"

        def may(action: str, resource: str) -> bool:
            return self._may(configuration.role, configuration.name, action, resource)

        if not logs.group_exists(account, region, group):
            if not may("logs:CreateLogGroup", arn):
                return
            logs.create_group(account, region, group)
        stream_arn = f"{arn}:log-stream:{stream}"
        if may("logs:CreateLogStream", stream_arn) and may("logs:PutLogEvents", stream_arn):
            logs.put_events(account, region, group, stream, events)
