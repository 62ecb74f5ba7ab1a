"""What a REST API's endpoint type changes: "API endpoint types for REST APIs in API Gateway".

An edge-optimised API stands behind CloudFront, which adds headers to requests and answers, capitalises
header names and sorts cookies; the others pass names on as they were sent. Where the viewer is and which
edge is near, CloudFront-Viewer-Country, -ASN and the like, only geography can say: they are left out, and
X-Amz-Cf-Pop names no place.
"""

import base64
import os
import re
from dataclasses import replace

from .addresses import Call, Field, capitalised
from .refusals import Answer
from .rest_descriptions import RestApi

_EDGE = f"{os.urandom(16).hex()}.cloudfront.net (CloudFront)"
_POP = "LOCAL-P1"
_NAMES = {"cloudfront-is-smarttv-viewer": "CloudFront-Is-SmartTV-Viewer"}
_VIEWERS = (
    ("SmartTV", re.compile(r"smart-?tv|appletv|googletv", re.I)),
    ("Tablet", re.compile(r"ipad|tablet|android(?!.*mobile)", re.I)),
    ("Mobile", re.compile(r"mobile|iphone|android", re.I)),
    ("Desktop", re.compile("")),
)


def received(call: Call, api: RestApi) -> Call:
    """A request as it reaches an API."""
    return _through_the_edge(call) if api.endpoint_type == "EDGE" else call


def answered(answer: Answer, api: RestApi) -> Answer:
    """An API's answer as it reaches the caller."""
    if api.endpoint_type != "EDGE":
        return answer
    status, headers, body = answer
    outcome = b"Error" if status >= 400 else b"Miss"
    added = [
        (b"x-cache", outcome + b" from cloudfront"),
        (b"via", f"1.1 {_EDGE}".encode()),
        (b"x-amz-cf-pop", _POP.encode()),
        (b"x-amz-cf-id", _request_id().encode()),
    ]
    return status, [*headers, *added], body


def _through_the_edge(call: Call) -> Call:
    fields = [(name, _sorted(value) if name == "cookie" else value) for name, value in call.fields]
    before = [value for name, value in fields if name == "x-forwarded-for"]
    told = [
        ("cloudfront-forwarded-proto", "http"),
        *_viewer(call.request.headers.get("user-agent", "")),
        ("via", f"1.1 {_EDGE}"),
        ("x-amz-cf-id", _request_id()),
        ("x-forwarded-for", ", ".join((*before, call.source_ip))),
    ]
    taken = {name for name, _ in told if name != "via"}
    fields = [field for field in fields if field[0] not in taken] + told
    names = {name: capitalised(name).replace("Cloudfront", "CloudFront") for name, _ in fields}
    return replace(call, fields=tuple(fields), names=names | _NAMES)


def _viewer(user_agent: str) -> list[Field]:
    """What kind of device the viewer has, by its user agent."""
    kind = next(kind for kind, pattern in _VIEWERS if pattern.search(user_agent))
    return [
        (f"cloudfront-is-{each.lower()}-viewer", str(each == kind).lower()) for each, _ in _VIEWERS
    ]


def _sorted(cookies: str) -> str:
    return "; ".join(sorted(each.strip() for each in cookies.split(";")))


def _request_id() -> str:
    return base64.urlsafe_b64encode(os.urandom(40)).decode()
