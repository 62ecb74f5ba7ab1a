"""Where S3 sends its events: may it, and how a message reaches a queue, a topic or EventBridge."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.events.models import events_backends
from moto.s3.models import FakeBucket
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ..policies import Policy
from .resources import destination_exists, resource_policy

# policy_check(resource's policy or None, action, resource ARN, source ARN, source account): may S3?
PolicyCheck = Callable[[Policy | None, str, str, str, str], bool]
OnEvent = Callable[[str, dict[str, Any]], None]

_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
# Seen in users' reports of S3's answers; the texts for what isn't there are not confirmed.
_REFUSALS = {
    "sqs": "Permissions on the destination queue do not allow S3 to publish notifications from "
    "this bucket",
    "sns": "Permissions on the destination topic do not allow S3 to publish notifications from "
    "this bucket",
}
_MISSING = {
    "sqs": "The destination queue does not exist",
    "sns": "The destination topic does not exist",
}
_SUBJECT = "Amazon S3 Notification"

_policy_check: PolicyCheck
_on_event: OnEvent


def use(policy_check: PolicyCheck, on_event: OnEvent) -> None:
    """Set who judges the policies of destinations, and who takes the events for them."""
    global _policy_check, _on_event
    _policy_check, _on_event = policy_check, on_event


def problem(bucket: FakeBucket, arn: str) -> str | None:
    """What keeps S3 from sending a bucket's events to a destination, in S3's words; else None.

    A function that isn't there is told no differently from one that S3 may not invoke (facts E2).
    """
    service = arn.split(":")[2]
    if service not in _ACTIONS:  # EventBridge asks for no permission
        return None
    exists = destination_exists(arn, bucket.account_id)
    policy = resource_policy(arn, bucket.account_id) if exists else None
    if exists and _policy_check(policy, _ACTIONS[service], arn, bucket.arn, bucket.account_id):
        return None
    if service == "lambda":
        return f"Not authorized to invoke function [{arn}]"
    return _REFUSALS[service] if exists else _MISSING[service]


def send(bucket: FakeBucket, arn: str, event: dict[str, Any]) -> None:
    """Hand an event over, unless the permission has gone since the configuration was made: S3 then
    drops it.
    """
    if problem(bucket, arn) is None:
        _on_event(arn, event)


def deliver(arn: str, event: dict[str, Any]) -> None:
    """Bring an event to a queue, a topic or EventBridge; one that has gone meanwhile gets none."""
    _, _, service, region, account_id, name = arn.split(":", 5)
    if service == "sqs":
        backend = sqs_backends[account_id][region]
        if name in backend.queues:
            backend.send_message(queue_name=name, message_body=json.dumps(event))
    elif service == "sns":
        backend = sns_backends[account_id][region]
        if arn in backend.topics:
            backend.publish(message=json.dumps(event), arn=arn, subject=_SUBJECT)
    else:
        # send_to_targets compares the event with the rule's pattern.
        bus = events_backends[account_id][region].event_buses.get("default")
        for rule in bus.rules.values() if bus else ():
            rule.send_to_targets(event, transform_input=False)
