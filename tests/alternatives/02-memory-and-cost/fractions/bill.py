"""Whole numbers and fractions instead of Decimal; cents are counted, then split with divmod."""

import math
import re
from fractions import Fraction

REPORT = re.compile(r"REPORT RequestId: \S+\t")
PRICES = {"x86_64": Fraction(166667, 10**10), "arm64": Fraction(133334, 10**10)}


def number(name, line):
    return int(re.search(rf"{name}: (\d+)", line).group(1))


def handler(event, context):
    mb_ms = requests = 0
    for line in event["lines"]:
        if REPORT.match(line):
            requests += 1
            mb_ms += number("Memory Size", line) * number("Billed Duration", line)
    times = event.get("times", 1)
    requests, used = requests * times, Fraction(mb_ms * times, 1_024_000)
    free = bool(event.get("free_tier"))
    price = max(requests - free * 10**6, 0) * Fraction(2, 10**7)
    price += max(used - free * 400_000, 0) * PRICES[event.get("architecture", "x86_64")]
    dollars, cents = divmod(math.floor(price * 100 + Fraction(1, 2)), 100)
    return {"requests": requests, "gb_seconds": float(used), "dollars": f"{dollars}.{cents:02}"}
