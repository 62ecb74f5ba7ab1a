"""What the tests of event source mappings share: functions that report what they get to a queue."""

import json

from deployment import deploy, make_role, wait_for

POLLING = [
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "dynamodb:GetRecords",
    "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams",
    "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream",
    "kinesis:ListShards", "kinesis:ListStreams", "sqs:SendMessage",
]  # fmt: skip


def make_poller_role(cloud, name):
    """A role that may poll every kind of source and send to queues."""
    return make_role(cloud, name, {"Action": POLLING, "Resource": "*"})


def deploy_consumer(cloud, name, source, **options):
    """Deploy a function that may poll; its handler prints what a test then reads in the log."""
    return deploy(cloud, name, source, role=make_poller_role(cloud, f"{name}-role"), **options)


def make_queue(cloud, name, **attributes):
    """A queue's URL and ARN. Messages come back after a second unless said otherwise."""
    given = {"VisibilityTimeout": "1", **attributes}
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def printed(cloud, name, count=1, seconds=90.0):
    """The JSON lines that a function has printed, as soon as there are `count` of them."""
    logs = cloud.client("logs")

    def lines():
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        found = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
        return found if len(found) >= count else None

    return wait_for(lines, seconds)


def is_empty(cloud, url):
    """Whether a queue holds nothing, neither visible nor hidden."""
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return (
        attributes["ApproximateNumberOfMessages"] == "0"
        and attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    )
