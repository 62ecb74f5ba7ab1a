"""A bucket with notifications of every kind, which whoever adds one more has to leave in place."""

import contextlib
import json

from botocore.exceptions import ClientError

from .deployment import Deployment

# A queue's new policy takes up to a minute to hold on AWS ("SetQueueAttributes", Amazon SQS API Reference).
POLICY_S = 60


class BusyBucket:
    """Tells a function of reports, a queue of removals, and EventBridge of everything."""

    def __init__(self, deployment: Deployment, function_arn: str):
        self._sqs = deployment.client("sqs")
        self.name: str = deployment.bucket("busy")
        arn = f"arn:{deployment.partition}:s3:::{self.name}"
        deployment.client("lambda").add_permission(
            FunctionName=function_arn,
            StatementId="reports-of-the-busy-bucket",
            Principal="s3.amazonaws.com",
            Action="lambda:InvokeFunction",
            SourceArn=arn,
            SourceAccount=deployment.account,
        )
        self._url = self._sqs.create_queue(QueueName=deployment.name("jobs"))["QueueUrl"]
        reports = {
            "Id": "reports",
            "LambdaFunctionArn": function_arn,
            "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "reports/"}]}},
        }
        queue = self._queue_for(arn)
        removals = {"Id": "removals", "QueueArn": queue, "Events": ["s3:ObjectRemoved:*"]}
        wanted = {
            "LambdaFunctionConfigurations": [reports],
            "QueueConfigurations": [removals],
            "EventBridgeConfiguration": {},
        }

        def accepted() -> bool:
            with contextlib.suppress(ClientError):
                deployment.client("s3").put_bucket_notification_configuration(
                    Bucket=self.name, NotificationConfiguration=wanted
                )
                return True
            return False

        deployment.wait_for(accepted, POLICY_S)

    def remove(self) -> None:
        """Delete the queue. The bucket is the deployment's."""
        self._sqs.delete_queue(QueueUrl=self._url)

    def _queue_for(self, bucket_arn: str) -> str:
        """Let the bucket send to the queue, and return the queue's ARN."""
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": bucket_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        return arn
