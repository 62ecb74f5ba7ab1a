"""A CloudFormation stack of the learner's template: made, changed and deleted, and why it was not."""

from collections.abc import Mapping
from typing import Any

from labkit.grading import Unmet

from .deployment import Deployment, client

# On AWS a stack of this size takes a minute or two.
STACK_S = 300


class Stack:
    """One stack. Its parameters are those of the last deployment, and the changes that come with the next."""

    def __init__(self, deployment: Deployment, name: str, template: str, values: Mapping[str, str]):
        self._deployment = deployment
        self.name = name
        self.template = template
        self._values = dict(values)
        # A deleted stack is found by its id alone.
        self._id = name

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by their names."""
        return {o["OutputKey"]: o["OutputValue"] for o in self._describe().get("Outputs", [])}

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Its resources, as describe_stack_resources gives them."""
        return client("cloudformation").describe_stack_resources(StackName=self.name)[
            "StackResources"
        ]

    def ids(self, kind: str) -> list[str]:
        """The physical ids of its resources of a type."""
        return [r["PhysicalResourceId"] for r in self.resources if r["ResourceType"] == kind]

    def create(self) -> None:
        """Create it and wait. Raises Unmet with the first failure's reason."""
        self._id = client("cloudformation").create_stack(**self._request())["StackId"]
        self._expect("CREATE_COMPLETE", "created a stack of template.yaml")

    def update(self, **changes: str) -> None:
        """Change parameters and wait. Raises Unmet with the first failure's reason."""
        self._values.update(changes)
        client("cloudformation").update_stack(**self._request())
        words = ", ".join(f"{name}={value}" for name, value in changes.items())
        self._expect("UPDATE_COMPLETE", f"updated the stack with {words}")

    def delete(self) -> str:
        """Delete it and return its last status, DELETE_COMPLETE or DELETE_FAILED."""
        client("cloudformation").delete_stack(StackName=self.name)
        return self._settled()

    def failure(self) -> str:
        """The first failure in the stack's events, in words, or nothing."""
        pages = client("cloudformation").get_paginator("describe_stack_events")
        events = [
            event for page in pages.paginate(StackName=self._id) for event in page["StackEvents"]
        ]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED"):
                return f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"
        return ""

    def _request(self) -> dict[str, Any]:
        return {
            "StackName": self.name,
            "TemplateBody": self.template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self._values.items()
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "project", "Value": "serverless-lab-kit"}],
        }

    def _describe(self) -> dict[str, Any]:
        return client("cloudformation").describe_stacks(StackName=self._id)["Stacks"][0]

    def _settled(self) -> str:
        def look() -> str:
            status = self._describe()["StackStatus"]
            return "" if status.endswith("_IN_PROGRESS") else status

        return self._deployment.wait_for(look, STACK_S, words="CloudFormation to be done")

    def _expect(self, wanted: str, tried: str) -> None:
        status = self._settled()
        if status != wanted:
            seen = f"{status}. First to fail was {self.failure()}"
            raise Unmet(tried=tried, expected=wanted, seen=seen)
