"""Text that learner code has made, ready to be shown: no control characters, not too long, no noise.

A function's log holds more than a learner looks for. Left out are Lambda's own lines (START, END, REPORT:
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html) and a traceback's frames in the runtime and
in Python's import machinery.
"""

import re
from collections.abc import Iterable

LONGEST_TEXT = 600
LONGEST_LINE = 240
MOST_LINES = 20
_PLATFORM = re.compile(
    r"^(START|END|REPORT) RequestId: |^INIT_(START|REPORT) |^(EXTENSION|TELEMETRY)\t|^XRAY TraceId: |^$"
)
_FRAME = re.compile(r'^\s+File "(?P<path>[^"]*)", line \d+')
_NOT_THEIRS = ("/var/runtime/", "/var/lang/", "<frozen ")


def clean(text: object, longest: int = LONGEST_TEXT) -> str:
    """One readable line: control characters and broken Unicode replaced, cut where it is too long."""
    words = str(text).replace("\xa0", " ").expandtabs(4)
    shown = "".join(map(_printable, words))
    return shown if len(shown) <= longest else f"{shown[: longest - 2]} …"


def _printable(sign: str) -> str:
    if sign.isprintable():
        return sign
    return " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}"


def useful_lines(log: Iterable[str]) -> tuple[str, ...]:
    """The lines of a function's log that its writer wants to see; the last ones where they are many."""
    kept: list[str] = []
    foreign = False
    for line in (clean(piece, LONGEST_LINE) for entry in log for piece in entry.splitlines()):
        frame = _FRAME.match(line)
        if frame:
            foreign = frame["path"].startswith(_NOT_THEIRS)
        elif not line.startswith("    "):
            foreign = False
        if not foreign and not _PLATFORM.match(line):
            kept.append(line)
    if len(kept) <= MOST_LINES:
        return tuple(kept)
    return (f"… {len(kept) - MOST_LINES + 1} lines before", *kept[1 - MOST_LINES :])
