"""What becomes of a stack, told from its events and those of its nested stacks while it happens."""

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from . import target

_NESTED = "AWS::CloudFormation::Stack"
# AWS allows few looks.
_LOOK_S, _LOOK_AT_AWS_S = 0.2, 3


class StackProgress:
    """One operation on a stack; to be made before it begins, so that older events stay untold.

    `failure` names what failed first, in a sentence; it is empty where nothing did.
    """

    def __init__(self, cfn: Any, name: str, console: Console):
        self.failure = ""
        self._cfn, self._console = cfn, console
        # Each stack by its id, and the way to it in the template.
        self._ways: dict[str, str] = {}
        self._told: set[str] = set()
        for stack in self._stacks_named(name):
            self._ways[stack["StackId"]] = ""
            for _ in self._new_events():
                pass

    def follow(self, identifier: str) -> dict[str, Any]:
        """Tell each resource that is done or fails; return the stack when nothing is in progress."""
        self._ways.setdefault(identifier, "")
        while True:
            stack = self._cfn.describe_stacks(StackName=identifier)["Stacks"][0]
            for event in self._new_events():
                self._tell(event)
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(_LOOK_AT_AWS_S if target.name() == target.AWS else _LOOK_S)

    def _stacks_named(self, name: str) -> list[dict[str, Any]]:
        pages = self._cfn.get_paginator("describe_stacks").paginate()
        return [each for page in pages for each in page["Stacks"] if each["StackName"] == name]

    def _new_events(self) -> Iterator[dict[str, Any]]:
        """Events that weren't there yet, oldest first; a nested stack's as soon as the stack is known."""
        found: list[dict[str, Any]] = []
        waiting = list(self._ways)
        while waiting:
            stack = waiting.pop()
            pages = self._cfn.get_paginator("describe_stack_events").paginate(StackName=stack)
            for event in (each for page in pages for each in page["StackEvents"]):
                nested = event.get("PhysicalResourceId")
                if event["ResourceType"] == _NESTED and nested and nested not in self._ways:
                    self._ways[nested] = f"{self._ways[stack]}{event['LogicalResourceId']} · "
                    waiting.append(nested)
                if event["EventId"] not in self._told:
                    self._told.add(event["EventId"])
                    found.append(event)
        yield from sorted(found, key=lambda event: event["Timestamp"])

    def _tell(self, event: dict[str, Any]) -> None:
        if event.get("PhysicalResourceId") == event["StackId"]:
            return  # the stack itself, which its parent tells of
        status = event["ResourceStatus"]
        name = f"{self._ways[event['StackId']]}{event['LogicalResourceId']}"
        if status.endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", "without a reason")
            self.failure = self.failure or f"First to fail was {name}: {reason}"
            self._console.print(f"✗ {name}: {reason}", style="red", markup=False)
        elif status.endswith("_COMPLETE"):
            deleted = " (deleted)" if status == "DELETE_COMPLETE" else ""
            self._console.print(f"✓ {name}{deleted}", markup=False)
