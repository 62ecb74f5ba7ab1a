"""Partial failures of a batch (ReportBatchItemFailures)."""

import json
from collections.abc import Sequence


def failed_items(payload: bytes, ids: Sequence[str]) -> set[str]:
    """Which of a batch's items the function reports as failed.

    Nothing reported is success; what can't be read, an empty identifier, and one that is not in the
    batch, make the whole batch fail ("Implementing partial batch responses", Lambda developer guide).
    """
    everything = set(ids)
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return everything
    if answer is None or answer == {} or answer == "":
        return set()
    if not isinstance(answer, dict) or "batchItemFailures" not in answer:
        return everything
    failures = answer["batchItemFailures"]
    if failures is None:
        return set()
    if not isinstance(failures, list) or not all(isinstance(each, dict) for each in failures):
        return everything
    reported = {each.get("itemIdentifier") for each in failures}
    return reported if reported <= everything else everything
