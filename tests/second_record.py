"""What passes on the second cloud, as it was measured, and why the rest doesn't.

second_cloud.json is the record: of each command and stage its checks, with what was seen where one did not
pass. second_cloud.toml has the reasons, kept by hand. The table of docs/aws.md is made of both.
"""

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from labkit import project
from labkit.grading.stages import stages

RECORD = Path(__file__).with_name("second_cloud.json")
REASONS = Path(__file__).with_name("second_cloud.toml")
DOCUMENT = project.ROOT / "docs" / "aws.md"
# The table stands between these, and nothing else of the document is written.
BEGIN, END = (
    "<!-- begin second cloud: `make second` writes what is here -->",
    "<!-- end second cloud -->",
)
# The templates that are stacks of their own, in the order in which they are made.
TEMPLATES = ("image-resizer.yaml", "api.yaml", "concurrency.yaml", "bedrock.yaml")
# What is measured besides the stages, and by what.
COMMANDS = {
    "demo": ("lab demo",),
    "deploy": ("lab deploy",),
    "templates": (*TEMPLATES, "lab destroy"),
}
OUT_OF_TIME = "ran out of time"


@dataclass(frozen=True)
class Seen:
    """One check: passed, failed, not run, or ran out of time; `seen` says what was seen unless it passed."""

    outcome: str
    seen: str = ""


@dataclass(frozen=True)
class Measured:
    """A command or a stage, with which version of the second cloud, and what its checks saw."""

    version: str
    checks: dict[str, Seen]

    @property
    def passed(self) -> int:
        return sum(check.outcome == "passed" for check in self.checks.values())

    def holds(self, what: str, version: str) -> bool:
        """Whether it needn't be measured again: the same cloud, the same checks, and time for each."""
        outcomes = {check.outcome for check in self.checks.values()}
        is_whole = set(self.checks) == set(checks_of(what)) and OUT_OF_TIME not in outcomes
        return is_whole and self.version == version


def everything() -> list[str]:
    """All that is measured, in its order."""
    return [*COMMANDS, *(stage.key for stage in stages())]


def checks_of(what: str) -> list[str]:
    """The names of a command's or a stage's checks."""
    if what in COMMANDS:
        return list(COMMANDS[what])
    return [name for stage in stages() if stage.key == what
            for topic in stage.topics for name in topic.checks]  # fmt: skip


def read() -> dict[str, Measured]:
    """The record; empty where nothing was measured yet."""
    if not RECORD.exists():
        return {}
    stored = json.loads(RECORD.read_text(encoding="utf-8"))
    return {
        what: Measured(
            one["version"], {name: Seen(**check) for name, check in one["checks"].items()}
        )
        for what, one in stored.items()
    }


def keep(record: dict[str, Measured]) -> None:
    """Write the record."""
    ordered = {what: asdict(record[what]) for what in everything() if what in record}
    RECORD.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def reasons() -> dict[tuple[str, str], str]:
    """Why a check of a command or stage does not pass. In the file "all" stands for all checks of a stage."""
    listed = tomllib.loads(REASONS.read_text(encoding="utf-8"))["reason"]
    return {
        (what, name): reason["why"]
        for reason in listed
        for what, names in reason["checks"].items()
        for name in (checks_of(what) if names == "all" else names)
    }


def faults(record: dict[str, Measured]) -> Iterator[str]:
    """What the reasons lack, and what they have too much, as sentences."""
    known = reasons()
    for what, one in record.items():
        for name, check in one.checks.items():
            has_reason = (what, name) in known
            if check.outcome in ("failed", "not run") and not has_reason:
                yield f"{what}: {name} does not pass, and no reason is known: {check.seen}"
            if check.outcome == "passed" and has_reason:
                yield f"{what}: {name} passes, and has a reason why it doesn't: {known[what, name]}"
    for what, name in known:
        if what in record and name not in record[what].checks:
            yield f"{what}: a reason is given for {name}, which is none of its checks"


def table(record: dict[str, Measured]) -> str:
    """The table of docs/aws.md."""
    known = reasons()
    lines = []
    for what in everything():
        one = record.get(what)
        counted = f"{one.passed} of {len(one.checks)}" if one else "not measured"
        lines.append([_words(what), counted, _others(what, one, known) if one else ""])
    head = ["what", "passes", "what does not, and why"]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def tables_place() -> tuple[str, str, str]:
    """The document's text before the table, the table as it stands there, and the text behind it.

    Raises ValueError where the marks are not there once each, in their order.
    """
    before, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    found, end, after = rest.partition(f"\n{END}")
    if not end or BEGIN in rest or END in after:
        raise ValueError(f"{DOCUMENT} needs {BEGIN} and {END}, once each")
    return before + begin, found, end + after


def write_table(record: dict[str, Measured]) -> None:
    """Put the table into docs/aws.md. Raises ValueError as `tables_place` does."""
    before, _, after = tables_place()
    DOCUMENT.write_text(before + table(record) + after, encoding="utf-8")


def _words(what: str) -> str:
    return ", ".join(f"`{name}`" for name in COMMANDS[what]) if what in COMMANDS else what


def _others(what: str, one: Measured, known: dict[tuple[str, str], str]) -> str:
    by_reason = defaultdict(list)
    for name, check in one.checks.items():
        if check.outcome == OUT_OF_TIME:
            by_reason[OUT_OF_TIME].append(name)
        elif check.outcome != "passed":
            unknown = f"**no reason known**; seen: {check.seen}"
            by_reason[known.get((what, name), unknown)].append(name)
    return "; ".join(f"{_named(names, one)}: {why}" for why, names in by_reason.items()).replace(
        "|", "\\|"
    )


def _named(names: list[str], one: Measured) -> str:
    every = len(names) == len(one.checks) > 1
    return "all of them" if every else ", ".join(f"`{name}`" for name in names)
