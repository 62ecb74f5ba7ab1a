"""The condition keys that a request's own parameters give.

From "Actions, resources, and condition keys for AWS services" (service authorization reference) and
"AWS global condition context keys" in the IAM User Guide.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import unescape

from .resource_names import parameter_value

Keys = dict[str, str | list[str]]

_KEYS = {
    "sts": {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName",
            "SourceIdentity": "sts:SourceIdentity"},
    "lambda": {"Principal": "lambda:Principal", "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
               "AuthType": "lambda:FunctionUrlAuthType", "Layers": "lambda:Layer"},
    "sns": {"Protocol": "sns:Protocol", "Endpoint": "sns:Endpoint"},
    "iam": {"PermissionsBoundary": "iam:PermissionsBoundary", "PolicyArn": "iam:PolicyARN"},
}  # fmt: skip
_FUNCTION_ARN = "arn:aws:lambda:{region}:{account}:function:{name}"
_FORM_TAG = re.compile(r"Tags(?:\.member|\.entry|\.Tag)?\.(\d+)\.Key|Tag\.(\d+)\.Key")
_XML_TAG = re.compile(r"<Tag>\s*<Key>(.*?)</Key>\s*<Value>(.*?)</Value>\s*</Tag>", re.DOTALL)


def condition_keys(service: str, operation: str, parameters: Mapping, place: Mapping) -> Keys:
    """The keys of a request to any service but S3; `place` has the region and the account."""
    names = _KEYS.get(service, {})
    found: Keys = {
        key: value if isinstance(value, list) else str(value)
        for name, key in names.items()
        if (value := parameters.get(name)) is not None
    }
    if service == "lambda" and "EventSourceMapping" in operation and "FunctionName" in parameters:
        name = parameter_value(service, "FunctionName", parameters["FunctionName"])
        found["lambda:FunctionArn"] = _FUNCTION_ARN.format(**place, name=name)
    keys = parameters.get("TagKeys") or parameters.get("tagKeys")
    if isinstance(keys, list):
        found["aws:TagKeys"] = keys
    return found | _request_tags(_tags(parameters), "aws:RequestTag", "aws:TagKeys")


def s3_tag_keys(operation: str, headers: Mapping[str, str], body: bytes) -> Keys:
    """The tags that an S3 request brings, in a header or in its body.

    "Policies and permissions with object tags" in the S3 User Guide.
    """
    tags = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
    if operation.endswith("Tagging") or operation == "CreateBucket":
        pairs = _XML_TAG.findall(body.decode("utf-8", "replace"))
        tags |= {unescape(name): unescape(value) for name, value in pairs}
    if operation.endswith("BucketTagging") or operation == "CreateBucket":
        return _request_tags(tags, "aws:RequestTag", "aws:TagKeys")
    return _request_tags(tags, "s3:RequestObjectTag", "s3:RequestObjectTagKeys")


def _request_tags(tags: Mapping[str, str], prefix: str, all_keys: str) -> Keys:
    if not tags:
        return {}
    return {**{f"{prefix}/{name}": value for name, value in tags.items()}, all_keys: list(tags)}


def _tags(parameters: Mapping) -> dict[str, str]:
    """Tags in any of the shapes in which services take them: an object, a list, or form fields."""
    for name in ("Tags", "tags"):
        given = parameters.get(name)
        if isinstance(given, Mapping):
            return {str(key): str(value) for key, value in given.items()}
        if isinstance(given, list):
            return dict(_pairs(given))
    found = {}
    for name, value in parameters.items():
        if _FORM_TAG.fullmatch(name):
            found[value] = parameters.get(f"{name.removesuffix('Key')}Value", "")
    return found


def _pairs(tags: Iterable) -> Iterable[tuple[str, str]]:
    for tag in tags:
        if isinstance(tag, Mapping):
            key = tag.get("Key", tag.get("key", tag.get("TagKey")))
            yield str(key), str(tag.get("Value", tag.get("value", tag.get("TagValue", ""))))
