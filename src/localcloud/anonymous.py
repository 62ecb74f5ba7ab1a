"""Requests that nobody has signed: what they are asked of, and which need no signature."""

import re
from urllib.parse import parse_qsl

from .actions import ApiRequest, Scope
from .s3_actions import bucket_and_key

_REST_VERSION = re.compile(r"/20\d\d-\d\d-\d\d/")
# "Requesting temporary security credentials" (IAM User Guide); Unsubscribe and ConfirmSubscription
# in the SNS API reference, which are links that anybody may follow.
_UNSIGNED_ACTIONS = {
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "ConfirmSubscription",
    "Unsubscribe",
}
_UNSIGNED_TARGETS = ("AWSCognitoIdentityProviderService.", "AWSCognitoIdentityService.")


def anonymous_scope(request: ApiRequest) -> Scope:
    """The service that an unsigned request is for. S3 alone takes requests from everybody, so that
    all others have one name here.
    """
    headers = request.headers
    other = (
        "x-amz-target" in headers
        or "smithy-protocol" in headers
        or _REST_VERSION.match(request.path)
        or _asks_for_life(request)
        or request.method == "OPTIONS"  # a browser's question whether it may ask
        or _form_action(request)
        or has_api_key(request)
    )
    return Scope("", "us-east-1", "" if other else "s3")


def _asks_for_life(request: ApiRequest) -> bool:
    """Whether a request only wants to know that a server is there: it reads `/`, and of no bucket."""
    if request.path != "/" or request.method not in ("GET", "HEAD"):
        return False
    bucket, _ = bucket_and_key(request)
    return not bucket


def has_api_key(request: ApiRequest) -> bool:
    """Whether a request has one of Bedrock's API keys, of long or short term ("API keys" in the Bedrock User
    Guide; their first letters are those that users show).
    """
    given = request.headers.get("authorization", "")
    return given.startswith(("Bearer ABSK", "Bearer bedrock-api-key-"))


def may_be_unsigned(request: ApiRequest) -> bool:
    """Whether a service other than S3 takes this request from everybody."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.startswith(_UNSIGNED_TARGETS)
    action = _form_action(request)
    if action:
        return action in _UNSIGNED_ACTIONS
    return not (_REST_VERSION.match(request.path) or "smithy-protocol" in request.headers)


def _form_action(request: ApiRequest) -> str | None:
    query = dict(parse_qsl(request.query))
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        query |= parse_qsl(request.body.decode("utf-8", "replace"))
    return query.get("Action")
