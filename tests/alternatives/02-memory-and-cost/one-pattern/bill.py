"""One multi-line pattern over the whole log as a single text; the solution's handler() is kept."""

import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

LINE = re.compile(
    r"^REPORT RequestId: [^\t]+\tDuration: [\d.]+ ms\tBilled Duration: (?P<ms>\d+) ms"
    r"\tMemory Size: (?P<mb>\d+) MB\t",
    re.MULTILINE,
)


def handler(event, context):
    options = {name: value for name, value in event.items() if name != "lines"}
    found = bill(event["lines"], **options)
    return {name: str(value) for name, value in found.items()}


def bill(lines, architecture="x86_64", free_tier=False, times=1):
    log = "\n".join(line.rstrip("\n") for line in lines) + "\n"
    ms_by_size = Counter()
    count = 0
    for match in LINE.finditer(log):
        ms_by_size[int(match["mb"])] += int(match["ms"])
        count += 1
    gb_seconds = Decimal(sum(mb * ms for mb, ms in ms_by_size.items()) * times) / Decimal(1024000)
    price = {"x86_64": "0.0000166667", "arm64": "0.0000133334"}[architecture]
    bases = [(count * times, 10**6, "0.0000002"), (gb_seconds, 400000, price)]
    total = Decimal(0)
    for used, free, each in bases:
        paid = used - min(used, free) if free_tier else used
        total += Decimal(paid) * Decimal(each)
    return {
        "requests": count * times,
        "gb_seconds": gb_seconds,
        "dollars": total.quantize(Decimal("1.00"), ROUND_HALF_UP),
    }
