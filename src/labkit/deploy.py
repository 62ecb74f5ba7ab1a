"""`lab deploy`: the whole course as one stack in the cloud in use, made or brought up to date."""

import json
import secrets
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import preflight, target, template_bucket, terminal
from .cloud_errors import explain
from .stack_progress import StackProgress

STACK = "lab-course"
_DONE, _FAILED, _NOT_MEANT, _NO_CLOUD, _INTERRUPTED = 0, 1, 2, 3, 130
# AWS's answer to UpdateStack where template and parameters say what the stack's own say.
_NO_CHANGE = "No updates are to be performed"
# What a creation that failed leaves: a stack that can only be deleted (CloudFormation User Guide, "Stack
# status codes").
_ONLY_DELETABLE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED")


class NotDeployed(Exception):
    """The stack can't be made or changed; the text is a sentence for the learner."""


def run(*, bucket: str | None, values: list[str], yes: bool, as_json: bool) -> int:
    """Deploy the course; `values` are NAME=VALUE for the template's parameters.

    Returns 0 when the stack stands, 1 when it doesn't, 2 when nobody said yes, 3 without a cloud that stays.
    """
    console = terminal.console(stderr=as_json)
    if not target.stays():
        console.print(
            "No local cloud runs that would keep the course. First: lab start, or lab cloud."
        )
        return _NO_CLOUD
    try:
        with target.cloud() as cloud:
            console.print(f"Using {cloud}")
            preflight.ask(["deploy"], yes=yes, console=console)
            stack, token = _deploy(bucket or _own_bucket(), _given(values), console)
    except preflight.NotMeant as reason:
        console.print(str(reason))
        return _NOT_MEANT
    except NotDeployed as reason:
        console.print(f"✗ {reason}", style="red", markup=False)
        return _FAILED
    except (BotoCoreError, ClientError) as error:
        console.print(f"✗ The cloud refused: {explain(error)}", style="red", markup=False)
        return _FAILED
    except KeyboardInterrupt:
        console.print(
            "\nBroken off. The cloud goes on by itself; lab destroy removes what it makes."
        )
        return _INTERRUPTED
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    _tell(stack, console)
    if as_json:
        found = {"stack": STACK, "status": stack["StackStatus"], "outputs": outputs, "token": token}
        json.dump(found, sys.stdout, indent=2)
        print()
    return _DONE


def _given(values: list[str]) -> dict[str, str]:
    for value in values:
        if "=" not in value:
            raise NotDeployed(f"--set takes NAME=VALUE, and {value!r} has no =.")
    return dict(value.split("=", 1) for value in values)


def _own_bucket() -> str:
    account = boto3.client("sts").get_caller_identity()["Account"]
    return f"lab-templates-{account}-{boto3.client('s3').meta.region_name}"


def _deploy(
    bucket: str, given: dict[str, str], console: Console
) -> tuple[dict[str, Any], str | None]:
    """The stack once it stands, and the token for DELETE where it is a new one."""
    cfn = boto3.client("cloudformation")
    with console.status("upload the templates and the Pillow layer …"):
        uploaded = {each.name: each for each in template_bucket.upload(bucket)}["course"]
    console.print(f"✓ templates and Pillow layer in the bucket {bucket}", markup=False)
    stack = _ready(cfn, console)
    values = uploaded.parameters | given
    token = None
    if stack is None and "DeleteToken" not in given:
        values["DeleteToken"] = token = secrets.token_urlsafe(24)
    request = {
        "StackName": STACK, "TemplateURL": uploaded.address, "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": _parameters(cfn, uploaded.address, values, stack),
    }  # fmt: skip
    progress = StackProgress(cfn, STACK, console)
    try:
        identifier = (cfn.update_stack if stack else cfn.create_stack)(**request)["StackId"]
    except ClientError as error:
        if _NO_CHANGE not in str(error) or stack is None:
            raise
        console.print("Nothing has changed since it was deployed.")
        return stack, None
    if token:  # at once: whatever ends this command, the stack has it
        console.print(
            f"DELETE /thumbnails/NAME needs the header Authorization: Bearer {token}\n"
            "The token is shown this once. lab deploy --set DeleteToken=… takes another.",
            markup=False,
        )
    stack = progress.follow(identifier)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise NotDeployed(f"The stack {STACK} ended as {stack['StackStatus']}. {progress.failure}")
    return stack, token


def _ready(cfn: Any, console: Console) -> dict[str, Any] | None:
    """The stack as it stands; None where none does. Raises NotDeployed while it changes."""
    try:
        stack = cfn.describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    status = stack["StackStatus"]
    if status == "REVIEW_IN_PROGRESS" or not status.endswith("_IN_PROGRESS"):
        if status not in (*_ONLY_DELETABLE, "REVIEW_IN_PROGRESS"):
            return stack
        console.print(f"Deleting what an earlier try has left: {status}")
        progress = StackProgress(cfn, STACK, console)
        cfn.delete_stack(StackName=STACK)
        if progress.follow(stack["StackId"])["StackStatus"] != "DELETE_COMPLETE":
            raise NotDeployed(
                f"It can't be deleted. {progress.failure} lab destroy removes all of it."
            )
        return None
    raise NotDeployed(
        f"The stack {STACK} is being changed ({status}). Wait for it, then repeat the command."
    )


def _parameters(
    cfn: Any, template: str, values: dict[str, str], stack: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """The values, and the stack's own for all others. Raises NotDeployed for an unknown name."""
    declared = [
        each["ParameterKey"]
        for each in cfn.get_template_summary(TemplateURL=template)["Parameters"]
    ]
    if unknown := sorted(set(values) - set(declared)):
        raise NotDeployed(
            f"The course has no parameter {', '.join(unknown)}. It has {', '.join(sorted(declared))}."
        )
    before = {each["ParameterKey"] for each in stack["Parameters"]} if stack else set()
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()] + [
        {"ParameterKey": name, "UsePreviousValue": True}
        for name in declared
        if name in before and name not in values
    ]


def _tell(stack: dict[str, Any], console: Console) -> None:
    console.print(f"\nThe stack {STACK} stands.", style="bold")
    for each in stack["Outputs"]:
        console.print(f"{each['OutputKey']:18} {each['OutputValue']}", markup=False)
        console.print(f"{'':18} {each['Description']}", style="dim", markup=False)
    console.print("\nlab destroy removes all of it.")
