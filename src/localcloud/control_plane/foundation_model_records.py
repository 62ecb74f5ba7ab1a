"""Where Bedrock's resources lie: on moto's backend, so that they are kept and emptied with all others."""

from typing import Any

from moto.bedrock.models import bedrock_backends


def records(kind: str, account_id: str, region: str) -> dict[str, Any]:
    """The resources of a kind (such as `guardrails`) by id, to read and to change.

    They hold plain values alone (str, numbers, bytes, datetime, lists and dicts of them), and an operation
    that changes them needs no more: the front door takes note of the change.
    """
    backend = bedrock_backends[account_id][region]
    return vars(backend).setdefault("localcloud_records", {}).setdefault(kind, {})
