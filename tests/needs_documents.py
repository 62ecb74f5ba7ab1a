"""What is written of the stages' record: itself, the learner's policies, and the table in docs/aws.md.

The policies stand in cloudformation/classroom.yaml too. In documents only what lies between two marks is
replaced.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from labkit import needs, project
from labkit.grading.stages import stages

NEEDS = project.ROOT / "src" / "labkit" / "stage_needs.json"
_DOCS = project.ROOT / "docs"
TABLE = _DOCS / "aws.md"
CLASSROOM = project.ROOT / "cloudformation" / "classroom.yaml"
# One managed policy has no room for all: functions and what they stand on, and the services they work with.
POLICIES = {
    "LearnerPolicy": _DOCS / "learner-policy-functions.json",
    "LearnerPolicyServices": _DOCS / "learner-policy-services.json",
}
_FUNCTIONS = ("cloudformation", "iam", "lambda", "logs", "s3", "sts")
# Of a managed policy, without blanks (IAM User Guide, "IAM and AWS STS quotas").
MOST_CHARACTERS = 6144
_COMMANDS = {
    "demo": "`lab demo`", "deploy": "`lab deploy`", "destroy": "`lab destroy`", "target": "`lab target aws`",
}  # fmt: skip


def policies(record: dict[str, dict]) -> dict[str, dict]:
    """The policies that allow all of a record, by their resource in classroom.yaml."""
    where: dict[str, set[str]] = defaultdict(set)
    for parts in record.values():
        for one in parts.values():
            for action, resources in one["actions"].items():
                where[action] |= set(resources)
    of_functions = {a: r for a, r in where.items() if a.partition(":")[0] in _FUNCTIONS}
    of_services = {a: r for a, r in where.items() if a not in of_functions}
    return dict(zip(POLICIES, map(_policy, (of_functions, of_services)), strict=True))


def _policy(where: dict[str, set[str]]) -> dict:
    grouped: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in sorted(where.items()):
        grouped[("*",) if "*" in resources else tuple(_widest(resources))].append(action)
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
        for resources, actions in sorted(grouped.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _widest(resources: set[str]) -> list[str]:
    """The resources without those that another of them covers."""
    patterns = {each: re.escape(each).replace(r"\*", ".*") for each in resources}
    return sorted(
        each for each in resources
        if not any(re.fullmatch(patterns[other], each) for other in resources - {each})
    )  # fmt: skip


def characters(policy: dict) -> int:
    """How long IAM takes it to be."""
    return len(re.sub(r"\s", "", json.dumps(policy)))


def table(record: dict[str, dict]) -> str:
    """What each stage takes, as Markdown."""
    minutes = {stage.key: stage.minutes for stage in stages()}
    lines = [
        "| stage | minutes | calls: checks | calls: notebook | actions | invocations | GB-seconds | US cents "
        "| without the price of |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key in sorted(record, key=lambda key: (key in _COMMANDS, key)):
        parts = record[key]
        calls = {name: sum(one["calls"].values()) for name, one in parts.items()}
        used = [one["units"].get("lambda", {}) for one in parts.values()]
        cells = [
            _COMMANDS.get(key, key), minutes.get(key, ""),
            calls.get("checks", calls.get("command", "")), calls.get("notebook", ""),
            len({action for one in parts.values() for action in one["actions"]}),
            sum(each.get("request", 0) for each in used),
            f"{sum(each.get('gb_second', 0) for each in used):.1f}",
            f"{needs.cents([key]):.2f}", ", ".join(needs.unpriced([key])),
        ]  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def between(text: str, name: str) -> str:
    """What stands between the marks of a name. Raises ValueError without them."""
    return _marked(text, name)[1]


def _marked(text: str, name: str) -> tuple[str, str, str]:
    found = re.fullmatch(
        rf"(.*^[^\n]*\bbegin {name}\b[^\n]*\n)(.*?)(^[^\n]*\bend {name}\b.*)", text, re.S | re.M
    )
    if not found:
        raise ValueError(f"the marks `begin {name}` and `end {name}` are missing")
    return found[1], found[2], found[3]


def _replace(path: Path, name: str, content: str) -> None:
    before, _, after = _marked(path.read_text(encoding="utf-8"), name)
    path.write_text(f"{before}{content}\n{after}", encoding="utf-8")


def _as_yaml(policy: dict) -> str:
    return "\n".join(f"        {line}" for line in _yaml_lines(policy["Statement"]))


def _yaml_lines(statements: Iterable[dict]) -> Iterator[str]:
    yield 'Version: "2012-10-17"'
    yield "Statement:"
    for statement in statements:
        yield "  - Effect: Allow"
        yield "    Action:"
        yield from (f"      - {action}" for action in statement["Action"])
        yield "    Resource:"
        yield from (f'      - "{resource}"' for resource in statement["Resource"])


def write(record: dict[str, dict]) -> None:
    """Write all of it. Raises ValueError for a policy that IAM would not take."""
    for parts in record.values():
        for one in parts.values():
            one.pop("refused", None)
    NEEDS.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, policy in policies(record).items():
        POLICIES[name].write_text(json.dumps(policy, indent=1) + "\n", encoding="utf-8")
        _replace(CLASSROOM, name, _as_yaml(policy))
        print(f"{POLICIES[name].name} has {characters(policy)} of {MOST_CHARACTERS} characters")
        if characters(policy) > MOST_CHARACTERS:
            raise ValueError(f"{POLICIES[name].name} is too long for a managed policy")
    needs._recorded.cache_clear()
    _replace(TABLE, "stage table", table(record))
