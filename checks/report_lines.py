"""Lines of a function's log, made by chance, and what they cost."""

import math
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

# AWS Lambda Pricing, us-east-1, first tier; dollars.
PER_REQUEST = Fraction(20, 100) / 1_000_000
PER_GB_SECOND = {"x86_64": Fraction("0.0000166667"), "arm64": Fraction("0.0000133334")}
FREE_REQUESTS = 1_000_000
FREE_GB_SECONDS = 400_000
TIMEOUT = "\tStatus: timeout"
OUT_OF_MEMORY = "\tStatus: error\tError Type: Runtime.OutOfMemory"


@dataclass(frozen=True)
class Invocation:
    """One invocation as its REPORT line tells it; durations in ms, memory in MB."""

    id: str
    memory: int
    duration: Decimal
    init: Decimal | None = None
    status: str = ""

    @property
    def billed(self) -> int:
        """Billed Duration: Init and Duration, rounded up to a whole ms."""
        return math.ceil(self.duration + (self.init or 0))

    @property
    def report(self) -> str:
        """The REPORT line, as Lambda writes it."""
        init = f"\tInit Duration: {self.init} ms" if self.init is not None else ""
        return (
            f"REPORT RequestId: {self.id}\tDuration: {self.duration} ms"
            f"\tBilled Duration: {self.billed} ms\tMemory Size: {self.memory} MB"
            f"\tMax Memory Used: {self.memory // 3 + 30} MB{init}{self.status or chr(9)}\n"
        )


def invocation(rng: random.Random, memory: int, *, cold: bool = False, **given) -> Invocation:
    """A successful invocation at that memory size; `given` are fields of Invocation."""
    fields = {
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "memory": memory,
        "duration": Decimal(rng.randrange(2_000, 90_000)) / 100 + Decimal("0.01"),
        "init": Decimal(rng.randrange(20_000, 90_000)) / 100 if cold else None,
    }
    return Invocation(**fields | given)


def log(rng: random.Random, invocations: Sequence[Invocation], prints: Iterable[str]) -> list[str]:
    """The whole log of the invocations, with lines that the code printed in between."""
    lines, prints = [], list(prints)
    for one in invocations:
        if one.init is not None:
            lines.append(
                "INIT_START Runtime Version: python:3.14.v10\tRuntime Version ARN: arn:aws:…\n"
            )
        lines.append(f"START RequestId: {one.id} Version: $LATEST\n")
        lines += rng.sample(prints, len(prints))
        lines += [f"END RequestId: {one.id}\n", one.report]
    return lines


@dataclass(frozen=True)
class Bill:
    """What invocations cost: dollars to the cent."""

    requests: int
    gb_seconds: Fraction
    dollars: Decimal


def bill(
    usage: Iterable[tuple[int, int]],
    *,
    architecture: str = "x86_64",
    free_tier: bool = False,
    times: int = 1,
) -> Bill:
    """The bill of (MB, billed ms) pairs, each `times` over."""
    usage = list(usage)
    requests = len(usage) * times
    gb_seconds = Fraction(sum(memory * ms for memory, ms in usage), 1024 * 1000) * times
    paid = [requests, gb_seconds]
    if free_tier:
        paid = [max(requests - FREE_REQUESTS, 0), max(gb_seconds - FREE_GB_SECONDS, 0)]
    dollars = paid[0] * PER_REQUEST + paid[1] * PER_GB_SECOND[architecture]
    cents = math.floor(dollars * 100 + Fraction(1, 2))
    return Bill(requests, gb_seconds, Decimal(cents) / 100)
