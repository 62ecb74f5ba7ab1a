"""A function in another region than the one in use: for code that must not take its region for granted."""

import json
from collections.abc import Mapping
from typing import Any

import boto3

from .deployment import ROLE_S, Answer, Deployment, is_created


class FunctionElsewhere:
    """A function of these files in another region, under a role that is there already."""

    def __init__(
        self, deployment: Deployment, word: str, files: Mapping[str, bytes], handler: str, role: str
    ):
        # us-east-1 is the region in which CreateBucket takes no LocationConstraint: one of the two is it.
        self.region = "eu-west-1" if deployment.region == "us-east-1" else "us-east-1"
        self._name = deployment.name(word)
        self._functions = boto3.client("lambda", region_name=self.region)

        def created() -> bool:
            return is_created(
                self._functions, files, FunctionName=self._name, Role=role, Handler=handler,
                MemorySize=1769, Timeout=25,
            )  # fmt: skip

        deployment.wait_for(created, ROLE_S)
        waiter = self._functions.get_waiter("function_active_v2")
        waiter.wait(FunctionName=self._name, WaiterConfig={"Delay": 1})

    def invoke(self, event: Any) -> Answer:
        """Invoke the function and wait for its answer, without the log."""
        return Answer.of(self._functions.invoke(FunctionName=self._name, Payload=json.dumps(event)))

    def remove(self) -> None:
        """Delete the function and its log group."""
        self._functions.delete_function(FunctionName=self._name)
        logs = boto3.client("logs", region_name=self.region)
        try:
            logs.delete_log_group(logGroupName=f"/aws/lambda/{self._name}")
        except logs.exceptions.ResourceNotFoundException:
            return
