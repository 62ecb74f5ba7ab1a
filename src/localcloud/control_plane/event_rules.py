"""EventBridge's rules with functions and topics as targets, which moto's rules don't know."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds, utcfromtimestamp
from moto.events.models import Rule
from moto.sns.models import sns_backends

from ..policies import Policy
from .resources import resource_policy

# policy_check(policy or None, action, resource, source ARN, source account, service).
PolicyCheck = Callable[[Policy | None, str, str, str, str, str], bool]
OnEvent = Callable[[str, dict[str, Any]], None]

_ACTIONS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish"}
_original = Rule.send_to_targets


def install(may_service: PolicyCheck, on_event: OnEvent) -> None:
    """Let rules reach functions and topics whose resource policy allows it ("Using resource-based
    policies for Amazon EventBridge" in its User Guide). `on_event(function_arn, event)` must return
    at once.
    """

    def send_to_targets(self, original_event, transform_input=True):
        ours = [target for target in self.targets if _service(target) in _ACTIONS]
        others = copy.copy(self)
        others.targets = [target for target in self.targets if target not in ours]
        _original(others, original_event, transform_input)
        is_meant = self.state == "ENABLED" and self.event_pattern.matches_event(original_event)
        for target in ours if is_meant else ():
            arn = target["Arn"]
            policy = resource_policy(arn, self.account_id)
            action = _ACTIONS[_service(target)]
            if may_service(policy, action, arn, self.arn, self.account_id, "events.amazonaws.com"):
                event = _read(original_event)
                if _service(target) == "lambda":
                    on_event(arn, event)
                else:
                    region = arn.split(":")[3]
                    topics = sns_backends[self.account_id][region]
                    topics.publish(message=json.dumps(event), arn=arn)

    Rule.send_to_targets = send_to_targets


def _service(target: dict[str, Any]) -> str:
    return target["Arn"].split(":")[2]


def _read(event: dict[str, Any]) -> dict[str, Any]:
    """The event as targets see it: moto keeps its time as a number."""
    moment = utcfromtimestamp(float(event["time"]))
    return {**event, "time": iso_8601_datetime_without_milliseconds(moment)}
