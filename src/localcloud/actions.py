"""From an HTTP request to what IAM calls it: actions and the resources they are done on.

Names: "Actions, resources, and condition keys for AWS services" (service authorization reference).
"""

import functools
import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, unquote

import botocore.session


@dataclass(frozen=True)
class ApiRequest:
    """An HTTP request as it was sent; header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(hash=False)
    body: bytes = b""


@dataclass(frozen=True)
class Scope:
    """What a SigV4 signature says: whose key, and for which service and region."""

    access_key_id: str
    region: str
    service: str
    session_token: str | None = None


@dataclass(frozen=True)
class Need:
    """One permission that a request needs."""

    action: str
    resource: str


def credential_scope(request: ApiRequest) -> Scope | None:
    """Read the signature in the Authorization header or in a presigned URL; None without one."""
    authorization = request.headers.get("authorization", "")
    found = re.search(r"Credential=([^/\s]+)/\d+/([^/]+)/([^/]+)/aws4_request", authorization)
    token = request.headers.get("x-amz-security-token")
    if not found and "X-Amz-Credential" in request.query:
        query = dict(parse_qsl(request.query))
        token = query.get("X-Amz-Security-Token")
        found = re.match(
            r"([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request", query.get("X-Amz-Credential", "")
        )
    if not found:
        return None
    key, region, service = found.groups()
    return Scope(key, region, service.lower(), token)


def needs(request: ApiRequest, scope: Scope, account_id: str) -> list[Need]:
    """The permissions that a request needs, all of them."""
    if scope.service == "s3":
        return _s3(request)
    operation, parameters = _operation(request, scope.service)
    if scope.service == "lambda" and operation == "Invoke":
        operation = "InvokeFunction"
    resource = _resource(scope, operation, parameters, account_id)
    return [Need(f"{scope.service}:{operation}", resource)]


# -- S3 -------------------------------------------------------------------------------------------

# Sub-resources in the query of a bucket's or an object's address, with what their actions are
# called; reading is Get…, writing and deleting is Put….
_BUCKET_PARTS = {
    "notification": "BucketNotification", "policy": "BucketPolicy", "tagging": "BucketTagging",
    "versioning": "BucketVersioning", "lifecycle": "LifecycleConfiguration",
    "encryption": "EncryptionConfiguration", "cors": "BucketCORS", "acl": "BucketAcl",
    "publicAccessBlock": "BucketPublicAccessBlock", "logging": "BucketLogging",
    "website": "BucketWebsite", "ownershipControls": "BucketOwnershipControls",
    "location": "BucketLocation",
}  # fmt: skip
_OBJECT_PARTS = {"tagging": "ObjectTagging", "acl": "ObjectAcl", "attributes": "ObjectAttributes"}


def _s3(request: ApiRequest) -> list[Need]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    query = parse_qs(request.query, keep_blank_values=True)
    verb = "Get" if request.method in ("GET", "HEAD") else "Put"
    if not bucket:
        return [Need("s3:ListAllMyBuckets", "*")]
    arn = f"arn:aws:s3:::{bucket}"
    if not key:
        return _s3_bucket(request, arn, query, verb)
    target = f"{arn}/{key}"
    for part, name in _OBJECT_PARTS.items():
        if part in query:
            action = f"Delete{name}" if request.method == "DELETE" else f"{verb}{name}"
            return [Need(f"s3:{action}", target)]
    if "uploadId" in query and request.method == "DELETE":
        return [Need("s3:AbortMultipartUpload", target)]
    if "uploadId" in query and request.method == "GET":
        return [Need("s3:ListMultipartUploadParts", target)]
    if request.method == "DELETE":
        return [Need("s3:DeleteObject", target)]
    if verb == "Get":
        version = "Version" if "versionId" in query else ""
        return [Need(f"s3:GetObject{version}", target)]
    put = [Need("s3:PutObject", target)]
    source = request.headers.get("x-amz-copy-source")
    if source:
        source = unquote(source).lstrip("/").partition("?")[0]
        put.insert(0, Need("s3:GetObject", f"arn:aws:s3:::{source}"))
    return put


def _s3_bucket(request: ApiRequest, arn: str, query: dict, verb: str) -> list[Need]:
    for part, name in _BUCKET_PARTS.items():
        if part in query:
            if request.method == "DELETE" and part == "policy":
                return [Need("s3:DeleteBucketPolicy", arn)]
            return [Need(f"s3:{verb}{name}", arn)]
    if "delete" in query:
        keys = re.findall(rb"<Key>(.*?)</Key>", request.body)
        return [Need("s3:DeleteObject", f"{arn}/{key.decode()}") for key in keys]
    if "uploads" in query:
        return [Need("s3:ListBucketMultipartUploads", arn)]
    if "versions" in query:
        return [Need("s3:ListBucketVersions", arn)]
    action = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket",
              "DELETE": "DeleteBucket"}.get(request.method, "PutObject")  # fmt: skip
    return [Need(f"s3:{action}", f"{arn}/*" if action == "PutObject" else arn)]


# -- the other services ---------------------------------------------------------------------------


def _operation(request: ApiRequest, service: str) -> tuple[str, dict]:
    """The operation's name and its parameters, as far as they are easily read."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2], _json(request.body)
    form = dict(parse_qsl(request.body.decode("utf-8", "replace") or request.query))
    if "Action" in form:
        return form["Action"], form
    path = request.path.rstrip("/") or "/"
    for method, pattern, name in _rest_operations(service):
        found = pattern.match(path) if method == request.method else None
        if found:
            values = {key: unquote(value) for key, value in found.groupdict().items()}
            return name, {**_json(request.body), **values}
    return "Unknown", {}


def _json(body: bytes) -> dict:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@functools.cache
def _rest_operations(service: str) -> list[tuple[str, re.Pattern, str]]:
    """Method, path and name of a REST service's operations, the longest paths first."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except botocore.exceptions.UnknownServiceError:
        return []
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", path)
        found.append((http["method"], re.compile(f"^{pattern}$"), name))
    return sorted(found, key=lambda entry: -len(entry[1].pattern))


def _resource(scope: Scope, operation: str, parameters: dict, account_id: str) -> str:
    """The ARN that the action is on, "*" where there is none or it isn't known."""

    def arn(rest: str) -> str:
        return f"arn:aws:{scope.service}:{scope.region}:{account_id}:{rest}"

    match scope.service:
        case "logs" if "logGroupName" in parameters:
            group = arn(f"log-group:{parameters['logGroupName']}")
            stream = parameters.get("logStreamName")
            return f"{group}:log-stream:{stream}" if stream else group
        case "lambda" if "FunctionName" in parameters:
            name = parameters["FunctionName"].split(":function:")[-1]
            return arn(f"function:{name}")
        case "sqs" if "QueueUrl" in parameters:
            return arn(parameters["QueueUrl"].rpartition("/")[2])
        case "sqs" if "QueueName" in parameters:
            return arn(parameters["QueueName"])
        case "sns" if "TopicArn" in parameters:
            return parameters["TopicArn"]
        case "dynamodb" if "TableName" in parameters:
            return arn(f"table/{parameters['TableName']}")
        case "sts" if "RoleArn" in parameters:
            return parameters["RoleArn"]
        case "iam" if "RoleName" in parameters:
            return f"arn:aws:iam::{account_id}:role/{parameters['RoleName']}"
        case "iam" if "UserName" in parameters:
            return f"arn:aws:iam::{account_id}:user/{parameters['UserName']}"
    return "*"
