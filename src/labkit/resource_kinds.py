"""What a kind of resource is to `lab destroy`, and how the kit's among them are told by their tag."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from . import tagging

Remove = Callable[[str], None]
# Some deletions are slow to be allowed again: DeleteRestApi is, to each account, once in 30 seconds ("Quotas
# for configuring and running a REST API in API Gateway"). Ten attempts take up to two minutes.
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 10})
# What a service says of something that has gone since it was listed: a list may be older than that.
GONE = (
    "NotFound", "NotFoundException", "ResourceNotFoundException", "NoSuchEntity", "NoSuchBucket",
    "NoSuchTagSet", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
)  # fmt: skip


class NotRemoved(Exception):
    """Something would not go; the text says why."""


@dataclass(frozen=True)
class Kind:
    """A kind of resource: what it is called, how those of the kit are found, how one is removed."""

    words: str
    find: Callable[[], Iterator[str]]
    remove: Remove


@functools.cache
def client(service: str) -> Any:
    """The boto3 client of a service in the cloud in use."""
    return boto3.client(service, config=_PATIENT)


def pages(service: str, operation: str, field: str, **request: Any) -> Iterator[Any]:
    """All that a listing lists, page after page."""
    for page in client(service).get_paginator(operation).paginate(**request):
        yield from page.get(field, [])


def tagged(service: str, operation: str, field: str, **request: Any) -> bool:
    """Whether the tags that an operation answers in `field` hold the kit's; of what has gone they don't."""
    answer = asked(service, operation, **request)
    return answer is not None and tagging.is_ours(answer.get(field, {}))


def asked(service: str, operation: str, **request: Any) -> dict[str, Any] | None:
    """What an operation answers; None where what it asks about is not there any more."""
    try:
        return getattr(client(service), operation)(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise


def by(service: str, operation: str, parameter: str) -> Remove:
    """A removal that takes one call."""
    return lambda name: getattr(client(service), operation)(**{parameter: name})
