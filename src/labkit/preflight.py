"""Before anything is made in an AWS account: whose it is, what is allowed there, and about what it costs.

Nothing here changes anything in the account.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import needs, packages, target, terminal

# 100 concurrent executions stay unreserved ("Lambda quotas").
_UNRESERVED = 100
_NO_MODEL = ("ResourceNotFoundException", "ValidationException")
_REFUSED = ("AccessDenied", "AccessDeniedException")


class NotMeant(Exception):
    """Nobody said yes; nothing was made."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `sign` is ✓ (as it must be), ✗ (it will fail) or ? (not known)."""

    sign: str
    words: str


def ask(keys: Sequence[str], *, yes: bool, console: Console, question: str = "Go on?") -> None:
    """On AWS, show what was found and ask; on the local cloud do nothing.

    `keys` are stages or commands of stage_needs.json. To be called while the target is in use.
    Raises NotMeant unless somebody says yes, and botocore's errors where nobody is known to AWS.
    """
    if target.name() != target.AWS:
        return
    faults = 0
    for finding in look(keys):
        faults += finding.sign == "✗"
        style = {"✗": "red", "?": "yellow"}.get(finding.sign)
        console.print(f"{finding.sign} {finding.words}", style=style, markup=False)
    if faults:
        question = f"{faults} will fail. Go on even so?"
    if not (yes or terminal.agrees(question)):
        raise NotMeant("Nothing was made in the account.")


def look(keys: Sequence[str]) -> Iterator[Finding]:
    """Look at all of it, finding by finding. Raises botocore's errors where AWS does not know the caller."""
    identity = boto3.client("sts").get_caller_identity()
    region = boto3.client("lambda").meta.region_name
    yield Finding("✓", f"{target.aws_words()}: account {identity['Account']}, region {region}")
    yield Finding("✓", f"as {identity['Arn']}")
    for part in (
        lambda: _permissions(keys, identity["Arn"], identity["Account"], region),
        lambda: _concurrency(keys, region),
        lambda: _runtime(region),
        lambda: _models(keys, region),
    ):
        try:
            yield from part()
        except (BotoCoreError, ClientError) as error:
            yield Finding("?", f"Not known: {error}")
    yield Finding("✓", cost(keys))


def cost(keys: Sequence[str]) -> str:
    """About what it costs, in words."""
    cents = needs.cents(keys)
    amount = "less than 0.1 US cents" if cents < 0.1 else f"about {cents:.1f} US cents"
    unpriced = needs.unpriced(keys)
    more = f", without {', '.join(unpriced)}, whose price is not known here" if unpriced else ""
    return (
        f"One run costs {amount} (of a stage: notebook and checks), by the prices of us-east-1{more}. "
        "`lab destroy` removes what is left."
    )


def _permissions(keys: Sequence[str], arn: str, account: str, region: str) -> Iterator[Finding]:
    if arn.endswith(":root"):
        yield Finding(
            "?",
            "This is the account's root user, who may do everything. Better is a user or a role.",
        )
        return
    iam = boto3.client("iam")
    source = principal_arn(arn)
    denied, count = [], 0
    for resources, actions in needs.actions(keys).items():
        count += len(actions)
        places = [_example(resource, account, region) for resource in resources]
        try:
            denied += _denied(iam, source, actions, places)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
            words = "You may not simulate policies (iam:SimulatePrincipalPolicy), so your permissions are not"
            yield Finding(
                "?", f"{words} known beforehand: what is refused will be seen when it happens."
            )
            return
    if denied:
        names = ", ".join(sorted(set(denied)))
        yield Finding(
            "✗",
            f"You may not: {names}. docs/learner-policy-*.json allow all that the course needs.",
        )
    elif count:
        yield Finding("✓", f"Your policies allow the {count} actions that it needs, by simulation")


def _denied(iam, source: str, actions: list[str], places: list[str]) -> list[str]:
    """Those of the actions that the caller's policies don't allow on all the places."""
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source, ActionNames=actions, ResourceArns=places,
        ContextEntries=[
            {
                "ContextKeyName": "iam:PassedToService", "ContextKeyType": "string",
                "ContextKeyValues": ["lambda.amazonaws.com"],
            }
        ],
    )  # fmt: skip
    try:
        return [
            result["EvalActionName"]
            for page in pages
            for result in page["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        ]
    except ClientError as error:
        # Not all actions can be simulated in one request.
        if error.response["Error"]["Code"] != "InvalidInput" or len(actions) == 1:
            raise
        half = len(actions) // 2
        return _denied(iam, source, actions[:half], places) + _denied(
            iam, source, actions[half:], places
        )


def principal_arn(arn: str) -> str:
    """The user or role behind a caller's ARN: an assumed role's session stands for its role."""
    session = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.+", arn)
    if not session:
        return arn
    partition, account, name = session.groups()
    try:
        # A role's path, such as that of IAM Identity Center's, is not in the session's ARN.
        return boto3.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    except ClientError:
        return f"arn:{partition}:iam::{account}:role/{name}"


def _example(resource: str, account: str, region: str) -> str:
    if resource == "*":
        return resource
    head = resource.split(":", 5)
    head[3:5] = [region if head[3] else "", account if head[4] else ""]
    return ":".join(head).replace("*", "x")


def _concurrency(keys: Sequence[str], region: str) -> Iterator[Finding]:
    limit = boto3.client("lambda").get_account_settings()["AccountLimit"]
    total, free = limit["ConcurrentExecutions"], limit.get("UnreservedConcurrentExecutions", 0)
    words = f"Lambda may run {total} executions at once in {region}, {free} of them not reserved"
    least = needs.reserved(keys)
    if least and free - least < _UNRESERVED:
        yield Finding(
            "✗", f"{words}; reserving {least} leaves fewer than {_UNRESERVED}, and AWS refuses that. "
            "Ask Service Quotas for more (Lambda, Concurrent executions).",
        )  # fmt: skip
    else:
        yield Finding("✓", words)


def _runtime(region: str) -> Iterator[Finding]:
    runtime = packages.runtime()
    try:
        # Lambda has no list of its runtimes; it refuses to look for one that it does not know.
        boto3.client("lambda").list_layers(CompatibleRuntime=runtime, MaxItems=1)
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "InvalidParameterValueException",
            "ValidationException",
        ):
            raise
        yield Finding(
            "✗", f"Lambda in {region} does not know {runtime}, this computer's Python: {error}"
        )
    else:
        yield Finding("✓", f"Lambda in {region} knows the runtime {runtime}")


def _models(keys: Sequence[str], region: str) -> Iterator[Finding]:
    for model, elsewhere in needs.models(keys).items():
        where = elsewhere or region
        base = re.sub(r"^(us|eu|apac|au|ca|jp|us-gov|global)\.", "", model)
        try:
            bedrock = boto3.client("bedrock", region_name=where)
            details = bedrock.get_foundation_model(modelIdentifier=base)
        except ClientError as error:
            known = error.response["Error"]["Code"] in _NO_MODEL
            sign, words = ("✗", "can't be used") if known else ("?", "was not looked at")
            yield Finding(sign, f"Bedrock model {model} {words} in {where}: {error}")
            continue
        state = details["modelDetails"].get("modelLifecycle", {}).get("status", "ACTIVE")
        # "Model lifecycle": new customers cannot use Legacy models.
        sign = "✓" if state == "ACTIVE" else "✗"
        yield Finding(sign, f"Bedrock model {base} is {state} in {where}")
