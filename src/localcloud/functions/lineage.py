"""Recursive loop detection: how often a function was already invoked in one chain of requests.

SDKs inside a function send its trace header on (botocore's `add_recursion_detection_header`), and what
a request raises takes it along: the object's event, the queue's message, the next invocation. Its
Lineage holds a count for each function of the chain: `Lineage=1:fe460cdd:3|1:68fd508a:0`, as recorded
from AWS. About 16 invocations are let through ("Use Lambda recursive loop detection", Lambda
developer guide); how AWS makes the eight digits is not known, here they are a hash of the ARN.
"""

import hashlib
import re
from functools import lru_cache
from urllib.parse import unquote

MAX_INVOCATIONS = 16
_LINEAGE = re.compile(r"(?:^|;)Lineage=([^;]*)")


class RecursionStopped(Exception):
    """A function was invoked too often in one chain; the text is the API reference's."""

    def __init__(self):
        super().__init__(
            "Lambda has detected your function being invoked in a recursive loop with other "
            "Amazon Web Services resources and stopped your function's invocation."
        )


def next_header(trace_header: str, function_arn: str) -> tuple[str, int]:
    """The header that an invocation of the function has in this chain, and how many invocations of
    the function came before it.
    """
    trace_header = unquote(trace_header)  # SDKs encode the bar between two counts
    found = _LINEAGE.search(trace_header)
    counts = _counts(found.group(1)) if found else {}
    mark = _mark(function_arn)
    before = counts[mark] + 1 if mark in counts else 0
    counts[mark] = before
    lineage = "|".join(f"1:{each}:{count}" for each, count in counts.items())
    rest = _LINEAGE.sub("", trace_header) if found else trace_header
    return f"{rest};Lineage={lineage}", before


def depth(trace_header: str) -> int:
    """The highest count in a header, to find the deepest of several chains."""
    found = _LINEAGE.search(unquote(trace_header))
    return max(_counts(found.group(1)).values(), default=-1) if found else -1


def _counts(lineage: str) -> dict[str, int]:
    counts = {}
    for part in lineage.split("|"):
        *_, mark, count = ["", *part.split(":")]
        if count.isdigit():
            counts[mark] = int(count)
    return counts


@lru_cache(maxsize=1024)
def _mark(function_arn: str) -> str:
    unqualified = ":".join(function_arn.split(":")[:7])
    return hashlib.sha256(unqualified.encode()).hexdigest()[:8]
