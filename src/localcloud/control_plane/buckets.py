"""S3 notifications: what a bucket's configuration must satisfy, and how an event leaves for Lambda.

moto accepts any configuration whose ARNs look right and invokes the function itself, inside the
PUT. `install` replaces both: the configuration is checked as S3 checks it, and an event is handed
to whoever delivers it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

import xmltodict
from moto.awslambda.exceptions import GenericResourcNotFound, UnknownFunctionException
from moto.awslambda.utils import get_backend
from moto.s3 import models, notifications, responses
from moto.s3.exceptions import MalformedXML, S3ClientError
from moto.utilities.utils import get_partition

from .bucket_events import object_event

# policy_check(function's policy or None, source ARN, source account, function ARN): may S3 invoke?
PolicyCheck = Callable[[dict[str, Any] | None, str, str, str], bool]
OnEvent = Callable[[str, dict[str, Any]], None]

_SERVICES = {"CloudFunction": "lambda", "Queue": "sqs", "Topic": "sns"}
_ARN = r"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:.+"
_SKIP = "SkipDestinationValidation"

# Set while moto completes a multipart upload: it sends ObjectCreated:Put too, which would be a
# second event.
_completing: ContextVar[bool] = ContextVar("completing", default=False)

_installed = False
_policy_check: PolicyCheck
_on_event: OnEvent


class InvalidNotification(S3ClientError):
    """A refused configuration: 400 InvalidArgument, with the arguments that S3 adds to it."""

    def __init__(self, message: str, **arguments: str):
        super().__init__("InvalidArgument", message)
        self.arguments = arguments

    def to_xml(self) -> str:
        members = {"Code": self.code, "Message": self.message, **self.arguments}
        body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in members.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'


def function_may_be_invoked(bucket: models.FakeBucket, function_arn: str) -> bool:
    """Does the function exist, and does its resource policy let S3 invoke it for this bucket?"""
    region = function_arn.split(":")[3]
    try:
        function = get_backend(bucket.account_id, region).get_function(function_arn)
    except UnknownFunctionException:
        return False
    try:
        policy = function.policy.get_policy()["Policy"]
    except GenericResourcNotFound:
        policy = None
    return _policy_check(policy, bucket.arn, bucket.account_id, function_arn)


def read_configuration(body: bytes | str) -> dict[str, Any]:
    """PutBucketNotificationConfiguration's body as the dict that moto's bucket takes; empty for an
    empty one.

    Raises MalformedXML, or InvalidNotification for an ARN of another service (facts E2).
    """
    root = xmltodict.parse(body).get("NotificationConfiguration") or {}
    configuration: dict[str, Any] = {}
    if "EventBridgeConfiguration" in root:
        configuration["EventBridgeConfiguration"] = {}
    for kind in _SERVICES:
        entries = _as_list(root.get(f"{kind}Configuration"))
        if entries:
            configuration[f"{kind}Configuration"] = [_read_entry(kind, e) for e in entries]
    return configuration


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_entry(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    events = _as_list(entry.get("Event"))
    if kind not in entry or not events:
        raise MalformedXML()
    read = {kind: entry[kind], "Event": events}
    if entry.get("Id"):
        read["Id"] = entry["Id"]
    s3_key = (entry.get("Filter") or {}).get("S3Key") or {}
    rules = [_read_rule(rule) for rule in _as_list(s3_key.get("FilterRule"))]
    if rules:
        read["Filter"] = {"S3Key": {"FilterRule": rules}}
    return read


def _read_rule(rule: dict[str, Any]) -> dict[str, str]:
    # Names are taken in any case and given back capitalised.
    name = str(rule.get("Name")).capitalize()
    if name not in ("Prefix", "Suffix"):
        raise InvalidNotification(
            "filter rule name must be either prefix or suffix",
            ArgumentName="FilterRule.Name",
            ArgumentValue=str(rule.get("Name")),
        )
    return {"Name": name, "Value": rule.get("Value") or ""}


def check_configuration(bucket: models.FakeBucket, configuration: dict[str, Any]) -> None:
    """Refuse what S3 refuses: unreadable ARNs, overlapping filters, functions that S3 may not
    invoke.

    `SkipDestinationValidation` in the configuration leaves out the last. Raises InvalidNotification
    (facts E2).
    """
    entries = [
        (kind, entry)
        for kind in _SERVICES
        for entry in configuration.get(f"{kind}Configuration", [])
    ]
    for kind, entry in entries:
        if not re.fullmatch(_ARN.format(service=_SERVICES[kind]), entry[kind]):
            raise InvalidNotification(
                "The ARN could not be parsed", ArgumentName=kind, ArgumentValue=entry[kind]
            )
    if any(_overlap(a, b) for (_, a), (_, b) in combinations(entries, 2)):
        raise InvalidNotification(
            "Configurations overlap. "
            "Configurations on the same bucket cannot share a common event type."
        )
    if configuration.get(_SKIP):
        return
    refused = [
        entry[kind]
        for kind, entry in entries
        if kind == "CloudFunction" and not function_may_be_invoked(bucket, entry[kind])
    ]
    if refused:
        arguments = {}
        for number, arn in enumerate(refused, start=1):
            arguments[f"ArgumentName{number}"] = f"{arn}, null"
            arguments[f"ArgumentValue{number}"] = f"Not authorized to invoke function [{arn}]"
        raise InvalidNotification(
            "Unable to validate the following destination configurations", **arguments
        )


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Could one object's event match both? Prefixes and suffixes must both meet for that."""
    if not any(_same_event(x, y) for x in a["Event"] for y in b["Event"]):
        return False
    prefix_a, prefix_b = (_filter_value(entry.get("Filter"), "Prefix") for entry in (a, b))
    suffix_a, suffix_b = (_filter_value(entry.get("Filter"), "Suffix") for entry in (a, b))
    prefixes_meet = prefix_a.startswith(prefix_b) or prefix_b.startswith(prefix_a)
    return prefixes_meet and (suffix_a.endswith(suffix_b) or suffix_b.endswith(suffix_a))


def _same_event(a: str, b: str) -> bool:
    return a == b or any(
        wide.endswith(":*") and narrow.startswith(wide[:-1]) for wide, narrow in ((a, b), (b, a))
    )


def _filter_value(filters: dict[str, Any] | None, name: str) -> str:
    """The filter's value as it is compared with keys: it is written URL-encoded, blanks as +."""
    rules: Iterator[str] = (
        rule["Value"]
        for rule in (filters or {}).get("S3Key", {}).get("FilterRule", [])
        if rule["Name"].capitalize() == name
    )
    return unquote_plus(next(rules, ""))


def _key_matches(self: models.Notification, key_name: str) -> bool:
    return key_name.startswith(_filter_value(self.filters, "Prefix")) and key_name.endswith(
        _filter_value(self.filters, "Suffix")
    )


def _deliver(account_id: str, event_body: dict[str, Any], fn_arn: str, region_name: str) -> None:
    """Hand the event over, unless the permission has gone since the configuration was made: S3 then
    drops it.
    """
    bucket_name = event_body["Records"][0]["s3"]["bucket"]["name"]
    bucket = models.s3_backends[account_id][get_partition(region_name)].get_bucket(bucket_name)
    if function_may_be_invoked(bucket, fn_arn):
        _on_event(fn_arn, event_body)


def install(policy_check: PolicyCheck, on_event: OnEvent) -> None:
    """Put the checks and the delivery into moto. A second call only replaces the two callables.

    `policy_check` says whether a function's resource policy (None where it has none) lets S3 invoke
    it. `on_event` gets a function's ARN and the event, inside the request that caused it: it must
    return at once.
    """
    global _installed, _policy_check, _on_event
    _policy_check, _on_event = policy_check, on_event
    if _installed:
        return
    _installed = True
    moto_put = models.S3Backend.put_bucket_notification_configuration
    moto_response = responses.S3Response._bucket_response_put
    moto_delete_marker = models.S3Backend._set_delete_marker
    moto_complete = models.S3Backend.complete_multipart_upload
    moto_send = notifications.send_event

    @functools.wraps(moto_put)
    def put_bucket_notification_configuration(self, bucket_name, notification_config):
        check_configuration(self.get_bucket(bucket_name), notification_config)
        kept = {name: value for name, value in notification_config.items() if name != _SKIP}
        moto_put(self, bucket_name, kept)

    def _notification_config_from_body(self):
        configuration = read_configuration(self.body)
        if self.headers.get("x-amz-skip-destination-validation", "").lower() == "true":
            configuration[_SKIP] = True
        return configuration

    @functools.wraps(moto_response)
    def _bucket_response_put(self, request, bucket_name, querystring):
        try:
            return moto_response(self, request, bucket_name, querystring)
        except InvalidNotification as refusal:
            # moto's serialiser leaves out members that S3's API model doesn't name.
            return 400, {"content-type": "application/xml"}, refusal.to_xml()

    @functools.wraps(moto_delete_marker)
    def _set_delete_marker(self, bucket_name, key_name):
        marker = moto_delete_marker(self, bucket_name, key_name)
        event = notifications.S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
        notifications.send_event(self.account_id, event, self.get_bucket(bucket_name), marker)
        return marker

    @functools.wraps(moto_complete)
    def complete_multipart_upload(self, bucket_name, multipart_id, body):
        token = _completing.set(True)
        try:
            return moto_complete(self, bucket_name, multipart_id, body)
        finally:
            _completing.reset(token)

    @functools.wraps(moto_send)
    def send_event(account_id, event_name, bucket, key):
        put_event = notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
        if not (_completing.get() and event_name == put_event):
            moto_send(account_id, event_name, bucket, key)

    models.S3Backend.complete_multipart_upload = complete_multipart_upload
    models.S3Backend.put_bucket_notification_configuration = put_bucket_notification_configuration
    models.S3Backend._set_delete_marker = _set_delete_marker
    models.Notification._key_matches = _key_matches
    responses.S3Response._notification_config_from_body = _notification_config_from_body
    responses.S3Response._bucket_response_put = _bucket_response_put
    notifications.send_event = send_event
    notifications._get_s3_event = object_event
    notifications._invoke_awslambda = _deliver
