"""What S3 sends to a function, seen from outside: a queue gets a record of each event."""

import json
import time
from collections.abc import Collection
from typing import Any

from botocore.exceptions import ClientError

from .deployment import ROLE_S, Deployment

# So that a check sees a failure at once, where Lambda would try twice more within three minutes.
_NO_RETRIES = 0

# Below 1,769 MB a function has a part of a processor, and a client takes long to make.
_RECORDER_MB = 1769
_RECORDER = b"""import json
import os

import boto3

SQS = boto3.client("sqs")


def handler(event, context):
    record = json.dumps({"requestPayload": event})
    SQS.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=record)
"""

LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


class Arrivals:
    """A queue, the permission that a role needs to send to it, and the records that came."""

    def __init__(self, deployment: Deployment, word: str):
        self._deployment = deployment
        self._sqs = deployment.client("sqs")
        self._url = self._sqs.create_queue(QueueName=deployment.name(word))["QueueUrl"]
        self.arn: str = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]

    @property
    def policy(self) -> dict[str, Any]:
        """The policy by which a function's role may log and report here."""
        report = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": self.arn}
        return {"Version": "2012-10-17", "Statement": [LOGS, report]}

    def recorder(self, word: str) -> str:
        """Create a function that sends here every event that it gets, and return its name once it can."""
        name = self._deployment.function(
            word, {"recorder.py": _RECORDER}, handler="recorder.handler", memory=_RECORDER_MB,
            role=self._deployment.role(word, self.policy), environment={"QUEUE_URL": self._url},
        )  # fmt: skip
        # A role that was made a moment ago may not be known to SQS yet.
        self._deployment.wait_for(lambda: not self._deployment.invoke(name, {}).error, ROLE_S)
        return name

    def watch(self, function: str) -> None:
        """Have Lambda send here what comes of the function's asynchronous invocations."""
        there = {"Destination": self.arn}

        def configured() -> bool:
            try:
                self._deployment.client("lambda").put_function_event_invoke_config(
                    FunctionName=function,
                    MaximumRetryAttempts=_NO_RETRIES,
                    DestinationConfig={"OnSuccess": there, "OnFailure": there},
                )
            except ClientError as error:
                # A role that was made a moment ago may not be known everywhere.
                if error.response["Error"]["Code"] == "InvalidParameterValueException":
                    return False
                raise
            return True

        self._deployment.wait_for(configured, ROLE_S)

    def take(self, seconds: float) -> list[dict[str, Any]]:
        """Return the records that are there, or that come first within that time; each is given once.

        A record has `requestPayload` (the event); Lambda's has `responsePayload` (the function's answer) too:
        "Capturing records of Lambda asynchronous invocations" in the Lambda Developer Guide.
        """
        deadline = time.monotonic() + seconds
        while True:
            left = max(0, min(20, round(deadline - time.monotonic())))
            messages = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=left
            ).get("Messages", [])
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if messages or time.monotonic() >= deadline:
                return [json.loads(message["Body"]) for message in messages]

    def until(
        self, bucket: str, keys: Collection[str], seconds: float
    ) -> list[tuple[str, str, str]]:
        """Return (bucket, event name, key) of S3's records that come, until all keys of the bucket are there.

        Keys are given as they stand in the event, encoded.
        """
        found: list[tuple[str, str, str]] = []
        deadline = time.monotonic() + seconds
        while not set(keys) <= {key for place, _, key in found if place == bucket}:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            for record in self.take(left):
                for each in record["requestPayload"].get("Records", []):
                    s3 = each["s3"]
                    found.append((s3["bucket"]["name"], each["eventName"], s3["object"]["key"]))
        return found

    def remove(self) -> None:
        """Delete the queue."""
        self._sqs.delete_queue(QueueUrl=self._url)
