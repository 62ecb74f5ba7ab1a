"""From an environment to CloudWatch Logs, in the name of the function's role.

The events are written by a thread of their own, so that an invocation never waits for its log. As on
AWS a role without the logs actions leaves no log, and nobody is told.
"""

import logging
import queue
import threading
from collections.abc import Callable

from ..control_plane import logs
from .configuration import FunctionConfiguration
from .report import LogEvent

_log = logging.getLogger(__name__)
MayRole = Callable[[str, str, str, str], bool]


class FunctionLog:
    """Ships log events. `may(role_arn, session, action, resource)` says what the role is allowed."""

    def __init__(self, may: MayRole):
        self._may = may
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="function-log", daemon=True)
        self._thread.start()

    def write(
        self, configuration: FunctionConfiguration, stream: str, events: list[LogEvent]
    ) -> None:
        """Queue events of one log stream, oldest first."""
        self._queue.put((configuration, stream, events))

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._ship(*item)
            except Exception:  # the log of one function must not end the log of all
                _log.exception("log events could not be written")

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
