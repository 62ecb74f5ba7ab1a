"""What a function writes, cut into log events.

The runtime client frames what goes through `logging` (and its own error reports), so that a message
of many lines is one event; `print` and a subprocess's output come raw, one event a line. Both share
one pipe here, which keeps them in the order in which they were written: a frame begins with a byte
that can't begin a character of UTF-8.
"""

import os
import time
from dataclasses import replace

from .report import LogEvent

_FRAME_MAGIC = b"\xa5\x5a\x00"
_FRAME_HEADER = 16
_MAX_EVENT_BYTES = 262_144  # CloudWatch Logs takes 256 KB an event


class LogPipe:
    """Reads one environment's output from a pipe that is set to non-blocking."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._rest = b""

    def read(self) -> list[LogEvent]:
        """Return the events that are complete by now; never waits."""
        while True:
            try:
                data = os.read(self._descriptor, 65536)
            except BlockingIOError:
                break
            if not data:
                break
            self._rest += data
            if len(self._rest) > 8 * 1024 * 1024:
                break  # the rest is read at the next turn; a flood must not hold up the others
        return self._take()

    def flush(self) -> list[LogEvent]:
        """Return what is complete and then the unfinished last line, if any."""
        events = self.read()
        if self._rest:
            events.append(_event(self._rest))
            self._rest = b""
        return events

    def _take(self) -> list[LogEvent]:
        events: list[LogEvent] = []
        data, position = self._rest, 0
        while position < len(data):
            if data.startswith(_FRAME_MAGIC, position):
                header = data[position + 4 : position + _FRAME_HEADER]
                if len(header) < 12:
                    break
                end = position + _FRAME_HEADER + int.from_bytes(header[:4], "big")
                if end > len(data):
                    break
                text = data[position + _FRAME_HEADER : end].decode(errors="replace")
                events.append(LogEvent(int.from_bytes(header[4:], "big") // 1000, text))
                position = end
                continue
            frame = data.find(_FRAME_MAGIC, position)
            newline = data.find(b"\n", position, frame if frame != -1 else len(data))
            if newline != -1:
                end = newline + 1
            elif frame != -1:
                end = frame
            elif len(data) - position >= _MAX_EVENT_BYTES:
                end = position + _MAX_EVENT_BYTES
            else:
                break
            events.append(_event(data[position:end]))
            position = end
        self._rest = data[position:]
        return _in_order(events)


def _in_order(events: list[LogEvent]) -> list[LogEvent]:
    """A raw line has the time of its reading; it was written before the frame that follows it."""
    for index in range(len(events) - 2, -1, -1):
        if events[index].timestamp > events[index + 1].timestamp:
            events[index] = replace(events[index], timestamp=events[index + 1].timestamp)
    return events


def _event(raw: bytes) -> LogEvent:
    return LogEvent(int(time.time() * 1000), raw.decode(errors="replace"))
