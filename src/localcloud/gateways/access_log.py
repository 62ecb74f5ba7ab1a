"""A stage's access log: one line for each request, in the stage's own format.

"Configure logging for HTTP APIs in API Gateway", "Customize HTTP API access logs".
"""

import re
import time

from ..background_writer import BackgroundWriter
from ..control_plane import logs
from ..functions.report import LogEvent
from .exchange import Exchange, as_text

_VARIABLE = re.compile(r"\$context\.([\w.:-]*\w)")


def line(template: str, exchange: Exchange) -> str:
    """A format with its $context variables filled in; what has no value is -."""

    def value(found: re.Match) -> str:
        text = as_text(exchange.context(found[1]))
        return "-" if text is None else text

    return _VARIABLE.sub(value, template)


class AccessLog:
    """Writes lines by a thread of its own, so that no request waits for its log."""

    def __init__(self):
        self._writer = BackgroundWriter("access-log", logs.put_events)

    def write(self, exchange: Exchange) -> None:
        """Queue the line of a request that has been answered, if its stage has a log."""
        stage, api = exchange.stage, exchange.api
        if stage.log_group and stage.log_format:
            event = LogEvent(int(time.time() * 1000), line(stage.log_format, exchange))
            place = (api.account_id, api.region, stage.log_group, f"{api.id}/{stage.name}")
            self._writer.put(*place, [event])

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._writer.close()
