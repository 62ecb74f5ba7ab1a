"""What a function costs: its bill, read from the REPORT lines of its log.

Prices of us-east-1 in November 2026, in dollars, without the discounts that begin at billions of
GB-seconds a month. Money is counted in Decimal: a float can't hold a tenth of a cent exactly.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

PER_REQUEST = Decimal("0.20") / 1_000_000
PER_GB_SECOND = {"x86_64": Decimal("0.0000166667"), "arm64": Decimal("0.0000133334")}
# Free in every month.
FREE_REQUESTS = 1_000_000
FREE_GB_SECONDS = 400_000
CENT = Decimal("0.01")


def handler(event, context):
    """Return the bill of an event's "lines", its numbers as text. This function is finished.

    The event may have "architecture", "free_tier" and "times": they are handed to bill().
    """
    found = bill(
        event["lines"],
        architecture=event.get("architecture", "x86_64"),
        free_tier=event.get("free_tier", False),
        times=event.get("times", 1),
    )
    return {name: str(value) for name, value in found.items()}


def bill(lines, architecture="x86_64", free_tier=False, times=1):
    """Return what the invocations in a log cost: a dict with "requests", "gb_seconds" and "dollars".

    `lines` are the lines of the log, of all kinds. Each REPORT line stands for one invocation, and the
    whole log for `times` as many: with times=1000 a log of ten invocations is the bill of ten thousand.
    With `free_tier` the month's free requests and GB-seconds cost nothing. "requests" and "gb_seconds"
    tell what was used, free or not. "dollars" is rounded once, at the end, to the cent; half a cent is
    rounded up.
    """
    usage = [found for found in map(billed, lines) if found]
    requests = len(usage) * times
    # TODO 2: Add up GB-seconds: memory in GB (1 GB is 1,024 MB) times billed seconds, `times` over.
    gb_seconds = Decimal(0)

    paid_requests, paid_gb_seconds = requests, gb_seconds
    # TODO 3: With free_tier, take FREE_REQUESTS and FREE_GB_SECONDS off. Nothing gets below zero.
    # (What is paid is still what was used.)

    # TODO 4: Multiply what is paid by its prices. Mind the architecture.
    dollars = Decimal(0)
    # TODO 5: Round to the cent, half a cent up: see Decimal.quantize, CENT and ROUND_HALF_UP.
    dollars = round(dollars)
    return {"requests": requests, "gb_seconds": gb_seconds, "dollars": dollars}


def billed(line):
    """Return (memory size in MB, billed duration in ms), both whole numbers, or None.

    None is for every line that is no REPORT line. A REPORT line begins with "REPORT RequestId: ".
    """
    # TODO 1: Find "Memory Size" and "Billed Duration" in a REPORT line; return None for others.
    raise NotImplementedError("TODO 1: read memory and billed duration from a REPORT line")
