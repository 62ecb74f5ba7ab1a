"""Dates as Lambda writes them."""

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, such as 2026-11-24T12:00:00.000+0000."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"
