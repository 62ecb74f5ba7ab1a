"""SNS → Lambda: the complete event, handed to whoever delivers it after the request.

moto invokes the function inside Publish, with an event of placeholders.
"""

from __future__ import annotations

import base64
import functools
import os
from collections.abc import Callable
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import Subscription

from ..policies import Policy
from .resources import resource_policy

OnEvent = Callable[[str, dict[str, Any]], None]
# policy_check(policy or None, action, resource, source ARN, source account, service).
PolicyCheck = Callable[[Policy | None, str, str, str, str, str], bool]

_moto_publish = Subscription.publish


def topic_event(
    subscription: Subscription,
    message: str,
    message_id: str,
    subject: str | None,
    attributes: dict[str, Any] | None,
) -> dict[str, Any]:
    """The event of one notification ("Using Lambda with Amazon SNS"). The signature is made up."""
    region = subscription.topic.arn.split(":")[3]
    address = f"https://sns.{region}.amazonaws.com"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription.arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": message_id,
                    "TopicArn": subscription.topic.arn,
                    "Subject": subject,
                    "Message": message,
                    "Timestamp": iso_8601_datetime_with_milliseconds(),
                    "SignatureVersion": "1",
                    "Signature": base64.b64encode(os.urandom(256)).decode(),
                    "SigningCertUrl": f"{address}/SimpleNotificationService-0.pem",
                    "UnsubscribeUrl": (
                        f"{address}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
                    ),
                    "MessageAttributes": {
                        name: {"Type": value["Type"], "Value": value["Value"]}
                        for name, value in (attributes or {}).items()
                    },
                },
            }
        ]
    }


def install(policy_check: PolicyCheck, on_event: OnEvent) -> None:
    """Put the delivery into moto. `on_event(function_arn, event)` must return at once; a function
    whose resource policy does not let the topic invoke it gets nothing.
    """

    @functools.wraps(_moto_publish)
    def publish(self, message, message_id, subject=None, message_attributes=None, **others):
        if self.protocol != "lambda":
            _moto_publish(self, message, message_id, subject, message_attributes, **others)
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        if others.get("message_structure") == "json":
            message = self._parse_message_structure(message, self.protocol)
        policy = resource_policy(self.endpoint, self.account_id)
        if policy_check(
            policy,
            "lambda:InvokeFunction",
            self.endpoint,
            self.topic.arn,
            self.account_id,
            "sns.amazonaws.com",
        ):
            event = topic_event(self, message, message_id, subject, message_attributes)
            on_event(self.endpoint, event)

    Subscription.publish = publish
