"""S3's notifications, in moto: configurations are checked, and the right events leave, once each.

moto accepts any configuration whose ARNs look right, delivers inside the PUT, and sends events that
S3 doesn't send.
"""

from __future__ import annotations

import functools
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.s3 import models, notifications, responses
from moto.s3.notifications import S3NotificationEvent as Event

from . import bucket_destinations
from .bucket_destinations import OnEvent, PolicyCheck
from .bucket_events import bridge_event, object_event, test_event
from .notification_configurations import (
    SKIP,
    InvalidNotification,
    check_configuration,
    filter_value,
    read_configuration,
)

# Events that moto would send at this moment, and S3 doesn't: on completing a multipart upload
# ObjectCreated:Put, on every PUT ObjectTagging:Put, and others on deleting one version.
_quiet: ContextVar[frozenset[str]] = ContextVar(
    "quiet", default=frozenset({Event.OBJECT_TAGGING_PUT_EVENT})
)

_END_OF_CONFIGURATION = re.compile(r"\s*/>\s*$|</NotificationConfiguration>\s*$")


@contextmanager
def _without(*events: str):
    token = _quiet.set(frozenset(events))
    try:
        yield
    finally:
        _quiet.reset(token)


def _key_matches(self: models.Notification, key_name: str) -> bool:
    return key_name.startswith(filter_value(self.filters, "Prefix")) and key_name.endswith(
        filter_value(self.filters, "Suffix")
    )


def _send_event(account_id: str, event_name: Event, bucket: models.FakeBucket, key: Any) -> None:
    configuration = bucket.notification_configuration
    if configuration is None or event_name in _quiet.get():
        return
    for entry in (*configuration.cloud_function, *configuration.queue, *configuration.topic):
        if entry.matches(event_name, key.name):
            event = object_event(event_name, bucket, key, entry.id)
            bucket_destinations.send(bucket, entry.arn, event)
    if configuration.event_bridge is not None:
        arn = f"arn:aws:events:{bucket.region_name}:{account_id}:event-bus/default"
        bucket_destinations.send(bucket, arn, bridge_event(event_name, bucket, key))


def _send_test_event(account_id: str, bucket: models.FakeBucket) -> None:
    configuration = bucket.notification_configuration
    for arn in {entry.arn for entry in (*configuration.queue, *configuration.topic)}:
        bucket_destinations.send(bucket, arn, test_event(bucket.name))


def install(policy_check: PolicyCheck, on_event: OnEvent) -> None:
    """Put the checks and the delivery into moto. A second call only replaces the two callables.

    `policy_check` says whether a resource's policy (None where it has none) lets S3 use it.
    `on_event` gets a destination's ARN and the event, inside the request that caused it: it must
    return at once.
    """
    bucket_destinations.use(policy_check, on_event)
    _install()


@functools.cache
def _install() -> None:
    backend, response = models.S3Backend, responses.S3Response
    moto_put = backend.put_bucket_notification_configuration
    moto_response = response._bucket_response_put
    moto_get = response.get_bucket_notification
    moto_delete_marker = backend._set_delete_marker
    moto_complete = backend.complete_multipart_upload
    moto_tagging = response.put_object_tagging
    moto_delete = backend.delete_object

    @functools.wraps(moto_put)
    def put_bucket_notification_configuration(self, bucket_name, notification_config):
        bucket = self.get_bucket(bucket_name)
        check_configuration(
            notification_config, functools.partial(bucket_destinations.problem, bucket)
        )
        kept = {name: value for name, value in notification_config.items() if name != SKIP}
        moto_put(self, bucket_name, kept)

    def _notification_config_from_body(self):
        configuration = read_configuration(self.body)
        if self.headers.get("x-amz-skip-destination-validation", "").lower() == "true":
            configuration[SKIP] = True
        return configuration

    @functools.wraps(moto_response)
    def _bucket_response_put(self, request, bucket_name, querystring):
        try:
            return moto_response(self, request, bucket_name, querystring)
        except InvalidNotification as refusal:
            # moto's serialiser leaves out members that S3's API model doesn't name.
            return 400, {"content-type": "application/xml"}, refusal.to_xml()

    @functools.wraps(moto_get)
    def get_bucket_notification(self):
        status, headers, body = moto_get(self)
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if kept and kept.event_bridge is not None:  # moto keeps it, and doesn't tell
            empty = body.rstrip().endswith("/>")
            closing = "><EventBridgeConfiguration/></NotificationConfiguration>"
            answer = _END_OF_CONFIGURATION.sub(closing if empty else closing[1:], body)
            return status, {**headers, "content-length": str(len(answer))}, answer
        return status, headers, body

    @functools.wraps(moto_delete_marker)
    def _set_delete_marker(self, bucket_name, key_name):
        marker = moto_delete_marker(self, bucket_name, key_name)
        event = Event.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
        _send_event(self.account_id, event, self.get_bucket(bucket_name), marker)
        return marker

    @functools.wraps(moto_complete)
    def complete_multipart_upload(self, bucket_name, multipart_id, body):
        with _without(Event.OBJECT_CREATED_PUT_EVENT, Event.OBJECT_TAGGING_PUT_EVENT):
            return moto_complete(self, bucket_name, multipart_id, body)

    @functools.wraps(moto_tagging)
    def put_object_tagging(self):
        with _without():
            return moto_tagging(self)

    @functools.wraps(moto_delete)
    def delete_object(self, bucket_name, key_name, version_id=None, bypass=False):
        bucket = self.get_bucket(bucket_name)
        if version_id is None or not bucket.is_versioned:
            return moto_delete(self, bucket_name, key_name, version_id, bypass)
        # moto tells only of the last version that goes, and names the newest one.
        versions = bucket.keys.getlist(key_name) if key_name in bucket.keys else []
        going = [each for each in versions if str(each.version_id) == str(version_id)]
        with _without(Event.OBJECT_REMOVED_DELETE_EVENT):
            answer = moto_delete(self, bucket_name, key_name, version_id, bypass)
        for version in going:
            if isinstance(version, models.FakeKey):
                event = Event.OBJECT_REMOVED_DELETE_EVENT
                _send_event(self.account_id, event, bucket, version)
        return answer

    backend.complete_multipart_upload = complete_multipart_upload
    backend.put_bucket_notification_configuration = put_bucket_notification_configuration
    backend._set_delete_marker = _set_delete_marker
    backend.delete_object = delete_object
    models.Notification._key_matches = _key_matches
    response._notification_config_from_body = _notification_config_from_body
    response._bucket_response_put = _bucket_response_put
    response.put_object_tagging = put_object_tagging
    response.get_bucket_notification = get_bucket_notification
    notifications.send_event = _send_event
    notifications.send_test_event = _send_test_event
