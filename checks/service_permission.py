"""What a function's own policy allows an AWS service to do, as IAM evaluates it."""

import json
from typing import Any

from .deployment import Deployment


class ServicePermission:
    """The resource policy of a function, asked about one service, such as s3.amazonaws.com."""

    def __init__(self, deployment: Deployment, function: str, service: str):
        self._deployment, self._function, self._service = deployment, function, service
        found = deployment.client("lambda").get_function_configuration(FunctionName=function)
        self.function_arn: str = found["FunctionArn"]

    def statements(self) -> list[dict[str, Any]]:
        """The policy's statements; none where the function has no policy."""
        functions = self._deployment.client("lambda")
        try:
            policy = functions.get_policy(FunctionName=self._function)["Policy"]
        except functions.exceptions.ResourceNotFoundException:
            return []
        found = json.loads(policy)["Statement"]
        return found if isinstance(found, list) else [found]

    def other_principals(self) -> list[str]:
        """Who else than the service is allowed something, as JSON texts."""
        wanted = {"Service": self._service}
        principals = [each.get("Principal") for each in self._allowing()]
        return [json.dumps(principal) for principal in principals if principal != wanted]

    def of_bucket(
        self, bucket: str, *, account: str = "", action: str = "lambda:InvokeFunction"
    ) -> bool:
        """Whether the service may do the action on behalf of a bucket (of this account if none is named).

        The simulator takes identity-based policies, which name no principal: the statements are asked
        without theirs, and with what the service says about itself.
        """
        statements = [
            {name: value for name, value in each.items() if name not in ("Sid", "Principal")}
            for each in self.statements()
        ]
        if not statements:
            return False
        context = {
            "aws:SourceArn": f"arn:{self._deployment.partition}:s3:::{bucket}",
            "aws:SourceAccount": account or self._deployment.account,
        }
        answer = self._deployment.client("iam").simulate_custom_policy(
            PolicyInputList=[json.dumps({"Version": "2012-10-17", "Statement": statements})],
            ActionNames=[action],
            ResourceArns=[self.function_arn],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in context.items()
            ],
        )
        return answer["EvaluationResults"][0]["EvalDecision"] == "allowed"

    def _allowing(self) -> list[dict[str, Any]]:
        return [each for each in self.statements() if each["Effect"] == "Allow"]
