"""Names that CloudFormation makes up: what a template leaves unnamed gets one name, and keeps it.

moto makes up another one at each update and takes the resource for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.cloudformation import parsing

from .stack_events import StackResource

_made_for: ContextVar[tuple[StackResource, Mapping[str, Any]] | None] = ContextVar(
    "made_for", default=None
)
_moto_generate = parsing.generate_resource_name


def install() -> None:
    """Have moto ask here for names. May be called more than once."""
    parsing.generate_resource_name = _generate


@contextmanager
def kept_by(record: StackResource, properties: Mapping[str, Any]) -> Iterator[None]:
    """What is made or changed inside gets the name that the record has, or one that it gets now."""
    token = _made_for.set((record, properties))
    try:
        yield
    finally:
        _made_for.reset(token)


def made_for(logical_id: str) -> StackResource | None:
    """The record of what is being made or changed, if this is its name in the template."""
    record, _ = _made_for.get() or (None, {})
    return record if record and record.logical_resource_id == logical_id else None


def earlier_properties() -> Mapping[str, Any]:
    """The properties that what is being changed has had until now."""
    record, _ = _made_for.get() or (None, {})
    return record.properties if record else {}


def _generate(resource_type: str, stack_name: str, logical_id: str) -> str:
    record = made_for(logical_id)
    if record is None:
        return _moto_generate(resource_type, stack_name, logical_id)
    if record.generated_name is None:
        name = _moto_generate(resource_type, stack_name, logical_id)
        if resource_type == "AWS::ECR::Repository":  # whose names are lower case
            name = name.lower()
        properties = _made_for.get()[1]
        # Queues: issue 931 of troposphere. Topics: UNCONFIRMED.
        first_in_first_out = properties.get("FifoQueue") or properties.get("FifoTopic")
        if str(first_in_first_out).lower() == "true":
            name += ".fifo"
        record.generated_name = name
    return record.generated_name
