"""What stages and commands need of an AWS account, and about what they cost: recorded, and counted.

stage_needs.json is recorded while the solutions run on the local cloud (`make policy`).
"""

import functools
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What a call and its lines in the log take up there, START, END and REPORT among them.
_LOG_BYTES = 1000


@functools.cache
def _recorded() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("stage_needs.json").read_text(encoding="utf-8"))


@functools.cache
def _prices() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("prices.toml").read_text(encoding="utf-8"))


def of(keys: Iterable[str]) -> list[dict[str, Any]]:
    """What was recorded of these stages or commands; of what is not in the list nothing is known."""
    return [_recorded()[key] for key in keys if key in _recorded()]


def actions(keys: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """The IAM actions they need, by the resources that they are done on; `*` stands for any name."""
    found: dict[tuple[str, ...], set[str]] = {}
    for one in of(keys):
        for action, resources in one["actions"].items():
            found.setdefault(tuple(resources), set()).add(action)
    return {resources: sorted(names) for resources, names in found.items()}


def models(keys: Iterable[str]) -> list[str]:
    """The Bedrock models that they call."""
    return sorted({model for one in of(keys) for model in one.get("models", ())})


def reserved(keys: Iterable[str]) -> int:
    """The most concurrent executions that one of them reserves."""
    return max((one.get("reserved", 0) for one in of(keys)), default=0)


def cents(keys: Iterable[str]) -> float:
    """About what one run of each costs, in US cents, by the prices of us-east-1 and without what is free."""
    return 100 * sum(_dollars(one) for one in of(keys))


def _dollars(one: dict[str, Any]) -> float:
    prices = _prices()
    total = one["gb_seconds"] * prices["lambda"]["gb_second"]
    total += one["invocations"] * prices["lambda"]["request"]
    total += one["invocations"] * _LOG_BYTES / 1e9 * prices["logs"]["gigabyte"]
    for call, count in one["calls"].items():
        service, operation = call.split(":")
        if service == "s3" and not operation.startswith("Delete"):
            kind = "get" if operation.startswith(("Get", "Head")) else "put"
            total += count * prices["s3"][kind]
        elif service == "sqs":
            total += count * prices["sqs"]["request"]
    return total
