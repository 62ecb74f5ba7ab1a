"""What stages and commands need of an AWS account, and about what they cost: recorded, and counted.

stage_needs.json is recorded while solutions and notebooks run on the local cloud (`make policy`): of a stage
what its `checks` need and what its `notebook` does, of a command what the `command` needs.
"""

import functools
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any


@functools.cache
def _recorded() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("stage_needs.json").read_text(encoding="utf-8"))


@functools.cache
def _prices() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("prices.toml").read_text(encoding="utf-8"))


def of(keys: Iterable[str], *parts: str) -> list[dict[str, Any]]:
    """What was recorded of these stages' checks and notebooks, or of commands; of others nothing is known.

    `parts` leaves out all others, such as what only the notebook needs.
    """
    found = [item for key in keys for item in _recorded().get(key, {}).items()]
    return [one for name, one in found if not parts or name in parts]


def actions(keys: Iterable[str], *parts: str) -> dict[tuple[str, ...], list[str]]:
    """The IAM actions they (or these parts) need, by the resources they are done on; `*` is any name."""
    found: dict[tuple[str, ...], set[str]] = {}
    for one in of(keys, *parts):
        for action, resources in one["actions"].items():
            found.setdefault(tuple(resources), set()).add(action)
    return {resources: sorted(names) for resources, names in found.items()}


def models(keys: Iterable[str]) -> dict[str, str]:
    """The Bedrock models that they call, with the region of those that are not asked in the learner's own."""
    return dict(sorted(pair for one in of(keys) for pair in one["models"].items()))


def reserved(keys: Iterable[str]) -> int:
    """The most concurrent executions that one of them reserves."""
    return max((one["reserved"] for one in of(keys)), default=0)


def cents(keys: Iterable[str]) -> float:
    """About what one run of each costs, in US cents, by the prices of us-east-1 and without what is free."""
    return 100 * sum(
        count * _prices().get(billed, {}).get(unit, 0)
        for one in of(keys)
        for billed, units in one["units"].items()
        for unit, count in units.items()
    )


def unpriced(keys: Iterable[str]) -> list[str]:
    """The names of what they use that has no confirmed price, and that `cents` leaves out."""
    return sorted(
        {
            _prices().get(billed, {}).get("name", billed)
            for one in of(keys)
            for billed, units in one["units"].items()
            if not units.keys() <= _prices().get(billed, {}).keys()
        }
    )
